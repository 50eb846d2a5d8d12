"""What the house is to hear at once: refusals and withdrawals, holds and their undoing, what is remembered of a number.

Each is a row in the transaction of the change that it tells of, so no crash parts the two. Its id makes it the same when it is
told again. A party's number is sealed in the row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from uuid_utils import uuid7

from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.schema.tables import calls, holds, meta, outbox, recordings, shipped, time_in
from softphone.domain.changes import UNDONE, HoldBy, PlaceHold
from softphone.domain.purpose import Purpose, Reason

SINCE = "house-since"
"""in `meta`: since when this desk belongs to a house; what it recorded before stays with it"""
LOG_AT = "house-log"
"""up to which entry the house has this desk's log"""
LOG_REFUSED = "house-log-refused"
"""why the house does not take it; empty: it does"""
HEAD = "house-head"
"""the newest signed head of the house's log that was seen"""
_NO = frozenset({Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_VOICE, Reason.DECLINED_BY_SIP, Reason.WITHDRAWN})
"""said by the party in this call: it counts at every desk that had the call"""
_OF_PARTY = _NO | {Reason.DECLINED_EARLIER}
"""whatever else ends a purpose is the agent's own mark, of this call alone"""
_CASES = frozenset({Reason.OBJECTION.value, Reason.GROUNDS_GIVEN.value})
"""custody decides these, and nothing ends for good meanwhile"""
_OF_ONE_THERE = ("hold", "undo", "case")
"""kinds that wait until their recording has arrived"""


class Kind(StrEnum):
    WITHDRAWAL = "withdrawal"
    NUMBER = "number"
    HOLD = "hold"
    UNDO = "undo"
    NOTE = "note"
    """an agent's about a call. Its words stay where they are until it is told"""
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Item:
    """One row. `number` in E.164, where it tells of one."""

    seq: int
    id: str
    kind: Kind
    call: str | None
    recording: str | None
    told: Mapping[str, Any]
    number: str | None = field(repr=False)
    at: datetime
    failed: str = ""


def member_since(connection: Connection) -> datetime | None:
    """None: this desk belongs to no house."""
    told = connection.execute(select(meta.c.value).where(meta.c.name == SINCE)).scalar()
    return datetime.fromisoformat(told) if told else None


def begin(tx: Transaction, at: datetime) -> None:
    """This desk belongs to a house from now on. Done again, it changes nothing."""
    if member_since(tx.connection) is None:
        _put(tx, SINCE, at.astimezone(UTC).isoformat())


def end(tx: Transaction) -> None:
    """It belongs to none any more. What has not been shipped stays as it is, and goes nowhere."""
    tx.execute(delete(meta).where(meta.c.name.in_((SINCE, LOG_AT, LOG_REFUSED, HEAD))))
    tx.execute(delete(outbox))
    tx.execute(delete(shipped).where(shipped.c.copy == "here"))


def fact(connection: Connection, name: str) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def note(tx: Transaction, name: str, value: str) -> None:
    _put(tx, name, value)


# --- what happens here ---------------------------------------------------------------------------


def withdraw(tx: Transaction, recording: str, purposes: Sequence[Purpose], reason: str) -> None:
    """These purposes of a recording have ended by a no. What the house has not heard of yet arrives without them anyway, so
    only a party's own no is told of it: it counts for the other desks of the call too."""
    if reason in _CASES or not purposes or member_since(tx.connection) is None:
        return
    row = tx.execute(
        select(calls.c.call, calls.c.call_group)
        .join(recordings, recordings.c.call == calls.c.call)
        .where(recordings.c.recording == recording)
    ).first()
    if row and (reason in _NO or _is_under_way(tx.connection, recording)):
        withdraw_of_call(tx, row.call, row.call_group or "", purposes, reason, alone=reason not in _OF_PARTY)


def case(tx: Transaction, recording: str, kind: str, *, whole: bool) -> None:
    """Custody is to decide about one that the house has, or gets meanwhile. One that ships later tells of it itself."""
    if kind in _CASES and member_since(tx.connection) is not None and _is_under_way(tx.connection, recording):
        told = {"kind": kind, "whole": whole, "at": datetime.now(UTC).isoformat()}
        _add(tx, Kind.CASE, told, recording=recording)


def withdraw_of_call(
    tx: Transaction, call: str, group: str, purposes: Sequence[Purpose], reason: str, *, alone: bool = False
) -> None:
    """`group`: that of the calls which this one belongs to; empty: its own. `alone`: it reaches none but this call."""
    if member_since(tx.connection) is None:
        return
    which = [one.value for one in sorted(set(purposes))]
    here = (outbox.c.call == call) & (outbox.c.kind == Kind.WITHDRAWAL.value)
    for known in map(json.loads, tx.execute(select(outbox.c.told).where(here)).scalars()):
        if alone or "call" not in known:
            which = [one for one in which if one not in known["purposes"]]
    if which:
        told = {"call_group": group or call, "purposes": which, "reason": _said(which, reason)}
        _add(tx, Kind.WITHDRAWAL, {**told, "call": call} if alone else told, call=call)


def hold(tx: Transaction, change: PlaceHold) -> None:
    """A recording that ships later tells of its holds itself, and is told of this one once more: it stands once all the same."""
    if not _ships(tx.connection, change.recording):
        return
    told = {
        "hold": change.hold,
        "raised_for": change.by.value,
        "raised_by": change.raised_by,
        "at": change.at.isoformat(),
        "provisional_until": change.provisional_until.isoformat() if change.provisional_until else None,
        "confirm_by": change.confirm_by.isoformat() if change.confirm_by else None,
        "why": change.why,
    }
    _forget_hold(tx, change.hold)
    _add(tx, Kind.HOLD, told, recording=change.recording)


