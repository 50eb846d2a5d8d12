"""The parts that Klartone is made of, and a screen for its window."""

from __future__ import annotations

import importlib
import platform
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version

from softphone import __version__
from softphone.audio.devices import portaudio
from softphone.bootstrap.program import as_typed
from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import SoundError


def _parts(_: Machine) -> Iterator[Finding]:
    yield Finding("doctor.klartone", {"version": __version__})
    yield Finding("doctor.python", {"version": platform.python_version()})
    try:
        # Importing it is the proof: a wheel for another Python or system fails here.
        importlib.import_module("softphone.engine.sip.phone")
        yield Finding("doctor.sip", {"version": version("pjsua2-python")})
    except (ImportError, OSError) as error:
        yield Finding("doctor.sip.none", {"detail": str(error)})
    yield _part("Qt", _qt)
    with suppress(SoundError):  # the check of sound says so
        yield _part("PortAudio", _portaudio)
    yield Finding("doctor.part", {"part": "OpenSSL", "version": ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")})


def _part(part: str, of: Callable[[], str]) -> Finding:
    try:
        return Finding("doctor.part", {"part": part, "version": of()})
    except (ImportError, OSError) as error:
        return Finding("doctor.part.none", {"part": part, "detail": str(error) or type(error).__name__})


def _qt() -> str:
    return str(importlib.import_module("PySide6.QtCore").qVersion())


def _portaudio() -> str:
    return str(portaudio().get_portaudio_version()[1]).removeprefix("PortAudio ").partition(",")[0]


def _screen(_: Machine) -> Iterator[Finding]:
    from softphone.bootstrap.screen import has_screen

    if has_screen():
        yield Finding("doctor.screen")
    else:
        yield Finding("error.desk.no_screen", {"command": as_typed("demo", "--headless")})


PARTS = Check("parts", _parts)
SCREEN = Check("screen", _screen)
