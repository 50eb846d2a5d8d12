"""A line's notices for a person: as text, judged, as a caller hears them, and recorded with a voice of one's own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from softphone.audio.files import write_wav
from softphone.audio.loudness import Samples, levelled, loudness, trimmed
from softphone.audio.narrow import as_callers_hear
from softphone.audio.player import Player
from softphone.audio.recording import MicrophoneRecorder
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.plugins import RULEBOOK, rule_plugins
from softphone.bootstrap.policy.file import chosen, load_to_try, tell_faults
from softphone.cli.policy.written import quoted
from softphone.domain.decision import NoticeId
from softphone.domain.errors import KlartoneError, SoundError
from softphone.domain.notice import (
    LEAD,
    Judgement,
    NoticeSound,
    NoticeText,
    NoticeVariant,
    WordingFinding,
    asks,
    sound_hash,
)
from softphone.domain.policy import Line, LoadedPolicy, PolicyError, SoundFile
from softphone.domain.policy.confirming import SHORT, as_word
from softphone.domain.policy.doubts import LONGEST_NOTICE
from softphone.domain.purpose import Language
from softphone.plugin.notices import NoticeMaker
from softphone.plugin.own import OwnNotices, OwnWording, quotable
from softphone.plugin.sounds import RATE, read_any, read_wav
from softphone.plugin.speaking import Lacking
from softphone.texts import Texts

_HURRIED = 0.6
"""a recording shorter than this share of the text's reading time has probably not said all of it"""


@dataclass(frozen=True)
class _Desk:
    """One line of a policy, what its controller brings itself, and who makes its notices."""

    loaded: LoadedPolicy
    line: Line
    own: OwnNotices
    maker: NoticeMaker
    tell: Texts

    def text(self, notice: NoticeId, language: Language, variant: NoticeVariant = NoticeVariant.WHOLE) -> NoticeText:
        text = self.maker.text(self.loaded.policy, self.line, notice, language, variant)
        if text is None:
            raise KlartoneError("error.notice.none", notice=notice.value, line=self.line.id)
        return text

    def own_wording(self, notice: NoticeId, language: Language) -> OwnWording | None:
        return next((one for one in self.own.wordings if one.place == (self.line.id, notice, language)), None)

    def sound(self, text: NoticeText, notice: NoticeId) -> NoticeSound:
        sound = self.maker.sound(text, self.own.sounds.get((self.line.id, notice, text.language)))
        if isinstance(sound, Lacking):
            code = "error.notice.no_file" if sound is Lacking.FILE else "error.notice.no_speech"
            raise KlartoneError(code, notice=notice.value)
        return sound


def policy_notice(arguments: argparse.Namespace) -> int:
    """What a line's callers hear, and what there is to say about it; `--wav` and `--listen` give one notice as it sounds."""
    tell = texts()
    with _desk(arguments, tell) as desk:
        needed = desk.maker.needed(desk.loaded.policy, desk.line)
        asked = (NoticeId(arguments.notice),) if arguments.notice else needed
        if not asked:
            raise KlartoneError("error.notice.not_recorded", line=desk.line.id)
        if arguments.wav or arguments.listen:
            language = arguments.language or desk.loaded.policy.language_of(desk.line)
            return _heard(desk, asked[0], language, arguments)
        languages = (arguments.language,) if arguments.language else tuple(Language)
        for n, (notice, language) in enumerate((one, other) for one in asked for other in languages):
            if n:
                print()  # noqa: T201
            for text in _described(desk, notice, language, needed=notice in needed):
                print(text)  # noqa: T201
    return 0


def policy_record(arguments: argparse.Namespace) -> int:
    """A notice in a voice of one's own: recorded or taken from a file, trimmed, levelled, and put beside the policy."""
    tell = texts()
    with _desk(arguments, tell) as desk:
        notice, language = NoticeId(arguments.notice), Language(arguments.language)
        text = desk.text(notice, language)
        parts = _parts(text)
        print(tell("record.say", notice=notice.value, language=tell(f"language.{language}")))  # noqa: T201
        print(f"\n    {text.shown}\n")  # noqa: T201
        own = desk.own_wording(notice, language)
        for sentence in _judged(desk, notice, language, own) if own and not own.used else ():
            print(sentence)  # noqa: T201
        files: list[Path] = arguments.source or []
        if len(files) not in (0, 1, len(parts)):
            raise KlartoneError("error.record.parts", count=len(parts))
        given = [read_any(one) for one in files] or [*_spoken(Home.of(arguments), parts, tell)]
        said = [levelled(trimmed(one)) for one in given]
        samples = np.concatenate(said)
        marks = _marks(said, text) if len(said) == len(parts) else {}
        path = arguments.wav or _beside(Path(desk.loaded.path), desk.line, notice, language)
        _written(path, samples)
        for sentence in _measured(samples, text, tell):
            print(sentence)  # noqa: T201
        if len(said) < len(parts):
            print(tell("record.unmarked", count=len(parts)))  # noqa: T201
        if arguments.listen:
            _play(as_callers_hear(samples))
        print(tell("record.written", path=str(path)))  # noqa: T201
        print(tell("record.add", line=desk.line.id))  # noqa: T201
        print(f"\n{_sound_table(desk, notice, text, path, marks)}")  # noqa: T201
    return 0


