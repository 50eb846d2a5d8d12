"""baresip and Linphone beside Klartone, in one run, by turns: first sound, mouth to ear, a call's share of a core, memory, and
cold start until registered.

Each answers by itself. The engine asks its rulebook first and has a desk on its socket that presses, as for every call; the
phone of ours that has neither is `customer.py`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from softphone.engine.sip.settings import PhoneSettings
from tests.bench import ear, notice
from tests.bench.caller import call
from tests.bench.figures import Figure, spread
from tests.bench.machine import environment, with_devices
from tests.bench.registrar import REALM, registrar
from tests.bench.start import PASSWORD, USER, home_of
from tests.journeys.stage import ENGINE, LOOPBACK, stage
from tests.peers.baresip import baresip
from tests.peers.linphone import linphone
from tests.peers.processes import end
from tests.peers.pulse import NullSinks, null_sinks
from tests.peers.second_phone import ROOT, second_phone

MB = 1_000_000
ENGINE_NAME, DESK_NAME, PHONE_NAME, BARESIP, LINPHONE = "engine", "desk", "phone", "baresip", "linphonec"


def measure(calls: int = 30, seconds: float = 30.0, starts: int = 5) -> list[Figure]:
    return [*_first_sound(calls), *_in_a_call(seconds), *_cold_start(starts)]


def _others(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {values[name]}" for name in (BARESIP, LINPHONE))


# --- first sound ---------------------------------------------------------------------------------


def _first_sound(calls: int) -> list[Figure]:
    took: dict[str, list[float]] = {}
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        says = _tone(folder / "says.wav", 60)
        on = ending.enter_context(stage(folder, lines=("n1",)))
        own = ending.enter_context(second_phone(auto_answer=True, counter=True, codec="PCMA/8000/1"))
        bare = ending.enter_context(baresip(says, answers=True, keeps=False))
        lin = ending.enter_context(linphone(says=says, answers=True))
        phones: dict[str, Callable[[], float]] = {
            ENGINE_NAME: lambda: notice.one_call(on)[1],
            PHONE_NAME: lambda: _sound("own", own.udp),
            BARESIP: lambda: _sound("baresip", bare.port),
            LINPHONE: lambda: _sound("linphone", lin.port),
        }
        for number in range(calls + 2):
            for name, one in phones.items():
                lasted = one()
                if number >= 2:  # what is loaded late is loaded
                    took.setdefault(name, []).append(lasted)
    told = {name: spread(values, "ms") for name, values in took.items()}
    return [
        Figure(
            "INVITE to first sound: engine",
            told[ENGINE_NAME],
            "30 ms",
            f"the notice, less its silence; {calls} calls by turns; beside it {_others(told)}",
        ),
        Figure("… its phone alone", told[PHONE_NAME], "", "answers by itself as they do: no rulebook and no desk"),
    ]


def _sound(number: str, port: int) -> float:
    heard = call(number, port, seconds=0.3)
    time.sleep(0.3)  # all of them let go of a call in their own time
    sound = heard.first_sound()
    assert sound is not None, number
    return (sound - heard.invited) * 1000


def _tone(path: Path, seconds: int) -> Path:
    """Loud from its first sample on."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        wanted = 10_000 * np.cos(2 * np.pi * 440 * np.arange(8_000 * seconds) / 8_000)
        sound.writeframes(wanted.astype("<i2").tobytes())
    return path


# --- in a call -----------------------------------------------------------------------------------


def _in_a_call(seconds: float) -> list[Figure]:
    """Mouth to ear, and meanwhile the called one's share of a core, and what it holds."""
    took = {
        name: _phones(pair, seconds)
        for name, pair in ((ENGINE_NAME, _ours), (BARESIP, _baresips), (LINPHONE, _linphones))
    }
    mouth = {name: spread(one[0], "ms", 0) for name, one in took.items()}
    share = {name: f"{one[1]:.1f} %" for name, one in took.items()}
    held = {name: f"{one[2]:.0f} MB" for name, one in took.items()}
    best = min(median(took[name][0]) for name in (BARESIP, LINPHONE))
    how = f"PulseAudio null sinks, G.722 over loopback, a click a second for {seconds:g} s, two of a kind"
    return [
        Figure(
            "mouth to ear",
            mouth[ENGINE_NAME],
            f"{best + 10:.0f} ms",
            f"{how}; beside it {_others(mouth)}; the goal: at most 10 ms behind the better",
        ),
        Figure(
            "a call, beside them",
            share[ENGINE_NAME],
            "5 %",
            f"of a core, engine, edge and plugins, not recording; in the same calls {_others(share)}",
        ),
        Figure("memory in it", held[ENGINE_NAME], "", f"resident, the same processes; {_others(held)}"),
    ]


