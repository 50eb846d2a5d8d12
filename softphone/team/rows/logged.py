"""The service's log as custody reads it: row-level security gives nobody else an entry."""

from __future__ import annotations

from softphone.domain.archive.recordings import BATCH, AuditRow, Wanted
from softphone.team.rows.pool import Transaction

NEWEST = "SELECT min(number) AS first, max(number) AS last FROM audit WHERE chain = 'service'"
LOOK = (
    "SELECT number, at, event, rule, recording, coalesce(nullif(told::jsonb -> 'params', 'null'), '{}') || jsonb_strip_nulls("
    " jsonb_build_object('person', coalesce(who.subject, told::jsonb ->> 'person'), 'of', about.subject)) AS params FROM audit"
    " LEFT JOIN people who ON who.person::text = told::jsonb ->> 'person'"
    " LEFT JOIN people about ON about.person::text = told::jsonb #>> '{params,of}'"
    " WHERE chain = 'service' AND number < %s AND number >= %s"
    " AND (%s::timestamptz IS NULL OR at >= %s) AND (%s::timestamptz IS NULL OR at < %s)"
    " AND (%s::text[] = '{}' OR event = ANY (%s)) AND (NOT %s OR event LIKE '%%refused')"
    " AND (%s::text = '' OR starts_with(recording, %s)) ORDER BY number DESC LIMIT %s"
)
EVENTS = "SELECT DISTINCT event FROM audit WHERE chain = 'service' ORDER BY event"


async def look(tx: Transaction, wanted: Wanted, before: int | None, limit: int) -> tuple[list[AuditRow], int | None]:
    """As `softphone.domain.archive.interface.Log` has it. Who did it, and `of` whom, is told by the name with
    which they sign in."""
    there = await tx.row(NEWEST)
    if there is None or there["last"] is None:
        return [], None
    first, end = int(there["first"]), int(there["last"]) + 1
    before = end if before is None else min(before, end)
    place, events = before - BATCH, list(wanted.events)
    since, until, recording = wanted.since, wanted.until, wanted.recording.lower()
    given = (before, place, since, since, until, until, events, events, wanted.refusals, recording, recording, limit)
    rows = [
        AuditRow(row["number"], row["at"], row["event"], row["rule"], row["params"], row["recording"])
        for row in await tx.all(LOOK, *given)
    ]
    return rows, place if place > first else None


async def events(tx: Transaction) -> list[str]:
    return [str(row["event"]) for row in await tx.all(EVENTS)]
