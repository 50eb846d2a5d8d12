"""The audit log: what happened to a recording and by which rule, one chain of hashes a desk. It only grows.

It holds no sound, no number and no name, and outlives the recording it tells of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from softphone.archive.schema.readable import params_of
from softphone.archive.schema.tables import audit, audit_begins, meta, time_in
from softphone.domain.archive.recordings import BATCH, AuditRow, Wanted
from softphone.domain.changes import AuditEntry

GENESIS = "0" * 64
REFUSED = "refused"
"""how the event of every refusal ends"""
KEY, HOLD = "key", "hold"
"""in an entry: the key that decided, opened or was refused; and the hold that is placed, lifted or ended"""
KEY_SHOWN = 16
"""characters of a key id that an entry has"""
LIFTED = "hold_lifted"
Deciding = Callable[[AuditEntry], AuditEntry]
"""gives an entry the custody key by which it was decided"""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the entry's number, and what is wrong (`changed`, `missing`, `cut_off`)."""

    desk: str
    number: int
    kind: str


def append(connection: Connection, desk: str, entries: Iterable[AuditEntry]) -> int:
    """Within the transaction of the change they tell of. Returns how many."""
    end = last(connection, desk)
    number, previous = (end.number, end.hash) if end else _begins(connection).get(desk, (0, GENESIS))
    count = 0
    for entry in entries:
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
    """The desk's newest entry. What has no number was put in past the program, and is followed by nothing."""
    numbered = func.typeof(audit.c.number) == "integer"
    asked = select(audit).where(audit.c.desk == desk, numbered).order_by(audit.c.number.desc()).limit(1)
    return connection.execute(asked).first()


def told(connection: Connection, desk: str) -> int:
    """The number of the desk's newest entry, as it stands apart from the chain; 0 where there is none."""
    end = connection.execute(select(meta.c.value).where(meta.c.name == _end(desk))).scalar()
    number = str(end or "").partition(" ")[0]
    return int(number) if number.isdecimal() else 0


def verify(connection: Connection) -> Iterator[Break]:
    """Every place where a desk's chain does not hold. None: it holds."""
    chain, more = Chain(), True
    while more:
        found, more = chain.read_on(connection)
        yield from found


class Chain:
    """The chains of all desks, read a batch at a look: none is kept open for long, and what is written meanwhile is read too."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}
        """entries of each desk"""
        self._ended: dict[str, tuple[int, str]] = {}
        self._place: dict[str, Any] = {}

    def read_on(self, connection: Connection) -> tuple[list[Break], bool]:
        """Where it does not hold, and whether there may be more; at the last look its ends are compared too."""
        found: list[Break] = []
        more, begins = False, _begins(connection)
        for desk, begin in begins.items():
            # Its first part may have gone while the rest was read.
            if begin[0] >= self._ended.get(desk, begin)[0]:
                self._ended[desk], self._place[desk] = begin, begin[0]
        for desk in desks(connection):
            rows = connection.execute(
                select(audit)
                .where(audit.c.desk == desk, audit.c.number > self._place.get(desk, 0))
                .order_by(audit.c.number)
                .limit(BATCH)
            ).all()
            found += [broken for row in rows if (broken := self._follows(desk, row)) is not None]
            more = more or len(rows) == BATCH
        return (found, True) if more else ([*found, *self._ends(connection, begins)], False)

    def _follows(self, desk: str, row: Row[Any]) -> Break | None:
        number, previous = self._ended.get(desk, (0, GENESIS))
        self._place[desk] = row.number
        self.count[desk] = self.count.get(desk, 0) + 1
        if not isinstance(row.number, int):
            return Break(desk, number + 1, "changed")
        self._ended[desk] = (row.number, row.hash)
        if row.number != number + 1:
            return Break(desk, number + 1, "missing")
        if row.previous != previous or row.hash != _digest(row._mapping, row.previous):
            return Break(desk, row.number, "changed")
        return None

    def _ends(self, connection: Connection, begins: dict[str, tuple[int, str]]) -> Iterator[Break]:
        ends = {row.name: row.value for row in connection.execute(select(meta).where(meta.c.name.like("audit-end-%")))}
        for desk in desks(connection):
            before = (audit.c.desk == desk) & (audit.c.number <= begins.get(desk, (0, GENESIS))[0])
            for number in connection.execute(select(audit.c.number).where(before).order_by(audit.c.number)).scalars():
                yield Break(desk, number, "changed")
        for name, value in ends.items():
            desk = str(name).removeprefix(_end(""))
            number, digest = self._ended.get(desk, (0, GENESIS))
            if f"{number} {digest}" != value:
                yield Break(desk, number + 1, "cut_off")
        for desk, (number, _) in self._ended.items():
            if _end(desk) not in ends:
                yield Break(desk, number + 1, "cut_off")


def desks(connection: Connection) -> Iterator[str]:
    """Whoever has written to the log: from one to the next by its index."""
    desk: str | None = ""
    while desk is not None:
        asked = select(audit.c.desk).where(audit.c.desk > desk).order_by(audit.c.desk).limit(1)
        desk = connection.execute(asked).scalar()
        if desk is not None:
            yield desk


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


def look(
    connection: Connection, desk: str, wanted: Wanted, before: int | None, limit: int
) -> tuple[list[Row[Any]], int | None]:
    """Of the `BATCH` entries before this number (None: the newest) those that are meant, newest first and at most `limit`; and
    before which number the next look begins. None: there is nothing before."""
    here = [audit.c.desk == desk, func.typeof(audit.c.number) == "integer"]
    if before is not None:
        here.append(audit.c.number < before)
    newest = audit.c.number.desc()
    numbers = select(audit.c.number).where(*here).order_by(newest)
    place = connection.execute(numbers.limit(1).offset(BATCH - 1)).scalar()
    if place is not None:
        here.append(audit.c.number >= place)
    rows = list(connection.execute(select(audit).where(*here, *_meant(wanted)).order_by(newest).limit(limit)))
    return rows, rows[-1].number if len(rows) == limit else place


def _meant(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield audit.c.at >= wanted.since.astimezone(UTC).isoformat()
    if wanted.until is not None:
        yield audit.c.at < wanted.until.astimezone(UTC).isoformat()
    if wanted.events:
        yield audit.c.event.in_(wanted.events)
    if wanted.refusals:
        yield audit.c.event.endswith(REFUSED)
    if wanted.recording:
        begin = wanted.recording.lower()
        yield audit.c.recording.between(begin, f"{begin}~")


def _digest(row: Any, previous: str) -> str:
    return hashlib.sha256(previous.encode("ascii") + text_of(row).encode("ascii")).hexdigest()


def text_of(row: Any) -> str:
    """An entry as its hash is made of it, after the hash of the one before."""
    told = {name: row[name] for name in ("desk", "number", "at", "event", "rule", "call", "recording", "params")}
    # Bytes stand nowhere, but where somebody put them.
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def _begins(connection: Connection) -> dict[str, tuple[int, str]]:
    """After which entry, and with which hash, the chain begins whose first part has gone."""
    return {row.desk: (row.number, row.hash) for row in connection.execute(select(audit_begins))}


def _end(desk: str) -> str:
    return f"audit-end-{desk}"


def as_row(row: Row[Any]) -> AuditRow:
    """An entry as the rest of the program sees it. One that was changed may hold anything: the chain tells of that."""
    named = None if row.recording is None else str(row.recording)
    return AuditRow(row.number, time_in(row.at), str(row.event), str(row.rule), params_of(row), named)
