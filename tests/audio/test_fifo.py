"""The elastic queue between two clocks."""

from __future__ import annotations

import numpy as np
import pytest

from softphone.audio.fifo import RATE, ElasticFifo, stretched
from softphone.audio.player import tone


def run(fifo: ElasticFifo, seconds: float, ppm: float, stall: float = 0.0) -> list[float]:
    """The levels. A device gives 10 ms blocks `ppm` too fast, once in seven seconds `stall` late; a clock takes 20 ms."""
    block = tone(440, 0.01)
    levels: list[float] = []
    given, step = 0.0, 0.010 / (1 + ppm / 1e6)
    for taken in range(int(seconds / 0.020)):
        now = taken * 0.020
        if now % 7 >= stall or now < 7:
            while given <= now:
                fifo.put(block)
                given += step
        levels.append(fifo.level_ms)
        fifo.get(640)
    return levels


def test_nothing_is_given_until_the_target_is_reached() -> None:
    fifo = ElasticFifo(60)
    fifo.put(b"\1\1" * 640)
    assert fifo.get(640) == bytes(640)
    fifo.put(b"\1\1" * 320)
    assert fifo.get(640) == b"\1\1" * 320


@pytest.mark.parametrize("ppm", [0, 300, -300, 2000, -2000])
def test_clocks_that_differ_are_bridged_without_a_gap(ppm: float) -> None:
    fifo = ElasticFifo(60)
    run(fifo, 60, ppm)
    assert (fifo.underruns, fifo.overruns) == (0, 0)


@pytest.mark.parametrize("ppm", [0, 300, -300])
def test_clocks_that_run_evenly_are_kept_apart_by_less_than_it_began_with_after_some_seconds(ppm: float) -> None:
    levels = run(ElasticFifo(60), 60, ppm)
    for rest in (levels[400:450], levels[len(levels) // 2 :]):
        assert sum(rest) / len(rest) < 45


def test_a_device_that_is_late_now_and_then_is_met_deeper_and_leaves_ever_fewer_gaps() -> None:
    fifo = ElasticFifo(60)
    run(fifo, 60, 0, stall=0.06)
    gaps = fifo.underruns
    run(fifo, 60, 0, stall=0.06)
    assert fifo.underruns - gaps < gaps


def test_what_a_device_gave_before_anybody_listened_is_too_old_to_be_heard() -> None:
    fifo = ElasticFifo(60)
    for _ in range(20):
        fifo.put(bytes(320))
    fifo.put(b"\1\1" * 960)
    assert fifo.get(640) == b"\1\1" * 320
    assert fifo.level_ms == 40


def test_a_stalled_reader_finds_the_newest_sound_and_not_an_old_heap() -> None:
    fifo = ElasticFifo(40)
    run(fifo, 1, 0)
    for _ in range(300):
        fifo.put(bytes(320))
    assert fifo.level_ms <= 4 * 40 + 100
    assert fifo.overruns >= 1


def test_a_dry_queue_gives_what_it_has_then_silence_until_it_is_filled_again() -> None:
    fifo = ElasticFifo(40)
    fifo.put(b"\1\1" * 640)
    fifo.get(640)
    assert fifo.get(1280) == b"\1\1" * 320 + bytes(640)
    assert fifo.underruns == 1
    fifo.put(b"\1\1" * 320)
    assert fifo.get(640) == bytes(640)


@pytest.mark.parametrize("count", [318, 319, 321, 322])
def test_stretching_keeps_the_sound_and_both_of_its_ends(count: int) -> None:
    pcm = tone(440, 0.02)
    got = np.frombuffer(stretched(pcm, count), "<i2").astype(float)
    samples = np.frombuffer(pcm, "<i2").astype(float)
    assert len(got) == count
    assert (got[0], got[-1]) == (samples[0], samples[-1])
    wanted = np.interp(np.linspace(0, 319, count), np.arange(320), samples)
    assert np.max(np.abs(got - wanted)) <= 1


@pytest.mark.parametrize("minutes", [6, pytest.param(60, marks=pytest.mark.torture)])
@pytest.mark.parametrize("ppm", [200, -200])
def test_two_clocks_that_part_by_200_ppm_are_heard_without_drift_and_without_a_click(ppm: float, minutes: int) -> None:
    fifo, step = ElasticFifo(60), 0.01 / (1 + ppm / 1e6)
    given, phase, worst, levels = 0.0, 0.0, 0.0, list[float]()
    hum = 2 * np.pi * 440 / RATE
    last = np.zeros(2)
    for tick in range(minutes * 60 * 50):
        while given <= tick * 0.02:
            wave = 10_000 * np.sin(phase + hum * np.arange(160))
            phase = (phase + hum * 160) % (2 * np.pi)
            fifo.put(np.rint(wave).astype("<i2").tobytes())
            given += step
        heard = np.concatenate([last, np.frombuffer(fifo.get(640), "<i2")])
        last = heard[-2:]
        if tick > 10:
            worst = max(worst, float(np.abs(np.diff(heard, 2)).max()))
        levels.append(fifo.level_ms)
    assert (fifo.underruns, fifo.overruns) == (0, 0)
    # A sample too many or too few would be a step of 1,700; a smooth sine bends by 300.
    assert worst < 500
    quarter = len(levels) // 4
    assert abs(np.mean(levels[-quarter:]) - np.mean(levels[quarter : 2 * quarter])) < 3
