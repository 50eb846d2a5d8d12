"""The notices of a policy, made ahead of time: every text that a call of its lines can need, and its sound.

Runs on a loader's thread when a policy is loaded, never in a call. `own` checks what a controller brings itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from softphone.domain.decision import Facts, NoticeId
from softphone.domain.errors import KlartoneError
from softphone.domain.notice import LEAD, Judgement, NoticeSound, NoticeText, NoticeVariant, asks
from softphone.domain.policy import Line, LoadedPolicy, Policy, PolicyFault, warning_at
from softphone.domain.policy.doubts import long_notice
from softphone.domain.policy.model import Wording
from softphone.domain.purpose import Basis, Language, Purpose
from softphone.plugin.client import PluginFailed, PluginHost
from softphone.plugin.contract import DECIDE, JUDGE_NOTICE, NOTICE_TEXT, DecideParams, JudgeParams, NoticeTextParams
from softphone.plugin.manifest import Plugin
from softphone.plugin.own import OwnNotices, OwnSound, OwnWording, Place, own_of
from softphone.plugin.speaking import Lacking, Speaker

__all__ = ["Lacking", "NoticeBook", "NoticeMaker", "Place", "RulebookFailed", "Unspoken"]

AnswerT = TypeVar("AnswerT")

_TEXT_WITHIN = 5.0


class RulebookFailed(KlartoneError):  # noqa: N818 - as it is said
    """The rulebook gave no answer, or nonsense, so its notices are not known. It may answer another time."""

    def __init__(self) -> None:
        super().__init__("error.notice.rulebook_failed")


@dataclass(frozen=True, slots=True)
class Unspoken:
    """A notice that cannot be played, and what it lacks."""

    place: Place
    lacking: Lacking


@dataclass(frozen=True)
class NoticeBook:
    """Every notice that the policy's lines can need. A missing one cannot be played: not recorded, `notice_failed`."""

    texts: Mapping[Place, NoticeText] = field(default_factory=dict[Place, NoticeText])
    newcomers: Mapping[Place, NoticeText] = field(default_factory=dict[Place, NoticeText])
    objections: Mapping[tuple[str, Language], NoticeText] = field(
        default_factory=dict[tuple[str, Language], NoticeText]
    )
    """what the agent answers to an objection where the law obliges to record, per line"""
    sounds: Mapping[Place, NoticeSound] = field(default_factory=dict[Place, NoticeSound])
    newcomer_sounds: Mapping[Place, NoticeSound] = field(default_factory=dict[Place, NoticeSound])
    unspoken: tuple[Unspoken, ...] = ()
    wordings: tuple[OwnWording, ...] = ()
    """the controller's own, judged"""
    untrained: frozenset[str] = frozenset()
    """lines whose calls are not drawn (`Own.untrained`)"""
    remarks: tuple[PolicyFault, ...] = ()
    """doubts about the notices: own words that wait for a person, a notice that is too long"""
    keyless: NoticeBook | None = None
    """those that name keys, without them: for a party whose phone sends none (no RFC 4733)"""
    failed: bool = False
    """the rulebook failed meanwhile: the book is to be made again"""
    made_by: Mapping[str, str] = field(default_factory=dict[str, str])
    """whose words and voice these are, by `rulebook` and `voice`: a plugin's id and version"""

    def text(self, line: str, notice: NoticeId, language: Language, newcomer: bool = False) -> NoticeText | None:
        """`newcomer`: the short one for somebody who joins. A notice that asks has only the whole."""
        place = (line, notice, language)
        return self.newcomers.get(place) if newcomer else self.texts.get(place)

    def sound(self, line: str, notice: NoticeId, language: Language, newcomer: bool = False) -> NoticeSound | None:
        place = (line, notice, language)
        return self.newcomer_sounds.get(place) if newcomer and not asks(notice) else self.sounds.get(place)

    def objection(self, line: str, language: Language) -> NoticeText | None:
        """What the agent answers to an objection; None if the party has a right to one."""
        return self.objections.get((line, language))