@contextmanager
def _desk(arguments: argparse.Namespace, tell: Texts) -> Generator[_Desk]:
    loaded = load_to_try(arguments, tell)
    line = loaded.policy.line_named(arguments.line)
    if line is None:
        known = ", ".join(one.id for one in loaded.policy.line) or "–"
        raise KlartoneError("error.policy.no_such_line", value=str(arguments.line)[:60], known=known)
    plugins = rule_plugins(Home.of(arguments), lambda _: None)
    if plugins.maker is None:
        raise KlartoneError("error.plugin.missing", plugin=RULEBOOK)
    plugins.host.start()
    try:
        own = plugins.maker.check(loaded, signed=bool(chosen(arguments)[1]))
        mended = next(one for one in own.lines if one.id == line.id)
        yield _Desk(loaded, mended, own, plugins.maker, tell)
    except PolicyError as error:
        tell_faults(error, tell)
        raise
    finally:
        plugins.host.stop()


# --- told ------------------------------------------------------------------------------------------


def _described(desk: _Desk, notice: NoticeId, language: Language, *, needed: bool) -> Iterator[str]:
    tell = desk.tell
    text = desk.text(notice, language)
    own = desk.own_wording(notice, language)
    try:
        sound = desk.sound(text, notice)
    except KlartoneError as error:
        sound, silent = None, tell.error(error)
        seconds = text.reading_time
    else:
        silent = ""
        seconds = sound.seconds - LEAD
    yield tell("notice.head", notice=notice.value, language=tell(f"language.{language}"), seconds=tell.decimal(seconds))
    yield f"    {text.shown}"
    if sound is not None:
        yield "  " + tell("notice.essentials", at=tell.decimal(sound.essentials))
        if sound.question is not None:
            yield "  " + tell("notice.question", at=tell.decimal(sound.question))
    else:
        yield "  " + silent
    if (desk.line.id, notice, language) in desk.own.sounds:
        yield "  " + tell("notice.own_sound")
    if not needed:
        yield "  " + tell("notice.not_needed")
    yield from (f"  {one}" for one in _judged(desk, notice, language, own))
    if not asks(notice):
        short = desk.text(notice, language, NoticeVariant.NEWCOMER)
        yield "  " + tell("notice.newcomer", text=short.shown)


def _judged(desk: _Desk, notice: NoticeId, language: Language, own: OwnWording | None) -> Iterator[str]:
    tell = desk.tell
    judgement = own.judgement if own else desk.maker.judge(desk.line, notice, language, None)
    if judgement is None:
        yield tell("notice.not_judged")
        return
    if judgement.certain:
        yield tell("notice.complete.own" if own else "notice.complete")
    yield from _findings(judgement, tell)
    if own is not None and own.confirmed is not None:
        yield tell("notice.confirmed", by=own.confirmed.by, on=own.confirmed.on)
    elif own is not None and own.lawful:
        yield tell("policy.warning.notice_unconfirmed", hash=own.hash[:SHORT], path=as_word(desk.loaded.path))


def _findings(judgement: Judgement, tell: Texts) -> Iterator[str]:
    kinds: tuple[tuple[str, tuple[WordingFinding, ...]], ...] = (
        ("policy.fault.notice_lacks", judgement.missing),
        ("policy.fault.notice_must_not", judgement.forbidden),
        ("policy.warning.notice_doubt", judgement.unsure),
    )
    for kind, findings in kinds:
        for one in findings:
            sentence = tell(f"{kind}_{one.code}", words=quotable(one.words))
            yield tell("policy.by_rule", sentence=sentence, rule=one.rule)


# --- heard -----------------------------------------------------------------------------------------


