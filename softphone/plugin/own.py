"""What a controller brings itself: own words for a notice, and own recordings, each checked before it is used.

Own words always wait for a person, and the rulebook's are used until then. Structural faults are refused: no page, a key
that is not the line's, a purpose left out. What the rulebook believes missing or promised is shown to the person who
confirms. A recording is used while the policy's hash of its words and file holds, or without a hash if the policy need not
be signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from softphone.domain.decision import NoticeId
from softphone.domain.errors import SoundError
from softphone.domain.notice import Judgement, NoticeText, WordingFinding, asks, sound_hash, wording_hash
from softphone.domain.policy import (
    KeyPath,
    Line,
    LoadedPolicy,
    PolicyError,
    PolicyFault,
    fault_at,
    may_train,
    warning_at,
)
from softphone.domain.policy.confirming import SHORT, as_word
from softphone.domain.policy.model import Confirmed, SoundFile, Wording
from softphone.domain.purpose import Language
from softphone.plugin.sound_file import bytes_of
from softphone.plugin.sounds import RATE, Samples, samples_of

Place = tuple[str, NoticeId, Language]
"""a line's id, the notice, the language"""

Judge = Callable[[Line, NoticeId, Language, Wording], Judgement | None]
"""None if the rulebook gives no judgement"""

Words = Callable[[Line, NoticeId, Language], NoticeText | None]
"""what a notice says on a line; None if the rulebook has no text for it"""

_QUOTED = 90
"""characters"""


@dataclass(frozen=True, slots=True)
class OwnWording:
    """A controller's own words for one notice. `hash` is what a confirmation names."""

    place: Place
    wording: Wording
    hash: str
    judgement: Judgement | None
    confirmed: Confirmed | None

    @property
    def used(self) -> bool:
        return self.lawful and self.confirmed is not None

    @property
    def lawful(self) -> bool:
        return self.judgement is not None and self.judgement.lawful


@dataclass(frozen=True, slots=True)
class OwnSound:
    """A controller's own recording of one notice, as its file is now. `samples`: at 16 kHz."""

    place: Place
    path: KeyPath
    named: SoundFile
    raw: bytes
    samples: Samples


@dataclass(frozen=True)
class OwnNotices:
    """All of it that passed. `lines` are the policy's, without unused words; `sounds` those that are used."""

    lines: tuple[Line, ...]
    wordings: tuple[OwnWording, ...]
    sounds: Mapping[Place, OwnSound]
    remarks: tuple[PolicyFault, ...]

    @property
    def untrained(self) -> frozenset[str]:
        """Lines whose question does not name data that it must name, since its words wait for a person: no call is drawn
        (G09)."""
        return frozenset(line.id for line in self.lines if not may_train(line))


def own_of(loaded: LoadedPolicy, judge: Judge, words: Words, *, signed: bool = False) -> OwnNotices:
    """Raises PolicyError with every wording that cannot be used and every file that is not a sound, at their lines.

    `signed`: a signature answers for the policy, and a recording without a hash, which it does not cover, is not used.
    """
    wordings: list[OwnWording] = []
    faults: list[PolicyFault] = []
    remarks: list[PolicyFault] = []
    lines: list[Line] = []
    confirmed = {one.hash: one for one in loaded.policy.confirmed}
    for n, line in enumerate(loaded.policy.line):
        kept: dict[NoticeId, dict[Language, Wording]] = {}
        for notice, each in line.wording.items():
            for language, wording in each.items():
                hash_ = wording_hash(line.id, notice, language, *_parts(wording))
                judgement = judge(line, notice, language, wording)
                one = OwnWording((line.id, notice, language), wording, hash_, judgement, confirmed.get(hash_))
                wordings.append(one)
                path = ("line", n, "wording", notice.value, language.value)
                faults += _faults(loaded, path, one)
                remarks += _doubts(loaded, path, one)
                if one.used:
                    kept.setdefault(notice, {})[language] = wording
        lines.append(line.model_copy(update={"wording": kept}))
        if not may_train(lines[-1]):
            remarks.append(warning_at(loaded, ("line", n, "training"), "training_waits", line=line.id))
    sounds, unsound = _sounds(loaded)
    if faults or unsound:
        raise PolicyError([*faults, *unsound])
    waiting = {one.place for one in wordings if not one.used}
    used: dict[Place, OwnSound] = {}
    for one in sounds:
        line, notice, language = one.place
        if one.place in waiting:
            continue  # it may say the words that wait to be confirmed
        said = words(next(mended for mended in lines if mended.id == line), notice, language)
        if said is None:
            continue
        params = {"line": line, "notice": notice.value, "language": language.value, "path": one.named.file}
        if one.named.hash is None and signed:
            remarks.append(warning_at(loaded, one.path, "sound_unsigned", **params))
            continue
        if one.named.hash is None:
            remarks.append(warning_at(loaded, one.path, "sound_unconfirmed", **params))
        elif one.named.hash != sound_hash(said.spoken, one.raw):
            remarks.append(warning_at(loaded, one.path, "sound_changed", **params))
            continue
        if asks(notice) and one.named.question is None:
            remarks.append(warning_at(loaded, one.path, "sound_unmarked", **params))
        used[one.place] = one
    return OwnNotices(tuple(lines), tuple(wordings), used, tuple(remarks))


