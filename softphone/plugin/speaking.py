"""A notice's text as sound: by the voice, or from the controller's own recording, with its marks and the times of what is shown.

Spoken once and kept on disk under the hash of what is said; a notice holds no personal data. Never in a call.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from softphone.domain.notice import LEAD, NoticeSound, NoticeText, SpokenWord
from softphone.domain.purpose import Language
from softphone.plugin.client import PluginFailed, PluginHost
from softphone.plugin.contract import SPEAK, SpeakParams
from softphone.plugin.manifest import Plugin
from softphone.plugin.own import OwnSound
from softphone.plugin.sounds import RATE, Samples, read_wav, wav_with_lead
from softphone.plugin.spec import Speech, SpeechWord
from softphone.replacing import replace_file

LANGUAGE_PAUSE = 0.6
"""seconds between sentences in two languages: the ear has to change over"""

FASTEST = 45.0
"""characters a second: half as long is not intelligible"""
_FORMAT = "klartone-notice-1"
_SPEECH: TypeAdapter[Speech] = TypeAdapter(Speech)
_SPEECH_WITHIN = 30.0


class Lacking(StrEnum):
    """What a notice lacks."""

    TEXT = "text"
    """the rulebook gave none"""
    SPEECH = "speech"
    """the voice gave none"""
    FILE = "file"
    """it cannot be kept on this disk"""


class Speaker:
    """`cache` is a folder of its own, whose contents are checked before use. Without a voice only recordings sound."""

    def __init__(self, host: PluginHost, voice: Plugin | None, cache: Path) -> None:
        self._host = host
        self._voice = voice
        self._cache = cache
        self._version = voice.release if voice else ""

    def sound(self, text: NoticeText, own: OwnSound | None = None) -> NoticeSound | Lacking:
        """`own`: a recording of exactly this text."""
        try:
            if own is not None:
                return self._recorded(own, text)
            speech = self._spoken(text)
            if speech is None:
                return Lacking.SPEECH
            key = _key("spoken", self._version, text.language.value, text.spoken)
            samples, shown = read_wav(speech.wav), _as_shown(speech.words, text)
            said = [word.until for word in shown if word.start < text.essentials]
            essentials = max(said, default=len(samples) / RATE + LEAD)
            question = _said_from(shown, text.question) if text.question is not None else None
            return self._written(key, samples, shown, text, essentials, question)
        except OSError:
            return Lacking.FILE

    def _recorded(self, own: OwnSound, text: NoticeText) -> NoticeSound:
        """With the policy's marks. Without them nothing counts as said before the end: an earlier key is no answer, and the
        whole is repeated (G03)."""
        named, end = own.named, len(own.samples) / RATE
        question = None
        if text.question is not None:
            question = end if named.question is None else named.question
        essentials = next(at for at in (named.essentials, question, end) if at is not None)
        key = _key("own", own.samples.tobytes().hex(), text.spoken, str(named.essentials), str(named.question))
        shown = _as_shown(_paced(text, own), text)
        asked = None if question is None else question + LEAD
        return self._written(key, own.samples, shown, text, essentials + LEAD, asked)

    def _spoken(self, text: NoticeText) -> Speech | None:
        """In the text's language, except for a first sentence in the other one."""
        cut = text.spoken_at(text.other)
        rest = self._said(text.spoken[cut:], text.language)
        if not cut or rest is None:
            return rest
        first = self._said(text.spoken[:cut], text.other_language)
        return _one_after_the_other(first, rest, cut) if first is not None else None

    def _said(self, spoken: str, language: Language) -> Speech | None:
        if self._voice is None:
            return None
        key = _key("spoken", self._version, language.value, spoken)
        kept = self._kept(key, spoken)
        if kept is None:
            params = SpeakParams(spoken, language)
            speech = self._host.ask_and_wait(
                self._voice.id, SPEAK, params, timeout=_SPEECH_WITHIN, sound=lambda one: _is_speech(one, spoken)
            )
            if isinstance(speech, PluginFailed):
                return None
            kept = speech
            said = _SPEECH.dump_json(speech)
            self._write(f"{key}.json", said)
            self._write(f"{key}.sha256", _digest(said).encode())
        return kept

    def _kept(self, key: str, spoken: str) -> Speech | None:
        """What was spoken before, if it is still the same; anything else is spoken again."""
        try:
            said = (self._cache / f"{key}.json").read_bytes()
            if _digest(said).encode() != (self._cache / f"{key}.sha256").read_bytes():
                return None
            speech = _SPEECH.validate_json(said)
            return speech if _is_speech(speech, spoken) and _is_paced(speech, spoken) else None
        except (OSError, ValueError):
            return None

    def _written(
        self,
        key: str,
        samples: Samples,
        shown: tuple[SpokenWord, ...],
        text: NoticeText,
        essentials: float,
        question: float | None,
    ) -> NoticeSound:
        """The files to play, and when in them each thing is said. Exactly these bytes are played later."""
        whole = wav_with_lead(samples)
        sound = NoticeSound(
            text=text,
            path=self._write(f"{key}.wav", whole),
            seconds=len(samples) / RATE + LEAD,
            essentials=essentials,
            question=question,
            words=shown,
            digest=_digest(whole),
        )
        if question is None:
            return sound
        rest = samples[round((question - LEAD) * RATE) :]
        rest = rest if len(rest) else samples
        alone = wav_with_lead(rest)
        return replace(
            sound,
            question_path=self._write(f"{key}-question.wav", alone),
            question_seconds=len(rest) / RATE + LEAD,
            question_digest=_digest(alone),
        )

    def _write(self, name: str, content: bytes) -> str:
        """Whole or not at all, so that a notice cut short by a crash is never played."""
        self._cache.mkdir(parents=True, exist_ok=True)
        path = self._cache / name
        if not path.is_file() or path.read_bytes() != content:
            handle, half = tempfile.mkstemp(dir=self._cache, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            replace_file(Path(half), path)
        return str(path)


def _paced(text: NoticeText, own: OwnSound) -> tuple[SpeechWord, ...]:
    """Times for a recording whose words nobody has timed: between two marks each character takes equally long."""
    known = {0: 0.0, len(text.spoken): len(own.samples) / RATE}
    if own.named.essentials is not None:
        known[text.spoken_at(text.essentials)] = own.named.essentials
    if own.named.question is not None and text.question is not None:
        known[text.spoken_at(text.question)] = own.named.question
    places, times = zip(*sorted(known.items()), strict=True)
    words = [word.span() for word in re.finditer(r"\S+", text.spoken)]
    return tuple(SpeechWord(start, end, *np.interp((start, end), places, times).tolist()) for start, end in words)


def _one_after_the_other(first: Speech, rest: Speech, cut: int) -> Speech:
    """Two speeches as one, of a text that is cut between them."""
    before = read_wav(first.wav)
    pause = np.zeros(round(LANGUAGE_PAUSE * RATE), dtype=np.int16)
    shift = (len(before) + len(pause)) / RATE
    later = (SpeechWord(one.start + cut, one.end + cut, one.at + shift, one.until + shift) for one in rest.words)
    whole = np.concatenate([before, pause, read_wav(rest.wav)])
    return Speech(wav_with_lead(whole, lead=0.0), (*first.words, *later))


def _as_shown(words: tuple[SpeechWord, ...], text: NoticeText) -> tuple[SpokenWord, ...]:
    """Times of what is shown, from the file's start. Words of a page or a key whose text is shown in another way become one."""
    shown: list[SpokenWord] = []
    for word in words:
        start, end = text.shown_at(word.start), text.shown_at(word.end, end=True)
        at, until = word.at + LEAD, word.until + LEAD
        if shown and shown[-1].end > start:
            shown[-1] = replace(shown[-1], end=max(end, shown[-1].end), until=until)
        else:
            shown.append(SpokenWord(start, end, at, until))
    return tuple(shown)


def _said_from(words: tuple[SpokenWord, ...], offset: int) -> float:
    """When the text from `offset` on begins to be said."""
    return next((word.at for word in words if word.end > offset), words[-1].until if words else LEAD)


def _is_speech(speech: Speech, spoken: str) -> bool:
    seconds = len(read_wav(speech.wav)) / RATE
    times = [time for word in speech.words for time in (word.at, word.until)]
    inside = all(0 <= word.start < word.end <= len(spoken) for word in speech.words)
    return bool(times) and inside and times == sorted(times) and times[0] >= 0 and times[-1] <= seconds + 0.1


def _is_paced(speech: Speech, spoken: str) -> bool:
    """Whether somebody can have said all of it in that time."""
    return len(read_wav(speech.wav)) / RATE >= len(spoken) / FASTEST


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _key(*parts: str) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, *parts]).encode()).hexdigest()[:40]
