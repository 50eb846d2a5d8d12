"""A call's status in words, in both languages: the same codes as the desk's, without its window. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from softphone.domain.purpose import Headline, Language, Purpose, Reason
from softphone.domain.status import (
    Action,
    DisputeButton,
    HoldPhase,
    InformedPhase,
    OptOutButton,
    OptOutKind,
    PurposePhase,
    ReasonStatus,
    Status,
)
from softphone.embed.messages import ButtonWords, Words
from softphone.texts import Texts
from softphone.wire.snapshot import CallPhase, CallState

_UNANSWERED = (PurposePhase.PLANNED, PurposePhase.ASKED)
TextsOf = Callable[[Language, str], Texts]
"""the sentences of a language, with clocks in a time zone"""


def in_words(texts_of: TextsOf, zone: str, call: CallState, now: datetime) -> Mapping[Language, Words]:
    """Nothing before the rulebook has answered."""
    if call.status is None:
        return {}
    return {one: _StatusText(texts_of(one, zone), call, call.status, now).words() for one in Language}


class _StatusText:
    """One status in the words of one language: the parts share the call's parameters."""

    def __init__(self, texts: Texts, call: CallState, status: Status, now: datetime) -> None:
        self._texts = texts
        self._call = call
        self._status = status
        line = call.line_words
        party = (line.party.get(texts.language) if line else None) or texts("party.default")
        seconds = _seconds(status.until, now)
        self._params: dict[str, object] = {
            "party": party,
            "Party": party[:1].upper() + party[1:],
            "line": line.name.get(texts.language, line.id) if line else "",
            "sample": line.sample if line else "",
            "seconds": seconds,
            "count": seconds,
        }
        self._now = now

    def words(self) -> Words:
        status = self._status
        return Words(
            headline=self._headline(),
            reasons=tuple(self._reason(one) for one in status.reasons),
            notes=tuple(self._say(f"embed.note.{note}") for note in status.notes),
            lock=self._lock(),
            kept=self._what_is_kept() if self._over else "",
            opt_out=self._opt_out(status.opt_out),
            dispute=self._dispute(status.dispute),
            actions={name: self._action(name) for name in status.actions},
            choices={
                choice.id: {
                    "question": self._say(f"choice.{choice.id}"),
                    **{option: self._say(f"choice.{choice.id}.{option}") for option in choice.options},
                }
                for choice in status.choices
            },
        )

    def _say(self, code: str, **more: object) -> str:
        return self._texts(code, **(self._params | more))

    def _headline(self) -> str:
        """A notice does not always play: it may be read aloud, or be over or still to come. After the call the reasons are
        those for what is kept."""
        if self._over:
            return self._say("embed.over")
        informed = self._status.notice.told if self._status.notice else InformedPhase.NOTHING
        if self._status.headline is Headline.NOTICE and informed is not InformedPhase.PLAYING:
            return self._say("card.title.read" if informed is InformedPhase.READING else "card.title.not_yet")
        return self._say(f"card.title.{self._status.headline}")

    def _reason(self, one: ReasonStatus) -> str:
        own, more = f"embed.reason.{one.reason}", dict[str, object](one.params)
        code = own if own in self._texts else f"reason.{one.reason}.sub"
        if one.at is not None and f"{code}.at" in self._texts:
            code, more["time"] = f"{code}.at", one.at
        return self._say(code, **more)

    @property
    def _over(self) -> bool:
        return self._call.phase is CallPhase.ENDED

    def _lock(self) -> str:
        hold = self._status.hold
        if hold is None or hold.phase is HoldPhase.VOID:
            return ""
        return self._say(f"lock.{hold.phase}", time=self._texts.clock(hold.since))

    def _what_is_kept(self) -> str:
        kept = self._kept()
        if not self._status.kept or all(one.reason is not Reason.BROKE_OFF for one in self._status.reasons):
            return kept
        return f"{kept} {self._say('reason.broke_off.sub')}. {self._say('reason.broke_off.body')}"

    def _kept(self) -> str:
        """What is kept of a call that is over, and until when."""
        status, days = self._status, self._call.expires
        if not status.kept:
            return self._say("kept.deleted" if status.recordings else "kept.nothing")
        if "objection_received" in status.notes or any(one.reason is Reason.CASE_OPEN for one in status.reasons):
            return self._say("kept.custody_only")
        if not days:
            return self._say("kept.locked_only" if status.hold else "kept.something")
        if status.hold:
            return self._say("kept.while_locked", day=max(days.values()))
        if len(days) > 1 and len(set(days.values())) == 1:
            return self._say("kept.both", day=next(iter(days.values())))
        return " ".join(self._say(f"kept.{purpose}", day=day) for purpose, day in sorted(days.items()))

    def _opt_out(self, button: OptOutButton) -> ButtonWords:
        last = button.kind is OptOutKind.STOP_AND_DELETE
        code = self._last_purpose(button) if last else f"opt_out.{button.kind}"
        return self._button(button, code, self._say(self._sub_code(code)) if button.enabled else "")

    def _dispute(self, button: DisputeButton) -> ButtonWords:
        code = f"dispute.{button.kind}"
        left = _seconds(button.until, self._now)
        return self._button(button, code, self._say(self._sub_code(code), seconds=left) if button.enabled else "")

    def _button(self, button: OptOutButton | DisputeButton, code: str, does: str) -> ButtonWords:
        sub = self._say(f"why_not.{button.why_not}") if button.why_not else does
        return ButtonWords(button.kind, button.enabled, self._say(code), sub)

    def _last_purpose(self, button: OptOutButton) -> str:
        """What a no to the last purpose does: nothing is deleted if there is nothing yet, or under a lock."""
        if not self._status.recordings:
            return "opt_out.not_at_all"
        if button.stays:
            return "opt_out.keeps" if self._over else "opt_out.stop_and_keep"
        return "opt_out.delete" if self._over else "opt_out.stop_and_delete"

    def _sub_code(self, code: str) -> str:
        """What the press does to this call. A no to the question on training leaves documentation as it is; to two questions
        it is a no to both."""
        stays = self._status.opt_out.stays
        if stays and code in ("opt_out.keeps", "opt_out.stop_and_keep", f"opt_out.{OptOutKind.SAID_NO}"):
            return f"opt_out.stays.{stays}"
        if code in ("opt_out.delete", "opt_out.stop_and_delete") and self._lock():
            return "opt_out.stop_and_delete.locked"
        phases = {purpose: state.phase for purpose, state in self._status.purposes.items()}
        if code == f"opt_out.{OptOutKind.TRAINING_ENDS}" and "held_from_training" in self._status.notes:
            return f"{code}.locked"
        asks = self._status.notice.asks if self._status.notice else ()
        to_be_asked = Purpose.DOCUMENTATION in asks and phases.get(Purpose.DOCUMENTATION) in _UNANSWERED
        if code == f"opt_out.{OptOutKind.TRAINING_ENDS}" and to_be_asked:
            return f"{code}.asked"
        if self._over and f"{code}.ended" in self._texts:
            return f"{code}.ended"
        if code != f"opt_out.{OptOutKind.SAID_NO}":
            return f"{code}.sub"
        if list(phases.values()).count(PurposePhase.ASKED) > 1:
            return "opt_out.said_no.both"
        goes_on = phases.get(Purpose.DOCUMENTATION) in (PurposePhase.PLANNED, PurposePhase.ACTIVE)
        return "opt_out.training_ends.sub" if goes_on else f"{code}.sub"

    def _action(self, name: str) -> str:
        for code in (f"press.{name}", f"action.{name}"):
            if code in self._texts:
                return self._say(code)
        return self._say("opt_out.said_no" if name == Action.SAID_NO else "tool.pause.name")


def _seconds(until: datetime | None, now: datetime) -> int:
    """Whole seconds left, rounded up."""
    return max(0, -int((now - until) // timedelta(seconds=1))) if until else 0
