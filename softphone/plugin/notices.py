"""The notices of a policy, spoken ahead of time: text from the rulebook, sound from the voice or from the line's own file.

Spoken once and kept on disk under the hash of what is said; a notice holds no personal data. Runs on a loader's thread
when a policy is loaded, never in a call.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter

from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.errors import SoundError
from softphone.domain.notice import LEAD, NoticeSound, NoticeText, NoticeVariant, SpokenWord
from softphone.domain.policy import Line, LoadedPolicy, PolicyError, PolicyFault, fault_at
from softphone.domain.purpose import Basis, Direction, Language, Purpose
from softphone.plugin.client import Failure, PluginFailed, PluginHost
from softphone.plugin.contract import DECIDE, NOTICE_TEXT, SPEAK, DecideParams, NoticeTextParams, SpeakParams
from softphone.plugin.manifest import Plugin
from softphone.plugin.sounds import RATE, Samples, read_any, read_wav, wav_with_lead
from softphone.plugin.spec import Speech, SpeechWord

Place = tuple[str, NoticeId, Language]
"""a line's id, the notice, the language"""

_FORMAT = "klartone-notice-1"
_SPEECH: TypeAdapter[Speech] = TypeAdapter(Speech)
_TEXT_WITHIN = 5.0
_SPEECH_WITHIN = 30.0


class Lacking(StrEnum):
    """What a notice is without."""

    TEXT = "text"
    """the rulebook gave none"""
    SPEECH = "speech"
    """the voice gave none"""
    FILE = "file"
    """it cannot be kept on this disk"""


@dataclass(frozen=True, slots=True)
class Unspoken:
    """A notice that cannot be played, and what it is without."""

    place: Place
    lacking: Lacking


@dataclass(frozen=True)
class NoticeBook:
    """Every notice that the policy's lines can need. What is not in it cannot be played: not recorded, `notice_failed`."""

    texts: Mapping[Place, NoticeText] = field(default_factory=dict[Place, NoticeText])
    newcomers: Mapping[Place, NoticeText] = field(default_factory=dict[Place, NoticeText])
    objections: Mapping[tuple[str, Language], NoticeText] = field(
        default_factory=dict[tuple[str, Language], NoticeText]
    )
    """what the agent answers to an objection where the law obliges to record, per line"""
    sounds: Mapping[Place, NoticeSound] = field(default_factory=dict[Place, NoticeSound])
    unspoken: tuple[Unspoken, ...] = ()

    def text(self, line: str, notice: NoticeId, language: Language) -> NoticeText | None:
        return self.texts.get((line, notice, language))

    def sound(self, line: str, notice: NoticeId, language: Language) -> NoticeSound | None:
        return self.sounds.get((line, notice, language))


def own_sounds(loaded: LoadedPolicy) -> Mapping[Place, Samples]:
    """The lines' own sound files, relative to the policy's folder. PolicyError tells of every file that is no sound."""
    samples: dict[Place, Samples] = {}
    faults: list[PolicyFault] = []
    folder = Path(loaded.path).parent
    for n, line in enumerate(loaded.policy.line):
        for notice, files in line.sound.items():
            for language, file in files.items():
                try:
                    samples[line.id, notice, language] = read_any(folder / file)
                except SoundError as error:
                    path = ("line", n, "sound", notice.value, language.value)
                    code = error.code.removeprefix("policy.fault.")
                    faults.append(fault_at(loaded, path, code, **{**error.params, "path": file}))
    if faults:
        raise PolicyError(faults)
    return samples