def _heard(desk: _Desk, notice: NoticeId, language: Language, arguments: argparse.Namespace) -> int:
    sound = desk.sound(desk.text(notice, language), notice)
    samples = read_wav(Path(sound.path).read_bytes())
    if arguments.narrow_band:
        samples = as_callers_hear(samples)
    if arguments.wav:
        _written(arguments.wav, samples)
        print(desk.tell("record.written", path=str(arguments.wav)))  # noqa: T201
    if arguments.listen:
        _play(samples)
    return 0


def _play(samples: Samples) -> None:
    player = Player()
    player.play(samples.astype("<i2").tobytes(), RATE)
    player.wait(len(samples) / RATE + 5)
    player.stop()


# --- recorded --------------------------------------------------------------------------------------


def _parts(text: NoticeText) -> list[str]:
    """That it is recorded and why, the rest of the facts, the question: as far as there is each."""
    question = len(text.shown) if text.question is None else text.question
    cuts = (0, text.essentials, question, len(text.shown))
    return [part for start, end in pairwise(cuts) if (part := text.shown[start:end].strip())]


def _marks(said: Sequence[Samples], text: NoticeText) -> dict[str, float]:
    """When the first part has been said and when the last begins, seconds from the file's beginning."""
    if len(said) == 1:
        return {}
    ends = [round(end / RATE, 2) for end in accumulate(len(part) for part in said)]
    return {"essentials": ends[0]} | ({} if text.question is None else {"question": ends[-2]})


def _spoken(home: Home, parts: Sequence[str], tell: Texts) -> Iterator[Samples]:
    """Each part from one press of Enter to the next."""
    settings, _ = home.settings(only_look=True)
    device = "" if settings.microphone.startswith(("file:", "none")) else settings.microphone
    try:
        for n, part in enumerate(parts, 1):
            recorder = MicrophoneRecorder(device)
            recorder.find()
            if len(parts) > 1:
                print(tell("record.part", n=n, count=len(parts), text=part))  # noqa: T201
            print(tell("record.begin"), flush=True)  # noqa: T201
            sys.stdin.readline()
            recorder.start()
            print(tell("record.end"), flush=True)  # noqa: T201
            sys.stdin.readline()
            yield recorder.stop()
    except SoundError as error:
        detail = str(error.params.get("detail") or device or "–")
        raise KlartoneError("error.record.no_microphone", detail=detail) from None


def _measured(samples: Samples, text: NoticeText, tell: Texts) -> Iterator[str]:
    found = loudness(samples)
    yield tell(
        "record.measured",
        seconds=tell.decimal(found.seconds),
        loudness=tell.decimal(found.integrated),
        peak=tell.decimal(found.peak),
    )
    if found.seconds > LONGEST_NOTICE:
        yield tell("record.long", most=round(LONGEST_NOTICE))
    if found.seconds < _HURRIED * text.reading_time:
        yield tell("record.short", seconds=tell.decimal(text.reading_time))


def _beside(policy: Path, line: Line, notice: NoticeId, language: Language) -> Path:
    name = notice.value.lower().replace("+", "-")
    return policy.parent / f"{line.id}-{name}-{language}.wav"


def _written(path: Path, samples: Samples) -> None:
    try:
        write_wav(path, np.ascontiguousarray(samples).astype("<i2").tobytes(), RATE)
    except OSError as error:
        raise KlartoneError("error.record.unwritable", path=str(path), detail=error.strerror or str(error)) from None


def _sound_table(desk: _Desk, notice: NoticeId, text: NoticeText, path: Path, marks: Mapping[str, float]) -> str:
    """The line's `sound` with the new file in it, to be put into the policy.

    Its hash says that this file says this text. If either changes, the voice speaks the notice.
    """
    folder = Path(desk.loaded.path).parent.resolve()
    file = path.resolve()
    name = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
    sounds: dict[str, dict[str, SoundFile]] = {
        one.value: {each.value: given for each, given in files.items()} for one, files in desk.line.sound.items()
    }
    new = SoundFile(file=name, hash=sound_hash(text.spoken, path.read_bytes()), **marks)
    sounds.setdefault(notice.value, {})[text.language.value] = new
    table = ", ".join(f"{_key(one)} = {_inline(files)}" for one, files in sounds.items())
    return f"sound = {{ {table} }}"


def _inline(files: Mapping[str, SoundFile]) -> str:
    text = ", ".join(f"{language} = {_file(one)}" for language, one in files.items())
    return f"{{ {text} }}"


def _file(one: SoundFile) -> str:
    given = one.model_dump(exclude_none=True)
    text = ", ".join(f"{name} = {quoted(value) if isinstance(value, str) else value}" for name, value in given.items())
    return quoted(one.file) if len(given) == 1 else f"{{ {text} }}"


def _key(name: str) -> str:
    return name if name.isalnum() else quoted(name)
