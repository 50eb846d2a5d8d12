"""The sound devices of this machine, and what is wrong where there are none.

A missing PortAudio, microphone or speaker is a state with a code, never an exception: a call goes on
without. Device ids are `host api: name`, which survive a restart; the empty id is the system's default.

Where a sound server answers, its devices stand for ALSA's; on Windows those of WASAPI stand for the same ones of MME and
DirectSound, so that a headset is in the list once.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from softphone.audio.pulse import PulseDevice, pulse_devices
from softphone.domain.errors import SoundError

if TYPE_CHECKING:
    import sounddevice

Side = Literal["microphone", "speaker"]
FaultCode = Literal[
    "sound_missing",
    "no_microphone",
    "no_speaker",
    "no_such_microphone",
    "no_such_speaker",
    "microphone_failed",
    "speaker_failed",
    "microphone_lost",
    "speaker_lost",
]


@dataclass(frozen=True, slots=True)
class SoundFault:
    """What is wrong with sound on this machine. `device` is the requested id, `detail` PortAudio's message."""

    code: FaultCode
    device: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SoundWorks:
    """A side is open: at first, or again after a fault."""

    side: Side
    device: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """`index` is PortAudio's at this moment, and the sound server's have none: keep `id`. `rate` is the device's own, in Hz.
    `pulse`: the sound server's name for it; empty for any other, and for the one that follows the system's choice."""

    id: str
    name: str
    host_api: str
    index: int
    inputs: int
    outputs: int
    rate: float
    default_input: bool
    default_output: bool
    pulse: str = ""
    pulse_index: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Devices:
    """All devices, and at most one fault a side; `sound_missing` says that PortAudio is not there."""

    all: tuple[Device, ...]
    faults: tuple[SoundFault, ...]

    def microphones(self) -> tuple[Device, ...]:
        return tuple(device for device in self.all if device.inputs)

    def speakers(self) -> tuple[Device, ...]:
        return tuple(device for device in self.all if device.outputs)

    def find(self, side: Side, device: str) -> Device | SoundFault:
        """The device with that id, or the default for an empty one, or what is wrong instead."""
        for fault in self.faults:
            if fault.code in ("sound_missing", f"no_{side}"):
                return fault
        usable = self.microphones() if side == "microphone" else self.speakers()
        if device and not (device in _SERVERS and all(one.host_api == PULSE for one in usable)):
            for candidate in usable:
                if candidate.id == device:
                    return candidate
            return SoundFault("no_such_microphone" if side == "microphone" else "no_such_speaker", device)
        for candidate in usable:
            if candidate.default_input if side == "microphone" else candidate.default_output:
                # The server moves it when the system's choice changes.
                return replace(candidate, pulse="")
        return usable[0]


PULSE = "PulseAudio"
NOT_PORTAUDIO = -1
_WASAPI = "Windows WASAPI"
_SERVERS = ("ALSA: pulse", "ALSA: default")
"""what a sound server is called by ALSA; in settings from before its own names were known, the system's default"""

_lock = threading.Lock()
_streams = 0
"""those that are open or being opened: PortAudio sees new devices only when it starts anew, which would end them all"""
_ERROR_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
_SAY_NOTHING = _ERROR_HANDLER(lambda *_: None)
"""made once and kept as long as the process: ALSA calls whichever of two threads' was set last"""


def portaudio() -> ModuleType:
    """sounddevice, imported when sound is first wanted. Raises SoundError `sound_missing`."""
    _silence_alsa()
    try:
        import sounddevice
    except OSError as error:
        raise SoundError("sound_missing", detail=str(error)) from None
    _ends_after_a_look()
    return sounddevice


@cache
def _ends_after_a_look() -> None:
    """At the process's end sounddevice ends PortAudio. A look that is just about to start it anew is waited for, or it would
    be ended twice. What is registered later runs first."""
    atexit.register(_lock.acquire, timeout=1.0)


