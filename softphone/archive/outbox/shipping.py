"""Recordings on their way to the house, and the copies here: a copy goes once the house has said that its own cannot be lost.

What is to be shipped is read from the recordings themselves: nothing is to be shipped that has gone, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, or_, select, update

from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.files.vault import Vault
from softphone.archive.log import audit as log
from softphone.archive.outbox import rows
from softphone.archive.schema.tables import (
    audit,
    holds,
    outbox,
    past_calls,
    purposes,
    recordings,
    segments,
    shipped,
    time_in,
    wraps,
)
from softphone.domain.changes import AuditEntry
from softphone.domain.policy.period import Period
from softphone.domain.retention import Ended

BEGUN, RECEIVED, REFUSED, ERASED = "begun", "received", "refused", "erased"
HERE, GOING, GONE = "here", "going", "gone"
RECEIPTS_KEPT = Period(months=12)
COPY_GONE = "copy_handed_over"
"""the entry by which the copy here goes"""
ERASED_THERE = "erased_there"
"""the entry by which it goes because the house has erased its own"""
ENDED_THERE = "ended_there"
"""the entry by which purposes end here because they have in the house"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the house does not have yet. `since`: the oldest of it. `failed`: how many it has refused, and the newest's `code`."""

    told: int = 0
    recordings: int = 0
    entries: int = 0
    since: datetime | None = None
    failed: int = 0
    code: str = ""

    @property
    def count(self) -> int:
        """Entries of the log keep nobody waiting: each answer makes some."""
        return self.told + self.recordings


def waiting(connection: Connection, desk: str) -> Waiting:
    """Nothing, where this desk belongs to no house."""
    since = rows.member_since(connection)
    if since is None:
        return Waiting()
    of = connection.execute(select(outbox.c.at, outbox.c.failed).order_by(outbox.c.seq)).all()
    due = connection.execute(_due(since)).all()
    ends = (time_in(one) for one in (*(row.at for row in of[:1]), *(row.closed_at or row.broke_off_at for row in due)))
    codes = [code for code in (rows.fact(connection, rows.LOG_REFUSED), *(row.failed for row in (*due, *of))) if code]
    entries = log.told(connection, desk) - int(rows.fact(connection, rows.LOG_AT) or 0)
    oldest = min((one for one in ends if one is not None), default=None)
    return Waiting(len(of), len(due), max(entries, 0), oldest, len(codes), codes[-1] if codes else "")


def unshipped(connection: Connection, desk: str) -> int:
    """As `waiting`, and what is still being recorded, in its wrap-up, or broke off and is not counted yet: it ships too."""
    since = rows.member_since(connection)
    if since is None:
        return 0
    asked = select(func.count()).select_from(recordings).where(recordings.c.opened_at >= since.isoformat(), ~_ended())
    return waiting(connection, desk).count + connection.execute(asked).scalar_one()


def due(connection: Connection, busy: Collection[str] = ()) -> list[Row[Any]]:
    """Recordings to be shipped, the oldest first. `busy`: calls whose agent has not ended them yet."""
    since = rows.member_since(connection)
    if since is None:
        return []
    return [row for row in connection.execute(_due(since)).all() if row.call not in busy]


def _due(since: datetime) -> Any:
    """Ended, all of its sound counted, and kept by something. What waits for a case alone stays here."""
    keeps = exists().where(purposes.c.recording == recordings.c.recording, purposes.c.stands == Ended.KEEPS.value)
    held = exists().where(holds.c.recording == recordings.c.recording, holds.c.lifted_at.is_(None))
    ships = or_(shipped.c.state.is_(None), shipped.c.state.in_((BEGUN, REFUSED)))
    return (
        select(
            recordings.c.recording,
            recordings.c.call,
            recordings.c.closed_at,
            recordings.c.broke_off_at,
            shipped.c.failed,
        )
        .outerjoin(shipped, shipped.c.recording == recordings.c.recording)
        .where(recordings.c.opened_at >= since.isoformat(), _ended(), or_(keeps, held), ships)
        .order_by(recordings.c.opened_at, recordings.c.recording)
    )


