"""Several calls at once: which one the agent talks on, consultations, and the conference of three.

SIP and sound are the phone's. Each call's session decides what is recorded of it. What ends the agent's part in a call takes up
no other one: that takes a press.
"""

from __future__ import annotations

from collections.abc import Callable

from softphone.calls.book import CallBook
from softphone.calls.commands import NOT_NOW
from softphone.calls.live import Aside, LiveCall
from softphone.domain import events as ev
from softphone.domain.ending import Ending
from softphone.domain.session import can_add_person
from softphone.engine.call.ports import CallPhonePort
from softphone.wire.snapshot import CallPhase, CallRole, CodedText, ConsultEnd

NO_SUCH_CALL = CodedText("refused.no_such_call")
_BUSY, _DECLINED, _NO_ANSWER = (486, 600), (403, 603), (408, 480, 487)


def set_aside(book: CallBook, call: LiveCall, why: Aside, *, on: bool) -> None:
    """What ends one reason leaves the other standing."""
    call.aside = call.aside | {why} if on else call.aside - {why}
    book.feed(call, ev.ConsultationChanged(running=bool(call.aside)))


class SeveralCalls:
    """`dial` makes a consultation for a call: its id. Raises KlartoneError if it cannot be made."""

    def __init__(self, book: CallBook, phone: CallPhonePort, dial: Callable[[LiveCall, str], str]) -> None:
        self._book = book
        self._phone = phone
        self._dial = dial
        self._joined: frozenset[str] = frozenset()
        """the calls of the conference that is on"""

    # --- what others ask -------------------------------------------------------------------------

    def look(self) -> None:
        """Note on each call whether the agent takes part in it, and in which company."""
        attended = self._phone.attended
        for call in self._book.live.values():
            call.active = call.id in attended
            call.conference = call.active and len(attended) > 1

    @property
    def sounding(self) -> bool:
        """Whether microphone and loudspeaker are wanted: not while a call only waits to be answered."""
        return any(call.phase not in (CallPhase.INCOMING, CallPhase.ENDED) for call in self._book.live.values())

    @property
    def ringing(self) -> bool:
        """Whether a call waits to be answered, and no other one is on."""
        return self._waits() and not self.sounding

    @property
    def waiting(self) -> bool:
        """Whether a call waits, to be heard softly beside another: never over a notice or an open question."""
        attended = self._phone.attended
        told = any(call.being_told for call in self._book.live.values() if call.id in attended)
        return self._waits() and self.sounding and not told

    def _waits(self) -> bool:
        return any(call.phase is CallPhase.INCOMING for call in self._book.live.values())

    def is_only(self, call: LiveCall) -> bool:
        """Whether no other call is on."""
        return all(
            one is call or one.phase in (CallPhase.ENDED, CallPhase.INCOMING) for one in self._book.live.values()
        )

    def consultation_of(self, party: LiveCall) -> LiveCall | None:
        """The one that is under way for this party."""
        return next(
            (
                one
                for one in self._book.live.values()
                if one.consults_for == party.id and one.phase is not CallPhase.ENDED
            ),
            None,
        )

    # --- commands --------------------------------------------------------------------------------

    def activate(self, call_id: str) -> CodedText | None:
        """The agent takes part in this call and in no other. With the party she consults nobody, though the colleague waits."""
        call = self._connected(call_id)
        if call is None:
            return self._why_not(call_id)
        call.consult_ended, call.redirected_to = None, ""
        if (party := self._party_of(call)) is not None:
            set_aside(self._book, party, Aside.CONSULTATION, on=True)
        self._phone.resume(call.id)
        set_aside(self._book, call, Aside.CONSULTATION, on=False)
        return None

    def consult(self, call_id: str, target: str) -> str | CodedText:
        """The new call's id."""
        party = self._connected(call_id)
        if party is None:
            return self._why_not(call_id)
        if party.role is not CallRole.PARTY or self.consultation_of(party) is not None:
            return NOT_NOW
        # First of all: from here on nothing of the party's call is recorded.
        set_aside(self._book, party, Aside.CONSULTATION, on=True)
        party.consult_ended, party.redirected_to = None, ""
        made = ""
        try:
            made = self._dial(party, target)
        finally:
            if not made:
                set_aside(self._book, party, Aside.CONSULTATION, on=False)
        return made

    def back_to_party(self, call_id: str) -> CodedText | None:
        """`call_id`: the consultation, or its party after it has come to nothing."""
        call = self._book.live.get(call_id)
        party = self._connected(call.consults_for or call.id) if call else None
        if party is None:
            return NO_SUCH_CALL
        if (consultation := self.consultation_of(party)) is not None:
            self._phone.hang_up(consultation.id)
        return self.activate(party.id)

    def join(self, call_id: str) -> CodedText | None:
        """A consultation and its party, else this call and the one that the agent talks on. From now on each hears the others,
        so none of it is recorded until all have been told (G05)."""
        call = self._connected(call_id)
        attended = [one for one in self._phone.attended if one != call_id]
        other = self._connected(call.consults_for or next(iter(attended), "")) if call else None
        if call is None or other is None:
            return self._why_not(call_id)
        both = (other, call)
        if call.conference or not all(
            one.decided and (not one.state.live or can_add_person(one.state, by_phone=True)) for one in both
        ):
            return NOT_NOW
        for one in both:
            self._book.feed(one, ev.NewPerson(by_phone=True))
        if call.muted or other.muted:
            self.mute(both, on=True)
        for one in both:
            set_aside(self._book, one, Aside.CONSULTATION, on=False)
        self._phone.join(other.id, call.id)
        self._joined = frozenset(one.id for one in both)
        return None

    def mutes_with(self, call: LiveCall) -> tuple[LiveCall, ...]:
        """In a conference everybody hears the agent, and each recording has the agent's voice: all or none."""
        return self._company() if call.conference else (call,)

    def mute(self, calls: tuple[LiveCall, ...], *, on: bool) -> None:
        for call in calls:
            call.muted = on
            self._phone.set_muted(call.id, on)

    def leaves_with(self, call: LiveCall) -> tuple[LiveCall, ...]:
        """The calls that end when the agent hangs up on this one. In a conference that of a party ends all: nobody is left who
        could be recorded with them. A consultation ends alone."""
        if not call.conference or call.role is CallRole.CONSULTATION:
            return (call,)
        return self._company()

    def _company(self) -> tuple[LiveCall, ...]:
        return tuple(one for one in self._book.live.values() if one.conference)

    # --- what happens ----------------------------------------------------------------------------

    def look_who_left(self) -> None:
        """Once a conference is over, however it ended, nobody hears anybody but the agent."""
        if not self._joined or self._joined <= self._phone.attended:
            return
        left, self._joined = self._joined, frozenset[str]()
        for call in [*self._book.live.values()]:
            if call.id in left and call.phase is CallPhase.CONNECTED:
                self._book.feed(call, ev.PersonLeft())

    def ended(self, call: LiveCall, *, by_us: bool) -> None:
        """The party of a consultation waits on, until the agent goes back."""
        if (party := self._party_of(call)) is None:
            return
        party.consult_ended = None if by_us else _how_it_ended(call)
        party.redirected_to = call.redirected_to if party.consult_ended is ConsultEnd.MOVED else ""
        set_aside(self._book, party, Aside.CONSULTATION, on=False)

    def _party_of(self, call: LiveCall) -> LiveCall | None:
        """Whom this consultation is about, if the call goes on."""
        party = self._book.live.get(call.consults_for or "")
        return party if party is not None and party.phase is not CallPhase.ENDED else None

    def _why_not(self, call_id: str) -> CodedText:
        call = self._book.live.get(call_id)
        return NO_SUCH_CALL if call is None or call.phase is CallPhase.ENDED else NOT_NOW

    def _connected(self, call_id: str) -> LiveCall | None:
        call = self._book.live.get(call_id)
        return call if call is not None and call.phase is CallPhase.CONNECTED else None


def _how_it_ended(call: LiveCall) -> ConsultEnd:
    if call.answered_at is not None:
        return ConsultEnd.OVER
    if call.ending is Ending.MOVED:
        return ConsultEnd.MOVED
    for codes, end in (
        (_BUSY, ConsultEnd.BUSY),
        (_DECLINED, ConsultEnd.DECLINED),
        (_NO_ANSWER, ConsultEnd.NO_ANSWER),
    ):
        if call.end_code in codes:
            return end
    return ConsultEnd.FAILED