def list_devices(*, refresh: bool = False) -> Devices:
    """What is there. `refresh`: look anew if no stream is open; else it is what was there when the first one opened. A sound
    server's own list is always new, and needs no PortAudio, which loads some 30 MB of ALSA's plugins."""
    if served := pulse_devices():
        return _with_faults(tuple(_of_server(one) for one in served))
    try:
        portaudio()
    except SoundError as error:
        return Devices((), (SoundFault("sound_missing", detail=str(error.params["detail"])),))
    import sounddevice

    with _lock:
        try:
            found = _of_portaudio(sounddevice.query_devices(), sounddevice.query_hostapis())
            if refresh and not _streams:
                # One that could not start at the last look cannot be ended either.
                with suppress(sounddevice.PortAudioError):
                    sounddevice._terminate()
                sounddevice._initialize()
                found = _of_portaudio(sounddevice.query_devices(), sounddevice.query_hostapis())
        except sounddevice.PortAudioError as error:
            return Devices((), (SoundFault("sound_missing", detail=str(error)),))
    return _with_faults(found)


def _with_faults(found: tuple[Device, ...]) -> Devices:
    faults: list[SoundFault] = []
    if not any(device.inputs for device in found):
        faults.append(SoundFault("no_microphone"))
    if not any(device.outputs for device in found):
        faults.append(SoundFault("no_speaker"))
    return Devices(found, tuple(faults))


def stream_opens() -> None:
    """From here until `stream_closed` no look ends what is open."""
    global _streams
    with _lock:
        _streams += 1


def stream_closed() -> None:
    global _streams
    with _lock:
        _streams -= 1


@contextmanager
def steady(side: Side, device: Device) -> Generator[Device]:
    """The device with the number by which it can be opened, valid inside. A look since it was found may have renumbered it.

    Raises SoundError `no_such_microphone` and the like if it has gone since it was found.
    """
    stream_opens()
    try:
        found = list_devices()
        now = device if device in found.all else found.find(side, device.id)
        if isinstance(now, SoundFault):
            raise SoundError(now.code, device=device.id, detail=now.detail)
        yield now
    finally:
        stream_closed()


def is_gone(device: Device) -> bool:
    """A device of the sound server that was chosen by name and is not there any more, or was away for a moment: the server has
    led its stream to another one, which nobody chose. Not known is not gone."""
    if not device.pulse:
        return False
    served = pulse_devices()
    opened = (device.pulse, device.pulse_index)
    return served is not None and all((one.name, one.index) != opened for one in served)


def _of_server(one: PulseDevice) -> Device:
    microphone = one.side == "microphone"
    return Device(
        id=f"{PULSE}: {one.name}",
        name=one.shown,
        host_api=PULSE,
        index=NOT_PORTAUDIO,
        inputs=int(microphone),
        outputs=int(not microphone),
        rate=one.rate,
        default_input=microphone and one.default,
        default_output=not microphone and one.default,
        pulse=one.name,
        pulse_index=one.index,
    )


def _of_portaudio(
    devices: list[sounddevice.DeviceInfo], apis: tuple[sounddevice.HostApiInfo, ...]
) -> tuple[Device, ...]:
    import sounddevice

    # Each API of Windows has defaults of its own; PortAudio's are those of the first, MME.
    preferred = next((one for one in apis if one["name"] == _WASAPI), None)
    default_input, default_output = sounddevice.default.device
    if preferred is not None:
        default_input, default_output = preferred["default_input_device"], preferred["default_output_device"]
    if default_input < 0 and apis:
        default_input = apis[0]["default_input_device"]
    if default_output < 0 and apis:
        default_output = apis[0]["default_output_device"]
    all_of_them = tuple(
        Device(
            id=f"{apis[info['hostapi']]['name']}: {info['name']}",
            name=info["name"],
            host_api=apis[info["hostapi"]]["name"],
            index=info["index"],
            inputs=info["max_input_channels"],
            outputs=info["max_output_channels"],
            rate=info["default_samplerate"],
            default_input=info["index"] == default_input,
            default_output=info["index"] == default_output,
        )
        for info in devices
    )
    wasapi = tuple(one for one in all_of_them if one.host_api == _WASAPI)
    return wasapi or tuple({one.id: one for one in all_of_them}.values())


@cache
def _silence_alsa() -> None:
    """ALSA prints a paragraph for every device it tries in vain; its own hook takes that away."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_SAY_NOTHING)
