"""The service's log as custody reads it, and IT what says nothing of a call: row-level security gives nobody another entry."""

from __future__ import annotations

from softphone.domain.archive.recordings import BATCH, AuditRow, Wanted
from softphone.team.rows.pool import Transaction

THERE = "SELECT * FROM service_log()"
# The ids first, as what they are: what a policy of rows guards is found by its key only where nothing is computed beside it.
LOOK = (
    "WITH piece AS MATERIALIZED (SELECT number, at, event, rule, recording, who,"
    " CASE WHEN at_desk ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN at_desk::uuid END AS at_desk,"
    " CASE WHEN of ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN of::uuid END AS of,"
    " CASE jsonb_typeof(params) WHEN 'object' THEN params - 'person' ELSE '{}' END AS params FROM audit,"
    " LATERAL (SELECT (told::jsonb ->> 'person')::uuid AS who, told::jsonb -> 'params' AS params,"
    " told::jsonb #>> '{params,of}' AS of, coalesce(told::jsonb #>> '{params,desk}', told::jsonb ->> 'desk') AS at_desk) j"
    " WHERE chain = 'service' AND number < %s AND number >= %s"
    " AND (%s::timestamptz IS NULL OR at >= %s) AND (%s::timestamptz IS NULL OR at < %s)"
    " AND (%s::text[] = '{}' OR event = ANY (%s)) AND (NOT %s OR event LIKE '%%refused')"
    " AND (%s::text = '' OR starts_with(recording, %s)) ORDER BY number DESC LIMIT %s)"
    " SELECT number, at, event, rule, recording, params || jsonb_strip_nulls(jsonb_build_object("
    "'person', coalesce(w.subject, who::text), 'of', o.subject, 'desk', at_desk, 'desk_of', m.subject)) AS params FROM piece"
    " LEFT JOIN people w ON w.person = piece.who LEFT JOIN people o ON o.person = piece.of"
    " LEFT JOIN desks d ON d.desk = at_desk LEFT JOIN people m ON m.person = d.person ORDER BY number DESC"
)


async def look(tx: Transaction, wanted: Wanted, before: int | None, limit: int) -> tuple[list[AuditRow], int | None]:
    """As `softphone.domain.archive.interface.Log` has it. Who did it, and `of` whom, is told by the name with
    which they sign in; and by which `desk`, with `desk_of` whom it is."""
    there = await tx.row(THERE)
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
    if len(rows) == limit:
        place = rows[-1].number
    return rows, place if place > first else None


async def events(tx: Transaction) -> list[str]:
    there = await tx.row(THERE)
    return sorted(there["events"] or ()) if there else []