class NoticeMaker:
    """Makes the book of a policy's notices. `cache` is a folder of its own, whose contents are checked before use.

    Methods that ask the rulebook raise RulebookFailed at its first failure, so that one failure does not count as many.
    """

    def __init__(self, host: PluginHost, rulebook: Plugin, voice: Plugin | None, cache: Path) -> None:
        self._host = host
        self._rulebook = rulebook
        self._speaker = Speaker(host, voice, cache)
        self._made_by = {"rulebook": rulebook.release} | ({"voice": voice.release} if voice else {})

    def check(self, loaded: LoadedPolicy, *, signed: bool = False) -> OwnNotices:
        """What the controller brings itself, checked; nothing is spoken.

        Raises PolicyError for words that lack a fact or promise what they must not, and for a file that is not a sound.
        `signed`: the policy must be signed, so a recording without a hash, which no signature covers, is not used.
        """
        return own_of(loaded, self.judge, partial(self.text, loaded.policy), signed=signed)

    def prepare(self, loaded: LoadedPolicy, *, signed: bool = False) -> NoticeBook:
        """Blocks until every notice has its text and sound, or has failed. PolicyError as for `check`."""
        own = self.check(loaded, signed=signed)
        book = NoticeBook(wordings=own.wordings, untrained=own.untrained, remarks=own.remarks, made_by=self._made_by)
        keyless = NoticeBook()
        for line in own.lines:
            mute = line.model_copy(update={"opt_out_key": "", "language_key": ""})
            for notice, language in product(self.needed(loaded.policy, line), Language):
                book = self._with(book, loaded, line, notice, language, own.sounds)
                if self.text(loaded.policy, mute, notice, language) != book.texts.get((line.id, notice, language)):
                    keyless = self._with(keyless, loaded, mute, notice, language, {})
        return replace(book, keyless=self._said_otherwise(keyless, book))

    @staticmethod
    def _said_otherwise(keyless: NoticeBook, book: NoticeBook) -> NoticeBook:
        """Only notices of `book` that name a key, and can be played wherever the originals can."""
        texts = {place: text for place, text in keyless.texts.items() if text != book.texts.get(place)}
        return NoticeBook(
            texts={place: text for place, text in texts.items() if place in keyless.sounds or place not in book.sounds},
            newcomers=keyless.newcomers,
            sounds={place: sound for place, sound in keyless.sounds.items() if place in texts},
            newcomer_sounds=keyless.newcomer_sounds,
        )

    def judge(self, line: Line, notice: NoticeId, language: Language, wording: Wording | None) -> Judgement | None:
        """The rulebook's judgement of a wording, or of its own (None); None if it judges none."""
        if JUDGE_NOTICE.name not in self._rulebook.manifest.hooks:
            return None
        params = JudgeParams(line, notice, language, wording)
        return _answered(self._host.ask_and_wait(self._rulebook.id, JUDGE_NOTICE, params, timeout=_TEXT_WITHIN))

    def needed(self, policy: Policy, line: Line) -> tuple[NoticeId, ...]:
        """The notices that the rulebook can choose for this line while the policy is in force.

        In the sample and not, declined earlier, with reviewers who have enough, and on either side of every day on which
        something of it changes.
        """
        zone = ZoneInfo(policy.time_zone)
        days = [datetime.now(UTC).astimezone(zone).date()]
        special = line.training.special_circumstances if line.training else None
        if special is not None:
            days += [special.decided_on, special.expires_on, special.expires_on + timedelta(days=1)]
        needed: list[NoticeId] = []
        for day, direction, drawn, no_more in product(days, line.calls, (True, False), (False, True)):
            at = datetime.combine(day, time(12), zone)
            facts = Facts(
                line.id, direction, None, Language.DA, declined_earlier=no_more, at=at, reviewers_have_enough=no_more
            )
            params = DecideParams(facts, line, drawn)
            decision = _answered(self._host.ask_and_wait(self._rulebook.id, DECIDE, params, timeout=_TEXT_WITHIN))
            if decision.notice is not None:
                needed.append(decision.notice)
        return tuple(dict.fromkeys(needed))

    def text(
        self,
        policy: Policy,
        line: Line,
        notice: NoticeId,
        language: Language,
        variant: NoticeVariant = NoticeVariant.WHOLE,
    ) -> NoticeText | None:
        """None if the rulebook has none."""
        params = NoticeTextParams(policy.controller_of(line), line, notice, language, variant)
        answer = self._host.ask_and_wait(
            self._rulebook.id,
            NOTICE_TEXT,
            params,
            timeout=_TEXT_WITHIN,
            sound=lambda text: text is None or (text.whole and text.language is language),
        )
        return _answered(answer)

    def sound(self, text: NoticeText, own: OwnSound | None = None) -> NoticeSound | Lacking:
        """`own`: the controller's recording of this text."""
        return self._speaker.sound(text, own)

    def _with(
        self,
        book: NoticeBook,
        loaded: LoadedPolicy,
        line: Line,
        notice: NoticeId,
        language: Language,
        own: Mapping[Place, OwnSound],
    ) -> NoticeBook:
        place = (line.id, notice, language)
        text = self.text(loaded.policy, line, notice, language)
        if text is None:
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, Lacking.TEXT)))
        short = self.text(loaded.policy, line, notice, language, NoticeVariant.NEWCOMER)
        book = replace(book, texts={**book.texts, place: text})
        if short is not None:
            book = replace(book, newcomers={**book.newcomers, place: text if asks(notice) else short})
        if line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION and (line.id, language) not in book.objections:
            answer = self.text(loaded.policy, line, notice, language, NoticeVariant.OBJECTION)
            if answer is not None:
                book = replace(book, objections={**book.objections, (line.id, language): answer})
        sound = self.sound(text, own.get(place))
        seconds = sound.seconds - LEAD if isinstance(sound, NoticeSound) else text.reading_time
        finding = long_notice(loaded.policy, line.id, notice, language, seconds)
        if finding is not None:
            long = warning_at(loaded, finding.path, finding.code, **finding.params)
            book = replace(book, remarks=(*book.remarks, long))
        if isinstance(sound, Lacking):
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, sound)))
        book = replace(book, sounds={**book.sounds, place: sound})
        if short is None or asks(notice):
            return book
        spoken = self.sound(short)
        if isinstance(spoken, Lacking):
            return replace(book, unspoken=(*book.unspoken, Unspoken(place, spoken)))
        return replace(book, newcomer_sounds={**book.newcomer_sounds, place: spoken})


def _answered(answer: AnswerT | PluginFailed) -> AnswerT:
    if isinstance(answer, PluginFailed):
        raise RulebookFailed
    return answer
