"""PulseAudio's and PipeWire's devices by the names that people know.

PortAudio reaches a sound server through ALSA alone, which shows it as one device. So the server is asked here. Its streams
are in `pulse_streams`.
"""

from __future__ import annotations

import ctypes.util
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pulsectl

Side = Literal["microphone", "speaker"]

ANSWERS_WITHIN = 2.0
"""seconds that a sound server may take; one that hangs must not take its asker with it"""


@dataclass(frozen=True, slots=True)
class PulseDevice:
    """A sink or source. `name` is the server's and lasts; `shown` is what the sound settings of the system call it. `index` is
    another one each time that it is plugged in."""

    side: Side
    name: str
    shown: str
    rate: int
    default: bool
    index: int


@contextmanager
def _libpulse_by_its_file() -> Generator[None]:
    """pulsectl asks for the library by a name that the system does not know, and Python then runs a compiler to find it."""
    found = ctypes.util.find_library
    ctypes.util.find_library = lambda name: "libpulse.so.0" if name == "libpulse" else found(name)
    try:
        yield
    finally:
        ctypes.util.find_library = found


class _Asker:
    """One connection, kept: to ask again takes 0.3 ms, to connect 18."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: pulsectl.Pulse | None = None
        self._asking: threading.Thread | None = None
        self._missing = sys.platform == "win32"

    def devices(self) -> tuple[PulseDevice, ...] | None:
        """None without a sound server, or if it does not answer. One that hangs is asked again once it has answered or gone."""
        if self._missing or not self._lock.acquire(timeout=ANSWERS_WITHIN):
            return None
        try:
            if self._asking is not None and self._asking.is_alive():
                return None
            found: list[tuple[PulseDevice, ...]] = []
            client, self._client = self._client, None
            self._asking = threading.Thread(target=self._ask, args=(client, found), name="sound server", daemon=True)
            self._asking.start()
            self._asking.join(ANSWERS_WITHIN)
            return found[0] if found else None
        finally:
            self._lock.release()

    def _ask(self, client: pulsectl.Pulse | None, found: list[tuple[PulseDevice, ...]]) -> None:
        try:
            with _libpulse_by_its_file():
                import pulsectl
        except (ImportError, OSError, AttributeError):
            # No libpulse on this machine.
            self._missing = True
            return
        for _ in range(2):
            try:
                client = client or pulsectl.Pulse("klartone", connect=False)
                if not client.connected:
                    client.connect()
                found.append(_devices(client))
            except (pulsectl.PulseError, OSError):
                # The server that it was connected with has gone; there may be another.
                with suppress(pulsectl.PulseError, OSError):
                    if client is not None:
                        client.close()
                client = None
            else:
                self._client = client
                return


_asker = _Asker()


def pulse_devices() -> tuple[PulseDevice, ...] | None:
    return _asker.devices()


def _devices(client: pulsectl.Pulse) -> tuple[PulseDevice, ...]:
    server = client.server_info()
    speakers = [
        PulseDevice(
            "speaker", one.name, one.description, one.sample_spec.rate, one.name == server.default_sink_name, one.index
        )
        for one in client.sink_list()
    ]
    microphones = [
        PulseDevice(
            "microphone",
            one.name,
            one.description,
            one.sample_spec.rate,
            one.name == server.default_source_name,
            one.index,
        )
        for one in client.source_list()
        # What a loudspeaker plays is no microphone, unless somebody has made it one.
        if one.proplist.get("device.class") != "monitor" or one.name == server.default_source_name
    ]
    return (*microphones, *speakers)
