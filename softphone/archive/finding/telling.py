"""A finished recording as its house is told of it: its rows, value by value, at one moment. No rule stands here.

The party's number is among them: it goes into the body of one request, and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from softphone.archive.changes.sealing import recorded_for
from softphone.archive.crypto import slots
from softphone.archive.crypto.wraps import Wrap
from softphone.archive.finding.rows import Source
from softphone.archive.log.written import SOUND, WHOLE
from softphone.archive.schema.readable import params_of
from softphone.archive.schema.tables import audit, calls, holds, purposes, recordings, segments, wraps


def rows_told(source: Source, recording: str, now: datetime) -> dict[str, Any] | None:
    """Without the file's size and digest. None: it has gone, or somebody is writing over a key at this moment."""
    with source.catalog.reading() as connection:
        row = _one(connection, recordings, recording=recording)
        call = _one(connection, calls, call=row.call) if row is not None else None
        if row is None or call is None:
            return None
        found = source.catalog.slots.sealed(connection, wraps.c.recording == recording)
        sealed = [slots.wrap_of(one, wrap) for one, wrap in found if wrap is not None]
        if len(sealed) != len(found):
            return None
        told = _given(row, "recording", "opened_at", "closed_at", "broke_off_at", "restricted")
        told["clock"] = now.isoformat()
        told["call"] = _call(source, call)
        told["segments"] = [*_segments(connection, recording)]
        told["purposes"] = [_purpose(one) for one in _all(connection, purposes, recording=recording)]
        told["wraps"] = [_wrap(one) for one in sealed]
        standing = [one for one in _all(connection, holds, recording=recording) if one.lifted_at is None]
        told["holds"] = [_hold(one) for one in standing]
    return told


def _call(source: Source, call: Row[Any]) -> dict[str, Any]:
    names = ("call", "line", "direction", "started_at", "notice", "language", "time_zone", "agent")
    number = source.secrets.open_number(call.number_sealed, call.call) if call.number_sealed else None
    return _given(call, *names) | {"call_group": call.call_group or call.call, "number": number}


def _segments(connection: Connection, recording: str) -> list[dict[str, Any]]:
    sound: dict[int, str] = {}
    for entry in _all(connection, audit, recording=recording, event=WHOLE):
        pairs = (one.partition(":") for one in str(params_of(entry).get(SOUND, "")).split())
        sound |= {int(number): digest for number, _, digest in pairs}
    return [
        _given(one, "segment", "opened_at", "chunks")
        | {"purposes": [it.value for it in recorded_for(one.purposes)], "sound": sound.get(one.segment)}
        for one in _all(connection, segments, recording=recording)
    ]


def _purpose(one: Row[Any]) -> dict[str, Any]:
    names = ("purpose", "basis", "retention", "expires_on", "stands", "reason", "reviewed_at", "at_end", "judge_by")
    return _given(one, *names, "keep_reviewed")


def _wrap(one: Wrap) -> dict[str, Any]:
    sealed = base64.b64encode(one.sealed).decode("ascii")
    return {
        "segment": one.segment, "role": one.role.value, "key_id": one.key_id, "suite": one.suite, "sealed": sealed
    }  # fmt: skip


def _hold(one: Row[Any]) -> dict[str, Any]:
    return _given(one, "hold", "raised_for", "raised_by", "at", "provisional_until", "confirm_by", "why")


def wraps_digest(told: Mapping[str, Any]) -> str:
    """Of all that is sealed, as the house's receipt has it."""
    them = (
        (one["segment"], one["role"], one["key_id"], one["suite"], base64.b64decode(one["sealed"]).hex())
        for one in told["wraps"]
    )
    return hashlib.sha256(json.dumps(sorted(them), separators=(",", ":")).encode("ascii")).hexdigest()


def _one(connection: Connection, table: Table, **which: str) -> Row[Any] | None:
    return next(iter(_all(connection, table, **which)), None)


def _all(connection: Connection, table: Table, **which: str) -> list[Row[Any]]:
    return list(connection.execute(select(table).where(*(table.c[name] == it for name, it in which.items()))))


def _given(one: Row[Any], *names: str) -> dict[str, Any]:
    return {name: one._mapping[name] for name in names if one._mapping[name] is not None}