def _phones(
    pair: Callable[[NullSinks, NullSinks, Path], AbstractContextManager[int]], seconds: float
) -> tuple[list[float], float, float]:
    """Milliseconds from mouth to ear; per cent of a core; MB."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        near, far = ending.enter_context(null_sinks()), ending.enter_context(null_sinks())
        pid = ending.enter_context(pair(near, far, folder))
        time.sleep(ear.SETTLE)
        processes = [(one := psutil.Process(pid)), *one.children(recursive=True)]
        before, began = _cpu(processes), time.monotonic()
        heard = ear.path(near, far, ear.clicks(folder / "clicks.wav", seconds), seconds)
        share = (_cpu(processes) - before) / (time.monotonic() - began) * 100
        return heard, share, sum(one.memory_info().rss for one in processes) / MB


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (one.cpu_times() for one in processes))


@contextmanager
def _ours(near: NullSinks, far: NullSinks, folder: Path) -> Generator[int]:
    with ExitStack() as ending:
        with environment(far.env):
            on = ending.enter_context(stage(folder, lines=("n1",)))
        with_devices(on)
        other = ending.enter_context(second_phone(device=True, jitter=PhoneSettings().jitter_ms, env=near.env))
        other.do("dial", target=f"sip:nobody@{LOOPBACK}:{on.sip_port}")
        on.desk.answer()
        yield on.engine.pid
        other.do("hang_up")


@contextmanager
def _baresips(near: NullSinks, far: NullSinks, folder: Path) -> Generator[int]:
    with (
        baresip(None, env=far.env, answers=True, codec="g722") as called,
        baresip(None, env=near.env, codec="g722") as calls,
    ):
        calls.dial(f"sip:baresip@{LOOPBACK}:{called.port}")
        yield called.pid


@contextmanager
def _linphones(near: NullSinks, far: NullSinks, folder: Path) -> Generator[int]:
    with (
        linphone(env=far.env, answers=True, codecs=("G722/8000",)) as called,
        linphone(env=near.env, codecs=("G722/8000",)) as calls,
    ):
        calls.dial(f"sip:linphone@{LOOPBACK}:{called.port}")
        yield called.pid


# --- cold start ----------------------------------------------------------------------------------


def _cold_start(times: int) -> list[Figure]:
    took: dict[str, list[float]] = {}
    phones = {ENGINE_NAME: _engine, DESK_NAME: _desk, BARESIP: _baresip, LINPHONE: _linphone}
    for number in range(times + 1):
        for name, start in phones.items():
            with ExitStack() as ending:
                folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
                server = ending.enter_context(registrar())
                began = ending.enter_context(start(folder, server.address))
                assert server.registered.wait(30), name
                if number:  # the first fills the system's cache of files
                    took.setdefault(name, []).append(server.at - began)
    told = {name: spread(values, "s", 2) for name, values in took.items()}
    return [
        Figure(
            "cold start to registered: engine",
            told[ENGINE_NAME],
            "",
            f"process start to the registrar's 200; {times} times by turns; beside it {_others(told)}",
        ),
        Figure("… with the desk", told[DESK_NAME], "1.5 s", "the window drawn meanwhile"),
    ]


@contextmanager
def _engine(folder: Path, server: str) -> Generator[float]:
    on = home_of(folder, server)
    began = time.monotonic()
    engine = subprocess.Popen(
        [sys.executable, *ENGINE, "--home", str(on.home.root), "engine"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield began
    finally:
        end(engine, 10)


@contextmanager
def _desk(folder: Path, server: str) -> Generator[float]:
    on = home_of(folder, server)
    began = time.monotonic()
    desk = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.watched_desk", str(on.home.root)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        yield began
        # Its engine outlives it by a moment, and writes to the folder until then.
        started = psutil.Process(desk.pid).children(recursive=True)
        desk.wait(30)
        psutil.wait_procs(started, 20)
    finally:
        end(desk, 10)


@contextmanager
def _baresip(folder: Path, server: str) -> Generator[float]:
    began = time.monotonic()
    with baresip(_tone(folder / "says.wav", 1), USER, registrar=server, password=PASSWORD):
        yield began


@contextmanager
def _linphone(folder: Path, server: str) -> Generator[float]:
    says = _tone(folder / "says.wav", 1)
    began = time.monotonic()
    with linphone(USER, says=says, registrar=server, password=PASSWORD, realm=REALM, waits=False):
        yield began