def hold_is_party_s(tx: Transaction, hold: str) -> None:
    """One of ours has become the party's. The house's own stands, and gets the party's beside it."""
    row = tx.execute(select(holds).where(holds.c.hold == hold, holds.c.lifted_at.is_(None))).first()
    if row is None or not _is_under_way(tx.connection, row.recording):
        return
    told = {name: row._mapping[name] for name in ("raised_by", "at", "confirm_by", "why")}
    told |= {"hold": str(uuid7()), "raised_for": HoldBy.PARTY.value}
    _add(tx, Kind.HOLD, told, recording=row.recording)


def lift(tx: Transaction, hold: str, recording: str, reason: str) -> None:
    """Undone by who raised it: the house is told where it may have heard of it. Whatever else lifts one here, there custody
    does."""
    if member_since(tx.connection) is None:
        return
    known = not _forget_hold(tx, hold)
    if reason == UNDONE and _is_under_way(tx.connection, recording):
        _add(tx, Kind.UNDO, {"hold": hold, "known": known}, recording=recording)


def remember(
    tx: Transaction,
    secrets: Secrets,
    number: str | None,
    what: str,
    at: datetime,
    until: str,
    *,
    line: str = "",
    purpose: str | None = None,
    value: str = "",
) -> None:
    """`until`: a day. Nothing is remembered of a withheld number."""
    if number is None or member_since(tx.connection) is None:
        return
    told = {"what": what, "line": line, "purpose": purpose, "value": value}
    told |= {"at": at.isoformat(), "until": f"{until[:10]}T00:00:00+00:00"}
    id = str(uuid7())
    _add(tx, Kind.NUMBER, told, id=id, number_sealed=secrets.seal_number(number, id))


def note_written(tx: Transaction, secrets: Secrets, one: OwnCall) -> None:
    """The agent wrote it, changed it or took it away: data protection reads what there is of a number, in one place."""
    if one.note is None or member_since(tx.connection) is None:
        return
    tx.execute(delete(outbox).where(outbox.c.call == one.call, outbox.c.kind == Kind.NOTE.value))
    id, told = str(uuid7()), {"agent": one.agent, "at": one.at.isoformat(), "until": one.until.isoformat()}
    sealed = secrets.seal_number(one.number, id) if one.number else None
    _add(tx, Kind.NOTE, told, id=id, call=one.call, number_sealed=sealed)


# --- what the courier does -----------------------------------------------------------------------


def read(connection: Connection, secrets: Secrets, limit: int = 500) -> list[Item]:
    """The first that can be told, in order. What is about one recording waits until it is there."""
    there = select(shipped.c.recording).where(shipped.c.state == "received")
    ready = outbox.c.kind.not_in(_OF_ONE_THERE) | outbox.c.recording.in_(there)
    rows = connection.execute(select(outbox).where(ready).order_by(outbox.c.seq).limit(limit)).all()
    return [
        Item(
            *(row.seq, row.id, Kind(row.kind), row.call, row.recording, json.loads(row.told)),
            secrets.open_number(row.number_sealed, row.id) if row.number_sealed else None,
            datetime.fromisoformat(row.at),
            row.failed or "",
        )
        for row in rows
    ]


def told(tx: Transaction, item: Item) -> None:
    """The house has heard it."""
    tx.execute(delete(outbox).where(outbox.c.seq == item.seq))


def refused(tx: Transaction, item: Item, code: str) -> None:
    """It stays, for the desk to show; it is tried again."""
    tx.execute(update(outbox).where(outbox.c.seq == item.seq).values(failed=code))


def concern(connection: Connection, recording: str, call: str) -> bool:
    """Whether something about this recording has not been told yet."""
    its = (outbox.c.recording == recording) | ((outbox.c.call == call) & (outbox.c.kind == Kind.WITHDRAWAL.value))
    return connection.execute(select(func.count()).select_from(outbox).where(its)).scalar_one() > 0


def _ships(connection: Connection, recording: str) -> bool:
    """It was recorded for the house: what is older stays at this desk."""
    since = member_since(connection)
    opened = connection.execute(select(recordings.c.opened_at).where(recordings.c.recording == recording)).scalar()
    begun = time_in(opened)
    return since is not None and begun is not None and begun >= since


def _is_under_way(connection: Connection, recording: str) -> bool:
    asked = select(shipped.c.recording).where(shipped.c.recording == recording, shipped.c.state != "erased")
    return connection.execute(asked).first() is not None


def _said(which: Sequence[str], reason: str) -> str:
    """In the house's closed list."""
    if reason == Reason.DECLINED_EARLIER.value:
        return reason
    only_training = list(which) == [Purpose.TRAINING.value]
    return "kept_out_of_training" if only_training and reason != Reason.WITHDRAWN.value else "withdrawn"


def _forget_hold(tx: Transaction, hold: str) -> bool:
    """Whether it was waiting to be told."""
    rows = tx.execute(select(outbox).where(outbox.c.kind == Kind.HOLD.value)).all()
    found = [row.seq for row in rows if json.loads(row.told)["hold"] == hold]
    tx.execute(delete(outbox).where(outbox.c.seq.in_(found)))
    return bool(found)


def _add(tx: Transaction, kind: Kind, told: Mapping[str, Any], *, id: str | None = None, **columns: Any) -> None:
    row = {"id": id or str(uuid7()), "kind": kind.value, "told": json.dumps(told), **columns}
    tx.insert(outbox, at=datetime.now(UTC).isoformat(), **row)


def _put(tx: Transaction, name: str, value: str) -> None:
    tx.execute(delete(meta).where(meta.c.name == name))
    tx.execute(insert(meta).values(name=name, value=value))
