"""The phone: accounts, calls, notices and the sound of calls, for the one thread that polls it.

Everything that PJSIP does comes back as an event of `events.py`, handed to `inbox` during `poll`. What a call's events mean
for a recording is not known here.
"""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from softphone.calls.turns import seconds
from softphone.domain.errors import EngineError
from softphone.domain.notice import NoticeFile
from softphone.edge.channel import SameSource
from softphone.engine.edge import Edge
from softphone.engine.sip import raw_events as seen
from softphone.engine.sip.call import DECLINE, InviteArrived
from softphone.engine.sip.calls import SipCalls
from softphone.engine.sip.edge_adapter import EdgeAdapter
from softphone.engine.sip.endpoint import LOOPBACK, SipEndpoint
from softphone.engine.sip.events import EdgeChanged, FrameFault, PeerRecordingState, PhoneEvent, PhoneFault
from softphone.engine.sip.media import Frames, SoundEnd
from softphone.engine.sip.media.frame_bytes import frame_copiers
from softphone.engine.sip.media.notice import LEAD_IN
from softphone.engine.sip.media.ports import CallPorts
from softphone.engine.sip.registrations import Registrations
from softphone.engine.sip.settings import AccountSettings, PhoneSettings
from softphone.engine.sip.timers import Timers
from softphone.engine.sip.transfers import carried_headers
from softphone.system.logbook import where

Inbox = Callable[[PhoneEvent], None]

GOODBYE_LIMIT = 0.5
"""Seconds that `close` waits for answers to BYE and to the end of registrations."""
UNHEARD = 0.05
"""seconds after which a wake that did not end a poll was not heard"""


