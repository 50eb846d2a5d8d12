"""Cases of the house: what custody decides, one recording at a time."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive.decisions import Case, CaseKind, Decided
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Purpose
from softphone.domain.retention import UPHELD_FOR, day_begins
from softphone.team.rows.errors import ConflictError
from softphone.team.rows.holds import Anew, no_key_of_purpose
from softphone.team.rows.pool import Row, Transaction

ARRIVED = "SELECT case_arrived(%s, %s, %s)"
HEARD = "SELECT case_heard(%s, %s, %s, %s, %s)"
TOLD = "SELECT * FROM cases_told(%s)"
SETTLE = "SELECT * FROM case_settle(%s, %s, %s, %s, %s, %s)"


async def arrived(tx: Transaction, recording: UUID, kind: CaseKind, received_at: datetime) -> None:
    """One that a desk opened in the call, and that came with its recording."""
    await tx.all(ARRIVED, recording, kind.value, received_at)


async def heard(tx: Transaction, case: UUID, recording: UUID, kind: CaseKind, at: datetime, *, whole: bool) -> bool:
    """One that an agent hears of an own call that has arrived. Told again by the same id, it changes nothing, also once it is
    decided. False: the recording is not here."""
    return await tx.value(HEARD, case, recording, kind.value, whole, at)


async def about_recordings(tx: Transaction, recording: UUID | None = None) -> tuple[list[Case], int]:
    """Undecided objections and grounds, oldest first; and how many more there are, which another custody key opens."""
    rows = await tx.all(TOLD, recording)
    found = [_case(row) for row in rows if row["recording"] is not None]
    return found, len(rows) - len(found)


async def settle(
    tx: Transaction,
    recording: UUID,
    *,
    uphold: bool,
    reason: str,
    purpose: Purpose | None,
    anew: Sequence[Anew],
    now: datetime,
) -> Decided:
    """Each case of the recording, or that about one purpose. Raises ArchiveError where there is none."""
    rows = [
        (row, _case(row)) for row in await tx.all(TOLD, recording) if purpose in (None, CaseKind(row["kind"]).purpose)
    ]
    if not rows:
        raise ArchiveError("error.cases.none", id=str(recording))
    told, until = Jsonb([one.row() for one in anew]), day_begins(UPHELD_FOR.after(now.date()), "UTC")
    result, remembered = "", False
    for row, _ in rows:
        with no_key_of_purpose(recording), _once(recording):
            done = await tx.row(SETTLE, row["number"], recording, uphold, reason, told, until)
        assert done is not None
        result, remembered = done["result"], remembered or done["remembered"]
        if result == "gone":
            break
    return Decided(tuple(case for _, case in rows), result == "gone", result == "held", remembered)


@contextmanager
def _once(recording: UUID) -> Generator[None]:
    """Somebody else was quicker."""
    try:
        yield
    except ConflictError:
        raise ArchiveError("error.cases.none", id=str(recording)) from None


def _case(row: Row) -> Case:
    return Case(
        *(str(row["recording"] or ""), str(row["call"]), CaseKind(row["kind"]), row["line"], row["received_at"]),
        *(row["deadline"], row["goes_on"], row["overdue"], row["held"], row["time_zone"]),
    )
