"""Holds that the audit log has on a recording, and that somebody took out of the catalog past it: what nothing else keeps would
go at the next sweep. They are put back, for custody to decide."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from softphone.archive.changes import Tables
from softphone.archive.finding.rows import UNREADABLE
from softphone.archive.proof.decisions import HOLD
from softphone.archive.proof.proofs import touch
from softphone.archive.tables import audit, holds, time_in
from softphone.domain.changes import AuditEntry, HoldBy, PlaceHold
from softphone.domain.retention import CONFIRM_WITHIN

PLACED, PUT_BACK = "hold_placed", "hold_put_back"
ENDED_AGAIN = "hold_ended_again"
"""a restore knows that it was lifted since the backup"""
_ENDS = ("hold_lifted", "access_answered", "access_not_answered", "sweep_hold_void", ENDED_AGAIN)


def missing(connection: Connection, recording: str, lifted: Collection[str] = ()) -> dict[str, Mapping[str, Any]]:
    """By id, with the entry that placed it. `lifted`: by this transaction, of which the log does not tell yet. What an earlier
    version placed has no id in the log, and is in none."""
    told = select(audit.c.event, audit.c.params, audit.c.at).where(
        audit.c.recording == recording, audit.c.event.in_((PLACED, PUT_BACK, *_ENDS))
    )
    stands: dict[str, Mapping[str, Any]] = {}
    for row in connection.execute(told.order_by(audit.c.desk, audit.c.number)):
        # An entry that was changed may hold anything: the chain tells of that.
        with suppress(*UNREADABLE):
            params: dict[str, Any] = dict(json.loads(row.params))
            if row.event in _ENDS:
                stands.pop(str(params.get(HOLD)), None)
            elif HOLD in params:
                stands[str(params[HOLD])] = {**params, "at": row.at}
    if not stands.keys() - set(lifted):
        return {}
    there = select(holds.c.hold).where(holds.c.recording == recording, holds.c.lifted_at.is_(None))
    gone = {*lifted, *connection.execute(there).scalars()}
    return {hold: told for hold, told in stands.items() if hold not in gone}


def put_back(tables: Tables, recording: str, call: str, now: datetime) -> list[AuditEntry]:
    """Each that is missing stands again, to be confirmed: what the log does not tell of it, as who raised it, is empty. Gives
    the entries that tell so."""
    entries: list[AuditEntry] = []
    for hold, told in missing(tables.connection, recording).items():
        by = next((one for one in HoldBy if one.value == told.get("by")), HoldBy.CONTROLLER)
        at = time_in(told["at"]) or now
        touch(tables.connection, recording)
        tables.connection.execute(holds.delete().where(holds.c.hold == hold, holds.c.recording == recording))
        tables.place_hold(PlaceHold(hold, recording, by, "", at, None, "", confirm_by=at + CONFIRM_WITHIN.length()))
        entries.append(AuditEntry(PUT_BACK, "G10", now, call, recording, {HOLD: hold, "by": by.value}))
    return entries
