"""The calls of this phone: what SIP and the desk report goes into each call's session, and what is asked of a call is done.

Nothing here decides whether a call is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.finding.history import PastRow
from softphone.calls.commands import BEYOND_THE_SESSION, NOT_NOW, STALE, RecordingCommand, to_event
from softphone.calls.effect_runner import EffectRunner, Params
from softphone.calls.live import LiveCall
from softphone.calls.notices import CallNotices
from softphone.calls.numbers import dialled, e164, host_part, user_part
from softphone.calls.ports import RecorderPort, RulesPort
from softphone.calls.ringing import CallSetup, Party
from softphone.calls.stepping import SessionRunner
from softphone.calls.upstream import HEADER
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.changes import AuditEntry, HoldBy
from softphone.domain.decision import Decision, LookupResult
from softphone.domain.errors import EngineError, KlartoneError
from softphone.domain.purpose import Direction, Reason
from softphone.domain.retention import CONFIRM_WITHIN
from softphone.domain.status import Action
from softphone.engine.earlier import LockCandidates, LockRequest
from softphone.engine.ports import CallPhonePort, CallStorePort
from softphone.engine.recent_calls import LOOK, OPEN_FOR, RecentCalls
from softphone.engine.sip import events as sip
from softphone.wire import Act, CallPhase, CallState, CodedText, Fault, LockEarlier, OptOut, PastCall

NO_SUCH_CALL = CodedText("refused.no_such_call")
NO_NUMBER = CodedText("refused.earlier.no_number")
NOT_HERE = 480
"""Temporarily Unavailable (RFC 3261): whoever calls while the engine ends may call again, or reach somebody else"""


class Calls:
    """`tell` reaches every client, `changed` says that a snapshot is due, `tone` sounds for the agent alone."""

    def __init__(
        self,
        phone: CallPhonePort,
        recorder: RecorderPort,
        store: CallStorePort,
        rules: RulesPort,
        *,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        changed: Callable[[], None],
        account_address: Callable[[str], str],
        own_accounts: Callable[[], Mapping[str, str]],
        microphone_opened: Callable[[], None],
        tone: Callable[[do.Tone], None],
    ) -> None:
        self._phone = phone
        self._store = store
        self._rules = rules
        self._clock = clock
        self._changed = changed
        self._tell = tell
        self._account_address = account_address
        self._notices = CallNotices()
        hands = EffectRunner(phone, recorder, store, clock, tell, tone, microphone_opened)
        self._stepper = SessionRunner(hands, recorder, self._notices, clock, changed)
        self._ringing = CallSetup(store, rules, self._notices, self._stepper, clock, tell, lambda: self._desk)
        self._feed = self._stepper.feed
        self._occurred = self._stepper.occurred
        self._live: dict[str, LiveCall] = {}
        self._today = RecentCalls(rules, clock, own_accounts, store.list_own)
        self._asked_of_today = False
        self._wanted: str | None = None
        """the row that was pressed last, until it stands open"""
        self._desk = True
        self._agent_hears = True
        self._ending = False

    # --- what others ask -------------------------------------------------------------------------

    @property
    def talking(self) -> bool:
        """Whether any call is not over yet."""
        return any(call.phase is not CallPhase.ENDED for call in self._live.values())

    @property
    def ringing(self) -> bool:
        """Whether a call waits to be answered."""
        return any(call.phase is CallPhase.INCOMING for call in self._live.values())

    @property
    def sounding(self) -> bool:
        """Whether microphone and loudspeaker are wanted: not while a call only waits to be answered."""
        return any(call.phase not in (CallPhase.INCOMING, CallPhase.ENDED) for call in self._live.values())

    @property
    def settled(self) -> bool:
        """Whether all that calls must write is written."""
        return all(call.settled for call in self._live.values())

    def shown(self) -> tuple[CallState, ...]:
        now = self._clock()
        return tuple(call.shown(now, self._store.cause) for call in self._live.values() if not call.closed)

    def history(self) -> tuple[PastCall, ...]:
        for call in self._live.values():
            if call.reopened and not call.closed:
                self._today.put(call.past(self._clock()))
        return self._today.shown()

    def next_due(self) -> float | None:
        """The monotonic time of the next clock to run out."""
        return min((due for call in self._live.values() if (due := call.next_due()) is not None), default=None)

    # --- SIP -------------------------------------------------------------------------------------

    def arrived(self, event: sip.CallArrived) -> None:
        if self._ending:
            self._phone.decline(event.call, NOT_HERE)
            return
        party = Party(event.name, event.number, event.host)
        call = self._begin(event.call, event.account, party, incoming=True, called=event.called)
        call.record_aware = event.record_aware
        self._ringing.hear_exchange(call, event.headers.all_of(HEADER), event.peer_host)
        self._phone.ring(call.id)
        self._ringing.begin(call)

    def progress(self, event: sip.CallProgress) -> None:
        if (call := self._live.get(event.call)) and call.phase is CallPhase.DIALLING and event.state != "calling":
            call.phase = CallPhase.RINGING
            self._changed()

    def established(self, event: sip.CallEstablished) -> None:
        if (call := self._live.get(event.call)) is None:
            return
        self._end_wrap_ups()
        now = self._clock()
        call.phase = CallPhase.CONNECTED
        call.answered_at, call.answered_mono = now.utc, now.mono
        call.record_aware = event.record_aware
        if event.keyless:
            call.keyless = True
            self._notices.take_anew(call)
        self._occurred(call, "answered")
        if not call.decided:
            self._phone.open_microphone(call.id, opened=True)
        self._ringing.answered(call)
        self._feed(call, ev.Answered())
        if not self._agent_hears:
            self._look_for_agent(call)

    def ended(self, event: sip.CallEnded) -> None:
        if (call := self._live.get(event.call)) is None or call.phase is CallPhase.ENDED:
            return
        call.phase = CallPhase.ENDED
        now = self._clock()
        call.ended_at, call.talked = now.utc, call.since_answer(now) or 0.0
        call.end_code = event.code
        call.marks.clear()
        call.opening.clear()
        call.notice_by = None
        ending: dict[str, str | int | float | bool | None] = {"code": event.code, "by_us": event.by_us}
        if status := call.status(self._clock()):
            ending |= {"status": status.headline.value, "reason": status.reasons[0].reason.value}
        self._feed(call, ev.CallEnded())
        self._occurred(call, "ended", ending)
        if call.answered_at is None:
            self._close(call)
        else:
            # An engine that is killed in wrap-up leaves the row all the same.
            self._today.keep(call.past(self._clock()), call.agent)

    def missed(self, event: sip.CallMissed) -> None:
        number = e164(event.number) or event.number
        row = PastCall(
            f"busy-{event.at.timestamp()}", Direction.INBOUND, event.name, number, None, event.at, 0, "missed"
        )
        self._today.put(row, self._account_address(event.account))
        self._changed()

    def digit(self, event: sip.DigitReceived) -> None:
        self._signal(event.call, ev.DigitPressed(event.digit, event.at), "digit")

    def held(self, event: sip.HoldChanged) -> None:
        if call := self._live.get(event.call):
            call.held_by_us, call.held_by_them = event.by_us, event.by_them
            self._feed(call, ev.HoldSignalled(event.by_us or event.by_them))

    def hold_failed(self, event: sip.HoldFailed) -> None:
        """The agent believes that the party waits, or hears again: that it does not is hers to know."""
        if call := self._live.get(event.call):
            wish, why = "hold" if event.held else "resume", "refused" if event.code else "unanswered"
            self._occurred(call, "hold_failed", {"wish": wish, "code": event.code})
            self._tell(Fault(CodedText(f"fault.{wish}.{why}"), call.id))

    def media(self, event: sip.MediaChanged) -> None:
        if call := self._live.get(event.call):
            call.has_media = event.active
            self._look_for_agent(call)

    def put_through(self, event: sip.IdentityChanged) -> None:
        self._signal(event.call, ev.IdentityChanged(), "identity_changed")

    def party_sound(self, event: sip.PartySound) -> None:
        self._signal(event.call, ev.PartySoundChanged(event.there), "party_sound", {"there": event.there})

    def source_doubted(self, event: sip.SourceDoubted) -> None:
        signal = ev.SourceChanged() if event.doubted else ev.SourceReturned()
        self._signal(event.call, signal, "source_doubted", {"doubted": event.doubted})

    def preference(self, event: sip.RecordPreference) -> None:
        """`off` refuses. Whatever else a phone would like is no refusal and no consent; a wish for a pause is noted."""
        self._signal(event.call, ev.PreferenceSignalled(event.wish != "off"), "preference", {"wish": event.wish})
        if event.wish == "pause" and event.call in self._live:
            noted = AuditEntry("preference_noted", "G31", self._clock().utc, event.call, params={"wish": event.wish})
            self._store.note([noted])

    def became_aware(self, event: sip.PeerBecameAware) -> None:
        if call := self._live.get(event.call):
            call.record_aware = True
            self._changed()

    def notice_started(self, event: sip.NoticeStarted) -> None:
        if call := self._live.get(event.call):
            self._stepper.notice_started(call, event.at)

    def notice_played(self, event: sip.NoticePlayed) -> None:
        if call := self._live.get(event.call):
            self._stepper.notice_heard(call)

    def notice_cut(self, event: sip.NoticeCut) -> None:
        if (call := self._live.get(event.call)) and event.reason not in ("stopped", "replaced"):
            self._stepper.notice_failed(call, event.reason)
            if event.reason == "file":
                self._rules.make_anew()

    def stood_still(self, event: sip.CallStalled) -> None:
        self._signal(event.call, ev.StoodStill(event.seconds), "stood_still", {"seconds": round(event.seconds, 2)})

    # --- store, recorder, rulebook ---------------------------------------------------------------

    def looked_up(self, call_id: str, known: LookupResult) -> None:
        if call := self._live.get(call_id):
            self._ringing.looked_up(call, known)

    def decided(self, call_id: str, decision: Decision) -> None:
        if call := self._live.get(call_id):
            self._ringing.decided(call, decision)

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        if call := self._live.get(call_id):
            call.keys |= keys
            for entry in call.entries.pop(ticket, ()):
                self._occurred(call, f"audit.{entry.event}", {"rule": entry.rule, **entry.params})
            self._stepper.written(call, ticket)
            self._drop_if_over(call)

    def commit_failed(self, call_id: str, ticket: int, reason: Reason, overtaken: str = "") -> None:
        if call := self._live.get(call_id):
            call.entries.pop(ticket, None)
            call.opening.pop(ticket, None)
            self._feed(call, ev.CommitFailed(ticket, reason, overtaken))
            if overtaken:
                self._tell(Fault(STALE, call_id))
                self._look(call)
                self._drop_if_over(call)

    def sealed(self, call_id: str, recording: str, segment: int, samples: int) -> None:
        """One more chunk is on the disk; `samples` a side of this segment so far."""
        if call := self._live.get(call_id):
            self._occurred(call, "sealed", {"recording": recording, "segment": segment, "samples": samples})

    def first_sample(self, call_id: str, recording: str, segment: int) -> None:
        self._signal(call_id, ev.FirstSample(recording, segment), "first_sample", {"recording": recording})

    def recorder_failed(self, call_id: str, reason: Reason) -> None:
        self._signal(call_id, ev.RecorderFailed(reason), "recorder_failed", {"reason": reason.value})

    def storage_works(self) -> None:
        if not self._asked_of_today:
            self._asked_of_today = True
            now = self._clock().utc
            self._store.look_back(self._today.agents, self._today.since(now), now)
        for call in [*self._live.values()]:
            if not call.in_doubt:
                self._feed(call, ev.StorageWorks())

    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        """What the archive has of the agent's own calls before this engine was started."""
        self._today.remember(past, own)
        self._changed()

    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool = False) -> None:
        """A call of earlier as the archive has it now; None where nothing is kept of it any more, or it could not be read."""
        if (call := self._live.get(call_id)) is not None:
            self._looked(call, past, failed=failed)
            return
        if call_id != self._wanted or self.sounding:
            # Another row was pressed meanwhile, or a call has begun.
            return
        self._wanted = None
        if failed:
            self._tell(Fault(CodedText("fault.reopen.failed"), call_id))
        elif past is None:
            self._today.gone(call_id)
            self._tell(Fault(CodedText("fault.reopen.gone"), call_id))
        else:
            self._shut()
            self._live[call_id] = self._today.taken_up(past)
        self._changed()

    def _look(self, call: LiveCall) -> bool:
        """What the archive has now of a call that stands open: the answer comes to `taken_up`. False where none is asked."""
        if not call.reopened or call.looked_for is not None or call.state.pending:
            return call.looked_for is not None
        now = self._clock()
        if not self._store.take_up(call.id, now.utc):
            return False
        call.looked_for, call.looks_at = call.state.next_ticket, None
        return True

    def _looked(self, call: LiveCall, past: PastRow | None, *, failed: bool) -> None:
        """Others may have changed it. What was written since it was asked, the answer does not know."""
        asked, call.looked_for = call.looked_for, None
        call.looks_at = self._clock().mono + LOOK
        known = not failed and asked == call.state.next_ticket and not call.state.pending
        gone = known and (past is None or not past.kept.recordings)
        presses, call.presses = call.presses, []
        if gone:
            # A no is remembered all the same; there is nothing to lock.
            call.state = replace(call.state, recordings=(), holds=())
            presses = [command for command in presses if isinstance(command, OptOut | Act)]
        elif known and past is not None:
            self._today.bring_up_to_date(call, past)
        for command in presses:
            if refused := self._press(call, command):
                self._tell(Fault(refused, call.id))
        if call.closed:
            self._wind_up(call)
        if gone:
            self._close(call)
            self._today.gone(call.id)
            self._tell(Fault(CodedText("fault.reopen.gone"), call.id))
        self._changed()

    def desk(self, present: bool) -> None:
        if present != self._desk:
            self._desk = present
            for call in [*self._live.values()]:
                self._feed(call, ev.DeskChanged(present))

    def agent_hears(self, on: bool) -> None:
        """Who no longer hears the party takes no part in what is said, however well the party hears them (L5)."""
        if on != self._agent_hears:
            self._agent_hears = on
            for call in [*self._live.values()]:
                self._look_for_agent(call)

    def _look_for_agent(self, call: LiveCall) -> None:
        self._feed(call, ev.AgentMediaChanged(call.has_media and self._agent_hears))

    # --- commands --------------------------------------------------------------------------------

    def dial(self, account: str, target: str, chosen: str | None) -> str:
        """The new call's id. Raises KlartoneError."""
        if self._ending:
            raise EngineError("sip_closed")
        if self.talking:
            raise KlartoneError("error.dial.busy")
        where = dialled(target)
        call_id = self._phone.dial(account, where)
        self._end_wrap_ups()
        party = Party("", user_part(where), host_part(where))
        try:
            call = self._begin(call_id, account, party, incoming=False, chosen=chosen)
        except Exception:
            # A call that is not known here could be ended by nobody.
            self._phone.hang_up(call_id)
            raise
        self._ringing.begin(call)
        return call_id

    def answer(self, call_id: str) -> CodedText | None:
        def answer(call: LiveCall) -> None:
            if call.notice_id is not None:
                # A notice follows: nothing of the agent goes out before it.
                self._phone.open_microphone(call.id, opened=False)
            self._phone.answer(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, answer)

    def decline(self, call_id: str) -> CodedText | None:
        def decline(call: LiveCall) -> None:
            call.declined = True
            self._phone.decline(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, decline)

    def hang_up(self, call_id: str) -> CodedText | None:
        call = self._live.get(call_id)
        if call is None or call.phase is CallPhase.ENDED:
            return NO_SUCH_CALL
        self._phone.hang_up(call.id)
        return None

    def mute(self, call_id: str, on: bool) -> CodedText | None:
        def mute(call: LiveCall) -> None:
            call.muted = on
            self._phone.set_muted(call.id, on)

        return self._in_phase(call_id, CallPhase.CONNECTED, mute)

    def hold(self, call_id: str, on: bool) -> CodedText | None:
        act = self._phone.hold if on else self._phone.resume
        return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: act(call.id))

    def send_digits(self, call_id: str, digits: str) -> CodedText | None:
        return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: self._phone.send_digits(call.id, digits))

    def recording_command(self, command: RecordingCommand) -> CodedText | None:
        """Carries out a press that concerns the recording; a refusal where it no longer fits."""
        call = self._live.get(command.call)
        status = call.status(self._clock()) if call else None
        if call is None or status is None:
            return NO_SUCH_CALL
        if isinstance(command, Act) and command.action in BEYOND_THE_SESSION and command.action in status.actions:
            self._act(call, command.action)
            return None
        event = to_event(command, status, call.account, call.other_languages)
        if isinstance(event, CodedText):
            return event
        if call.reopened:
            call.shuts_at = self._clock().mono + OPEN_FOR
            if self._look(call):
                call.presses.append(command)
                return None
        return self._press(call, command)

    def _press(self, call: LiveCall, command: RecordingCommand) -> CodedText | None:
        status = call.status(self._clock())
        event = to_event(command, status, call.account, call.other_languages) if status else NO_SUCH_CALL
        if isinstance(event, CodedText):
            return event
        self._occurred(call, "pressed", {"command": command.type})
        return None if self._feed(call, event) else CodedText("refused.bug")

    def _act(self, call: LiveCall, action: str) -> None:
        self._occurred(call, "pressed", {"command": action})
        if action == Action.END_POLITELY:
            self._phone.hang_up(call.id)
        else:
            self._ringing.ask_anew(call)

    def lock_earlier(self, command: LockEarlier, answer: Callable[[dict[str, str] | CodedText], None]) -> None:
        """Also while a call is on, and for calls that others had. One that is on is its own session's, and left to it."""
        call, row = self._live.get(command.call), self._today.find(command.call)
        number = call.e164 if call else e164(row.number) if row else None
        if number is None:
            answer(NO_NUMBER if call or row else NO_SUCH_CALL)
            return
        if call:
            self._occurred(call, "pressed", {"command": command.type})
        on = {one.id for one in self._live.values() if one.phase is not CallPhase.ENDED}
        policy, now = self._rules.policy, self._clock().utc
        within = policy.hold_unconfirmed if policy else CONFIRM_WITHIN

        def told(done: LockCandidates | CodedText) -> None:
            if isinstance(done, CodedText):
                answer(done)
                return
            self._today.locked(done.calls)
            left = {"unreadable": str(done.unreadable)} if done.unreadable else {}
            answer({"locked": str(len(done.calls)), **left})

        agent = call.account if call else self._today.account
        but, by, due = frozenset({command.call, *on}), HoldBy(command.by), now + within.length()
        self._store.lock_earlier(LockRequest(number, but, by, agent, command.why, now, due), told)

    def reopen(self, call_id: str) -> CodedText | None:
        """The archive is asked for it: what it has comes to `taken_up`."""
        if self.sounding:
            return NOT_NOW
        if (call := self._live.get(call_id)) is not None:
            if not call.closed and not call.reopened:
                return NOT_NOW
            # One that was closed waits until its last words are written.
            self._wanted = call_id if call.closed else None
            return None
        row = self._today.find(call_id)
        if row is None or not row.kept:
            return NO_SUCH_CALL
        if not self._store.take_up(call_id, self._clock().utc):
            return NOT_NOW
        self._wanted = call_id
        return None

    def end_wrap_up(self, call_id: str) -> CodedText | None:
        return self._in_phase(call_id, CallPhase.ENDED, self._close)

    def hang_up_all(self) -> None:
        """The engine is about to end: no call begins any more."""
        self._ending = True
        for call in [*self._live.values()]:
            if call.phase is not CallPhase.ENDED:
                self._phone.hang_up(call.id)

    def close_all(self) -> None:
        """The engine ends: every wrap-up is over."""
        for call in [*self._live.values()]:
            self._close(call)

    # --- clocks ----------------------------------------------------------------------------------

    def run_due(self) -> None:
        calls = [*self._live.values()]
        for call in calls:
            self._ringing.run_due(call)
        self._stepper.run_due(calls)
        now = self._clock().mono
        for call in calls:
            if call.shuts_at is not None and call.shuts_at <= now:
                self._close(call)
            elif call.looks_at is not None and call.looks_at <= now and not call.closed and not self._look(call):
                call.looks_at = now + LOOK

    # --- inside ----------------------------------------------------------------------------------

    def _begin(
        self,
        call_id: str,
        account: str,
        party: Party,
        *,
        incoming: bool,
        called: str | None = None,
        chosen: str | None = None,
    ) -> LiveCall:
        agent = self._account_address(account)
        call = self._ringing.call(call_id, account, agent, party, incoming=incoming, called=called, chosen=chosen)
        self._live[call_id] = call
        self._occurred(call, "arrived" if incoming else "dialled")
        self._changed()
        return call

    def _close(self, call: LiveCall) -> None:
        """Wrap-up is over. The call stays until its last transaction is acknowledged."""
        if call.phase is not CallPhase.ENDED or call.closed:
            return
        call.closed = True
        if not call.presses:
            self._wind_up(call)
        self._changed()

    def _wind_up(self, call: LiveCall) -> None:
        if call.id not in self._live:
            return
        self._feed(call, ev.WrapUpEnded())
        self._today.put(call.past(self._clock()), call.agent)
        self._changed()
        self._drop_if_over(call)

    def _drop_if_over(self, call: LiveCall) -> None:
        if call.closed and call.settled:
            self._live.pop(call.id, None)
            self._store.over(call.id)
            if call.id == self._wanted and (refused := self.reopen(call.id)):
                self._wanted = None
                self._tell(Fault(refused, call.id))
            self._changed()

    def _end_wrap_ups(self) -> None:
        """The next call begins. One that only rings takes no wrap-up away, nor does one where the line gives it its own time."""
        self._shut()
        for past in [call for call in self._live.values() if call.phase is CallPhase.ENDED]:
            if past.line is None or not past.line.wrap_up.length():
                self._close(past)

    def _shut(self) -> None:
        """A call of earlier that was taken up again is left, also one that is still on its way."""
        self._wanted = None
        for call in [call for call in self._live.values() if call.reopened]:
            self._close(call)

    def _in_phase(self, call_id: str, phase: CallPhase, act: Callable[[LiveCall], None]) -> CodedText | None:
        call = self._live.get(call_id)
        if call is None or call.phase is not phase:
            return NO_SUCH_CALL
        act(call)
        self._changed()
        return None

    def _signal(self, call_id: str, event: ev.Event, name: str = "", params: Params | None = None) -> None:
        if call := self._live.get(call_id):
            if name:
                self._occurred(call, name, params)
            self._feed(call, event)
