"""Transfers, both ways: a party handed to somebody else, this phone asked to call somebody, a call in another's place.

Nobody is ever called without a press. The recording of a call that is handed over ends with it and stays as it is (L5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from softphone.calls.book import CallBook
from softphone.calls.commands import NOT_NOW
from softphone.calls.live import Aside, LiveCall
from softphone.calls.numbers import dialable, dialled, host_part, user_part
from softphone.domain import events as ev
from softphone.domain.errors import KlartoneError
from softphone.engine.call.ended_calls import NO_SUCH_CALL
from softphone.engine.call.ports import CallPhonePort
from softphone.engine.call.several import set_aside
from softphone.engine.sip import events as sip
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import CallPhase, CallRole, CodedText, TransferPhase, TransferState

_RINGING, _OK, _DECLINED, _GIVEN_UP = 180, 200, 603, 487
_WHY = {
    "busy": (486, 600),
    "declined": (403, 603),
    "unanswered": (0, 408, 480, 487),
    "unknown": (404, 410, 484, 604),
}


@dataclass(slots=True)
class _Following:
    """A call that the agent makes because the party of `asked` wanted it."""

    asked: str
    call: str


class Transferring:
    """`dial` makes a call as another call's account does: its id, or KlartoneError."""

    def __init__(
        self,
        book: CallBook,
        phone: CallPhonePort,
        dial: Callable[[LiveCall, str, sip.ReferAsked], str],
        tell: Callable[[object], None],
        changed: Callable[[], None],
    ) -> None:
        self._book = book
        self._phone = phone
        self._dial = dial
        self._tell = tell
        self._changed = changed
        self._asked: dict[str, sip.ReferAsked] = {}
        """what the parties of these calls want, as long as the agent has not answered"""
        self._following: list[_Following] = []
        self._with_passport: dict[str, tuple[str, str]] = {}
        """calls whose REFER bears a passport, each with the target and the passport"""
        self._replaced: dict[str, str] = {}
        """calls, each with the one in whose place it comes"""
        self._taken_back: set[str] = set()
        """calls whose agent is back with the party, though their transfer may still succeed"""

    # --- we transfer ---------------------------------------------------------------------------------

    def blind(self, call_id: str, target: str) -> CodedText | None:
        """The party calls `target` itself. Until it is known how that goes nothing is recorded."""
        call = self._connected(call_id)
        if call is None:
            return NO_SUCH_CALL
        return self._refer(call, dialled(target))

    def complete(self, call_id: str) -> CodedText | None:
        """The party of this consultation takes our place in it."""
        consultation = self._connected(call_id)
        party = self._connected(consultation.consults_for or "") if consultation else None
        if consultation is None or party is None:
            return NO_SUCH_CALL
        return self._refer(party, consultation.target, consultation)

    def taken_back(self, call_id: str) -> None:
        """The agent is back with the party of this call, or of this consultation, before it is known how the transfer goes: the
        recording goes on. Nobody can call a REFER back, so one that still succeeds ends the call."""
        call = self._book.live.get(call_id)
        party = self._connected(call.consults_for or call_id) if call else None
        if party is not None and party.transfer is not None and party.transfer.phase is not TransferPhase.FAILED:
            self._taken_back.add(party.id)
            party.transfer = replace(party.transfer, taken_back=True)
            self._book.occurred(party, "transfer_taken_back")
            set_aside(self._book, party, Aside.TRANSFER, on=False)

    def _refer(self, party: LiveCall, target: str, consultation: LiveCall | None = None) -> CodedText | None:
        if party.role is not CallRole.PARTY or (party.transfer and party.transfer.phase is not TransferPhase.FAILED):
            return NOT_NOW
        passport = self._book.passports.issue(party, target)
        with_whom = consultation.id if consultation else ""
        set_aside(self._book, party, Aside.TRANSFER, on=True)
        try:
            self._phone.transfer(party.id, target, passport=passport, consultation=with_whom)
        except KlartoneError:
            set_aside(self._book, party, Aside.TRANSFER, on=False)
            raise
        if passport:
            self._with_passport[party.id] = (target, passport)
        self._taken_back.discard(party.id)
        party.transfer = TransferState(TransferPhase.ASKED, user_part(target), consultation=with_whom or None)
        self._book.occurred(party, "transfer_asked", {"attended": consultation is not None, "passport": bool(passport)})
        self._changed()
        return None

    def progressed(self, event: sip.TransferChanged) -> None:
        call = self._book.live.get(event.call)
        if call is None or call.transfer is None or call.phase is not CallPhase.CONNECTED:
            return
        state = call.transfer
        self._book.occurred(call, f"transfer_{event.state}", {"code": event.code})
        sent = self._with_passport.pop(call.id, None) if event.state != "accepted" else None
        wanted = call.id not in self._taken_back
        if (
            wanted
            and event.state == "failed"
            and event.code
            and sent
            and self._again_with_less(call, event.code, *sent)
        ):
            return
        match event.state:
            case "done":
                self._hand_over(call)
                self._phone.hang_up(call.id)
                if (consultation := self._connected(state.consultation or "")) is not None:
                    self._phone.hang_up(consultation.id)
            case "failed":
                call.transfer = TransferState(TransferPhase.FAILED, state.target, event.code, state.consultation)
                set_aside(self._book, call, Aside.TRANSFER, on=False)
                params = {"target": state.target, "code": event.code}
                self._tell(Fault(CodedText(f"fault.transfer.{_why(event.code)}", params), call.id))
            case "accepted" if state.phase is TransferPhase.ASKED:
                call.transfer = replace(state, phase=TransferPhase.ACCEPTED)
            case "ringing":
                call.transfer = replace(state, phase=TransferPhase.RINGING)
            case "accepted":
                pass  # a NOTIFY may come before the answer to its REFER (RFC 3515 2.4.4)
        self._changed()

    def _again_with_less(self, call: LiveCall, code: int, target: str, sent: str) -> bool:
        """Some phones take no address that long: the refusals alone are short, and if these are too long, nothing is sent. A
        party that is told anew is better off than one that is not transferred."""
        consultation = call.transfer.consultation if call.transfer else None
        if _why(code) != "failed":
            return False
        refusals = self._book.passports.issue_refusals(call, target)
        passport = refusals if refusals != sent else ""
        try:
            self._phone.transfer(call.id, target, passport=passport, consultation=consultation or "")
        except KlartoneError:
            return False
        if passport:
            self._with_passport[call.id] = (target, passport)
        self._book.occurred(call, "transfer_asked", {"attended": consultation is not None, "passport": bool(passport)})
        return True

    def _hand_over(self, call: LiveCall) -> None:
        self._book.occurred(call, "handed_over")
        self._book.feed(call, ev.HandedOver())

    # --- we are transferred --------------------------------------------------------------------------

    def asked(self, event: sip.ReferAsked) -> None:
        """The agent sees whom the party would have us call, and decides."""
        call = self._connected(event.call)
        target = dialable(event.target)
        if call is None or not target or self._is_followed(event.call):
            self._phone.tell_referrer(event.call, _DECLINED)
            return
        self._asked[call.id] = event
        call.asked_to_call = _shown(target, host_part(call.agent))
        self._book.occurred(call, "asked_to_call")
        self._changed()

    def follow(self, call_id: str, target: str) -> dict[str, str] | CodedText:
        """The agent's press: call whom the party named. `target` as it was shown: nobody else is called for that press."""
        call, event = self._connected(call_id), self._asked.get(call_id)
        if call is None:
            return NO_SUCH_CALL
        if event is None or target != call.asked_to_call:
            return NOT_NOW
        made = self._dial(call, dialable(event.target), event)
        self._no_longer_asked(call)
        self._following.append(_Following(call.id, made))
        return {"call": made}

    def decline(self, call_id: str) -> CodedText | None:
        call = self._connected(call_id)
        if call is None:
            return NO_SUCH_CALL
        if call_id not in self._asked:
            return NOT_NOW
        self._no_longer_asked(call)
        self._phone.tell_referrer(call.id, _DECLINED)
        return None

    def _no_longer_asked(self, call: LiveCall) -> None:
        self._asked.pop(call.id, None)
        call.asked_to_call = ""
        self._changed()

    def _is_followed(self, call_id: str) -> bool:
        return any(one.asked == call_id for one in self._following)

    # --- a call in another's place ---------------------------------------------------------------------

    def in_place_of(self, call: LiveCall, replaced: str) -> bool:
        """Whether `call` comes in the place of one that the agent talks on: then it is answered as it comes (RFC 3891). In the
        place of one that is held it rings: the agent takes it up by a press, and is taken from nobody."""
        before = self._connected(replaced)
        if before is None:
            return False
        self._replaced[call.id] = replaced
        self._book.occurred(call, "replaces")
        return replaced in self._phone.attended and not before.held_by_us

    # --- what happens to calls ---------------------------------------------------------------------------

    def rings(self, call: LiveCall) -> None:
        if (one := self._followed(call.id)) is not None:
            self._phone.tell_referrer(one.asked, _RINGING)

    def established(self, call: LiveCall) -> None:
        replaced = self._replaced.pop(call.id, "")
        if (one := self._followed(call.id)) is not None:
            self._phone.tell_referrer(one.asked, _OK)
            self._following.remove(one)
            replaced = one.asked
        if (before := self._connected(replaced)) is not None:
            self._hand_over(before)
            self._phone.hang_up(before.id)

    def ends(self, call: LiveCall, code: int) -> None:
        """Before its wrap-up begins. A party that has accepted to be transferred may leave before it says how it went."""
        on_its_way = call.transfer is not None and call.transfer.phase in (
            TransferPhase.ACCEPTED,
            TransferPhase.RINGING,
        )
        if on_its_way and call.id not in self._taken_back:
            self._hand_over(call)
        self._taken_back.discard(call.id)
        if (one := self._followed(call.id)) is not None:
            self._phone.tell_referrer(one.asked, code if code >= 300 else _GIVEN_UP)
            self._following.remove(one)
        self._following = [one for one in self._following if one.asked != call.id]
        self._replaced.pop(call.id, None)
        self._with_passport.pop(call.id, None)
        self._asked.pop(call.id, None)
        call.asked_to_call, call.transfer = "", None

    def _followed(self, call_id: str) -> _Following | None:
        return next((one for one in self._following if one.call == call_id), None)

    def _connected(self, call_id: str) -> LiveCall | None:
        call = self._book.live.get(call_id)
        return call if call is not None and call.phase is CallPhase.CONNECTED else None


def _shown(target: str, own_host: str) -> str:
    """A number or an extension of the account's own server by itself, anything else with its host."""
    host = re.sub(r":\d+$", "", target.partition("@")[2].partition(";")[0])
    return f"{user_part(target)}@{host}" if host and host.lower() != own_host.lower() else user_part(target)


def _why(code: int) -> str:
    return next((why for why, codes in _WHY.items() if code in codes), "failed")
