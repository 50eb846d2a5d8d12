"""Hold, resume and RFC 7866's attributes in established calls: sending the offers, reading the answers.

Each call's `Offers` decides what to offer next. This sends it: by UPDATE if the peer allows that and the media stay as they
are, else by re-INVITE.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pjsua2 as pj

from softphone.calls.turns import seconds
from softphone.engine.sip import events
from softphone.engine.sip.call import Leg, call_params
from softphone.engine.sip.offers import Wish, pause_after_glare
from softphone.engine.sip.timers import Timers

GLARE = 491
TURN = 0.3
"""Seconds until another try while the peer's own offer is being answered."""

SLOW = 4.0
"""Seconds without an answer to a hold until the agent hears of it; SIP itself waits for half a minute."""

_CHALLENGED = (401, 407)  # PJSIP answers these itself, with the account's password
_UNKNOWN_METHOD = (405, 501)
_SUPPORTED = 1  # pjsip_dialog_cap_status


class Negotiation:
    def __init__(
        self,
        legs: Mapping[str, Leg],
        timers: Timers,
        emit: Callable[[events.PhoneEvent], None],
        record_aware: bool,
        hold_changed: Callable[[Leg], None],
    ) -> None:
        """`hold_changed`: look anew at what a leg says of its holds."""
        self._legs = legs
        self._hold_changed = hold_changed
        self._timers = timers
        self._emit = emit
        self._record_aware = record_aware

    def hold(self, leg: Leg, held: bool) -> None:
        """A wished hold is a hold at once, since talk beside a held call is private, whenever the peer's answer comes. Its
        end waits for that answer."""
        leg.held_alone = False
        self._wish(leg, replace(leg.offers.wanted, held=held))
        self._hold_changed(leg)

    def set_recording(self, leg: Leg, state: events.PeerRecordingState) -> None:
        leg.recording = state
        if leg.record_aware:
            self._wish(leg, replace(leg.offers.wanted, record=state))

    def became_aware(self, leg: Leg) -> None:
        """The peer says so in mid-call (it was put through to another phone): it then hears what it would have heard."""
        leg.record_aware = True
        if leg.recording is not None:
            self.set_recording(leg, leg.recording)

    def prefer_recording(self, leg: Leg, wanted: bool | None) -> None:
        self._wish(leg, replace(leg.offers.wanted, preference=wanted))

    def moved(self, leg: Leg) -> None:
        """Say the same again, with the address that the edge now writes into it."""
        self._wish(leg, replace(leg.offers.wanted, place=leg.offers.wanted.place + 1))

    def answered(self, leg: Leg, method: str, code: int) -> None:
        """A final answer to an offer of ours."""
        if leg.offers.sent is None or code in _CHALLENGED:
            return
        if method == "UPDATE" and code in _UNKNOWN_METHOD and leg.takes_update:
            # Whatever its Allow says: offer the same again in the way that every phone knows.
            leg.takes_update = False
            leg.offers.collided()
            self.go_on(leg)
            return
        if code == GLARE:
            leg.offers.collided()
            self._later(leg.call, pause_after_glare(not leg.incoming, random.random))
            return
        if code < 300:
            leg.offers.accepted()
        else:
            self._refused(leg, code)
        self.go_on(leg)
        self._hold_changed(leg)

    def _refused(self, leg: Leg, code: int) -> None:
        wish, agreed, still_wished = leg.offers.sent, leg.offers.agreed, leg.offers.sent == leg.offers.wanted
        leg.offers.refused()
        leg.director.attributes = leg.offers.wanted.attributes()
        if wish is None or wish.held is agreed.held:
            self._emit(events.PhoneFault("offer_refused", str(code), leg.call))
        elif still_wished:
            leg.held_alone = wish.held
            self._emit(events.HoldFailed(leg.call, wish.held, code))

    def go_on(self, leg: Leg) -> None:
        """Offer what is wanted and not yet agreed, if it is our turn."""
        now = seconds()
        wish = leg.offers.next(now)
        if wish is None or not leg.established or leg.ending:
            return
        if wish.held is not leg.offers.agreed.held and now < leg.digits_until:
            # A held stream is made anew, and would lose the digits that it has not sent yet.
            self._later(leg.call, leg.digits_until - now)
            return
        try:
            self._send(leg, wish)
        except pj.Error:
            self._later(leg.call, TURN)
        else:
            leg.offers.begin(wish, now)
            if wish.held is not leg.offers.agreed.held:
                call = leg.call
                self._timers.after(SLOW, lambda: self._still_unanswered(call, now))

    def _still_unanswered(self, call: str, sent_at: float) -> None:
        leg = self._legs.get(call)
        if leg is not None and not leg.ending and leg.offers.sent is not None and leg.offers.sent_at == sent_at:
            self._emit(events.HoldFailed(call, leg.offers.sent.held, 0))

    def _send(self, leg: Leg, wish: Wish) -> None:
        params = call_params(self._record_aware)
        if wish.held and not leg.offers.agreed.held:
            leg.director.setHold(params)
        elif leg.offers.agreed.held and not wish.held:
            params.opt.flag |= pj.PJSUA_CALL_UNHOLD
            leg.director.reinvite(params)
        elif leg.takes_update and leg.director.remoteHasCap(pj.PJSIP_H_ALLOW, "", "UPDATE") == _SUPPORTED:
            leg.director.update(params)
        else:
            leg.director.reinvite(params)

    def _wish(self, leg: Leg, wish: Wish) -> None:
        leg.offers.wanted = wish
        leg.director.attributes = wish.attributes()
        self.go_on(leg)

    def _later(self, call: str, seconds: float) -> None:
        def again() -> None:
            leg = self._legs.get(call)
            if leg is not None:
                self.go_on(leg)

        self._timers.after(seconds, again)
