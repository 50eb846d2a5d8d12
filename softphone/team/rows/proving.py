"""Heads of the log, holds that storage has to learn, what outlives a restore, and the comparison: for the sweeper's login."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.heads import Head
from softphone.team.rows.pool import Row, Rows, Transaction

MARK = "SELECT head_mark()"
ARCHIVED = "SELECT head_archived()"
FOLLOWS = "SELECT head_follows()"
LAST = "SELECT * FROM head_last()"
RESTORED_SINCE = "SELECT * FROM restored_since(%s)"
SIGN = "SELECT head_sign(%s)"
HEADS = "SELECT * FROM signed_heads WHERE serial > %s ORDER BY serial LIMIT %s"
NEWEST = "SELECT * FROM signed_heads ORDER BY serial DESC LIMIT 1"
COUNTERSIGN = "SELECT * FROM log_countersign()"
HOLDS = "SELECT * FROM legal_holds_take(%s)"
HOLDS_NOW = "SELECT * FROM legal_holds_now(%s)"
HOLD_DONE = "SELECT legal_hold_done(%s, %s)"
STONES = "SELECT * FROM stones_take(%s)"
STONE_WRITTEN = "SELECT stone_written(%s, %s, %s)"
STONES_FORGET = "SELECT stones_forget(%s)"
UNKNOWN = "SELECT stones_unknown(%s)"
MAC_KEY = "SELECT stone_key()"
KNOWN = "SELECT tombstone_known(%s)"
WOULD = "SELECT * FROM restoring_would(%s)"
MISSING = "SELECT object_missing(%s, %s)"
STONE = "SELECT stone_apply(%s, %s, %s, %s, %s)"
HEAD_BACK = "SELECT head_back(%s)"
RESTORED = "SELECT restored()"
POLICY_LOST = "SELECT policy_lost()"
COMPARE_ROWS = "SELECT * FROM compare_rows(%s, %s)"
COMPARE_KEYS = "SELECT * FROM compare_keys(%s)"
CHAINS = "SELECT * FROM compare_chains()"
COMPARE_LOG = "SELECT * FROM compare_log(%s, %s, %s, %s)"
COMPARE_HEADS = "SELECT * FROM compare_heads(%s, %s)"
COUNTERSIGNED = "SELECT * FROM compare_countersigned(%s, %s)"
AT = "SELECT * FROM compare_at(%s)"
REACHED = "SELECT compare_reached(%s, %s, %s)"
TOLD = "SELECT compare_told(%s, %s, %s)"
STUCK = "SELECT sweep_told(%s)"


def head_of(row: Row) -> Head:
    return Head(**{name: row[name] for name in Head.__dataclass_fields__})


async def mark(tx: Transaction) -> int:
    """The newest entry of the log. Once this transaction has ended, it is as safe as the database keeps anything."""
    return await tx.value(MARK)


async def archived(tx: Transaction) -> int:
    """The newest marked entry that lies in the archive of PostgreSQL's own log."""
    return await tx.value(ARCHIVED)


async def follows(tx: Transaction) -> bool:
    """Whether a transaction's end waits for another server."""
    return await tx.value(FOLLOWS)


async def last_head(tx: Transaction) -> Head | None:
    row = await tx.row(LAST)
    return head_of(row) if row else None


async def heads_since(tx: Transaction, serial: int, most: int) -> list[Head]:
    """As whoever has signed in."""
    return [head_of(row) for row in await tx.all(HEADS, serial, most)]


async def newest_head(tx: Transaction) -> Head | None:
    row = await tx.row(NEWEST)
    return head_of(row) if row else None


async def restored_since(tx: Transaction, epoch: int) -> tuple[int, int | None]:
    """The epoch now, and the earliest entry at which a restore since that one went on."""
    row = await tx.row(RESTORED_SINCE, epoch)
    assert row is not None
    return row["epoch"], row["number"]


async def sign_head(tx: Transaction, head: Head) -> bool:
    """False: another sweeper was faster."""
    return await tx.value(SIGN, Jsonb(head.told()))


async def put_head_back(tx: Transaction, head: Head) -> bool:
    return await tx.value(HEAD_BACK, Jsonb(head.told()))


async def countersign(tx: Transaction) -> Row | None:
    """The asking desk's log: `number`, `hash`, and `head`, `head_hash` of the service's log, which names it now."""
    return await tx.row(COUNTERSIGN)


async def legal_holds(tx: Transaction, most: int) -> Sequence[Row]:
    """`recording`, `object_key`, `object_version`, `held`: what storage has still to say."""
    return await tx.all(HOLDS, most)


async def legal_holds_now(tx: Transaction, recordings: Sequence[UUID]) -> Sequence[Row]:
    """As above, of these, by who has just changed their holds."""
    return await tx.all(HOLDS_NOW, list(recordings))


