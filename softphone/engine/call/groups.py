"""The calls of this desk that belong together, since one was transferred away and came back: what the party refuses in one
reaches the recordings of all, and so does a dispute. Undone, it is so in those that still have their wrap-up.

Calls of another desk are out of reach here: the passport takes refusals there, as far as they are known when it leaves. What is
said later reaches them by their house, if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from softphone.archive.finding.history import PastRow
from softphone.calls.book import CallBook
from softphone.calls.live import LiveCall
from softphone.domain import events as ev
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Purpose
from softphone.domain.session import carried_answers
from softphone.domain.session.disputing import UNDO_SECONDS
from softphone.domain.status import OptOutKind
from softphone.wire.snapshot import CallPhase

_AGAIN = 2.0
"""seconds until an archive that could not answer is asked again"""
_MOST = 64
"""groups that are remembered"""
_ENDS_TRAINING = (OptOutKind.TRAINING_ENDS, OptOutKind.STOP_AND_DELETE, OptOutKind.SAID_NO, OptOutKind.CALL_BACK)


@dataclass(frozen=True, slots=True)
class _Refusal:
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class _Dispute:
    by: HoldBy
    agent: str
    why: str


@dataclass(frozen=True, slots=True)
class _Undone:
    """A dispute that its agent has taken back."""

    dispute: _Dispute


_Wish = _Refusal | _Dispute | _Undone


class CallGroups:
    """`take_up` asks the archive for a call that has ended; its answer comes to `taken_up`. `revive` makes a call of it, and
    `close` ends its wrap-up."""

    def __init__(
        self,
        book: CallBook,
        clock: Callable[[], ev.Now],
        take_up: Callable[[str], bool],
        revive: Callable[[PastRow], LiveCall],
        close: Callable[[LiveCall], None],
    ) -> None:
        self._book = book
        self._clock = clock
        self._take_up = take_up
        self._revive = revive
        self._close = close
        self._members: dict[str, list[str]] = {}
        self._known: dict[str, set[_Wish]] = {}
        """what of each call has reached the others"""
        self._owed: dict[str, list[_Wish]] = {}
        """what calls that have ended have not heard yet"""
        self._undoes: dict[str, float] = {}
        """calls whose agent has pressed *undo*, and until when that is waited for; monotonic"""
        self._asked: set[str] = set()
        self._again_at = 0.0
        """when the archive is asked again that could not answer; monotonic"""

    @property
    def owes(self) -> bool:
        """Whether a call that has ended still has something to hear."""
        return bool(self._owed)

    def joins(self, call: LiveCall) -> None:
        """A call that a colleague has transferred here. The first of its group may have been this desk's."""
        if call.group != call.id:
            self._members.setdefault(call.group, [call.group]).append(call.id)
            while len(self._members) > _MOST:
                for gone in self._members.pop(next(iter(self._members))):
                    self._known.pop(gone, None)

    def recall(self, members: Iterable[tuple[str, str]]) -> None:
        """Groups and calls of an earlier run."""
        for group, call in members:
            known = self._members.setdefault(group, [group])
            if call not in known:
                known.append(call)

    def undoes(self, call_id: str) -> None:
        """The agent has pressed *undo*. A hold that goes for any other reason goes there alone."""
        self._undoes[call_id] = self._clock().mono + UNDO_SECONDS

    def look(self) -> None:
        """After whatever may have changed a call's state."""
        for call in [*self._book.live.values()]:
            # By the id: a call that was taken up again does not know its group.
            members = next((ids for ids in self._members.values() if call.id in ids), None)
            if members is None:
                continue
            known = self._known.setdefault(call.id, set())
            new: set[_Wish] = {*(_wishes(call) - known), *self._undone(call, known)}
            known |= {wish for wish in new if not isinstance(wish, _Undone)}
            for wish in new:
                for other in members:
                    if other != call.id:
                        self._reach(other, wish)
        now = self._clock().mono
        self._undoes = {call: until for call, until in self._undoes.items() if now < until}
        for owed in [*self._owed]:
            call = self._book.live.get(owed)
            if call is not None and call.decided and not call.closed:
                if not call.state.pending:
                    for wish in self._owed.pop(owed):
                        self._carry_out(call, wish)
            elif owed not in self._asked and now >= self._again_at:
                if self._take_up(owed):
                    self._asked.add(owed)
                else:
                    self._again_at = now + _AGAIN

    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool) -> bool:
        """Whether it was asked for here."""
        if call_id not in self._asked:
            return False
        self._asked.discard(call_id)
        if failed or call_id in self._book.live:
            self._again_at = self._clock().mono + _AGAIN
            return True
        wishes = self._owed.pop(call_id, [])
        if past is not None and wishes:
            call = self._book.live[call_id] = self._revive(past)
            for wish in wishes:
                self._carry_out(call, wish)
            self._close(call)
        return True

    def _undone(self, call: LiveCall, known: set[_Wish]) -> set[_Wish]:
        """Of the disputes that the others know. It is written before they hear of it."""
        if call.id not in self._undoes:
            return set()
        standing = {hold.agent for hold in call.state.standing}
        gone = {wish for wish in known if isinstance(wish, _Dispute) and wish.agent not in standing}
        if gone:
            del self._undoes[call.id]
            known -= gone
        return {_Undone(wish) for wish in gone}

    def _reach(self, call_id: str, wish: _Wish) -> None:
        call, owed = self._book.live.get(call_id), self._owed.get(call_id, [])
        reachable = call is not None and call.decided and not call.closed
        if isinstance(wish, _Undone) and wish.dispute in owed:
            owed.remove(wish.dispute)
            if not owed:
                del self._owed[call_id]
        elif isinstance(wish, _Undone) and not reachable:
            # Its keys are forgotten: training could not be given back. The hold is custody's to lift.
            return
        elif call is not None and reachable and not (isinstance(wish, _Undone) and call.state.pending):
            self._carry_out(call, wish)
        elif wish not in owed:
            self._owed.setdefault(call_id, []).append(wish)

    def _carry_out(self, call: LiveCall, wish: _Wish) -> None:
        if isinstance(wish, _Dispute):
            # It came from the others: it would go back to one that has undone it meanwhile.
            self._known.setdefault(call.id, set()).add(wish)
        for event in self._events(call, wish):
            self._book.feed(call, event)

    def _events(self, call: LiveCall, wish: _Wish) -> tuple[ev.Event, ...]:
        """What that means in this call. Its session passes over what does not fit."""
        if isinstance(wish, _Dispute):
            return (ev.DisputeRaised(wish.by, wish.agent, wish.why),)
        if isinstance(wish, _Undone):
            return (ev.DisputeUndone(wish.dispute.agent),)
        it = call.state.purpose(wish.purpose)
        if it.needs_yes and not it.asked:
            return (ev.Withdrawn(wish.purpose),)
        if wish.purpose is Purpose.DOCUMENTATION:
            return (ev.Objected(),)
        status = call.status(self._clock())
        kind = status.opt_out.kind if status else OptOutKind.NONE
        if not it.live or kind not in (*_ENDS_TRAINING, OptOutKind.GROUNDS):
            return ()
        return (ev.OptedOut(OptOutKind.NOTE_REQUEST if kind is OptOutKind.GROUNDS else kind),)


def _wishes(call: LiveCall) -> set[_Wish]:
    if not call.decided or call.phase is CallPhase.INCOMING:
        return set()
    refused: set[_Wish] = {_Refusal(purpose) for purpose in carried_answers(call.state).refused}
    return refused | {_Dispute(hold.by, hold.agent, hold.why) for hold in call.state.standing if not hold.foreign}