class Phone:
    """One SIP phone; one a process. Every method but `wake` belongs to the thread that called `start`.

    ::

        phone = Phone(PhoneSettings(), inbox=print, sound=Silence())
        phone.start()
        phone.add_account("work", AccountSettings("anna@pbx.example", password="…"))
        while running:
            phone.poll(10)
        phone.close()

    Calls are named by a UUIDv7 as text. Methods that need an established call raise KlartoneError
    `call_not_established`, an unknown call `call_unknown`.
    """

    def __init__(
        self,
        settings: PhoneSettings,
        inbox: Inbox,
        sound: SoundEnd,
        frames: Frames | None = None,
        edge: Edge | None = None,
    ) -> None:
        self._settings = replace(settings, behind_edge=edge is not None)
        self._edge = edge
        self._behind: EdgeAdapter | None = None
        self._inbox = inbox
        self._sound = sound
        self._frames = frames
        self._seen: deque[seen.RawEvent | InviteArrived] = deque()
        self._timers = Timers()
        self._thread = 0
        self.can_wake = True
        """whether `wake` ends a poll, as last seen; a firewall may know no loopback"""
        self._woken_at: float | None = None
        """since the last poll: once is enough"""
        self._endpoint: SipEndpoint | None = None
        self._ports: CallPorts | None = None
        self._parts: tuple[Registrations, SipCalls] | None = None
        self._ends = False

    def start(self) -> None:
        """Raises EngineError `sip_start`, or `port_taken` with the parameter `port`."""
        self._thread = threading.get_ident()
        if self._edge is not None:
            self._edge.bind()
        endpoint = SipEndpoint(self._settings, self._see, self._edge.inner if self._edge is not None else None)
        endpoint.start()
        self._endpoint = endpoint
        self._ports = CallPorts(self._sound, frame_copiers(), self._see)
        registrations = Registrations(
            endpoint, LOOPBACK if self._edge else self._settings.address, self._timers, self._see, self._inbox
        )
        calls = SipCalls(
            registrations,
            self._ports,
            self._timers,
            self._see,
            self._inbox,
            frames=self._frames,
            record_aware=self._settings.record_aware,
            by_edge=self._settings.behind_edge,
        )
        self._parts = registrations, calls
        if self._edge is not None:
            self._behind = EdgeAdapter(self._edge, calls, registrations, self._timers, self._inbox)
            self._edge.start(
                lambda message: self._see(seen.EdgeMessageReceived(message)),
                lambda missing: self._see(seen.EdgeMissing(missing)),
                lambda seconds: self._see(seen.EdgeGone(seconds)),
            )

    def leave(self) -> None:
        """Takes no call any more: unregisters, and whoever calls all the same is told so until `close`, also while nobody
        polls."""
        registrations, calls = self._running()
        self._ends = True
        if self._edge is not None:
            self._edge.beat(busy=not calls.free, ends=True)
        registrations.unregister_all()

    def close(self) -> None:
        """Hang up, unregister, and end the library. Events of the end still reach the inbox."""
        if self._endpoint is None:
            return
        registrations, calls = self._running()
        calls.hang_up_all()
        registrations.unregister_all()
        limit = seconds() + GOODBYE_LIMIT
        self.poll(0)  # a call may have come since the last one
        while seconds() < limit and (registrations.waiting() or not calls.all_over()):
            self.poll(5)
        self._timers.clear()
        calls.drop_all()
        self._parts = None
        self._seen.clear()
        self._endpoint.stop_clock()
        if self._ports is not None:
            self._ports.drop()
            self._ports = None
        # Players and calls go before accounts, and all before the library.
        gc.collect()
        registrations.drop_all()
        if self._edge is not None:
            counters = self._edge.close()
            if self._behind is not None:
                self._behind.log_counts(counters)
            self._behind = None
        self._endpoint.destroy()
        self._endpoint = None

    @property
    def ports(self) -> tuple[int, int]:
        """The bound ports, UDP and TCP: where others reach this phone."""
        self._running()
        if self._edge is not None:
            return self._edge.port, self._edge.port
        assert self._endpoint is not None
        return self._endpoint.udp, self._endpoint.tcp

    def poll(self, timeout_ms: int) -> bool:
        """Let PJSIP work for at most `timeout_ms` or until `wake`, then report what happened. Returns whether anything did."""
        registrations, calls = self._running()
        assert self._endpoint is not None
        wait = 0 if self._seen else self._timers.wait(timeout_ms)
        began = seconds()
        self._endpoint.poll(wait)
        woken_at, self._woken_at = self._woken_at, None
        if woken_at is not None and woken_at >= began:
            waited = seconds() >= began + wait / 1000
            self.can_wake = not (waited and seconds() - woken_at > UNHEARD)
        happened = False
        while self._seen:
            one = self._seen.popleft()
            self._guarded(lambda one=one: self._hand_on(one, registrations, calls))
            happened = True
        for action in self._timers.due():
            self._guarded(action)
            happened = True
        if self._edge is not None:
            self._edge.beat(busy=not calls.free, ends=self._ends)
        return happened

    def wake(self) -> None:
        """From any thread: the current poll, or the next one, waits no longer. Before `start` and after `close`: nothing."""
        endpoint = self._endpoint
        if endpoint is not None and self._woken_at is None:
            self._woken_at = seconds()
            endpoint.wake()

    def set_sound(self, sound: SoundEnd, notices: Callable[[bytes], None] | None = None) -> None:
        """Another microphone and speaker from the next frame on, in a call too. `notices` gets what the agent hears of a
        notice instead, from the next one on; on pjmedia's thread."""
        self._running()
        self._sound = sound
        if self._ports is not None:
            self._ports.end = sound
            self._ports.notices = notices

    def add_account(self, account: str, settings: AccountSettings) -> None:
        """Raises SettingsError for an account that cannot be used as it is written."""
        registrations = self._running()[0]
        registrations.check(account)
        if self._behind is not None:
            self._behind.account(account, settings)
        registrations.add(account, settings)

    def remove_account(self, account: str) -> None:
        """Ends the account's calls and its registration. Raises SettingsError `account_unknown`."""
        registrations, calls = self._running()
        registrations.get(account)
        calls.hang_up_all(account)
        registrations.retire(account, calls.uses, self._behind.gone if self._behind is not None else lambda _: None)

    def dial(
        self,
        account: str,
        target: str,
        *,
        prefers_recording: bool | None = None,
        replaces: str = "",
        passport: str = "",
    ) -> str:
        """Call a number or SIP URI; the call's id. `prefers_recording` is RFC 7866's `recordpref`. `replaces` and `passport`
        are those of a `ReferAsked`.

        The calls so far are held. Raises KlartoneError `dial_target`, `dial_failed` or `calls_full`.
        """
        return self._running()[1].dial(account, target, prefers_recording, carried_headers(replaces, passport))

    def transfer(self, call: str, target: str, *, passport: str = "", consultation: str = "") -> None:
        """Ask the party to call a number or SIP URI, in place of our own call `consultation` to it if there is one.
        TransferChanged follows until `done` or `failed`. `passport` goes along.

        Raises KlartoneError `dial_target` or `transfer_not_possible`.
        """
        self._running()[1].transfer(call, target, passport, consultation)

    def tell_referrer(self, call: str, code: int) -> None:
        """How it goes with what a `ReferAsked` asked for: SIP's code; a final one ends it."""
        self._running()[1].transfers.tell(call, code)

    def ring(self, call: str) -> None:
        """180 Ringing, without sound: early media is never sent."""
        self._running()[1].ring(call)

    def answer(self, call: str) -> None:
        """The calls so far are held."""
        self._running()[1].answer(call)

    def decline(self, call: str, code: int = DECLINE) -> None:
        self._running()[1].hang_up(call, code)

    def hang_up(self, call: str) -> None:
        """Silent at once; CallEnded follows when the peer has answered, at the latest after 1 s."""
        self._running()[1].hang_up(call)

    def hold(self, call: str) -> None:
        self._running()[1].hold(call)

    def resume(self, call: str) -> None:
        """Take it up: the agent takes part in it, and in no other. Those are held."""
        self._running()[1].take_up(call)

    def join(self, call: str, other: str) -> None:
        """A conference of these two and the agent. It ends with a hold, with another call taken up, or with one of them."""
        self._running()[1].take_up(call, other)

    @property
    def attended(self) -> frozenset[str]:
        """The calls that the agent takes part in: none, one, or the two of a conference."""
        return self._running()[1].attended

    def send_digits(self, call: str, digits: str) -> None:
        """As the peer understands it: RFC 4733, INFO, or tones. Raises KlartoneError `digits` or `digits_not_possible`."""
        self._running()[1].send_digits(call, digits)

    def set_muted(self, call: str, muted: bool) -> None:
        self._running()[1].mute(call, muted)

    def open_microphone(self, call: str, opened: bool) -> None:
        """Whether the agent's voice may reach the party; it never does while a notice plays.

        A call begins with it open. Close it before `answer` if a notice will follow.
        """
        self._running()[1].open_microphone(call, opened)

    def play_notice(self, call: str, file: NoticeFile, lead_in_seconds: float = LEAD_IN) -> None:
        """Play a WAV file (16 bit, mono) to party and agent, after a silence. NoticeCut follows if it cannot be played, or
        is not the decided one.

        Raises KlartoneError `call_not_established` before CallEstablished (never early media), and `notice_not_possible`
        while held or without media.
        """
        self._running()[1].play_notice(call, file, lead_in_seconds)

    def stop_notice(self, call: str) -> None:
        self._running()[1].stop_notice(call)

    def sound_warning(self, call: str) -> None:
        """A short tone for agent and party that no recording has; nothing if the call is held."""
        self._running()[1].sound_warning(call)

    def follow_source(self, call: str) -> None:
        """The agent has said that it is the same caller: the present source of the sound counts as the party."""
        if self._edge is not None:
            self._edge.tell(SameSource(self._running()[1].sip_id(call)))

    def set_recording(self, call: str, state: PeerRecordingState) -> None:
        """Send a record-aware peer `a=record` (RFC 7866); other peers get nothing."""
        self._running()[1].set_recording(call, state)

    def prefer_recording(self, call: str, wanted: bool | None) -> None:
        """Send the peer `a=recordpref` (RFC 7866): what we would like it to do."""
        self._running()[1].prefer_recording(call, wanted)

    def _guarded(self, action: Callable[[], None]) -> None:
        """A bug in one event must not take the calls with it."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it is
            self._inbox(PhoneFault("bug", where(type(error), error.__traceback__)))

    def _see(self, happening: seen.RawEvent | InviteArrived) -> None:
        """From PJSIP's threads too: the sound's and the media's."""
        self._seen.append(happening)
        if threading.get_ident() != self._thread:
            self.wake()

    def _running(self) -> tuple[Registrations, SipCalls]:
        if threading.get_ident() != self._thread:
            raise AssertionError("the phone belongs to the thread that started it")
        if self._parts is None:
            raise EngineError("sip_closed")
        return self._parts

    def _hand_on(self, happening: seen.RawEvent | InviteArrived, registrations: Registrations, calls: SipCalls) -> None:
        match happening:
            case seen.RegistrationStarted():
                registrations.started(happening)
            case seen.RegistrationAnswered():
                registrations.answered(happening)
            case InviteArrived():
                if self._behind is not None:
                    self._behind.arrived(happening)
                else:
                    calls.arrived(happening)
            case seen.EdgeMessageReceived(message) if self._behind is not None:
                self._behind.received(message)
            case seen.EdgeGone(silent):
                calls.relayed.gone(silent)
            case seen.EdgeMissing(missing):
                self._inbox(EdgeChanged(present=not missing))
            case seen.EdgeMessageReceived():
                pass
            case seen.InviteRejected():
                calls.rejected(happening)
            case seen.StateReached():
                calls.state_reached(happening)
            case seen.MediaReached():
                calls.media_reached(happening)
            case seen.SipMessageReceived():
                calls.message_seen(happening)
            case seen.OfferAnswered():
                calls.offer_answered(happening)
            case seen.RawDigit():
                calls.digit_seen(happening)
            case seen.NoticeRead():
                calls.notice_read(happening)
            case seen.NoticeEnded():
                calls.notice_ended(happening)
            case seen.ProcessStalled():
                calls.stood_still(happening)
            case seen.CallbackFailed():
                self._inbox(PhoneFault("callback", f"{happening.where}: {happening.what}"))
            case seen.FrameFailed():
                self._inbox(FrameFault(happening.call, happening.what))
