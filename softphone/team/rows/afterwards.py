"""After the call: what is taken back, held and remembered of a number, and what the sweeper does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import CONFIRM_WITHIN, day_begins, judge_by, local_day
from softphone.team.rows.arriving import Hold
from softphone.team.rows.in_force import judge_within, policy_in_force
from softphone.team.rows.pool import Row, Transaction

REMEMBER = "SELECT number_remember(%s, %s, %s, %s, %s, %s, %s)"
KNOWN = "SELECT * FROM number_known(%s, %s)"
PLACE = "SELECT * FROM holds_place(%s)"
UNDO = "SELECT hold_undo(%s)"
SWEEP = "SELECT * FROM sweep(%s)"
JUDGE_DUE = "SELECT * FROM judge_due(%s)"
JUDGE_LISTED = "SELECT judge_listed(%s, %s, %s, %s)"
FORGET = "SELECT forget()"
FORGET_WITHDRAWALS = "SELECT withdrawals_forget()"
TOMBSTONES = "SELECT * FROM tombstones_take(%s)"
WRITTEN = "SELECT tombstone_written(%s)"
ERASED = "SELECT tombstone_erased(%s)"
APPLY = "SELECT tombstone_apply(%s, %s, %s)"
LOG_CUT = "SELECT log_cut(%s, %s)"
FORGET_CASES = "SELECT cases_forget(%s, %s)"
GIVEN_UP = "SELECT * FROM uploads_given_up(%s, %s)"
UPLOAD_GONE = "SELECT upload_gone(%s)"


class Remembered(StrEnum):
    """What is remembered of a number."""

    REFUSED = "refused"
    DO_NOT_SAMPLE = "do_not_sample"
    LANGUAGE = "language"
    UPHELD = "upheld"
    CALL_BACK = "call_back"


async def remember(
    tx: Transaction,
    number: bytes,
    what: Remembered,
    at: datetime,
    until: datetime,
    *,
    line: str = "",
    purpose: Purpose | None = None,
    value: str = "",
) -> None:
    await tx.all(REMEMBER, number, what.value, line, purpose.value if purpose else "", value, at, until)


async def known(tx: Transaction, number: bytes, line: str) -> Sequence[Row]:
    """Asked while it rings: `what`, `purpose`, `value`, `until`."""
    return await tx.all(KNOWN, number, line)


async def dated(tx: Transaction, holds: Sequence[Hold], now: datetime) -> tuple[Hold, ...]:
    """As desks tell them, with the house's own days: until when a dispute is to be confirmed, and one of ours to be decided at
    most, its policy says. The day of a request for access, the database counts where the call was."""
    if not holds:
        return ()
    policy = await policy_in_force(tx)
    within = policy.hold_unconfirmed if policy else CONFIRM_WITHIN
    until = now + terms_afterwards(policy).hold_after_refusal
    return tuple(
        replace(
            one,
            confirm_by=min(one.at, now) + within.length(),
            provisional_until=min(one.provisional_until, until) if one.provisional_until else None,
        )
        for one in holds
    )


async def place_holds(tx: Transaction, holds: Sequence[Hold], now: datetime) -> list[tuple[str, UUID]]:
    """Those that stand by it: what is not here is left out."""
    rows = await tx.all(PLACE, Jsonb([one.row() for one in await dated(tx, holds, now)]))
    return [(row["hold"], row["recording"]) for row in rows]


async def undo_hold(tx: Transaction, hold: str) -> bool:
    """One's own, raised for us, within a minute, while a purpose keeps the recording. False: it is too late, or not theirs."""
    return await tx.value(UNDO, hold)


@dataclass(frozen=True, slots=True)
class Went:
    """`what`: `hold_void`, `purpose_expired`, `not_judged`, `discarded`."""

    recording: UUID
    what: str
    role: KeyRole | None


async def sweep(tx: Transaction, most: int) -> list[Went]:
    """At most so many recordings, none that another sweeper has in hand. Nothing: there is nothing more to do now."""
    rows = await tx.all(SWEEP, most)
    return [Went(row["recording"], row["what"], row["purpose"] and KeyRole(row["purpose"])) for row in rows]


async def list_to_judge(tx: Transaction, now: datetime, most: int) -> int:
    """What the policy wants judged first, and whose day has come. Returns how many."""
    within = await judge_within(tx)
    rows = await tx.all(JUDGE_DUE, most)
    for row in rows:
        zone = row["time_zone"]
        by = judge_by(row["expires_on"], within, listed_on=local_day(now, zone))
        await tx.all(JUDGE_LISTED, row["recording"], row["purpose"], by, day_begins(by, zone))
    return len(rows)


async def forget(tx: Transaction) -> int:
    return await tx.value(FORGET) + await tx.value(FORGET_WITHDRAWALS)


async def cut_log(tx: Transaction, before: datetime, most: int) -> int:
    """A first part of each chain, of at most so many entries in all. Returns how many went."""
    return await tx.value(LOG_CUT, before, most)


async def forget_cases(tx: Transaction, before: datetime, most: int) -> int:
    return await tx.value(FORGET_CASES, before, most)


async def tombstones(tx: Transaction, most: int) -> Sequence[Row]:
    """`recording`, `object_key`, `reason`, `at`, `written`: those whose object is not known to be gone. No other sweeper
    takes them for a while."""
    return await tx.all(TOMBSTONES, most)


async def tombstone_written(tx: Transaction, recording: UUID) -> None:
    await tx.all(WRITTEN, recording)


async def erased(tx: Transaction, recording: UUID) -> bool:
    """Every version of the object is gone. False: its tombstone was not written first, or it was told before."""
    return await tx.value(ERASED, recording)


async def apply_tombstone(tx: Transaction, recording: UUID, object_key: str, reason: str) -> bool:
    """One that the object store has and the database does not, after a restore: what came back goes."""
    return await tx.value(APPLY, recording, object_key, reason)


async def uploads_given_up(tx: Transaction, older: timedelta, most: int) -> Sequence[Row]:
    """`object_key`, `upload`: to be ended in the object store. No other sweeper takes them for a while."""
    return await tx.all(GIVEN_UP, older, most)


async def upload_gone(tx: Transaction, object_key: str) -> None:
    await tx.all(UPLOAD_GONE, object_key)