class NoticeMaker:
    """Makes the book of a policy's notices. `cache` is a folder of its own; what lies there is checked before it is used."""

    def __init__(self, host: PluginHost, rulebook: Plugin, voice: Plugin | None, cache: Path) -> None:
        self._host = host
        self._rulebook = rulebook
        self._voice = voice
        self._cache = cache

    def prepare(self, loaded: LoadedPolicy) -> NoticeBook:
        """Blocks until every notice has its text and sound, or has failed. PolicyError for a line's own file that is no sound."""
        own = own_sounds(loaded)
        book = NoticeBook()
        for line in loaded.policy.line:
            for language in Language:
                for notice in self._needed(line):
                    book = self._with(book, loaded, line, notice, language, own)
        return book

    def _with(
        self,
        book: NoticeBook,
        loaded: LoadedPolicy,
        line: Line,
        notice: NoticeId,
        language: Language,
        own: Mapping[Place, Samples],
    ) -> NoticeBook:
        place = (line.id, notice, language)
        asked = NoticeTextParams(loaded.policy.controller, line, notice, language)
        text = self._text(asked)
        if isinstance(text, PluginFailed):
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, Lacking.TEXT)))
        book = replace(book, texts={**book.texts, place: text})
        newcomer = self._text(replace(asked, variant=NoticeVariant.NEWCOMER))
        if isinstance(newcomer, NoticeText):
            book = replace(book, newcomers={**book.newcomers, place: newcomer})
        if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION and (line.id, language) not in book.objections:
            answer = self._text(replace(asked, variant=NoticeVariant.OBJECTION))
            if isinstance(answer, NoticeText):
                book = replace(book, objections={**book.objections, (line.id, language): answer})
        try:
            sound = self._sound(text, own.get(place))
        except OSError:
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, Lacking.FILE)))
        if isinstance(sound, PluginFailed):
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, Lacking.SPEECH)))
        return replace(book, sounds={**book.sounds, place: sound})

    def _needed(self, line: Line) -> tuple[NoticeId, ...]:
        """The notices that the rulebook can choose for this line: in the sample and not."""
        needed: list[NoticeId] = []
        facts = Facts(line.id, Direction.INBOUND, None, Language.DA, declined_earlier=False, at=datetime.now(UTC))
        for drawn in (True, False):
            params = DecideParams(facts, line, drawn)
            decision = self._host.ask_and_wait(self._rulebook.id, DECIDE, params, timeout=_TEXT_WITHIN)
            if isinstance(decision, Decision) and decision.notice is not None:
                needed.append(decision.notice)
        return tuple(dict.fromkeys(needed))

    def _text(self, params: NoticeTextParams) -> NoticeText | PluginFailed:
        answer = self._host.ask_and_wait(
            self._rulebook.id,
            NOTICE_TEXT,
            params,
            timeout=_TEXT_WITHIN,
            sound=lambda text: text is not None and text.whole and text.language is params.language,
        )
        return answer if answer is not None else PluginFailed(self._rulebook.id, Failure.NONSENSE)

    def _sound(self, text: NoticeText, own: Samples | None) -> NoticeSound | PluginFailed:
        if own is not None:
            words = evenly_spread(text.spoken, len(own) / RATE)
            return self._written(_key("own", own.tobytes().hex(), text.spoken), own, words, text)
        if self._voice is None:
            return PluginFailed("", Failure.NO_HOST)
        version = f"{self._voice.id} {self._voice.manifest.version}"
        key = _key("spoken", version, text.language.value, text.spoken)
        kept = self._kept(key, text)
        if kept is None:
            params = SpeakParams(text.spoken, text.language)
            speech = self._host.ask_and_wait(
                self._voice.id, SPEAK, params, timeout=_SPEECH_WITHIN, sound=lambda one: _is_speech(one, text.spoken)
            )
            if isinstance(speech, PluginFailed):
                return speech
            kept = speech
            self._write(f"{key}.json", _SPEECH.dump_json(speech))
        return self._written(key, read_wav(kept.wav), kept.words, text)

    def _kept(self, key: str, text: NoticeText) -> Speech | None:
        """What was spoken before, if it is whole; whatever else lies there is spoken again."""
        try:
            speech = _SPEECH.validate_json((self._cache / f"{key}.json").read_bytes())
            return speech if _is_speech(speech, text.spoken) else None
        except (OSError, ValueError):
            return None

    def _written(self, key: str, samples: Samples, words: tuple[SpeechWord, ...], text: NoticeText) -> NoticeSound:
        """The files to play, and when in them each thing is said."""
        seconds = len(samples) / RATE
        shown = _as_shown(words, text)
        question = _said_from(shown, text.question) if text.question is not None else None
        question_path, question_seconds = None, 0.0
        if question is not None:
            rest = samples[round((question - LEAD) * RATE) :]
            question_path = self._write(f"{key}-question.wav", wav_with_lead(rest))
            question_seconds = len(rest) / RATE + LEAD
        return NoticeSound(
            text=text,
            path=self._write(f"{key}.wav", wav_with_lead(samples)),
            seconds=seconds + LEAD,
            essentials=max((word.until for word in shown if word.start < text.essentials), default=seconds + LEAD),
            question=question,
            words=shown,
            question_path=question_path,
            question_seconds=question_seconds,
        )

    def _write(self, name: str, content: bytes) -> str:
        """Whole or not at all, so that a notice cut short by a crash is never played."""
        self._cache.mkdir(parents=True, exist_ok=True)
        path = self._cache / name
        if not path.is_file() or path.read_bytes() != content:
            handle, half = tempfile.mkstemp(dir=self._cache, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(half).replace(path)
        return str(path)


def evenly_spread(spoken: str, seconds: float) -> tuple[SpeechWord, ...]:
    """Times for a recording whose words nobody has timed: each character takes as long as every other."""
    pace = seconds / max(1, len(spoken))
    return tuple(
        SpeechWord(word.start(), word.end(), word.start() * pace, word.end() * pace)
        for word in re.finditer(r"\S+", spoken)
    )


def _as_shown(words: tuple[SpeechWord, ...], text: NoticeText) -> tuple[SpokenWord, ...]:
    """Times of what is shown, from the file's start. Words of a page or a key that is shown otherwise become one."""
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


def _key(*parts: str) -> str:
    return hashlib.sha256(json.dumps([_FORMAT, *parts]).encode()).hexdigest()[:40]
