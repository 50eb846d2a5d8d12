"""The phone's calls: what is asked of them, and what becomes of them.

Runs on the polling thread alone, after each poll. It decides nothing about recording. `dialling` makes calls, `endings`
says why they end, `relayed` has what the edge tells of them, `call_audio` what is heard in a call, `negotiation` what is
offered in it, `switching` which of them the agent takes part in.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pjsua2 as pj

from softphone.domain.errors import KlartoneError
from softphone.domain.notice import NoticeFile
from softphone.edge.missed import MissedCallers
from softphone.engine.sip import events
from softphone.engine.sip.account import refer_uri
from softphone.engine.sip.call import CallDirector, InviteArrived, Leg, call_params
from softphone.engine.sip.call_audio import CallAudio
from softphone.engine.sip.dialling import Dialling
from softphone.engine.sip.endings import Endings
from softphone.engine.sip.endpoint import MAX_CALLS, connect_own
from softphone.engine.sip.keys import Keys
from softphone.engine.sip.media import Frames
from softphone.engine.sip.media.notice import LEAD_IN
from softphone.engine.sip.media.ports import CallPorts, CallSound
from softphone.engine.sip.message import (
    called,
    called_as,
    caller,
    identity_of,
    is_record_aware,
    record_preference,
    record_state,
    sends_keys,
)
from softphone.engine.sip.negotiation import Negotiation
from softphone.engine.sip.quality import QualityWatch
from softphone.engine.sip.raw_events import (
    InviteRejected,
    MediaReached,
    NoticeEnded,
    NoticeRead,
    OfferAnswered,
    Post,
    ProcessStalled,
    RawDigit,
    SipMessageReceived,
    StateReached,
)
from softphone.engine.sip.registrations import Registrations
from softphone.engine.sip.relayed import Relayed
from softphone.engine.sip.switching import Switching
from softphone.engine.sip.timers import Timers
from softphone.engine.sip.transfers import Transfers

BYE_LIMIT = 1.0
"""Seconds after which a call that we ended is over for us, even if the peer has not said so."""

WATCH_SECONDS = 1.0

RING_LIMIT = 180.0
"""Seconds after which a call is ended that nobody answers and that its caller never takes back."""

ACK_LIMIT = 10.0
"""Seconds that an answered call waits for its ACK; SIP itself would wait 32, and as long again for an answer to BYE."""

BUSY_HERE = 486
NOT_ACCEPTABLE = 488
NOT_HERE = 480


class SipCalls:
    def __init__(
        self,
        registrations: Registrations,
        ports: CallPorts,
        timers: Timers,
        post: Post,
        emit: Callable[[events.PhoneEvent], None],
        *,
        frames: Frames | None,
        record_aware: bool,
        by_edge: bool = False,
    ) -> None:
        self._by_edge = by_edge
        self.on_over: Callable[[str], None] = lambda _: None
        """gets the Call-ID of each call that this phone has let go of"""
        self._registrations = registrations
        self._ports = ports
        self._timers = timers
        self._post = post
        self._emit = emit
        self._frames = frames
        self._record_aware = record_aware
        self._legs: dict[str, Leg] = {}
        self._hearing = CallAudio(self._legs, ports, timers, post, emit)
        self._offers = Negotiation(self._legs, timers, emit, record_aware, self._hearing.look_at_hold)
        self._quality = QualityWatch(self._legs, timers, emit)
        self._keys = Keys(post, emit)
        self._switching = Switching(self._legs, self._hearing, self._offers)
        self._dialling = Dialling(registrations, post, frames=frames, record_aware=record_aware, by_edge=by_edge)
        self.endings = Endings(timers, emit, by_edge=by_edge)
        self.relayed = Relayed(self._legs, self.by_sip, self._hearing, self._quality, emit)
        self._missed_callers = MissedCallers()
        self._leaving: dict[str, tuple[str, CallDirector]] = {}
        self.transfers = Transfers(self._legs, self.by_sip, timers, emit)

    # What is asked

    def dial(
        self, account: str, target: str, prefers_recording: bool | None, headers: Sequence[tuple[str, str]] = ()
    ) -> str:
        if account in self._registrations and not self.free:
            raise KlartoneError("calls_full", most=MAX_CALLS)
        leg = self._dialling.begin(account, target, prefers_recording, headers)
        self._legs[leg.call] = leg
        self._ports.take(leg.sound)
        self._switching.take_up(leg.call)
        return leg.call

    def transfer(self, call: str, target: str, passport: str, consultation: str = "") -> None:
        leg = self._established(call)
        settings = self._registrations.get(leg.account).settings
        uri = refer_uri(settings, target, by_edge=self._by_edge)
        self.transfers.refer(leg, uri, passport, self._established(consultation) if consultation else None)

    def ring(self, call: str) -> None:
        self._answer(self._leg(call), 180)

    def answer(self, call: str) -> None:
        leg = self._leg(call)
        leg.answered = True
        self._switching.take_up(call)
        self._answer(leg, 200)
        self._timers.after(ACK_LIMIT, lambda: self._give_up(call, answered=True))

    def hang_up(self, call: str, code: int = 0) -> None:
        leg = self._leg(call)
        if leg.ending:
            return
        leg.ending = True
        self._hearing.silence(leg)
        if not leg.incoming and not leg.established:
            # Before CANCEL: pjsua2 sends none until somebody rings, and the edge may still look for a server.
            self.on_over(leg.director.sip_call_id)
        self.transfers.once_heard(call, lambda: self._end(call, code))
        self._timers.after(BYE_LIMIT, lambda: self._unanswered_end(call))

    def _end(self, call: str, code: int) -> None:
        if (leg := self._legs.get(call)) is None:
            return
        params = pj.CallOpParam()
        if code:
            params.statusCode = code
        with contextlib.suppress(pj.Error):
            leg.director.hangup(params)

    def hang_up_all(self, account: str | None = None) -> None:
        for leg in list(self._legs.values()):
            if account is None or leg.account == account:
                self.hang_up(leg.call)

    def hold(self, call: str) -> None:
        self._switching.hold(self._established(call))

    def take_up(self, call: str, *others: str) -> None:
        for one in (call, *others):
            self._established(one)
        self._switching.take_up(call, *others)

    @property
    def attended(self) -> frozenset[str]:
        return self._switching.attended

    def set_recording(self, call: str, state: events.PeerRecordingState) -> None:
        self._offers.set_recording(self._established(call), state)

    def prefer_recording(self, call: str, wanted: bool | None) -> None:
        self._offers.prefer_recording(self._established(call), wanted)

    def send_digits(self, call: str, digits: str) -> None:
        self._keys.send(self._established(call), digits)

    def mute(self, call: str, muted: bool) -> None:
        self._leg(call).sound.muted = muted

    def open_microphone(self, call: str, opened: bool) -> None:
        self._hearing.open_microphone(self._leg(call), opened)

    def play_notice(self, call: str, file: NoticeFile, lead_in: float = LEAD_IN) -> None:
        self._hearing.play_notice(self._established(call), file, lead_in)

    def stop_notice(self, call: str) -> None:
        self._hearing.cut_notice(self._leg(call), "stopped")

    def sound_warning(self, call: str) -> None:
        self._hearing.warn(self._established(call))

    def uses(self, account: str) -> bool:
        return any(leg.account == account for leg in self._legs.values()) or any(
            of == account for of, _ in self._leaving.values()
        )

    @property
    def free(self) -> bool:
        """Whether a call could be taken."""
        return len(self._legs) + len(self._leaving) < MAX_CALLS

    def by_sip(self, call_id: str) -> Leg | None:
        """The call with this Call-ID on the wire."""
        return next((leg for leg in self._legs.values() if leg.director.sip_call_id == call_id), None)

    def all_over(self) -> bool:
        return not self._legs and not self._leaving

    def drop_all(self) -> None:
        for leg in self._legs.values():
            self._hearing.silence(leg)
        self._legs.clear()
        self._leaving.clear()
        self._hearing.close()

    # What happens

    def arrived(self, happening: InviteArrived) -> None:
        director, message = happening.director, happening.message
        who = caller(message.headers)
        if happening.account not in self._registrations:
            self._turn_away(director, happening.account, NOT_HERE)
            return
        replaced = self.by_sip(happening.replaces) if happening.replaces else None
        if not self.free:
            self._turn_away(director, happening.account, BUSY_HERE)
            self._missed(happening.account, who.name, who.user)
            return
        leg = Leg(
            director.call,
            happening.account,
            director,
            incoming=True,
            sound=CallSound(director.call, self._frames, self._post),
            record_aware=is_record_aware(message.headers),
            identity=identity_of(message),
            by_tls=bool(happening.proved),
        )
        self._legs[leg.call] = leg
        self._ports.take(leg.sound)
        # By its name: a timer that held the leg would keep the pjsua2 call beyond its end.
        call = leg.call
        self._timers.after(WATCH_SECONDS, lambda: self._watch_ringing(call))
        self._timers.after(RING_LIMIT, lambda: self._give_up(call, answered=False))
        self._emit(
            events.CallArrived(
                call=leg.call,
                account=leg.account,
                name=who.name,
                number=who.user,
                host=who.host,
                called=called(message),
                called_as=called_as(message),
                headers=message.headers,
                peer_host=happening.peer,
                peer_name=happening.proved,
                record_aware=leg.record_aware,
                replaces=replaced.call if replaced else "",
            )
        )
        self._read_sdp(leg, message.body)

    def rejected(self, happening: InviteRejected) -> None:
        self._missed("", happening.name, happening.number)

    def state_reached(self, happening: StateReached) -> None:
        leg = self._legs.get(happening.call)
        if leg is None:
            if happening.state == pj.PJSIP_INV_STATE_DISCONNECTED:
                self._leaving.pop(happening.call, None)
            return
        if happening.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            earlier = leg.director.sip_call_id
            if happening.code == NOT_ACCEPTABLE and self._dialling.again_with_keys_alone(leg):
                self.on_over(earlier)
                return
            self._over(leg, happening.code, happening.reason)
        elif happening.state == pj.PJSIP_INV_STATE_CONFIRMED and not leg.established:
            leg.established = True
            self._quality.begin(leg.call)
            self._switching.established(leg)
            if self._by_edge and not leg.party_heard:
                self._emit(events.PartySound(leg.call, there=False))
            self._emit(events.CallEstablished(leg.call, leg.record_aware, leg.keyless))
            if leg.source_doubted:
                self._emit(events.SourceDoubted(leg.call, doubted=True))
            leg.sound.telling = not leg.ending
            self._hearing.set_media(leg, happening.media)
            self._offers.go_on(leg)
        elif not leg.incoming and not leg.established:
            self._progress(leg, happening)

    def media_reached(self, happening: MediaReached) -> None:
        leg = self._legs.get(happening.call)
        if leg is not None:
            self._hearing.set_media(leg, happening.media, renewed=True)
            self.relayed.look_at_encryption(leg)
            if self._by_edge and (ends := leg.director.media_ends()) != leg.relayed_by:
                leg.relayed_by = ends
                for port, address in ends:
                    connect_own(port, address)

    def message_seen(self, happening: SipMessageReceived) -> None:
        leg = self._legs.get(happening.call)
        if leg is not None:
            if happening.record_aware and not leg.record_aware:
                self._offers.became_aware(leg)
                if leg.established:
                    self._emit(events.PeerBecameAware(leg.call))
            self._read_sdp(leg, happening.sdp)
            if happening.said is not None:
                leg.said = happening.said
            before, leg.identity = leg.identity, happening.identity.after(leg.identity)
            if leg.established and not leg.ending and happening.identity.is_another(before):
                self._emit(events.IdentityChanged(leg.call))

    def offer_answered(self, happening: OfferAnswered) -> None:
        leg = self._legs.get(happening.call)
        if happening.method == "REFER":
            self.transfers.answered(happening)
        elif happening.method == "NOTIFY":
            self.transfers.heard(happening.call)
        elif leg is not None:
            self._offers.answered(leg, happening.method, happening.code)

    def digit_seen(self, happening: RawDigit) -> None:
        if (leg := self._legs.get(happening.call)) is not None:
            self._keys.seen(leg, happening)

    def notice_read(self, happening: NoticeRead) -> None:
        self._hearing.notice_read(happening)

    def moved(self, call_id: str) -> None:
        """This machine has another address: the other side learns it by an offer."""
        leg = self.by_sip(call_id)
        if leg is not None and leg.established and not leg.ending:
            self._offers.moved(leg)

    def sip_id(self, call: str) -> str:
        return self._leg(call).director.sip_call_id

    def notice_ended(self, happening: NoticeEnded) -> None:
        self._hearing.notice_ended(happening)

    def stood_still(self, happening: ProcessStalled) -> None:
        if happening.call in self._legs:
            self._emit(events.CallStalled(happening.call, happening.seconds))

    # How

    def _leg(self, call: str) -> Leg:
        try:
            return self._legs[call]
        except KeyError:
            raise KlartoneError("call_unknown") from None

    def _established(self, call: str) -> Leg:
        leg = self._leg(call)
        if not leg.established or leg.ending:
            raise KlartoneError("call_not_established")
        return leg

    def _answer(self, leg: Leg, code: int) -> None:
        params = call_params(self._record_aware)
        params.statusCode = code
        failed = ""
        try:
            leg.director.answer(params)
        except pj.Error as error:
            failed = str(error.status)
        # A caller who gave up at this very moment is no fault; the call's end is on its way.
        if failed and leg.director.isActive():
            self._emit(events.PhoneFault("answer_failed", failed, leg.call))

    def _turn_away(self, director: CallDirector, account: str, code: int) -> None:
        self._leaving[director.call] = (account, director)
        params = pj.CallOpParam()
        params.statusCode = code
        with contextlib.suppress(pj.Error):
            director.hangup(params)

    def _missed(self, account: str, name: str, number: str) -> None:
        if not self._missed_callers.is_news(number, time.time()):
            return
        self._emit(events.CallMissed(account, name, number, busy=True, at=datetime.now(UTC)))

    def _progress(self, leg: Leg, happening: StateReached) -> None:
        if happening.state == pj.PJSIP_INV_STATE_CALLING:
            reached = "calling"
        elif happening.state == pj.PJSIP_INV_STATE_EARLY:
            reached = "early" if leg.media_active else "ringing"
        else:
            return
        if leg.progress != reached:
            leg.progress = reached
            self._hearing.wire()
            self._emit(events.CallProgress(leg.call, reached))

    def _over(self, leg: Leg, code: int, reason: str) -> None:
        by_us = leg.ending
        leg.ending = True
        self._quality.end(leg)
        self._hearing.silence(leg)
        del self._legs[leg.call]
        self.transfers.over(leg.call)
        self.on_over(leg.director.sip_call_id)
        self.endings.tell(leg, code, reason, by_us=by_us)

    def _unanswered_end(self, call: str) -> None:
        leg = self._legs.pop(call, None)
        if leg is not None:
            self._quality.end(leg)
            self._leaving[call] = (leg.account, leg.director)
            self.transfers.over(call)
            self.on_over(leg.director.sip_call_id)
            self._emit(events.CallEnded(call, 0, "", by_us=leg.ending))

    def _give_up(self, call: str, *, answered: bool) -> None:
        """The caller follows up neither its INVITE nor our answer."""
        leg = self._legs.get(call)
        if leg is not None and not leg.established and leg.answered is answered:
            self.hang_up(call, 0 if answered else NOT_HERE)

    def _watch_ringing(self, call: str) -> None:
        """End a ringing that PJSIP has already ended silently.

        If more than PJSIP's four calls come and go within one poll, a number is used again before the earlier call's object
        is dropped. That object's destructor would end the newcomer.
        """
        leg = self._legs.get(call)
        if leg is None or leg.established:
            return
        if leg.director.isActive():
            self._timers.after(WATCH_SECONDS, lambda: self._watch_ringing(call))
        else:
            self._hearing.silence(leg)
            self._unanswered_end(call)
            self._leaving.pop(call, None)

    def _read_sdp(self, leg: Leg, sdp: str) -> None:
        if (keys := sends_keys(sdp)) is not None:
            leg.keyless = not keys
            self._keys.listen(leg)
        preference = record_preference(sdp)
        if preference is not None and preference != leg.preference:
            leg.preference = preference
            self._emit(events.RecordPreference(leg.call, preference))
        state = record_state(sdp)
        if state is not None and state != leg.peer_records:
            leg.peer_records = state
            self._emit(events.PeerRecording(leg.call, state))
