"""Mouth to ear: a click at one phone's microphone until it comes out of the other's speaker.

Both phones have a PulseAudio of their own with null sinks. Both ends are read in the same way (a monitor's stream), so the
time that reading takes is in both and cancels out.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from softphone.audio.files import write_wav
from softphone.engine.sip.settings import PhoneSettings
from tests.bench.figures import Figure, spread
from tests.bench.machine import environment, with_devices
from tests.journeys.stage import LOOPBACK, stage
from tests.peers.pulse import RATE, NullSinks, null_sinks
from tests.peers.second_phone import second_phone

CLICKS_APART = 1.0
LOUD = 3000
SETTLE = 20.0
"""seconds until both elastic buffers have come to rest"""


class _Listener:
    """The times (monotonic) at which something loud began on a monitor."""

    def __init__(self, env: Mapping[str, str], device: str) -> None:
        self._process = subprocess.Popen(
            [
                "parec",
                f"--device={device}",
                "--format=s16le",
                f"--rate={RATE}",
                "--channels=1",
                "--latency-msec=10",
                "--raw",
            ],
            env=dict(env),
            stdout=subprocess.PIPE,
        )
        self.at: list[float] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        quiet_until = 0.0
        while data := os.read(pipe.fileno(), 4096):
            now = time.monotonic()
            samples = np.abs(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(int))
            loud = np.flatnonzero(samples > LOUD)
            if loud.size:
                began = now - (len(samples) - int(loud[0])) / RATE
                if began > quiet_until:
                    self.at.append(began)
                quiet_until = began + CLICKS_APART / 2

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join(2)


def measure(seconds: float = 30.0) -> list[Figure]:
    """As the program is, behind its edge; then the same two phones without it, in the same run."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        agent, party = ending.enter_context(null_sinks()), ending.enter_context(null_sinks())
        with environment(agent.env):
            on = ending.enter_context(stage(folder, lines=("n1",)))
        with_devices(on)
        other = ending.enter_context(second_phone(device=True, jitter=PhoneSettings().jitter_ms, env=party.env))
        other.do("dial", target=f"sip:nobody@{LOOPBACK}:{on.sip_port}")
        on.desk.answer()
        click = clicks(folder / "clicks.wav", seconds)
        time.sleep(SETTLE)
        there = path(party, agent, click, seconds)
        back = path(agent, party, click, seconds)
        other.do("hang_up")
    how = f"PulseAudio null sinks at both ends, G.722 over loopback, a click a second for {seconds:g} s"
    without, behind = _phones(seconds, edge=False), _phones(seconds, edge=True)
    return [
        Figure("mouth to ear, agent to party", spread(back, "ms", 0), "120 ms", how),
        Figure("mouth to ear, party to agent", spread(there, "ms", 0), "120 ms", "the other way, in the same call"),
        Figure("… two bare phones", spread(without, "ms", 0), "", "the same sinks, no engine and no edge between"),
        Figure(
            "… one of them behind its edge", spread(behind, "ms", 0), "", "the same run: what the relay costs the ear"
        ),
    ]


def _phones(seconds: float, *, edge: bool) -> list[float]:
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        near, far = ending.enter_context(null_sinks()), ending.enter_context(null_sinks())
        jitter = PhoneSettings().jitter_ms
        called = ending.enter_context(
            second_phone(device=True, auto_answer=True, jitter=jitter, env=far.env, edge=edge, accept=[LOOPBACK])
        )
        calls = ending.enter_context(second_phone(device=True, jitter=jitter, env=near.env))
        calls.do("dial", target=f"sip:nobody@{LOOPBACK}:{called.udp}")
        calls.wait_for("CallEstablished")
        time.sleep(SETTLE)
        return path(near, far, clicks(folder / "clicks.wav", seconds), seconds)


def path(mouth: NullSinks, ear: NullSinks, click: Path, seconds: float) -> list[float]:
    """Milliseconds of each click."""
    near, far = _Listener(mouth.env, "mouth.monitor"), _Listener(ear.env, "ear.monitor")
    time.sleep(1)
    speaking = mouth.speak(click)
    time.sleep(seconds + 1)
    speaking.terminate()
    speaking.wait()
    near.close()
    far.close()
    took = [min((b - a for b in far.at if 0 < b - a < CLICKS_APART * 0.9), default=None) for a in near.at]
    found = [one * 1000 for one in took if one is not None]
    assert found, (near.at, far.at)
    return found


def clicks(path: Path, seconds: float) -> Path:
    """A short tone a second: a bare impulse would not come through a codec."""
    times = np.arange(int(0.03 * RATE)) / RATE
    tone = (20_000 * np.sin(2 * np.pi * 1000 * times)).astype("<i2")
    sound = np.zeros(int(seconds * RATE), "<i2")
    for start in np.arange(0, seconds - 0.1, CLICKS_APART):
        at = int(start * RATE)
        sound[at : at + len(tone)] = tone
    write_wav(path, sound.tobytes())
    return path
