"""A voice for the notices: eSpeak NG, Danish and English, as 16 kHz mono sound with the times of its words.

It speaks ahead of time in the plugin host. What is said is the rulebook's business.
"""

from __future__ import annotations

import functools
import re

from softphone.domain.purpose import Language
from softphone.plugin.spec import Speech, SpeechWord, hookimpl

from . import sound
from .espeak import Espeak, Word

VOICES = {Language.DA: "da", Language.EN: "en"}
SENTENCE_PAUSE = 0.35
"""seconds between two sentences: long enough to hear that one has ended, short enough not to sound like the end"""

_WRITTEN = re.compile(r"[\w*#](?:\S*[\w*#])?")
_SENTENCE = re.compile(r"\S.*?(?:[.!?]+(?=\s|$)|$)", re.DOTALL)


@functools.cache
def _espeak() -> Espeak:
    return Espeak()


@hookimpl
def speak(text: str, language: Language) -> Speech:
    """Speak `text` sentence by sentence, so that the pauses between them are ours."""
    parts: list[sound.Samples] = []
    words: list[SpeechWord] = []
    at = 0.0
    for sentence in _SENTENCE.finditer(text):
        spoken = _espeak().speak(sentence[0], VOICES[language])
        kept, offset = sound.trimmed(spoken.samples, spoken.rate)
        length = len(kept) / spoken.rate
        if parts:
            parts.append(sound.silence(SENTENCE_PAUSE, spoken.rate))
            at += SENTENCE_PAUSE
        timed = _timed(sentence[0], spoken.words)
        for n, (first, last, begins) in enumerate(timed):
            ends = timed[n + 1][2] if n + 1 < len(timed) else length + offset
            start, until = (at + min(max(0.0, t - offset), length) for t in (begins, ends))
            words.append(SpeechWord(sentence.start() + first, sentence.start() + last, start, max(start, until)))
        parts.append(kept)
        at += length
    if not parts:
        raise ValueError("nothing to say")
    return Speech(sound.telephone_wav(parts, _espeak().rate), tuple(words))


def _timed(sentence: str, events: tuple[Word, ...]) -> list[tuple[int, int, float]]:
    """Start, end and time of each word as it is written.

    eSpeak reports parts of some words (*won*, *'t*) and a few pairs as one. A word without a time of its own is said
    together with the next.
    """
    timed: list[tuple[int, int, float]] = []
    start: int | None = None
    for word in _WRITTEN.finditer(sentence):
        start = word.start() if start is None else start
        times = [event.at for event in events if word.start() <= event.start < word.end()]
        if times:
            timed.append((start, word.end(), times[0]))
            start = None
    if start is not None and timed:
        timed[-1] = (timed[-1][0], len(sentence.rstrip(" .,!?")), timed[-1][2])
    return timed
