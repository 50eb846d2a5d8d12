"""What is in a sound, as numbers: the frame counter behind a telephone's codec and Opus, a known notice, speech.

`tests/peers/counter.py` makes the counter and reads it near its source. Here it has been through two codecs, so less
distance is asked for between the two tones of a pair. No phone and no archive is known here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.peers import counter
from tests.peers.counter import BITS, CYCLE, FRAME, RATE

Sound = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

MARGIN = 1.15
"""how much stronger the tone that sounds must be than its pair's other. Behind Opus at our rate the least was 1.67"""
QUIET = 100
"""root mean square below which a frame says nothing"""
SHIFTS = range(0, FRAME, 10)
"""samples by which a codec may have delayed the frames"""


def samples(pcm: bytes | Sound) -> Sound:
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2") if isinstance(pcm, bytes) else pcm


def numbers(pcm: bytes | Sound) -> list[int | None]:
    """The counter of each 20 ms, None where none is said, at the delay that reads best."""
    sound = samples(pcm)
    whole = len(sound) // FRAME
    if whole == 0:
        return []
    best: tuple[tuple[int, float], npt.NDArray[np.int64], npt.NDArray[np.bool_]] | None = None
    for shift in SHIFTS:
        said, clear, margin = _read(sound, whole, shift)
        score = int(clear.sum()), margin
        if best is None or score > best[0]:
            best = score, said, clear
    assert best is not None
    return [int(number) if known else None for number, known in zip(best[1], best[2], strict=True)]


def _read(sound: Sound, whole: int, shift: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], float]:
    padded = np.concatenate([sound, np.zeros(FRAME, np.int16)])[shift:]
    frames = padded[: whole * FRAME].reshape(whole, FRAME)[:, counter._MIDDLE].astype(float)
    strength = np.abs(np.fft.rfft(frames, axis=1))[:, counter._BINS].reshape(whole, BITS, 2)
    said = (strength.argmax(axis=2) << np.arange(BITS)).sum(axis=1)
    weak, strong = np.sort(strength, axis=2)[..., 0], np.sort(strength, axis=2)[..., 1]
    ratio = (strong / (weak + 1e-9)).min(axis=1)
    loud = np.sqrt((frames**2).mean(axis=1)) >= QUIET
    clear = loud & (ratio >= MARGIN)
    return said, clear, float(np.minimum(ratio[clear], 10).mean()) if clear.any() else 0.0


def jumps(pcm: bytes | Sound) -> list[tuple[int, int | None, int | None]]:
    """`counter.gaps` of a recording's side. Its last frame may be the one in which the call ended, half a number."""
    return counter.gaps(numbers(pcm)[:-1])


def spoken(said: Sequence[int | None]) -> tuple[int, int]:
    """The first and the last frame that says a number."""
    told = [index for index, number in enumerate(said) if number is not None]
    assert told, "no number is said"
    return told[0], told[-1]


def unwrapped(said: Sequence[int | None]) -> list[int | None]:
    """The same numbers without the wrap at 1024, for a run without gaps."""
    out: list[int | None] = []
    last: int | None = None
    for number in said:
        if number is None:
            out.append(None)
            continue
        last = number if last is None else last + (number - last) % CYCLE
        out.append(last)
    return out


def loudness(pcm: bytes | Sound) -> Floats:
    """The root mean square of each 20 ms."""
    sound = samples(pcm)
    whole = len(sound) // FRAME
    return np.sqrt((sound[: whole * FRAME].reshape(whole, FRAME).astype(float) ** 2).mean(axis=1))


def level(pcm: bytes | Sound) -> float:
    """dBFS of the whole."""
    power = float((samples(pcm).astype(float) ** 2).mean())
    return 10 * np.log10(max(power, 1e-9) / 32768**2)


# --- a notice ---------------------------------------------------------------------------------------


def find(needle: Sound, hay: Sound) -> tuple[int, float]:
    """Where in `hay` the known sound begins (samples), and how alike the two are there (1.0: the same but for loudness)."""
    a, b = _telephone(needle), _telephone(hay)
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    match = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    at = int(np.argmax(match[: max(1, len(b))]))
    there = b[at : at + len(a)]
    norm = np.sqrt(float((a**2).sum()) * float((there**2).sum()))
    return at, float(match[at]) / norm if norm else 0.0


