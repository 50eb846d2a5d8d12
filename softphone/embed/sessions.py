"""The sessions of another phone's calls: its lines in, effects and statuses out. One thread, no waiting.

A line that cannot be used is refused with a sentence and the key at fault, and changes nothing. It decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import uuid_utils

from softphone import __version__
from softphone.calls.book import CallBook
from softphone.calls.live import LiveCall, NewCall
from softphone.calls.numbers import names_of, user_part
from softphone.calls.policy.in_force import PolicyInForce
from softphone.calls.upstream import read_upstream_notice
from softphone.domain import events as ev
from softphone.domain.changes import AuditEntry
from softphone.domain.decision import Decision, LookupResult
from softphone.domain.lines import Names
from softphone.domain.policy import which_line
from softphone.domain.purpose import Direction, Language
from softphone.embed.messages import (
    PROTOCOL,
    DigitPressed,
    Done,
    FaultMessage,
    Greeting,
    Hello,
    Line,
    LineError,
    NoticeFailed,
    NoticeHeard,
    NoticeStarted,
    NoticeWord,
    Over,
    PassportMessage,
    PolicyMessage,
    Press,
    Rang,
    Refused,
    Signal,
    StatusMessage,
    Transfer,
    id_of,
    read,
    write,
)
from softphone.embed.other_phone import OtherPhone
from softphone.embed.words import TextsOf, in_words
from softphone.system.logbook import log, log_bug
from softphone.system.passports import Seal
from softphone.wire.from_engine import Fault, Tone
from softphone.wire.snapshot import CallPhase, CallState, CodedText
from softphone.wire.to_engine import EndWrapUp

MOST_CALLS = 10_000
"""at once; one more is refused"""
HEARD_AFTER = 0.3
"""seconds that a notice takes to the party's ear, if a plain phone does not say when it was heard"""
_NEVER = (math.inf, 0)
_log = log.getChild("session")