def _parts(wording: Wording) -> tuple[str, str, str]:
    return wording.essentials, wording.facts or "", wording.question or ""


def _faults(loaded: LoadedPolicy, path: KeyPath, one: OwnWording) -> list[PolicyFault]:
    if one.judgement is None:
        return []
    return [
        *(fault_at(loaded, path, f"notice_lacks_{found.code}", **_params(found)) for found in one.judgement.missing),
        *(
            fault_at(loaded, path, f"notice_must_not_{found.code}", **_params(found))
            for found in one.judgement.forbidden
        ),
    ]


def _doubts(loaded: LoadedPolicy, path: KeyPath, one: OwnWording) -> list[PolicyFault]:
    """What a person is to look at, or has looked at; the rulebook's own words are used until then."""
    if one.judgement is None:
        return [warning_at(loaded, path, "notice_not_judged")]
    if not one.judgement.lawful:
        return []
    doubts = [
        warning_at(loaded, path, f"notice_doubt_{found.code}", **_params(found)) for found in one.judgement.unsure
    ]
    if (confirmed := one.confirmed) is None:
        return [
            *doubts,
            warning_at(loaded, path, "notice_unconfirmed", hash=one.hash[:SHORT], path=as_word(loaded.path)),
        ]
    doubts.append(warning_at(loaded, path, "notice_own"))
    return [replace(it, hash=one.hash, by=confirmed.by, on=confirmed.on) for it in doubts]


def _params(found: WordingFinding) -> dict[str, str]:
    return {"rule": found.rule, "words": quotable(found.words)}


def quotable(words: str) -> str:
    """The words of a finding, short enough to be quoted within a sentence."""
    words = words.rstrip(" .!?,")
    return words if len(words) <= _QUOTED else f"{words[:_QUOTED].rsplit(' ', 1)[0]} …"


def unsound(folder: Path, error: PolicyError) -> list[PolicyFault]:
    """The files named by a faulty policy in `folder` that are not sounds either."""
    faults: list[PolicyFault] = []
    for one in error.sounds:
        try:
            _read(folder, one.file)
        except SoundError as found:
            faults.append(PolicyFault(one.line, one.key, found.code, found.params))
    return faults


def _read(folder: Path, named: str) -> tuple[bytes, Samples]:
    """SoundError, with its path as the policy names it."""
    file = folder / named
    try:
        raw = bytes_of(file)
        return raw, samples_of(raw, file)
    except SoundError as error:
        raise SoundError(error.code, **{**error.params, "path": named}) from None


def _tried(folder: Path, named: str) -> tuple[bytes, Samples] | SoundError:
    try:
        return _read(folder, named)
    except SoundError as error:
        return error


def _sounds(loaded: LoadedPolicy) -> tuple[list[OwnSound], list[PolicyFault]]:
    sounds: list[OwnSound] = []
    faults: list[PolicyFault] = []
    # One file is often named by many lines, notices and languages.
    read = cache(partial(_tried, Path(loaded.path).parent))
    for n, line in enumerate(loaded.policy.line):
        for notice, files in line.sound.items():
            for language, named in files.items():
                path = ("line", n, "sound", notice.value, language.value)
                found = read(named.file)
                if isinstance(found, SoundError):
                    faults.append(fault_at(loaded, path, found.code.removeprefix("policy.fault."), **found.params))
                    continue
                raw, samples = found
                faults += _outside(loaded, path, named, len(samples) / RATE)
                sounds.append(OwnSound((line.id, notice, language), path, named, raw, samples))
    return sounds, faults


SHORTEST_QUESTION = 1.0
"""seconds"""


def _outside(loaded: LoadedPolicy, path: KeyPath, named: SoundFile, seconds: float) -> list[PolicyFault]:
    """Marks beyond the file's end, and a question that is too short. At the very end there is none: all is repeated."""
    params = {"path": named.file, "seconds": round(seconds, 1)}
    marks = {"essentials": named.essentials, "question": named.question}
    return [
        fault_at(loaded, (*path, name), "mark_outside", value=at, **params)
        for name, at in marks.items()
        if at is not None and (at > seconds or (name == "question" and seconds - SHORTEST_QUESTION < at < seconds))
    ]
