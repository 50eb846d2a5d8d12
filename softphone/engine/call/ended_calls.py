"""Calls that are over: their wrap-up ends, a row of each stays, and an earlier one can be taken up again.

The archive's state of an earlier call may change while it stands open. So it is asked again before each press and in
between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.finding.history import PastRow
from softphone.calls.book import CallBook
from softphone.calls.commands import NOT_NOW, STALE
from softphone.calls.live import LiveCall
from softphone.calls.numbers import e164
from softphone.calls.ports import RulesPort
from softphone.domain import events as ev
from softphone.domain.changes import HoldBy
from softphone.domain.retention import CONFIRM_WITHIN
from softphone.engine.call.earlier import LockCandidates, LockRequest
from softphone.engine.call.own_list import plain_note
from softphone.engine.call.ports import CallStorePort
from softphone.engine.call.recent_calls import LOOK, LOOK_BACK, OPEN_FOR, RecentCalls
from softphone.engine.call.several import NO_SUCH_CALL
from softphone.wire.from_engine import Fault
from softphone.wire.snapshot import NOTE_LENGTH, CallPhase, CallRole, CodedText, PastCall
from softphone.wire.to_engine import Act, LockEarlier, OptOut, RecordingCommand

NO_NUMBER = CodedText("refused.earlier.no_number")


class EndedCalls:
    """`sounding` knows whether a call is on: then no earlier one is taken up."""

    def __init__(
        self,
        book: CallBook,
        recent: RecentCalls,
        store: CallStorePort,
        rules: RulesPort,
        *,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        changed: Callable[[], None],
        sounding: Callable[[], bool],
    ) -> None:
        self._book = book
        self._recent = recent
        self._store = store
        self._rules = rules
        self._clock = clock
        self._tell = tell
        self._changed = changed
        self._sounding = sounding
        self._asked_of_earlier = False
        self._remembers = False
        """the calls before this engine's start are known"""
        self._looks_back_at = 0.0
        """when the archive is asked for the rows' notes again"""
        self._wanted: str | None = None
        """the row that was pressed last, until it stands open"""

    # --- the rows --------------------------------------------------------------------------------

    def shown(self) -> tuple[PastCall, ...]:
        for call in self._book.live.values():
            if call.reopened and not call.closed:
                self._recent.put(call.past(self._clock()))
        return self._recent.shown()

    def earlier(self) -> dict[str, tuple[PastCall, ...]]:
        """This desk's calls with the number of each call that stands there, by its id."""
        there = [call for call in self._book.live.values() if not call.closed]
        if not there:
            return {}
        now, shown = self._clock(), self.shown()
        over = [call.past(now) for call in there if call.phase is CallPhase.ENDED and not call.reopened]
        return {call.id: self._recent.earlier(call, shown, over) for call in there}

    def put(self, row: PastCall, agent: str) -> None:
        """For a call that never was one here."""
        self._recent.put(row, agent)
        self._changed()

    def storage_works(self) -> None:
        """Ask the archive once for the calls before this engine's start."""
        if not self._asked_of_earlier:
            self._asked_of_earlier = True
            self._look_back(again=False)

    def _look_back(self, *, again: bool = True) -> None:
        now = self._clock()
        self._looks_back_at = now.mono + LOOK_BACK
        self._recent.asked()
        self._store.look_back(self._recent.agents, self._recent.since(now.utc), now.utc, again=again)

    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        if self._remembers:
            self._recent.look_at_notes(own, self._book.live)
        else:
            self._remembers = True
            self._recent.remember(past, own)
        self._changed()

    # --- the agent's note ------------------------------------------------------------------------

    def begins(self, call: LiveCall) -> None:
        """A note about an earlier call with its party may have been erased by now."""
        if self._asked_of_earlier and any(row.note for row in self._recent.earlier(call, self.shown(), ())):
            self._look_back()

    def save_note(self, call_id: str, text: str) -> CodedText | None:
        """It is on its way to the disk at once, so that no end of a desk or of this engine loses it."""
        text = plain_note(text)
        if len(text) > NOTE_LENGTH:
            return CodedText("refused.note.long", {"length": len(text), "most": NOTE_LENGTH})
        call, row = self._book.live.get(call_id), self._recent.find(call_id)
        if call is not None:
            call.note = text
            self._recent.note(call.past(self._clock()), call.agent)
        elif row is not None:
            self._recent.note(replace(row, note=text))
        else:
            return NO_SUCH_CALL
        self._changed()
        return None

    # --- a call that is on ------------------------------------------------------------------------

    def may_break_off(self, call: LiveCall) -> None:
        """An engine that is killed in the call leaves its row all the same, with the name it had: the agent sees whom to
        call."""
        if call.role is CallRole.PARTY:
            self._recent.keep(call.past(self._clock()), call.agent)

    def talks_to(self, number: str) -> None:
        """Whoever was missed, or lost, is not any more."""
        self._recent.seen([row.id for row in self._recent.shown() if number and row.number == number])

    # --- the end of wrap-up ----------------------------------------------------------------------

    def begun(self, call: LiveCall) -> None:
        """Its wrap-up has begun; an unanswered call has none, unless it says whom to call in its place. Of a colleague the
        party's call says that."""
        if call.answered_at is None and (not call.redirected_to or call.role is CallRole.CONSULTATION):
            self.close(call)
        else:
            # An engine that is killed in wrap-up leaves the row all the same.
            self._recent.keep(call.past(self._clock()), call.agent)

    def close(self, call: LiveCall) -> None:
        """Wrap-up is over. The call stays until its last transaction is acknowledged."""
        if call.phase is not CallPhase.ENDED or call.closed:
            return
        call.closed = True
        if not call.presses:
            self._wind_up(call)
        self._changed()

    def next_begins(self) -> None:
        """A call that only rings takes no wrap-up away."""
        self._shut()
        for past in [call for call in self._book.live.values() if call.gives_way]:
            self.close(past)

    def drop_if_over(self, call: LiveCall) -> None:
        if call.closed and call.settled:
            self._book.live.pop(call.id, None)
            self._store.over(call.id)
            if call.id == self._wanted and (refused := self.reopen(call.id)):
                self._wanted = None
                self._tell(Fault(refused, call.id))
            self._changed()

    def overtaken(self, call: LiveCall) -> None:
        """Somebody else has changed meanwhile what was to be written of it."""
        self._tell(Fault(STALE, call.id))
        self._look(call)
        self.drop_if_over(call)

    def _wind_up(self, call: LiveCall) -> None:
        if call.id not in self._book.live:
            return
        self._book.feed(call, ev.WrapUpEnded())
        # Its note was written when it was saved. One that has been erased meanwhile does not come back.
        self._recent.put(call.past(self._clock()), call.agent)
        self._changed()
        self.drop_if_over(call)

    # --- one of earlier --------------------------------------------------------------------------

    def reopen(self, call_id: str) -> CodedText | None:
        """Ask the archive for it: the answer comes to `taken_up`."""
        if self._sounding():
            return NOT_NOW
        if (call := self._book.live.get(call_id)) is not None:
            if not call.closed and not call.reopened:
                return NOT_NOW
            # A call that was closed waits until its last changes are written.
            self._wanted = call_id if call.closed else None
            return None
        row = self._recent.find(call_id)
        if row is None or not row.kept:
            return NO_SUCH_CALL
        if not self._store.take_up(call_id, self._clock().utc):
            return NOT_NOW
        self._wanted = call_id
        return None

    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool = False) -> None:
        """An earlier call as the archive has it now; None if nothing of it is kept any more, or it could not be read."""
        if (call := self._book.live.get(call_id)) is not None:
            self._looked(call, past, failed=failed)
            return
        if call_id != self._wanted or self._sounding():
            # Another row was pressed meanwhile, or a call has begun.
            return
        self._wanted = None
        if failed:
            self._tell(Fault(CodedText("fault.reopen.failed"), call_id))
        elif past is None:
            self._recent.gone(call_id)
            self._tell(Fault(CodedText("fault.reopen.gone"), call_id))
        else:
            self._shut()
            self._book.live[call_id] = self._recent.taken_up(past)
        self._changed()

    def press(self, call: LiveCall, command: RecordingCommand) -> CodedText | None:
        """As `CallBook.press`, once the archive has said how the call stands now."""
        if refused := self._book.refusal(call, command):
            return refused
        call.shuts_at = self._clock().mono + OPEN_FOR
        if self._look(call):
            call.presses.append(command)
            return None
        return self._book.press(call, command)

    def run_due(self) -> None:
        now = self._clock().mono
        if self._asked_of_earlier and now >= self._looks_back_at:
            self._look_back()
        for call in [call for call in self._book.live.values() if call.reopened]:
            if call.shuts_at is not None and call.shuts_at <= now:
                self.close(call)
            elif call.looks_at is not None and call.looks_at <= now and not call.closed and not self._look(call):
                call.looks_at = now + LOOK

    def lock(
        self, command: LockEarlier, on: Collection[str], answer: Callable[[dict[str, str] | CodedText], None]
    ) -> None:
        """All with the number of one call, also those that others had. Calls that are `on` are left to their own sessions."""
        call, row = self._book.live.get(command.call), self._recent.find(command.call)
        number = call.e164 if call else e164(row.number) if row else None
        if number is None:
            answer(NO_NUMBER if call or row else NO_SUCH_CALL)
            return
        if call:
            self._book.occurred(call, "pressed", {"command": command.type})
        policy, now = self._rules.policy, self._clock().utc
        within = policy.hold_unconfirmed if policy else CONFIRM_WITHIN

        def locked(done: LockCandidates | CodedText) -> None:
            if isinstance(done, CodedText):
                answer(done)
                return
            self._recent.locked(done.calls)
            left = {"unreadable": str(done.unreadable)} if done.unreadable else {}
            answer({"locked": str(len(done.calls)), **left})

        agent = call.account if call else self._recent.account
        but, by, due = frozenset({command.call, *on}), HoldBy(command.by), now + within.length()
        self._store.lock_earlier(LockRequest(number, but, by, agent, command.why, now, due), locked)

    def _look(self, call: LiveCall) -> bool:
        """Ask the archive for the open call's present state; the answer comes to `taken_up`. False if there is none to ask."""
        if not call.reopened or call.looked_for is not None or call.state.pending:
            return call.looked_for is not None
        now = self._clock()
        if not self._store.take_up(call.id, now.utc):
            return False
        call.looked_for, call.looks_at = call.state.next_ticket, None
        return True

    def _looked(self, call: LiveCall, past: PastRow | None, *, failed: bool) -> None:
        """Others may have changed it. The answer does not include what was written since the question."""
        asked, call.looked_for = call.looked_for, None
        call.looks_at = self._clock().mono + LOOK
        known = not failed and asked == call.state.next_ticket and not call.state.pending
        gone = known and (past is None or not past.kept.recordings)
        presses, call.presses = call.presses, []
        if gone:
            # The no is remembered all the same; there is nothing to lock.
            call.state, call.note = replace(call.state, recordings=(), holds=()), ""
            presses = [command for command in presses if isinstance(command, OptOut | Act)]
        elif known and past is not None:
            self._recent.bring_up_to_date(call, past)
        for command in presses:
            if refused := self._book.press(call, command):
                self._tell(Fault(refused, call.id))
        if call.closed:
            self._wind_up(call)
        if gone:
            self.close(call)
            self._recent.gone(call.id)
            self._tell(Fault(CodedText("fault.reopen.gone"), call.id))
        self._changed()

    def _shut(self) -> None:
        """Leave an earlier call that was taken up again, also one that is still on its way."""
        self._wanted = None
        for call in [call for call in self._book.live.values() if call.reopened]:
            self.close(call)