class Sessions:
    """`out` takes a line, `later` runs something in the next turn. `rules` load beside it; calls never wait for them."""

    def __init__(
        self,
        rules: PolicyInForce,
        texts_of: TextsOf,
        clock: Callable[[], ev.Now],
        out: Callable[[bytes], None],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self._rules = rules
        self._texts_of = texts_of
        self._clock = clock
        self._out = out
        self._ids: dict[str, str] = {}
        """the other phone's id of a call to ours: its own may come from a caller, and be used again"""
        self._names: dict[str, str] = {}
        """and back"""
        self._shown: dict[str, CallState] = {}
        self._touched: set[str] = set()
        """calls with events since the last turn"""
        self._due: dict[str, float] = {}
        """when the next clock of each call runs out, as of the last turn"""
        self._heard_at: dict[str, tuple[float, int]] = {}
        """when the notice that a plain phone plays has been heard, and its number"""
        self._policy: PolicyMessage | None = None
        self._greeting: Greeting | None = None
        self.look_for_seal: Callable[[], None] = lambda: None
        """IT may have put a certificate into the settings meanwhile"""
        self._phone = phone = OtherPhone(self._names, out, later)
        self._book = CallBook(phone, phone, phone, rules, clock=clock, tell=self._tell)
        self._live = phone.calls = self._book.live
        phone.answers = self
        rules.decided = self.decided
        out(write(Hello(PROTOCOL, __version__)))

    def sign_with(self, seal: Seal | None) -> None:
        """The house has certified this phone's desk: the passports that it gives are proved."""
        self._book.passports.seal = seal

    # --- what comes in ---------------------------------------------------------------------------

    def take(self, line: bytes) -> None:
        """One line of the other phone. Whatever it is, nothing is raised."""
        try:
            message = read(line)
            self._obey(message)
        except LineError as error:
            self._refuse(line, error)
        except Exception as error:  # noqa: BLE001 - a bug in one line must not take the other calls with it
            log_bug(_log, error)
            self._refuse(line, LineError("error.embed.bug"))
        else:
            if message.id:
                self._out(write(Done(message.id)))

    def _refuse(self, line: bytes, error: LineError) -> None:
        words = self._words(CodedText(error.code, error.params))
        self._out(write(Refused(id_of(line), error.code, error.key, words)))

    def looked_up(self, call: str, known: LookupResult) -> None:
        self._touch(call)
        self._book.looked_up(call, known)

    def decided(self, call: str, decision: Decision) -> None:
        if live := self._touch(call):
            self._book.decided(call, self._phone.keeps(live, decision))

    def committed(self, call: str, ticket: int) -> bool:
        """Whether that transaction was waited for."""
        live = self._touch(call)
        keys = self._phone.written(call, ticket)
        if live is None or keys is None:
            return False
        self._book.committed(live, ticket, keys)
        return True

    def plays(self, call: str, play: int, seconds: float) -> None:
        """What a plain phone need not say: it plays a notice at once and to its end."""
        live = self._touch(call)
        if live is not None and self._phone.plays(call, play, on=True):
            now = self._clock().mono
            self._heard_at[call] = (now + seconds + HEARD_AFTER, play)
            self._book.notice_started(live, now)

    def fault(self, said: CodedText | None, call: str = "") -> None:
        """Of a call; or, without one, of a plugin or of notices that could not be spoken."""
        if said:
            self._out(write(FaultMessage(call, said, self._words(said))))

    def note(self, entries: Sequence[AuditEntry]) -> None:
        self._phone.note(entries)

    # --- the turn --------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When the next clock of a call runs out, monotonic."""
        return min(self._due.values(), default=None)

    def run_due(self) -> None:
        now = self._clock().mono
        self._touched.update(id for id, due in self._due.items() if due <= now)
        for call in [self._live[id] for id in self._touched if id in self._live]:
            at, play = self._heard_at.get(call.id, _NEVER)
            if at <= now:
                del self._heard_at[call.id]
                if self._phone.plays(call.id, play, on=False):
                    self._book.notice_heard(call)
            self._book.run_due((call,))

    def policy_changed(self) -> None:
        """Send the policy again: another, or none, is in force."""
        state = self._rules.state
        message = PolicyMessage(state, self._rules.lines(), tuple(self._words(one) for one in state.faults))
        if message != self._policy:
            self._policy = message
            self._out(write(message))

    def publish(self) -> None:
        """Send what has changed since the last turn; let go of what is over."""
        now = self._clock()
        touched, self._touched = self._touched, set()
        for call in [self._live[id] for id in touched if id in self._live]:
            state = call.shown(now, lambda: None)
            if state != self._shown.get(call.id):
                self._shown[call.id] = state
                zone = self._rules.state.time_zone
                words = in_words(self._texts_of, zone, state, now.utc)
                self._out(write(StatusMessage(self._names[call.id], state, words)))
                if state.status and state.phase is CallPhase.INCOMING:
                    self._phone.decided(call.id)
            self._due.pop(call.id, None)
            due = min(call.next_due() or math.inf, self._heard_at.get(call.id, _NEVER)[0])
            if call.state.finished:
                self._let_go(call)
            elif due < math.inf:
                self._due[call.id] = due

    def _touch(self, call: str) -> LiveCall | None:
        self._touched.add(call)
        return self._live.get(call)

    def _let_go(self, call: LiveCall) -> None:
        name = self._names.pop(call.id)
        del self._ids[name], self._live[call.id]
        self._shown.pop(call.id, None)
        self._heard_at.pop(call.id, None)
        self._phone.forget(call.id)
        self._out(write(Over(name)))

    def end(self) -> None:
        """The other phone has no more to say: every call has ended, and its open choices take their defaults."""
        for call in self._live.values():
            self._touched.add(call.id)
            self._end_call(call)
            self._book.feed(call, ev.WrapUpEnded())

    # --- inside ----------------------------------------------------------------------------------

    def _obey(self, line: Line) -> None:
        body = line.body
        if isinstance(body, Greeting):
            self._greet(body)
        elif self._greeting is None:
            raise LineError("error.embed.no_hello", "type")
        elif isinstance(body, Rang):
            self._rang(line.call, body, self._greeting.agent)
        elif (call := self._touch(self._ids.get(line.call, ""))) is None:
            raise LineError("error.embed.no_such_call", "call")
        elif isinstance(body, Press):
            self._press(call, body)
        elif isinstance(body, Transfer):
            passport = self._book.passports.issue(call, body.target)
            self._out(write(PassportMessage(line.call, body.target, passport)))
        else:
            self._signal(call, body)

    def _greet(self, greeting: Greeting) -> None:
        if self._greeting is not None:
            raise LineError("error.embed.hello_again", "type")
        if greeting.protocol != PROTOCOL:
            raise LineError("error.embed.protocol", "protocol", ours=PROTOCOL)
        self._greeting = greeting
        self._phone.auto_commit, self._phone.plain = greeting.auto_commit, greeting.plain

    def _rang(self, name: str, rang: Rang, agent: str) -> None:
        if name in self._ids:
            raise LineError("error.embed.call_again", "call")
        if len(self._live) >= MOST_CALLS:
            raise LineError("error.embed.too_many", "call", most=MOST_CALLS)
        policy, line, unclear = self._rules.policy, None, False
        account = rang.agent or agent
        if policy:
            if rang.line is not None and policy.line_named(rang.line) is None:
                raise LineError("error.embed.no_such_line", "line")
            line = policy.line_named(rang.line)
            if line is None:
                called = names_of(user_part(rang.called), rang.called, [account])
                found = which_line(policy, Direction.INBOUND, called=called, account=Names())
                line, unclear = found.line, found.unclear
        upstream = read_upstream_notice((rang.told,)) if rang.told else None
        if rang.told and upstream is None:
            raise LineError("error.embed.told", "told")
        self.look_for_seal()
        call, incoming = str(uuid_utils.uuid7()), not (rang.ours or rang.direction is Direction.OUTBOUND)
        ours = user_part(account), user_part(rang.called)
        live = self._book.add(
            NewCall(call, account, rang.direction, incoming, rang.number, line, ours=ours, line_unclear=unclear)
        )
        live.record_aware = rang.record_aware
        if upstream:
            live.believe(upstream)
        self._book.hear_passport(live, rang.passports, ours)
        self._ids[name], self._names[call] = call, name
        self._touched.add(call)
        self._phone.rang(call, rang.known)
        self._book.begin(live)

    def _signal(self, call: LiveCall, body: DigitPressed | NoticeWord | Signal) -> None:
        self._book.run_due((call,))
        match body:
            case DigitPressed(digit=digit, ago=ago):
                self._book.feed(call, ev.DigitPressed(digit, self._clock().mono - ago))
            case NoticeStarted(play=play) | NoticeHeard(play=play) | NoticeFailed(play=play):
                if not self._phone.plays(call.id, play, on=isinstance(body, NoticeStarted)):
                    raise LineError("error.embed.no_such_play", "play")
                self._notice(call, body)
            case ev.Answered():
                self._answered(call)
            case ev.CallEnded():
                self._end_call(call)
            case ev.Committed(ticket=ticket):
                if not self.committed(call.id, ticket):
                    raise LineError("error.embed.no_such_ticket", "ticket")
            case ev.CommitFailed(ticket=ticket):
                if not self._phone.failed(call.id, ticket):
                    raise LineError("error.embed.no_such_ticket", "ticket")
                self._book.commit_failed(call, ticket, body.reason, body.overtaken)
            case _:
                if isinstance(body, ev.HoldSignalled):
                    call.held_by_them = body.held
                self._book.feed(call, body)

    def _notice(self, call: LiveCall, word: NoticeWord) -> None:
        match word:
            case NoticeStarted(ago=ago):
                self._book.notice_started(call, self._clock().mono - ago)
            case NoticeHeard():
                self._book.notice_heard(call)
            case NoticeFailed():
                self._book.notice_failed(call, "told")

    def _answered(self, call: LiveCall) -> None:
        if call.answered_at is not None or call.phase is CallPhase.ENDED:
            raise LineError("refused.not_now", "type")
        self._book.answered(call)
        self._end_wrap_ups(call.account)

    def _end_wrap_ups(self, agent: str) -> None:
        """The agent's next call begins: those before end their wrap-up, unless their line sets its time."""
        for past in self._live.values():
            if past.account == agent and past.gives_way:
                self._touched.add(past.id)
                self._book.feed(past, ev.WrapUpEnded())

    def _end_call(self, call: LiveCall) -> None:
        if call.phase is CallPhase.ENDED:
            return
        self._book.ended(call)
        if call.answered_at is None or self._phone.plain:
            self._book.feed(call, ev.WrapUpEnded())

    def _press(self, call: LiveCall, press: Press) -> None:
        if isinstance(press, EndWrapUp):
            if call.phase is not CallPhase.ENDED:
                raise LineError("refused.not_now")
            self._book.feed(call, ev.WrapUpEnded())
            return
        if refused := self._book.press(call, press):
            raise LineError(refused.code)

    def _tell(self, message: object) -> None:
        """Of what the engine sends a desk, tones and faults: statuses and transactions say the rest."""
        if isinstance(message, Tone):
            self._phone.sound_tone(message.call, message.tone)
        elif isinstance(message, Fault):
            self.fault(message.said, self._names.get(message.call or "", ""))

    def _words(self, said: CodedText) -> Mapping[Language, str]:
        return {one: self._texts_of(one, self._rules.state.time_zone)(said.code, **said.params) for one in Language}
