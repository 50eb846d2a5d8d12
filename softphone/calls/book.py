"""The calls that are on or in wrap-up, each with its session: events go in, and what the session wants is done.

Their phone, our own or another, is known through `ports` alone. The session decides whether a call is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from softphone.calls.commands import BEYOND_THE_SESSION, NOT_NOW, to_event
from softphone.calls.effect_runner import EffectRunner, Params
from softphone.calls.live import LiveCall, NewCall
from softphone.calls.notices import CallNotices
from softphone.calls.passports import Passports
from softphone.calls.ports import PhonePort, RecorderPort, RulesPort, StorePort
from softphone.calls.ringing import CallSetup
from softphone.calls.stepping import SessionRunner
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.decision import Decision, LookupResult
from softphone.domain.house_knows import HouseKnows
from softphone.domain.purpose import Reason
from softphone.domain.status import Action
from softphone.wire.snapshot import CallPhase, CodedText
from softphone.wire.to_engine import Act, RecordingCommand

BUG = CodedText("refused.bug")


def _nothing(*_: Any) -> None:
    pass


class CallBook:
    """`tell` reaches the clients that show the calls, and `changed` says that one of them looks otherwise. `desk` knows
    whether a desk is there; `tone` sounds for the agent alone. Events for an unknown call change nothing."""

    def __init__(
        self,
        phone: PhonePort,
        recorder: RecorderPort,
        store: StorePort,
        rules: RulesPort,
        *,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        changed: Callable[[], None] = _nothing,
        desk: Callable[[], bool] = lambda: True,
        tone: Callable[[do.Tone], None] = _nothing,
        microphone_opened: Callable[[], None] = _nothing,
    ) -> None:
        self.live: dict[str, LiveCall] = {}
        self._phone = phone
        self._rules = rules
        self._clock = clock
        self._notices = CallNotices()
        hands = EffectRunner(phone, recorder, store, clock, tell, tone, microphone_opened)
        self._runner = SessionRunner(hands, recorder, self._notices, clock, changed)
        self._setup = CallSetup(store, rules, self._notices, self._runner, clock, tell, desk)
        self.passports = Passports(clock)
        self.hear_exchange = self._setup.hear_exchange
        self.occurred = hands.occurred
        self.feed = self._runner.feed
        self.notice_started = self._runner.notice_started
        self.notice_heard = self._runner.notice_heard
        self.notice_failed = self._runner.notice_failed

    # --- while it rings --------------------------------------------------------------------------

    def add(self, new: NewCall) -> LiveCall:
        """A new call, under the policy in force. What else is known of it is set before `begin`."""
        call = self.live[new.id] = LiveCall.of(new, self._rules.policy, self._rules.book, self._clock().utc)
        return call

    def begin(self, call: LiveCall) -> None:
        """The archive is asked, then the rulebook, and the session begins."""
        self._setup.begin(call)

    def hear_passport(self, call: LiveCall, values: tuple[str, ...], called: Iterable[str]) -> None:
        """What a colleague's phone says of a call that it transferred."""
        if values:
            doubt = self.passports.receive(call, values, called)
            self.occurred(call, "passport", {"doubt": doubt.value if doubt else None})

    def looked_up(self, call_id: str, known: LookupResult) -> None:
        if call := self.live.get(call_id):
            self._setup.looked_up(call, known)

    def heard_late(self, call_id: str, house: HouseKnows) -> None:
        if call := self.live.get(call_id):
            self._setup.heard_late(call, house)

    def decided(self, call_id: str, decision: Decision) -> None:
        if call := self.live.get(call_id):
            self._setup.decided(call, decision)

    # --- while it is on --------------------------------------------------------------------------

    def answered(self, call: LiveCall, *, keyless: bool = False) -> None:
        """`keyless`: the party's phone sends no keys that can be heard here."""
        now = self._clock()
        call.phase = CallPhase.CONNECTED
        call.answered_at, call.answered_mono = now.utc, now.mono
        if keyless:
            call.keyless = True
            self._notices.take_anew(call)
        self.occurred(call, "answered")
        if not call.decided:
            self._phone.open_microphone(call.id, opened=True)
        self._setup.answered(call)
        self.feed(call, ev.Answered())

    def ended(self, call: LiveCall, code: int = 0, *, by_us: bool = False) -> None:
        """Its wrap-up begins. `code`: SIP's."""
        now = self._clock()
        call.phase = CallPhase.ENDED
        call.ended_at, call.talked = now.utc, call.since_answer(now) or 0.0
        call.end_code = code
        call.marks.clear()
        call.opening.clear()
        call.notice_by = None
        ending: dict[str, str | int | float | bool | None] = {"code": code, "by_us": by_us}
        if status := call.status(now):
            ending |= {"status": status.headline.value, "reason": status.reasons[0].reason.value}
        self.feed(call, ev.CallEnded())
        self.occurred(call, "ended", ending)

    def signal(self, call_id: str, event: ev.Event, name: str = "", params: Params | None = None) -> None:
        """Feed its session; `name`: as clients hear of it."""
        if call := self.live.get(call_id):
            if name:
                self.occurred(call, name, params)
            self.feed(call, event)

    # --- what was written ------------------------------------------------------------------------

    def committed(self, call: LiveCall, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        call.keys |= keys
        for entry in call.entries.pop(ticket, ()):
            self.occurred(call, f"audit.{entry.event}", {"rule": entry.rule, **entry.params})
        self._runner.written(call, ticket)

    def commit_failed(self, call: LiveCall, ticket: int, reason: Reason, overtaken: str = "") -> None:
        call.entries.pop(ticket, None)
        call.opening.pop(ticket, None)
        self.feed(call, ev.CommitFailed(ticket, reason, overtaken))

    # --- what is pressed -------------------------------------------------------------------------

    def press(self, call: LiveCall, command: RecordingCommand) -> CodedText | None:
        """Carry out a press that concerns the recording; returns a refusal if it no longer fits."""
        status = call.status(self._clock())
        if status is None:
            return NOT_NOW
        if isinstance(command, Act) and command.action in BEYOND_THE_SESSION and command.action in status.actions:
            self.occurred(call, "pressed", {"command": command.action})
            if command.action == Action.END_POLITELY:
                self._phone.hang_up(call.id)
            else:
                self._setup.ask_anew(call)
            return None
        event = to_event(command, status, call.account, call.other_languages)
        if isinstance(event, CodedText):
            return event
        self.occurred(call, "pressed", {"command": command.type})
        return None if self.feed(call, event) else BUG

    def refusal(self, call: LiveCall, command: RecordingCommand) -> CodedText | None:
        """Why that press would be refused now, or None."""
        status = call.status(self._clock())
        event = to_event(command, status, call.account, call.other_languages) if status else NOT_NOW
        return event if isinstance(event, CodedText) else None

    # --- clocks ----------------------------------------------------------------------------------

    def run_due(self, calls: Iterable[LiveCall]) -> None:
        for call in calls:
            self._setup.run_due(call)
            self._runner.run_due(call)
