"""What the sentences about one call share: parameters, reasons, the state of its purposes. No widget's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from softphone.domain.purpose import Purpose, Reason
from softphone.domain.status import HoldPhase, PurposePhase, ReasonStatus, Status
from softphone.texts import Texts
from softphone.ui.view import View, lower_first, upper_first
from softphone.wire.snapshot import CallState, PastCall

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING


class Speech:
    """The words of one call. `say` gives every sentence the party, the line and the seconds left."""

    def __init__(self, view: View, call: CallState, status: Status) -> None:
        self.view, self.texts, self.call, self.status = view, view.texts, call, status
        self.first: ReasonStatus = status.reasons[0]
        left = view.seconds_to(status.until)
        self.params: dict[str, object] = party_params(view, call) | {"seconds": left, "count": left}
        self.params |= {"line": view.name_of_line(call)}
        state = view.line_of_call(call)
        self.params |= {"sample": state.sample if state else ""}

    def say(self, code: str, **more: object) -> str:
        return self.texts(code, **(self.params | more))

    # --- reasons --------------------------------------------------------------------------------

    def sub(self, reason: ReasonStatus) -> str:
        return reason_words(self.texts, reason, {**self.params, "time": self.clock(self.status.since)})

    def sub_lower(self, reason: ReasonStatus) -> str:
        return lower_first(self.sub(reason))

    def body(self, reason: Reason) -> str:
        """What the reason means for the agent, or nothing."""
        code = f"reason.{reason}.body"
        share = {one for one in str(self.params["sample"]) if one.isdigit()}
        if reason is Reason.NOT_IN_SAMPLE and share == {"0"}:
            code = "reason.not_in_sample.body.none"
        return self.say(code) if code in self.texts else ""

    def has(self, reason: Reason) -> bool:
        return any(status.reason is reason for status in self.status.reasons)

    def clock(self, at: datetime | None) -> str:
        return self.texts.clock(at) if at else ""

    # --- purposes -------------------------------------------------------------------------------

    def phase(self, purpose: Purpose) -> PurposePhase:
        state = self.status.purposes.get(purpose)
        return state.phase if state else PurposePhase.OFF

    def asked(self) -> list[Purpose]:
        """The purposes with an open question, in the notice's order."""
        return [purpose for purpose in Purpose if self.phase(purpose) is PurposePhase.ASKED]

    def key_for(self, purpose: Purpose) -> str:
        """The key that says yes, as the notice asks: in its order, from 1 (N2, N3, N6; N2+N3 asks both)."""
        for reason in self.status.reasons:
            if reason.purpose is purpose and "key" in reason.params:
                return str(reason.params["key"])
        asks = self.status.notice.asks if self.status.notice else ()
        return str(asks.index(purpose) + 1) if purpose in asks else "1"

    # --- the hold -------------------------------------------------------------------------------

    def lock(self) -> str:
        """The violet line of a hold, or nothing."""
        hold = self.status.hold
        if hold is None or hold.phase is HoldPhase.VOID:
            return ""
        return self.say(f"lock.{hold.phase}", time=self.texts.clock(hold.since))

    @property
    def held_from_training(self) -> bool:
        """As long as a hold stands, training cannot use what is recorded."""
        return "held_from_training" in self.status.notes


def party_params(view: View, call: CallState | PastCall) -> dict[str, object]:
    party = view.party(call)
    return {"party": party, "Party": upper_first(party)}


def reason_words(texts: Texts, reason: ReasonStatus, params: Mapping[str, object]) -> str:
    """The reason in a few words, with its cause or its time."""
    fields = {**params, **reason.params, **({"time": texts.clock(reason.at)} if reason.at else {})}
    code = f"reason.{reason.reason}.sub"
    if cause := reason.params.get("cause") or reason.params.get("detail"):
        because = texts(f"cause.{cause}") if f"cause.{cause}" in texts else str(cause)
        return f"{texts(code, **fields)} ({because})"
    if reason.at is not None and f"{code}.at" in texts:
        code = f"{code}.at"
    return texts(code, **fields)
