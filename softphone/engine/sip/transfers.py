"""REFER and what follows it: this phone transfers a call, or is asked to be transferred. Who may ask for what is not known here.

The edge reads what comes (`edge.transfers`); pjsua2 only sends. Runs on the polling thread alone.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import pjsua2 as pj

from softphone.domain.errors import KlartoneError
from softphone.domain.passport import HEADER as PASSPORT
from softphone.edge import channel
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg
from softphone.engine.sip.raw_events import OfferAnswered
from softphone.engine.sip.timers import Timers

OUTCOME_LIMIT = 180.0
"""seconds that a transfer waits for its outcome: as long as anything rings"""
HEARD_WITHIN = 0.7
"""seconds that a call which we end waits for the answer to our NOTIFY: one that was lost is repeated after half a second"""
TRYING, RINGING, OK, DECLINED = 100, 180, 200, 603
_PHRASES: Mapping[int, str] = {
    TRYING: "Trying",
    RINGING: "Ringing",
    OK: "OK",
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    DECLINED: "Decline",
}


def carried_headers(replaces: str, passport: str) -> tuple[tuple[str, str], ...]:
    """Of an INVITE that follows a REFER: what the one who sent it would have us say, and nothing else."""
    found = (("Replaces", replaces), ("Require", "replaces" if replaces else ""), (PASSPORT, passport))
    return tuple((name, value) for name, value in found if value)


class Transfers:
    """`by_sip` finds a leg by its Call-ID on the wire."""

    def __init__(
        self,
        legs: Mapping[str, Leg],
        by_sip: Callable[[str], Leg | None],
        timers: Timers,
        emit: Callable[[events.PhoneEvent], None],
    ) -> None:
        self._legs = legs
        self._by_sip = by_sip
        self._timers = timers
        self._emit = emit
        self._sent: dict[str, int] = {}
        """calls whose REFER is under way, each with how many it had before"""
        self._times: dict[str, int] = {}
        self._asked: dict[str, str] = {}
        """the event that tells of the REFER that a call's party waits for; empty if it wants to hear nothing"""
        self._asked_before: set[str] = set()
        self._unheard: Counter[str] = Counter()
        """how many of our NOTIFYs in each call have no answer yet"""
        self._then: dict[str, Callable[[], None]] = {}

    # --- we transfer ---------------------------------------------------------------------------------

    def refer(self, leg: Leg, uri: str, passport: str, consulted: Leg | None = None) -> None:
        """Ask the party to call `uri`; in place of our own call to `consulted`, if there is one.

        Raises KlartoneError `transfer_not_possible`. What becomes of it comes as `TransferChanged`.
        """
        if leg.call in self._sent:
            raise KlartoneError("transfer_not_possible")
        more: list[str] = []
        if consulted is not None:
            if consulted.director.tags is None:
                raise KlartoneError("transfer_not_possible")
            ours, theirs = consulted.director.tags
            replaces = f"{consulted.director.sip_call_id};to-tag={theirs};from-tag={ours}"
            more.append(f"Replaces={quote(replaces, safe='')}")
        if passport:
            more.append(f"{PASSPORT}={quote(passport, safe='~')}")
        headers = f"?{'&'.join(more)}" if more else ""
        own = leg.director.getInfo().localUri
        try:
            self._send(leg, "REFER", [("Refer-To", f"<{uri}{headers}>"), ("Referred-By", own)])
        except pj.Error:
            raise KlartoneError("transfer_not_possible") from None
        self._times[leg.call] = self._times.get(leg.call, 0) + 1
        number = self._sent[leg.call] = self._times[leg.call]
        call = leg.call
        self._timers.after(OUTCOME_LIMIT, lambda: self._too_late(call, number))

    def answered(self, happening: OfferAnswered) -> None:
        """The answer to our REFER."""
        if happening.call not in self._sent:
            return
        if happening.code >= 300:
            self._end(happening.call, "failed", happening.code)
        else:
            self._emit(events.TransferChanged(happening.call, "accepted", happening.code))

    def progressed(self, event: channel.ReferProgress) -> None:
        leg = self._by_sip(event.call_id)
        if leg is None or leg.call not in self._sent:
            return
        if 200 <= event.code < 300:
            self._end(leg.call, "done", event.code)
        elif event.over:
            self._end(leg.call, "failed", event.code)
        elif event.code > TRYING:
            self._emit(events.TransferChanged(leg.call, "ringing", event.code))

    def _end(self, call: str, state: events.TransferOutcome, code: int) -> None:
        del self._sent[call]
        self._emit(events.TransferChanged(call, state, code))

    def _too_late(self, call: str, number: int) -> None:
        if self._sent.get(call) == number:
            self._end(call, "failed", 0)

    # --- we are transferred --------------------------------------------------------------------------

    def asked(self, event: channel.ReferAsked) -> None:
        leg = self._by_sip(event.call_id)
        if leg is None or not leg.established or leg.ending:
            return
        # Of the first its number need not be named, and of a later one it must (RFC 3515 2.4.6).
        named = f"refer;id={event.number}" if leg.call in self._asked_before else "refer"
        named = named if event.told else ""
        self._asked_before.add(leg.call)
        if leg.call in self._asked:
            # The agent decides on the one that stands there, and on no other.
            self._notify(leg, named, DECLINED)
            return
        self._asked[leg.call] = named
        self._notify(leg, named, TRYING)
        self._emit(events.ReferAsked(leg.call, event.target, event.replaces, event.passport))

    def tell(self, call: str, code: int) -> None:
        """Whoever asked us to call somebody hears how it goes; a final code ends it."""
        event = self._asked.pop(call, None) if code >= OK else self._asked.get(call)
        if (leg := self._legs.get(call)) is not None and event is not None:
            self._notify(leg, event, code)

    def _notify(self, leg: Leg, event: str, code: int) -> None:
        if not event:
            return
        state = "active;expires=180" if code < OK else "terminated;reason=noresource"
        headers = [("Event", event), ("Subscription-State", state)]
        with contextlib.suppress(pj.Error):
            self._send(leg, "NOTIFY", headers, f"SIP/2.0 {code} {_PHRASES.get(code, 'Failed')}\r\n")
            self._unheard[leg.call] += 1

    def once_heard(self, call: str, then: Callable[[], None]) -> None:
        """As soon as the party has answered what it was told: a BYE that overtakes the last word takes it away (RFC 5589 6.1)."""
        if not self._unheard[call]:
            then()
            return
        self._then[call] = then
        self._timers.after(HEARD_WITHIN, lambda: self._go_on(call))

    def heard(self, call: str) -> None:
        """The answer to a NOTIFY of ours."""
        if call in self._unheard:
            self._unheard[call] -= 1
            if not self._unheard[call]:
                self._go_on(call)

    def _go_on(self, call: str) -> None:
        if (then := self._then.pop(call, None)) is not None:
            then()

    def over(self, call: str) -> None:
        for one in (self._sent, self._times, self._asked, self._unheard, self._then):
            one.pop(call, None)
        self._asked_before.discard(call)

    def _send(self, leg: Leg, method: str, headers: Sequence[tuple[str, str]], fragment: str = "") -> None:
        params = pj.CallSendRequestParam()
        params.method = method
        for name, value in headers:
            params.txOption.headers.append(header(name, value))
        if fragment:
            params.txOption.contentType = "message/sipfrag;version=2.0"
            params.txOption.msgBody = fragment
        leg.director.sendRequest(params)


def header(name: str, value: str) -> pj.SipHeader:
    made = pj.SipHeader()
    made.hName, made.hValue = name, value
    return made