def _ended() -> ColumnElement[bool]:
    """And all of its sound is counted."""
    open_end = exists().where(segments.c.recording == recordings.c.recording, segments.c.chunks.is_(None))
    return or_(recordings.c.broke_off_at.is_not(None), recordings.c.closed_at.is_not(None) & ~open_end)


def begin(tx: Transaction, recording: str, call: str) -> None:
    """Before the first word of it: from now on the house is told what changes here."""
    if tx.execute(select(shipped.c.state).where(shipped.c.recording == recording)).first() is None:
        tx.insert(shipped, recording=recording, call=call, state=BEGUN, at=datetime.now(UTC).isoformat())


def received(tx: Transaction, recording: str, receipt: str, head: tuple[int, str], now: datetime) -> None:
    """The receipt has been checked. Kept twice, it is kept once."""
    here = shipped.c.recording == recording
    row = tx.execute(select(shipped).where(here)).first()
    if row is None or row.state == RECEIVED:
        return
    until = RECEIPTS_KEPT.after(now.date()).isoformat()
    new = {"state": RECEIVED, "receipt": receipt, "head": head[0], "head_hash": head[1], "failed": None, "until": until}
    tx.execute(update(shipped).where(here).values(**new))
    told = {"entry": head[0], "hash": head[1]}
    tx.log(AuditEntry("recording_received", "G10", now, row.call, recording, told))


def refused(tx: Transaction, recording: str, code: str) -> None:
    """It stays here, for the desk to show; it is tried again."""
    tx.execute(update(shipped).where(shipped.c.recording == recording).values(state=REFUSED, failed=code))


def erased(tx: Transaction, recording: str) -> None:
    """The house takes it no more, and a hold keeps it here."""
    tx.execute(update(shipped).where(shipped.c.recording == recording).values(state=ERASED, failed=None))


def ships_again(tx: Transaction, above: int, now: datetime) -> int:
    """The house was set back to before this entry of its log: what it received since is told again, as far as it is here."""
    lost = (shipped.c.state == RECEIVED) & (shipped.c.head > above) & (shipped.c.copy == HERE)
    found = tx.execute(select(shipped.c.recording, shipped.c.call).where(lost)).all()
    for row in found:
        tx.log(AuditEntry("ships_again", "G10", now, row.call, row.recording, {"entry": above}))
    tx.execute(update(shipped).where(lost).values(state=BEGUN, receipt=None, head=None, head_hash=None))
    return len(found)


def lost(tx: Transaction, recording: str, now: datetime) -> None:
    """The house no longer has it, whatever its receipt says: it is told again."""
    here = (shipped.c.recording == recording) & (shipped.c.copy == HERE)
    row = tx.execute(select(shipped.c.call).where(here)).first()
    if row is not None:
        tx.log(AuditEntry("ships_again", "G10", now, row.call, recording))
        tx.execute(update(shipped).where(here).values(state=BEGUN, receipt=None, head=None, head_hash=None))


def copies(connection: Connection) -> int:
    """Recordings that the house has received and whose copy is still here."""
    asked = select(func.count()).select_from(shipped).where(shipped.c.state == RECEIVED, shipped.c.copy == HERE)
    return connection.execute(asked).scalar_one()


def received_here(connection: Connection) -> list[str]:
    """Those."""
    asked = select(shipped.c.recording).where(shipped.c.state == RECEIVED, shipped.c.copy == HERE)
    return [*connection.execute(asked).scalars()]


def receipt_of(connection: Connection, recording: str) -> str:
    """As it was told; empty: there is none."""
    return connection.execute(select(shipped.c.receipt).where(shipped.c.recording == recording)).scalar() or ""


def orphaned(connection: Connection) -> list[str]:
    """Uploads that were begun, and whose recording has ended here."""
    there = exists().where(recordings.c.recording == shipped.c.recording)
    return [*connection.execute(select(shipped.c.recording).where(shipped.c.state != RECEIVED, ~there)).scalars()]


def forget(tx: Transaction, recording: str) -> None:
    tx.execute(delete(shipped).where(shipped.c.recording == recording))


# --- the copy here -------------------------------------------------------------------------------


