"""What a sweep does, in the words that its entries, its report and the command line share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from softphone.archive.log.audit import HOLD
from softphone.archive.retention.found import AnyRow
from softphone.domain.changes import AuditEntry
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.retention import JUDGE_WITHIN, LOG_KEPT


class Swept(StrEnum):
    PURPOSE_EXPIRED = "purpose_expired"
    TO_JUDGE = "to_judge"
    """its day has come, and custody is to judge it: told when it is listed, by one sweep"""
    NOT_JUDGED = "not_judged"
    """nobody has judged it in time: it ends"""
    DISCARDED = "discarded"
    HOLD_VOID = "hold_void"
    """a hold of ours against a refusal, undecided past its days: discarded, and reported"""
    HOLD_OVERDUE = "hold_overdue"
    """nobody confirmed it in time: reported, never silently deleted"""
    ACCESS_OVERDUE = "access_overdue"
    """a request for access that nobody has answered in time"""
    CASE_OVERDUE = "case_overdue"
    """an objection, or grounds, that nobody has decided within a month"""
    HOLD_LOOK_AGAIN = "hold_look_again"
    """the day has come on which custody wanted to judge it again"""
    UNREADABLE = "unreadable"
    """its rows hold what the program never writes: somebody changed them, and nothing is deleted by what nobody can read"""
    CLOCK_DOUBTFUL = "clock_doubtful"
    """it has jumped, as far as can be told: nothing was deleted by it"""
    REFUSALS_FORGOTTEN = "refusals_forgotten"
    LANGUAGES_FORGOTTEN = "languages_forgotten"
    UPHELD_FORGOTTEN = "upheld_forgotten"
    """an objection that was upheld so long ago that the log no longer proves it"""
    PAST_CALLS_FORGOTTEN = "past_calls_forgotten"
    """an agent's own list goes no further back than the policy's `own_calls`"""
    HANDED_OVER_FORGOTTEN = "handed_over_forgotten"
    """rows of recordings that the house has, and that their agent's own list no longer shows"""
    RECEIPTS_FORGOTTEN = "receipts_forgotten"
    """what the house has said of recordings that came to it a year ago"""
    CALL_BACKS_FORGOTTEN = "call_backs_forgotten"
    """nobody called back in the time that such an entry may be kept"""
    SAMPLE_RUNS_FORGOTTEN = "sample_runs_forgotten"
    """an agent has taken no call on a line for a year: how far their sample had come is nobody's concern"""
    TALLIES_FORGOTTEN = "tallies_forgotten"
    """what became of an agent's sample, month by month, when a month is a year back"""
    LOG_CUT = "log_cut"
    """the audit log's own period is over for its first entries"""


TOLD_AGAIN = frozenset(
    {Swept.HOLD_OVERDUE, Swept.ACCESS_OVERDUE, Swept.CASE_OVERDUE, Swept.HOLD_LOOK_AGAIN, Swept.UNREADABLE}
)
"""by every sweep until somebody decides: told to whoever sweeps, and not in the log each time"""
REPORTS = frozenset({Swept.HOLD_VOID, Swept.CLOCK_DOUBTFUL, Swept.TO_JUDGE}) | TOLD_AGAIN
"""what is told and is no deletion; one that follows from a void hold is told by itself"""


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """What the policy says of the sweep."""

    judge_within: Period = JUDGE_WITHIN
    log_kept: Period = LOG_KEPT


DEFAULT_TERMS = SweepTerms()


@dataclass(frozen=True, slots=True)
class SweptItem:
    """One thing that the sweep did, or would do."""

    what: Swept
    recording: str | None
    rule: str
    purpose: Purpose | None = None
    since: date | None = None
    count: int = 1
    locked: bool = False
    """the recording has no purpose left, and stays for its hold alone"""
    undecided: bool = False
    """it ends while an objection, or grounds, have yet to be decided"""
    until: date | None = None
    """the day on which it ends unjudged"""
    hold: str | None = None
    """the one that is void"""


def entry_of(item: SweptItem, row: AnyRow | None, now: datetime) -> AuditEntry:
    params: dict[str, str | int | bool | None] = {}
    if item.purpose is not None:
        params["purpose"] = item.purpose.value
    if item.since is not None:
        params["since"] = item.since.isoformat()
    if item.what is Swept.TO_JUDGE and item.until is not None:
        params["judge_by"] = item.until.isoformat()
    if item.hold is not None:
        params[HOLD] = item.hold
    if item.undecided:
        params["undecided"] = True
    if row is None:
        return AuditEntry(f"sweep_{item.what.value}", item.rule, now, "", params=params)
    return AuditEntry(f"sweep_{item.what.value}", item.rule, now, row.call, row.recording, params)
