"""The audit log: what happened to a recording and by which rule, one chain of hashes a desk. It only grows.

It holds no sound, no number and no name, and outlives the recording it tells of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from softphone.archive.proof.proofs import changed
from softphone.archive.tables import audit, audit_begins, meta
from softphone.domain.changes import AuditEntry

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the entry's number, and what is wrong (`changed`, `missing`, `cut_off`)."""

    desk: str
    number: int
    kind: str


def append(connection: Connection, desk: str, entries: Iterable[AuditEntry], touched: Iterable[str] = ()) -> int:
    """Within the transaction of the change they tell of, once it is made. Returns how many.

    The last of them seals the rows of the recordings that they name, and of those `touched` besides (`proofs`).
    """
    entries = list(entries)
    named = [entry.recording for entry in entries if entry.recording is not None]
    state = changed(connection, [*named, *touched]) if entries else None
    end = last(connection, desk)
    number, previous = (end.number, end.hash) if end else _begins(connection).get(desk, (0, GENESIS))
    count = 0
    for at, entry in enumerate(entries, 1):
        if not entry.rule:
            raise ValueError(f"an audit entry without a rule: {entry.event}")
        number += 1
        count += 1
        row: dict[str, Any] = {
            "desk": desk,
            "number": number,
            "at": entry.at.isoformat(),
            "event": entry.event,
            "rule": entry.rule,
            "call": entry.call,
            "recording": entry.recording,
            "params": json.dumps(dict(entry.params), sort_keys=True, ensure_ascii=False),
            "state": state if at == len(entries) else None,
        }
        digest = _digest(row, previous)
        connection.execute(insert(audit).values(**row, previous=previous, hash=digest))
        previous = digest
    if count:
        # The end of the chain stands apart from it, so that a log which was cut off shows.
        connection.execute(meta.delete().where(meta.c.name == _end(desk)))
        connection.execute(insert(meta).values(name=_end(desk), value=f"{number} {previous}"))
    return count


def last(connection: Connection, desk: str) -> Row[Any] | None:
    """The desk's newest entry."""
    asked = select(audit).where(audit.c.desk == desk).order_by(audit.c.number.desc()).limit(1)
    return connection.execute(asked).first()


def verify(connection: Connection) -> Iterator[Break]:
    """Every place where a desk's chain does not hold. None: it holds."""
    ends = {row.name: row.value for row in connection.execute(select(meta).where(meta.c.name.like("audit-end-%")))}
    ended = _begins(connection)
    for row in connection.execute(select(audit).order_by(audit.c.desk, audit.c.number)):
        number, previous = ended.get(row.desk, (0, GENESIS))
        if row.number <= number:
            yield Break(row.desk, row.number, "changed")
            continue
        if row.number != number + 1:
            yield Break(row.desk, number + 1, "missing")
        elif row.previous != previous or row.hash != _digest(row._mapping, row.previous):
            yield Break(row.desk, row.number, "changed")
        ended[row.desk] = (row.number, row.hash)
    for name, value in ends.items():
        desk = name.removeprefix("audit-end-")
        number, digest = ended.get(desk, (0, GENESIS))
        if f"{number} {digest}" != value:
            yield Break(desk, number + 1, "cut_off")
    for desk, (number, _) in ended.items():
        if _end(desk) not in ends:
            yield Break(desk, number + 1, "cut_off")


def holds(connection: Connection, desk: str, number: int, digest: str) -> bool:
    """Whether a desk's chain is whole from its beginning up to this entry, which has this hash."""
    at, previous = _begins(connection).get(desk, (0, GENESIS))
    asked = select(audit).where(audit.c.desk == desk, audit.c.number <= number).order_by(audit.c.number)
    for row in connection.execute(asked):
        at += 1
        if row.number != at or row.previous != previous or row.hash != _digest(row._mapping, previous):
            return False
        previous = row.hash
    return (at, previous) == (number, digest)


def entries(connection: Connection, recording: str | None = None, call: str | None = None) -> list[Row[Any]]:
    """The log, oldest first, of one recording, of one call, or whole."""
    asked = select(audit).order_by(audit.c.desk, audit.c.number)
    if recording is not None:
        asked = asked.where(audit.c.recording == recording)
    if call is not None:
        asked = asked.where(audit.c.call == call)
    return list(connection.execute(asked))


def _digest(row: Any, previous: str) -> str:
    told = {name: row[name] for name in ("desk", "number", "at", "event", "rule", "call", "recording", "params")}
    if row["state"] is not None:
        told["state"] = row["state"]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(previous.encode("ascii") + text.encode("ascii")).hexdigest()


def _begins(connection: Connection) -> dict[str, tuple[int, str]]:
    """After which entry, and with which hash, the chain begins whose first part has gone."""
    return {row.desk: (row.number, row.hash) for row in connection.execute(select(audit_begins))}


def _end(desk: str) -> str:
    return f"audit-end-{desk}"
