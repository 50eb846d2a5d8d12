"""A call's status in words, in both languages: the same codes as the desk's, without its window. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from softphone.domain.purpose import Headline, Language, Purpose
from softphone.domain.status import Button, OptOutKind, PurposePhase, ReasonStatus, Status, Told
from softphone.embed.messages import ButtonWords, Words
from softphone.texts import Texts
from softphone.wire import CallState, LineState

TextsOf = Callable[[Language, str], Texts]
"""the sentences of a language, with clocks in a time zone"""


def in_words(
    texts_of: TextsOf, zone: str, call: CallState, line: LineState | None, now: datetime
) -> Mapping[Language, Words]:
    """Nothing before the rulebook has answered."""
    if call.status is None:
        return {}
    return {one: _Said(texts_of(one, zone), call.status, line, now).words() for one in Language}


class _Said:
    """One status being worded in one language: the parts share the call's parameters."""

    def __init__(self, texts: Texts, status: Status, line: LineState | None, now: datetime) -> None:
        self._texts = texts
        self._status = status
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
            opt_out=self._button("opt_out", status.opt_out),
            dispute=self._button("dispute", status.dispute),
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
        """A notice is not always one that plays: it may be read aloud, or be over or still to come."""
        told = self._status.notice.told if self._status.notice else Told.NOTHING
        if self._status.headline is Headline.NOTICE and told is not Told.PLAYING:
            return self._say("card.title.read" if told is Told.READING else "card.title.not_yet")
        return self._say(f"card.title.{self._status.headline}")

    def _reason(self, one: ReasonStatus) -> str:
        code, more = f"reason.{one.reason}.sub", dict[str, object](one.params)
        if one.at is not None and f"{code}.at" in self._texts:
            code, more["time"] = f"{code}.at", one.at
        return self._say(code, **more)

    def _button(self, name: str, button: Button) -> ButtonWords:
        code = f"{name}.{button.kind}"
        sub = self._say(self._sub_code(code), seconds=_seconds(button.until, self._now)) if button.enabled else ""
        if button.why_not:
            sub = self._say(f"why_not.{button.why_not}")
        return ButtonWords(button.kind, button.enabled, self._say(code), sub)

    def _sub_code(self, code: str) -> str:
        """A no to the question on training leaves documentation as it is; to two questions it is a no to both."""
        if code != f"opt_out.{OptOutKind.SAID_NO}":
            return f"{code}.sub"
        phases = {purpose: state.phase for purpose, state in self._status.purposes.items()}
        if list(phases.values()).count(PurposePhase.ASKED) > 1:
            return "opt_out.said_no.both"
        goes_on = phases.get(Purpose.DOCUMENTATION) in (PurposePhase.PLANNED, PurposePhase.ACTIVE)
        return "opt_out.training_ends.sub" if goes_on else f"{code}.sub"

    def _action(self, name: str) -> str:
        for code in (f"press.{name}", f"action.{name}"):
            if code in self._texts:
                return self._say(code)
        return self._say("opt_out.said_no" if name == "said_no" else "tool.pause.name")


def _seconds(until: datetime | None, now: datetime) -> int:
    """Whole seconds left, rounded up."""
    return max(0, -int((now - until) // timedelta(seconds=1))) if until else 0
