"""The sound devices: what there is, and what the settings name that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import SoundError

if TYPE_CHECKING:
    from softphone.audio.devices import Devices, Side


def _sound(machine: Machine) -> Iterator[Finding]:
    from softphone.audio.cleaning import Cleaner
    from softphone.audio.devices import list_devices
    from softphone.audio.files import read_wav

    settings = machine.settings
    found = list_devices()
    faults = [*_side(found, "microphone", settings.microphone), *_side(found, "speaker", settings.speaker)]
    if settings.microphone.startswith("file:"):
        try:
            read_wav(Path(settings.microphone.removeprefix("file:")))
        except SoundError as error:
            faults.append(Finding.of(error))
    yield from faults or [Finding("doctor.sound", {"count": len(found.all)})]
    for device in dict.fromkeys((settings.ring_device, settings.notice_device)):
        yield from _besides(found, device)
    if (settings.echo or settings.noise) and not Cleaner(echo=settings.echo, noise=settings.noise).works:
        yield Finding("doctor.sound.as_it_is")
    if settings.ring_sound.startswith("file:"):
        path = settings.ring_sound.removeprefix("file:")
        try:
            read_wav(Path(path))
        except SoundError:
            yield Finding("doctor.ring.missing", {"path": path})


def _side(found: Devices, side: Side, device: str) -> Iterator[Finding]:
    """As the phone would say it."""
    from softphone.audio.devices import SoundFault
    from softphone.audio.names import device_name

    if device.startswith(("file:", "none")):
        return
    fault = found.find(side, device)
    if isinstance(fault, SoundFault):
        yield Finding(f"error.{fault.code}", {"device": device_name(fault.device), "detail": fault.detail})


def _besides(found: Devices, device: str) -> Iterator[Finding]:
    """A device without which the phone rings, or speaks, by another."""
    from softphone.audio.devices import SoundFault
    from softphone.audio.names import device_name

    named = bool(device) and not device.startswith(("file:", "none"))
    if named and found.all and isinstance(found.find("speaker", device), SoundFault):
        yield Finding("doctor.sound.missing", {"device": device_name(device)})


SOUND = Check("sound", _sound)