def follow(needle: Sound, hay: Sound) -> list[tuple[int, float]]:
    """`find` for each second of the known sound by itself, near where the whole lies.

    A frame that the listener's jitter buffer dropped or put in moves what follows by 20 ms, and hides nothing.
    """
    near, _ = find(needle, hay)
    first, last = audible(needle)
    found: list[tuple[int, float]] = []
    for start in [*range(first, last - RATE, RATE), last - RATE]:
        begin = max(0, near + start - RATE // 4)
        at, alike = find(needle[start : start + RATE], hay[begin : begin + RATE + RATE // 2])
        found.append((begin + at - start, alike))
    return found


def ending(needle: Sound, hay: Sound) -> int:
    """The sample of `hay` with which the known sound ends: by as much of its end as came without a jump."""
    near, _ = find(needle, hay)
    last = audible(needle)[1]
    found: list[tuple[float, int]] = []
    for tail in (RATE, RATE // 2, RATE // 4):
        begin = max(0, near + last - tail - RATE // 4)
        at, alike = find(needle[last - tail : last], hay[begin : begin + tail + RATE // 2])
        found.append((alike, begin + at + tail))
    alike, end = max(found)
    assert alike > 0.8, found
    return end


def audible(sound: Sound) -> tuple[int, int]:
    """The first and the last audible sample."""
    heard = np.flatnonzero(np.abs(sound.astype(int)) > 300)
    assert len(heard), "nothing is heard"
    return int(heard[0]), int(heard[-1])


def _telephone(sound: Sound) -> Floats:
    """300 to 3,400 Hz: what every codec of a telephone carries."""
    spectrum = np.fft.rfft(sound.astype(float))
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    return np.fft.irfft(spectrum, len(sound))


# --- speech -----------------------------------------------------------------------------------------


def same_words(one: Sound, other: Sound) -> float:
    """How alike two sayings are as speech: the course of loudness in twelve bands, 1.0 for the same. Pitch and phase, which a
    voice varies from one saying to the next, are left out."""
    a, b = _course(one), _course(other)
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    match = np.fft.irfft((np.fft.rfft(b, size, axis=0) * np.conj(np.fft.rfft(a, size, axis=0))).sum(axis=1), size)
    at = int(np.argmax(match[: len(b)]))
    there = b[at : at + len(a)]
    return float(match[at]) / float(np.sqrt((a**2).sum() * (there**2).sum()))


def _course(sound: Sound) -> Floats:
    step, width = RATE // 100, RATE // 40
    starts = np.arange(0, len(sound) - width, step)
    frames = sound[starts[:, None] + np.arange(width)].astype(float) * np.hanning(width)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hertz = np.fft.rfftfreq(width, 1 / RATE)
    edges = np.geomspace(300, 3400, 13)
    bands = [power[:, (hertz >= low) & (hertz < high)].sum(axis=1) for low, high in itertools.pairwise(edges)]
    course = np.log10(np.stack(bands, axis=1) + 1e5)
    return course - course.mean(axis=0)


def longest_gap(sound: Sound) -> float:
    """Seconds of the longest stretch between the first and the last audible sample in which nothing is said."""
    first, last = audible(sound)
    quiet = loudness(sound[first : last + 1]) < QUIET
    run = longest = 0
    for silent in quiet:
        run = run + 1 if silent else 0
        longest = max(longest, run)
    return longest * FRAME / RATE


def syllables_a_second(sound: Sound) -> float:
    """How often the loudness rises to a peak between two dips of 3 dB, as a voice does with each syllable."""
    first, last = audible(sound)
    steps = np.abs(_telephone(sound[first : last + 1]))
    tenth = RATE // 100
    envelope = steps[: len(steps) // tenth * tenth].reshape(-1, tenth).mean(axis=1)
    smooth = np.convolve(envelope, np.hanning(9) / np.hanning(9).sum(), mode="same")
    peaks, top, low, rising = 0, 0.0, np.inf, True
    for value in smooth:
        if rising:
            top = max(top, value)
            if value < top * 0.7:
                peaks += top > smooth.max() * 0.1
                low, rising = value, False
        else:
            low = min(low, value)
            if value > low * 1.4:
                top, rising = value, True
    return peaks / ((last - first) / RATE)


def pitch_spread(sound: Sound) -> float:
    """How much the pitch of the voiced parts moves, as its standard deviation over its mean; 0 for a tone."""
    window, pitches = 640, list[float]()
    data = sound.astype(float)
    for at in range(0, len(data) - window, window):
        part = data[at : at + window]
        if np.sqrt((part**2).mean()) < 5 * QUIET:
            continue
        part = part - part.mean()
        auto = np.correlate(part, part, "full")[window - 1 :]
        lags = slice(RATE // 300, RATE // 60)
        best = int(np.argmax(auto[lags])) + RATE // 300
        if auto[best] > 0.5 * auto[0]:
            pitches.append(RATE / best)
    return float(np.std(pitches) / np.mean(pitches)) if pitches else 0.0
