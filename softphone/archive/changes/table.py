"""`carry_out`: a commit of the session, each change by its one handler. Each is a function in the module of its subject.

Every change may be made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from softphone.archive.changes import ending, holds, party, recording
from softphone.archive.changes.execution import Execution
from softphone.archive.changes.tally import Tallied, declines
from softphone.domain import changes as c
from softphone.domain.changes import AuditEntry, Change, Commit

ROWS: Mapping[type[Change], Callable[[Execution, Any], None]] = {
    c.OpenRecording: recording.opened,
    c.OpenSegment: recording.segment_opened,
    c.AddWraps: recording.wraps_added,
    c.CloseRecording: ending.closed,
    c.DropWraps: ending.wraps_dropped,
    c.Restrict: ending.restricted,
    c.Discard: ending.discarded,
    c.PlaceHold: holds.placed,
    c.ChangeHold: holds.changed,
    c.LiftHold: holds.lifted,
    c.ListCallBack: party.call_back_listed,
    c.EndCallBack: party.call_back_ended,
    c.RememberRefusal: party.refused,
    c.RememberLanguage: party.language_chosen,
    c.UseDraw: party.place_used,
}


def carry_out(done: Execution, commit: Commit) -> None:
    """All of it, with its audit entries. Raises OvertakenError, NoKeyError, ArchiveError."""
    for change in commit.changes:
        ROWS[type(change)](done, change)
    for entry in commit.entries:
        if declines(entry):
            done.hear(Tallied.DECLINED, entry.call)
    # The engine uses up each call's place, also of one that the session has no word for: no change without an entry.
    used = [AuditEntry("place_used", "G34", one.at, one.call) for one in commit.changes if isinstance(one, c.UseDraw)]
    done.tx.log(*(done.as_done(commit.entries) or used), *done.also_logged)
