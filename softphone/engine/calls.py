"""The calls of this phone: what SIP and the desk report goes into each call's session, what the session wants done goes
to phone, recorder and store. Nothing here decides whether a call is recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.decision import Decision, Facts, not_recorded
from softphone.domain.errors import KlartoneError
from softphone.domain.policy import Line, Policy, exempt, terms, which_line
from softphone.domain.purpose import Direction, Language, Reason
from softphone.domain.session import State, step
from softphone.engine.commands import BEYOND_THE_SESSION, RecordingCommand, to_event
from softphone.engine.hands import Hands, Params, Phone, Recorder, Rules, Store
from softphone.engine.live import LiveCall
from softphone.engine.numbers import dialled, e164, spellings, user_part
from softphone.engine.sip import events as sip
from softphone.system.logbook import log, where
from softphone.wire import Act, CallPhase, CallState, Occurred, PastCall, Said

DECISION_TIME = 2.0
"""seconds that a rulebook has to answer; no answer in time means not recorded"""
HISTORY = 200
_log = log.getChild("engine")
NO_SUCH_CALL = Said("refused.no_such_call")


class Calls:
    """`tell` reaches every client, `changed` says that a snapshot is due, `tone` sounds for the agent alone."""

    def __init__(
        self,
        phone: Phone,
        recorder: Recorder,
        store: Store,
        rules: Rules,
        *,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        changed: Callable[[], None],
        account_number: Callable[[str], str | None],
        microphone_opened: Callable[[], None],
        tone: Callable[[do.Tone], None],
    ) -> None:
        self._phone = phone
        self._recorder = recorder
        self._store = store
        self._rules = rules
        self._clock = clock
        self._tell = tell
        self._changed = changed
        self._account_number = account_number
        self._hands = Hands(phone, recorder, store, rules, clock, self._occurred, tell, tone, microphone_opened)
        self._live: dict[str, LiveCall] = {}
        self._history: deque[PastCall] = deque(maxlen=HISTORY)
        self._desk = True

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
        return tuple(self._history)

    def next_due(self) -> float | None:
        """The monotonic time of the next clock to run out."""
        dues = [due for call in self._live.values() for due in (*call.timers.values(), *(at for at, _ in call.marks))]
        dues += [call.notice_by for call in self._live.values() if call.notice_by is not None]
        dues += [call.decide_by for call in self._live.values() if call.decide_by is not None and not call.decided]
        return min(dues, default=None)

    # --- SIP -------------------------------------------------------------------------------------

    def arrived(self, event: sip.CallArrived) -> None:
        own = self._account_number(event.account)
        line = None
        policy = self._rules.policy
        if policy:
            line = which_line(policy, Direction.INBOUND, called=e164(event.called), account_number=own)
        call = self._begin(event.call, event.account, Direction.INBOUND, event.name, event.number, line)
        call.record_aware = event.record_aware
        self._phone.ring(call.id)
        self._ask_rules(call)

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
        self._occurred(call, "answered")
        if not call.decided:
            self._phone.open_microphone(call.id, opened=True)
        self._feed(call, ev.Answered())

    def ended(self, event: sip.CallEnded) -> None:
        if (call := self._live.get(event.call)) is None or call.phase is CallPhase.ENDED:
            return
        call.phase = CallPhase.ENDED
        call.ended_at = self._clock().utc
        call.end_code = event.code
        call.marks.clear()
        call.notice_by = None
        ending: dict[str, str | int | float | bool | None] = {"code": event.code, "by_us": event.by_us}
        if status := call.status(self._clock()):
            ending |= {"status": status.headline.value, "reason": status.reasons[0].reason.value}
        self._feed(call, ev.CallEnded())
        self._occurred(call, "ended", ending)
        if call.answered_at is None:
            self._close(call)

    def missed(self, event: sip.CallMissed) -> None:
        number = e164(event.number) or event.number
        row = PastCall(
            f"busy-{event.at.timestamp()}", Direction.INBOUND, event.name, number, None, event.at, 0, "missed"
        )
        self._history.appendleft(row)
        self._changed()

    def digit(self, event: sip.DigitReceived) -> None:
        self._signal(event.call, ev.DigitPressed(event.digit, event.at), "digit")

    def held(self, event: sip.HoldChanged) -> None:
        if call := self._live.get(event.call):
            call.held_by_us, call.held_by_them = event.by_us, event.by_them
            self._feed(call, ev.HoldSignalled(event.by_us or event.by_them))

    def media(self, event: sip.MediaChanged) -> None:
        self._signal(event.call, ev.AgentMediaChanged(event.active))

    def preference(self, event: sip.RecordPreference) -> None:
        self._signal(event.call, ev.PreferenceSignalled(event.recording))

    def notice_started(self, event: sip.NoticeStarted) -> None:
        if (call := self._live.get(event.call)) and call.notice:
            call.marks = [(event.at + call.notice.essentials, ev.Mark.ESSENTIALS)]
            if call.notice.question is not None:
                call.marks.append((event.at + call.notice.question, ev.Mark.QUESTION))
            self._occurred(call, "notice_started", {"seconds": call.notice.seconds})
            self._feed(call, ev.NoticeStarted(call.notice.seconds))

    def notice_played(self, event: sip.NoticePlayed) -> None:
        if call := self._live.get(event.call):
            self._pass_marks(call, None)
            call.notice_by = None
            self._occurred(call, "notice_ended")
            self._feed(call, ev.NoticeHeard())

    def notice_cut(self, event: sip.NoticeCut) -> None:
        if (call := self._live.get(event.call)) and event.reason not in ("stopped", "replaced"):
            self._notice_failed(call, event.reason)

    # --- store, recorder, rulebook ---------------------------------------------------------------

    def looked_up(self, call_id: str, declined_earlier: bool) -> None:
        call = self._live.get(call_id)
        if call is None or call.decided or call.line is None:
            return
        self._ask_rulebook(call, declined_earlier=declined_earlier)

    def decided(self, call_id: str, decision: Decision) -> None:
        call = self._live.get(call_id)
        if call is None:
            return
        if not call.decided:
            self._ring(call, decision)
        elif call.asks_anew:
            call.asks_anew = False
            self._take_notice(call, decision)
            self._feed(call, ev.PartyAsksForRecording(decision))

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        if call := self._live.get(call_id):
            call.keys |= keys
            for entry in call.entries.pop(ticket, ()):
                self._occurred(call, f"audit.{entry.event}", {"rule": entry.rule, **entry.params})
            self._feed(call, ev.Committed(ticket))
            self._drop_if_over(call)

    def commit_failed(self, call_id: str, ticket: int, reason: Reason) -> None:
        if call := self._live.get(call_id):
            call.entries.pop(ticket, None)
            self._feed(call, ev.CommitFailed(ticket, reason))

    def sealed(self, call_id: str, recording: str, segment: int, samples: int) -> None:
        """One more chunk is on the disk; `samples` a side of this segment so far."""
        if call := self._live.get(call_id):
            self._occurred(call, "sealed", {"recording": recording, "segment": segment, "samples": samples})

    def first_sample(self, call_id: str, recording: str, segment: int) -> None:
        self._signal(call_id, ev.FirstSample(recording, segment), "first_sample", {"recording": recording})

    def recorder_failed(self, call_id: str, reason: Reason) -> None:
        self._signal(call_id, ev.RecorderFailed(reason), "recorder_failed", {"reason": reason.value})

    def storage_works(self) -> None:
        for call in [*self._live.values()]:
            self._feed(call, ev.StorageWorks())

    def desk(self, present: bool) -> None:
        if present != self._desk:
            self._desk = present
            for call in [*self._live.values()]:
                self._feed(call, ev.DeskChanged(present))

    # --- commands --------------------------------------------------------------------------------

    def dial(self, account: str, target: str, chosen: str | None) -> str:
        """The new call's id. Raises KlartoneError."""
        if self.talking:
            raise KlartoneError("error.dial.busy")
        where = dialled(target)
        call_id = self._phone.dial(account, where)
        self._end_wrap_ups()
        number = user_part(where)
        policy = self._rules.policy
        line = None
        if policy:
            own = self._account_number(account)
            line = which_line(policy, Direction.OUTBOUND, called=None, account_number=own, chosen=chosen)
        call = self._begin(call_id, account, Direction.OUTBOUND, "", number, line)
        self._ask_rules(call)
        return call_id

    def answer(self, call_id: str) -> Said | None:
        def answer(call: LiveCall) -> None:
            if call.notice_id is not None:
                # A notice follows: nothing of the agent goes out before it.
                self._phone.open_microphone(call.id, opened=False)
            self._phone.answer(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, answer)

    def decline(self, call_id: str) -> Said | None:
        def decline(call: LiveCall) -> None:
            call.declined = True
            self._phone.decline(call.id)

        return self._in_phase(call_id, CallPhase.INCOMING, decline)

    def hang_up(self, call_id: str) -> Said | None:
        call = self._live.get(call_id)
        if call is None or call.phase is CallPhase.ENDED:
            return NO_SUCH_CALL
        self._phone.hang_up(call.id)
        return None

    def mute(self, call_id: str, on: bool) -> Said | None:
        def mute(call: LiveCall) -> None:
            call.muted = on
            self._phone.set_muted(call.id, on)

        return self._in_phase(call_id, CallPhase.CONNECTED, mute)

    def hold(self, call_id: str, on: bool) -> Said | None:
        act = self._phone.hold if on else self._phone.resume
        return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: act(call.id))

    def send_digits(self, call_id: str, digits: str) -> Said | None:
        return self._in_phase(call_id, CallPhase.CONNECTED, lambda call: self._phone.send_digits(call.id, digits))

    def recording_command(self, command: RecordingCommand) -> Said | None:
        """Carries out a press that concerns the recording; a refusal where it no longer fits."""
        call = self._live.get(command.call)
        status = call.status(self._clock()) if call else None
        if call is None or status is None:
            return NO_SUCH_CALL
        if isinstance(command, Act) and command.action in BEYOND_THE_SESSION and command.action in status.actions:
            self._act(call, command.action)
            return None
        event = to_event(command, status, call.account)
        if isinstance(event, Said):
            return event
        self._occurred(call, "pressed", {"command": command.type})
        self._feed(call, event)
        return None

    def _act(self, call: LiveCall, action: str) -> None:
        self._occurred(call, "pressed", {"command": action})
        if action == "end_politely":
            self._phone.hang_up(call.id)
        elif call.line and not call.asks_anew:
            # The party wants now what it declined: the earlier no is no longer asked about.
            call.asks_anew = True
            self._ask_rulebook(call, declined_earlier=False)

    def end_wrap_up(self, call_id: str) -> Said | None:
        return self._in_phase(call_id, CallPhase.ENDED, self._close)

    def hang_up_all(self) -> None:
        for call in [*self._live.values()]:
            if call.phase is not CallPhase.ENDED:
                self._phone.hang_up(call.id)

    def close_all(self) -> None:
        """The engine ends: every wrap-up is over."""
        for call in [*self._live.values()]:
            self._close(call)

    # --- clocks ----------------------------------------------------------------------------------

    def run_due(self) -> None:
        now = self._clock().mono
        for call in [*self._live.values()]:
            if call.decide_by is not None and call.decide_by <= now and not call.decided:
                self._ring(call, not_recorded(Reason.RULEBOOK_FAILED))
            self._pass_marks(call, now)
            if call.notice_by is not None and call.notice_by <= now:
                self._notice_failed(call, "overdue")
            for timer, due in [*call.timers.items()]:
                if due <= now and call.timers.get(timer) == due:
                    del call.timers[timer]
                    self._feed(call, ev.TimedOut(timer))

    def _notice_failed(self, call: LiveCall, reason: str) -> None:
        call.marks.clear()
        call.notice_by = None
        self._occurred(call, "notice_cut", {"reason": reason})
        self._feed(call, ev.NoticeFailed())

    def _pass_marks(self, call: LiveCall, now: float | None) -> None:
        """Feeds the marks that the notice has reached; all that are left where it has been heard whole (`now` None)."""
        while call.marks and (now is None or call.marks[0][0] <= now):
            _, mark = call.marks.pop(0)
            self._occurred(call, f"notice_{mark.value}")
            self._feed(call, ev.NoticeReached(mark))

    # --- inside ----------------------------------------------------------------------------------

    def _begin(
        self, call_id: str, account: str, direction: Direction, name: str, number: str, line: Line | None
    ) -> LiveCall:
        policy = self._rules.policy
        call = LiveCall(
            id=call_id,
            account=account,
            direction=direction,
            name=name,
            number=number,
            e164=e164(number),
            policy=policy,
            line=line,
            language=policy.language_of(line) if policy and line else Language.DA,
            arrived_at=self._clock().utc,
            phase=CallPhase.INCOMING if direction is Direction.INBOUND else CallPhase.DIALLING,
            state=State(),
        )
        self._live[call_id] = call
        self._occurred(call, "arrived" if direction is Direction.INBOUND else "dialled")
        self._changed()
        return call

    def _ask_rules(self, call: LiveCall) -> None:
        policy = call.policy
        if policy is None:
            self._ring(call, not_recorded(self._rules.trouble or Reason.POLICY_MISSING))
        elif reason := self._exempt(call, policy):
            self._ring(call, not_recorded(reason))
        elif self._store.unopened:
            # Nobody is told that a call is recorded which cannot be.
            self._ring(call, not_recorded(Reason.STORAGE_FAILED))
        else:
            call.decide_by = self._clock().mono + DECISION_TIME
            self._store.look_up(call)

    def _exempt(self, call: LiveCall, policy: Policy) -> Reason | None:
        """However the number is written: a call to 112 is one to +45 112 as well."""
        for number in (call.e164, *spellings(call.number)) if call.number else (None,):
            if reason := exempt(policy, call.line, call.direction, number):
                return reason
        return None

    def _ring(self, call: LiveCall, decision: Decision) -> None:
        """The session begins, and takes what has happened meanwhile."""
        policy = call.policy
        self._take_notice(call, decision)
        if decision.notice and call.text is None:
            decision = not_recorded(Reason.NOTICE_FAILED)
        conditions = ev.Terms()
        if policy and call.line:
            reading = call.text.reading_time if call.text else 0.0
            conditions = terms(policy, call.line, decision.notice, reading_time=reading)
        call.decided = True
        self._store.ring(call, policy)
        notice = decision.notice.value if decision.notice else None
        self._occurred(call, "decided", {"notice": notice, "reason": decision.reasons[0].value})
        self._feed(call, ev.Rang(call.id, call.direction, call.language, decision, conditions))
        if not self._desk:
            self._feed(call, ev.DeskChanged(present=False))
        waiting, call.waiting = call.waiting, []
        for event in waiting:
            self._feed(call, event)

    def _take_notice(self, call: LiveCall, decision: Decision) -> None:
        if decision.notice and call.line:
            call.notice_id = decision.notice
            call.text = self._rules.text(call.line, decision.notice, call.language)
            call.notice = self._rules.notice(call.line, decision.notice, call.language)

    def _ask_rulebook(self, call: LiveCall, *, declined_earlier: bool) -> None:
        policy, line = call.policy, call.line
        if policy and line:
            drawn = line.training is not None and self._rules.draw(line, call.id)
            facts = Facts(line.id, call.direction, call.e164, call.language, declined_earlier, call.arrived_at)
            self._rules.ask(call.id, policy, facts, drawn=drawn)

    def _close(self, call: LiveCall) -> None:
        """Wrap-up is over. The call stays until its last transaction is acknowledged."""
        if call.phase is not CallPhase.ENDED or call.closed:
            return
        call.closed = True
        self._feed(call, ev.WrapUpEnded())
        self._history.appendleft(call.past(self._clock()))
        self._changed()
        self._drop_if_over(call)

    def _drop_if_over(self, call: LiveCall) -> None:
        if call.closed and call.settled:
            self._live.pop(call.id, None)
            self._changed()

    def _end_wrap_ups(self) -> None:
        """The next call begins. One that only rings takes no wrap-up away, nor does one where the line gives it its own time."""
        for past in [call for call in self._live.values() if call.phase is CallPhase.ENDED]:
            if past.line is None or not past.line.wrap_up.length():
                self._close(past)

    def _in_phase(self, call_id: str, phase: CallPhase, act: Callable[[LiveCall], None]) -> Said | None:
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

    def _occurred(self, call: LiveCall, event: str, params: Params | None = None) -> None:
        now = self._clock()
        self._tell(Occurred(call.id, event, now.utc, call.since_answer(now), params or {}))

    def _feed(self, call: LiveCall, event: ev.Event) -> None:
        if call.state is None or not (call.decided or isinstance(event, ev.Rang)):
            call.waiting.append(event)
            return
        call.queue.append(event)
        if len(call.queue) > 1:
            return  # an effect of the event at the head led to this one: it is next
        while call.queue:
            call.state, effects = step(call.state, call.queue[0], self._clock())
            for effect in effects:
                try:
                    if (follows := self._hands.carry_out(call, effect)) is not None:
                        call.queue.append(follows)
                except KlartoneError as error:
                    # The call is gone from SIP, or has no media now: what that means comes as an event of its own.
                    _log.info("effect %s: %s", type(effect).__name__, error.code)
                except Exception as error:  # noqa: BLE001 - whatever it is
                    self._stop_in_doubt(call, effect, error)
            call.queue.popleft()
        self._changed()

    def _stop_in_doubt(self, call: LiveCall, effect: do.Effect, error: Exception) -> None:
        """A bug. The call goes on; what was being recorded is stopped, and the agent sees it."""
        _log.error("bug %s", where(type(error), error.__traceback__))
        if call.running:
            self._recorder.stop(call.id, *call.running)
            call.running = None
        failed = [ev.RecorderFailed(Reason.RECORDER_FAILED)]
        follows: list[ev.Event] = [*failed, ev.NoticeFailed()] if isinstance(effect, do.PlayNotice) else [*failed]
        call.queue.extend(event for event in follows if event not in call.queue)
