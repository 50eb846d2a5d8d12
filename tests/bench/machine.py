"""What several measures need of this machine: an environment for processes to come, and real sound devices for an engine."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from softphone.wire.to_engine import SaveSettings
from tests.journeys.stage import Stage


@contextmanager
def environment(wanted: Mapping[str, str]) -> Generator[None]:
    """For every process started meanwhile."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def with_devices(on: Stage) -> None:
    """The default microphone and speaker instead of a file and silence."""
    settings = on.desk.wait(lambda s: s.settings, "settings")
    on.desk.do(SaveSettings, settings=replace(settings, microphone="", speaker=""))
    on.desk.wait(lambda s: s.sound.microphone is not None and s.sound.fault is None, "a microphone")
