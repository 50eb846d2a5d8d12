"""What has reached its day and waits for custody's judgement (G10). How long it may be kept is the domain's to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive import deciding
from softphone.domain.archive.decisions import ToJudge
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.retention import day_begins
from softphone.team.rows.holds import Anew, no_key_of_purpose
from softphone.team.rows.in_force import judge_within
from softphone.team.rows.pool import Row, Transaction

TOLD = "SELECT * FROM judging_told(%s, %s, %s)"
OF_ONE = "SELECT * FROM judging_of(%s)"
KEEP = "SELECT judged_keep(%s, %s, %s, %s, %s, %s)"
END = "SELECT judged_end(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Waiting:
    """`others`: how many another custody key opens. `next`: where the next page begins; None: this is the last."""

    rows: tuple[ToJudge, ...]
    others: int
    next: tuple[datetime, UUID] | None


async def waiting(tx: Transaction, after: tuple[datetime, UUID] | None, now: datetime, most: int) -> Waiting:
    """Oldest first."""
    within = await judge_within(tx)
    rows = await tx.all(TOLD, *(after or (None, None)), most)
    found = [_to_judge(row, now, within) for row in rows if row["recording"] is not None]
    last = (rows[-1]["ends_at"], rows[-1]["it"]) if len(rows) >= most else None
    return Waiting(tuple(one for one in found if one), sum(row["recording"] is None for row in rows), last)


async def keep(
    tx: Transaction,
    recording: UUID,
    purpose: Purpose | None,
    until: date,
    reason: str,
    anew: Sequence[Anew],
    now: datetime,
) -> None:
    """Each purpose that waits, or that one. Raises ArchiveError."""
    for one in await _waits(tx, recording, purpose, now):
        deciding.check_keep(one, until, now)
        begins = day_begins(until, one.time_zone)
        told = Jsonb([seal.row() for seal in anew if seal.role.value == one.purpose.value])
        with no_key_of_purpose(recording):
            kept = await tx.value(KEEP, recording, one.purpose.value, until, begins, reason, told)
        if not kept:
            raise ArchiveError("error.archive.nothing_to_judge", id=str(recording))


async def let_go(tx: Transaction, recording: UUID, purpose: Purpose | None, reason: str) -> bool:
    """Whether all of the recording went with it. Raises ArchiveError."""
    result = await tx.value(END, recording, [one.value for one in ([purpose] if purpose else Purpose)], reason)
    if result == "none":
        raise ArchiveError("error.archive.nothing_to_judge", id=str(recording))
    return result == "gone"


async def _waits(tx: Transaction, recording: UUID, purpose: Purpose | None, now: datetime) -> list[ToJudge]:
    within = await judge_within(tx)
    found = [_to_judge(row, now, within) for row in await tx.all(OF_ONE, recording)]
    those = [one for one in found if one and purpose in (None, one.purpose)]
    if not those:
        raise ArchiveError("error.archive.nothing_to_judge", id=str(recording))
    return those


def _to_judge(row: Row, now: datetime, within: Period) -> ToJudge | None:
    return deciding.to_judge(
        str(row["recording"]),
        Purpose(row["purpose"]),
        row["line"],
        row["opened_at"],
        row["time_zone"],
        row["expires_on"],
        row["retention"],
        row["judge_by"],
        now,
        within,
        held=row["held"],
    )