def durable(connection: Connection, to: int) -> Iterator[str]:
    """Received, with nothing left to tell of them, and the house's log is safe up to their entry."""
    asked = select(shipped.c.recording, shipped.c.call).where(
        shipped.c.state == RECEIVED, shipped.c.copy == HERE, shipped.c.head <= to
    )
    found = connection.execute(asked.order_by(shipped.c.head)).all()
    return (row.recording for row in found if not rows.concern(connection, row.recording, row.call))


def let_copy_go(catalog: Catalog, vault: Vault, recording: str, now: datetime) -> None:
    """Its keys, then its file. The rows stay as long as the agent's own list has the call. Cut off anywhere, it goes on at the
    next call of `finish`."""
    with catalog.writing() as tx:
        row = tx.execute(select(shipped).where(shipped.c.recording == recording)).first()
        if row is None or row.state != RECEIVED or row.copy != HERE:
            return
        # The keys go only once the entry stands: no crash leaves a recording that nobody opens and that has not been handed over.
        tx.wraps.drop(wraps.c.recording == recording, replaced=True)
        tx.execute(update(shipped).where(shipped.c.recording == recording).values(copy=GOING))
        tx.log(AuditEntry(COPY_GONE, "G10", now, row.call, recording, {"entry": row.head}))
    finish(catalog, vault)


def finish(catalog: Catalog, vault: Vault) -> None:
    """Files of copies that are to go."""
    with catalog.reading() as connection:
        going = [*connection.execute(select(shipped.c.recording).where(shipped.c.copy == GOING)).scalars()]
    if going:
        vault.delete(*going)
        with catalog.writing() as tx:
            tx.execute(update(shipped).where(shipped.c.recording.in_(going)).values(copy=GONE))
        catalog.empty_log()


def away(connection: Connection, those: Sequence[str] | None = None) -> set[str]:
    """Recordings whose copy here has gone, or is going (None: all)."""
    asked = select(shipped.c.recording).where(shipped.c.copy != HERE)
    if those is not None:
        asked = asked.where(shipped.c.recording.in_(those))
    return {*connection.execute(asked).scalars()}


def past_own_list(connection: Connection, now: datetime, limit: int = 500) -> list[str]:
    """Recordings whose copy has gone and whose call is no longer in its agent's own list: their rows here are nobody's."""
    listed = exists().where(past_calls.c.call == recordings.c.call, past_calls.c.until > now.date().isoformat())
    asked = (
        select(recordings.c.recording)
        .join(shipped, shipped.c.recording == recordings.c.recording)
        .where(shipped.c.copy == GONE, ~listed)
    )
    found = connection.execute(asked.limit(limit)).scalars().all()
    return [one for one in found if not _has_untold(connection, one)]


def _has_untold(connection: Connection, recording: str) -> bool:
    asked = select(func.count()).select_from(outbox).where(outbox.c.recording == recording)
    return connection.execute(asked).scalar_one() > 0


def tidy(tx: Transaction) -> None:
    """What is about recordings that never came to the house, and that are no longer here."""
    here = exists().where(recordings.c.recording == outbox.c.recording)
    there = exists().where(shipped.c.recording == outbox.c.recording, shipped.c.state == RECEIVED)
    tx.execute(delete(outbox).where(outbox.c.recording.is_not(None), ~here, ~there))


# --- the log -------------------------------------------------------------------------------------


def entries(connection: Connection, desk: str, limit: int = 100) -> tuple[int, list[dict[str, Any]]]:
    """Up to where the house has this desk's log, and what follows, as the house takes it: `told` is what each hash is of."""
    after = int(rows.fact(connection, rows.LOG_AT) or 0)
    asked = select(audit).where(audit.c.desk == desk, audit.c.number > after).order_by(audit.c.number)
    names = ("number", "event", "rule", "call", "recording", "previous", "hash")
    found = connection.execute(asked.limit(limit))
    return after, [{name: row._mapping[name] for name in names} | {"told": log.text_of(row._mapping)} for row in found]


def log_is_at(tx: Transaction, number: int) -> None:
    """The house has it up to this entry."""
    rows.note(tx, rows.LOG_AT, str(number))
    rows.note(tx, rows.LOG_REFUSED, "")


def log_refused(tx: Transaction, code: str) -> None:
    """It stays here, for the desk to show; it is tried again."""
    rows.note(tx, rows.LOG_REFUSED, code)