async def legal_hold_done(tx: Transaction, recording: UUID, held: bool) -> bool:
    """False: meanwhile the row says another thing, and it is due again."""
    return await tx.value(HOLD_DONE, recording, held)


async def stones(tx: Transaction, most: int) -> Sequence[Row]:
    """`what`, `id`, `at`, `told`: what storage has still to learn, so that a restore does not undo it."""
    return await tx.all(STONES, most)


async def stone_written(tx: Transaction, row: Row) -> None:
    await tx.all(STONE_WRITTEN, row["what"], row["id"], row["at"])


async def forget_stones(tx: Transaction, older: timedelta) -> int:
    return await tx.value(STONES_FORGET, older)


async def unknown(tx: Transaction, these: Sequence[tuple[str, datetime, str]]) -> list[str]:
    """Which keys of these are of no tombstone and no stone of the database's: `key`, `at`, and what follows the time in it."""
    told = [{"key": key, "at": at.isoformat(), "tail": tail} for key, at, tail in these]
    return [str(next(iter(row.values()))) for row in await tx.all(UNKNOWN, Jsonb(told))]


async def mac_key(rows: Rows) -> bytes:
    """Of the house: what it writes beside recordings bears a MAC by it."""
    async with rows.nobody() as tx:
        return bytes(await tx.value(MAC_KEY))


async def restoring_would(tx: Transaction, recordings: Sequence[UUID]) -> Sequence[Row]:
    """Of these, those that are here: `recording`, `held`, and `early`: the day on which they end by themselves has not come."""
    return await tx.all(WOULD, list(recordings))


async def object_missing(tx: Transaction, recording: UUID, version: str) -> bool:
    """Storage does not have it: its desk, which has it still, is told to send it again. False: another version counts by now."""
    return await tx.value(MISSING, recording, version)


async def tombstone_known(tx: Transaction, recording: UUID) -> bool:
    return await tx.value(KNOWN, recording)


async def apply_stone(tx: Transaction, what: str, id: str, at: datetime, told: Any, counts: bool) -> bool:
    return await tx.value(STONE, what, id, at, Jsonb(told), counts)


async def policy_lost(tx: Transaction) -> int | None:
    """The number of the newest policy, where a restore has taken it."""
    return await tx.value(POLICY_LOST)


async def restored(tx: Transaction) -> int:
    """The epoch that begins with it."""
    return await tx.value(RESTORED)


async def compare_rows(tx: Transaction, after: UUID | None, most: int) -> Sequence[Row]:
    """`recording`, `object_key`, `object_version`, `size`, `digest`, `held`, in the order of their ids."""
    return await tx.all(COMPARE_ROWS, after, most)


async def compare_keys(tx: Transaction, keys: Sequence[str]) -> dict[str, Row]:
    """By key: `what` (`row`, `upload`, `erased`, `due`, `none`), `object_version`, `recording`."""
    return {str(row["object_key"]): row for row in await tx.all(COMPARE_KEYS, list(keys))}


async def chains(tx: Transaction) -> list[str]:
    return [str(next(iter(row.values()))) for row in await tx.all(CHAINS)]


async def compare_log(tx: Transaction, chain: str, after: int | None, after_hash: str | None, most: int) -> Row:
    """`number`, `hash`: the last entry that holds; `read`: how many; `wrong`: the first that does not, or None."""
    row = await tx.row(COMPARE_LOG, chain, after, after_hash, most)
    assert row is not None
    return row


async def compare_heads(tx: Transaction, after: int, most: int) -> list[tuple[Head, str | None, bool]]:
    """Each with the hash that the log has at its entry, and whether a restore has taken that entry."""
    rows = await tx.all(COMPARE_HEADS, after, most)
    return [(Head.of(row["head"]), row["here"], row["lost"]) for row in rows]


async def countersigned(tx: Transaction, after: int, most: int) -> Sequence[Row]:
    """`number`, `desk`, `holds`: whether the desk's log is what the service's log said of it."""
    return await tx.all(COUNTERSIGNED, after, most)


async def stands_at(tx: Transaction, part: str) -> tuple[str, int]:
    """Where that part of a comparison was stopped, and what it had found wrong. Empty: at its beginning."""
    row = await tx.row(AT, part)
    return (row["place"], row["wrong"]) if row else ("", 0)


async def reached(tx: Transaction, part: str, place: str, wrong: int) -> None:
    await tx.all(REACHED, part, place, wrong)


async def comparison_told(tx: Transaction, looked: int, wrong: int, found: Collection[str]) -> None:
    """Into the log, for IT: how much a comparison looked at, and what kinds of things it found."""
    await tx.all(TOLD, looked, wrong, sorted(found))


async def sweep_stuck(tx: Transaction, refused: int) -> None:
    """Into the log, once a day: storage does not let go that many."""
    await tx.all(STUCK, refused)
