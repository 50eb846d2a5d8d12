"""An opt-out that was pressed just before the engine broke off, and may be lost with it. The desk presses it again once the
call can be reopened, if the button still does the same there.

No other press is kept for later: a press means what was shown when it was made.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from softphone.domain.status import OptOutKind
from softphone.ui.view import new_id
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallState
from softphone.wire.to_engine import Command, OptOut, Reopen

_MAY_BE_UNWRITTEN = 5.0
"""seconds after a press was answered in which its entry may still be on its way to the disk"""
_ALL_OF_IT = (OptOutKind.STOP_AND_DELETE, OptOutKind.CALL_BACK)


class Owed:
    """The desk calls `sent`, `done`, `refused` and `broke_off`. `next` gives what is to be sent now; `said(code)` gets what
    a person should read."""

    def __init__(self, said: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._said, self._now = said, now
        self._pressed: dict[str, tuple[OptOut, float]] = {}
        self._owed: dict[str, OptOut] = {}
        self._asked: set[str] = set()
        self._repeated: set[str] = set()
        """presses made again, and not answered yet"""

    @property
    def waits(self) -> bool:
        """Whether a press is still to be made again."""
        return bool(self._owed or self._repeated)

    def sent(self, command: Command) -> None:
        if isinstance(command, OptOut):
            self._pressed[command.call] = (command, self._now())

    def done(self, id: str) -> bool:
        """Whether it had to be made again."""
        repeated = id in self._repeated
        self._repeated.discard(id)
        return repeated

    def refused(self, id: str) -> None:
        """It was refused, and a person has read why."""
        self._repeated.discard(id)
        self._pressed = {call: it for call, it in self._pressed.items() if it[0].id != id}

    def broke_off(self) -> None:
        limit = self._now() - _MAY_BE_UNWRITTEN
        owed = {call: press for call, (press, at) in self._pressed.items() if at >= limit}
        self._pressed.clear()
        self._asked.clear()
        self._repeated.clear()
        self._owed |= owed
        if owed:
            self._said("owed.waits")

    def next(self, snapshot: Snapshot) -> Command | None:
        """What to send now: reopen the call from its row in the history, then make the press again there."""
        calls = {call.id: call for call in snapshot.calls}
        kept = {past.id: past.kept for past in snapshot.history}
        for id, press in tuple(self._owed.items()):
            if (call := calls.get(id)) is not None and call.status is not None:
                del self._owed[id]
                return self._again(call, press)
            if id in kept and not kept[id]:
                del self._owed[id]
                self._said("owed.nothing_kept")
            elif id in kept and id not in self._asked and not snapshot.calls:
                self._asked.add(id)
                return Reopen(new_id(), id)
        return None

    def _again(self, call: CallState, press: OptOut) -> Command | None:
        assert call.status is not None
        button = call.status.opt_out
        same = button.kind == press.kind or (button.kind in _ALL_OF_IT and press.kind in _ALL_OF_IT)
        if not button.enabled:
            self._said("owed.nothing_left")  # the engine had written it before it broke off
            return None
        if not same or button.stays != press.stays:
            self._said("owed.again")
            return None
        command = OptOut(new_id(), call.id, call.status.version, button.kind, button.stays)
        self._repeated.add(command.id)
        return command
