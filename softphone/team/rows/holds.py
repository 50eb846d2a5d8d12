"""Holds as people raise, see and decide them (G08, G10). Until when is the domain's to say; the database compares moments."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive import deciding
from softphone.domain.archive.decisions import Raised, Standing
from softphone.domain.archive.recordings import HoldRow
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.team.rows.arriving import Seal
from softphone.team.rows.errors import MissingError, WrongError
from softphone.team.rows.in_force import confirm_within
from softphone.team.rows.pool import Row, Transaction

TOLD = "SELECT * FROM holds_told(%s)"
RAISE = "SELECT * FROM holds_raise(%s, %s, %s, %s, %s)"
MEANT = "SELECT * FROM holds_meant(%s)"
CONFIRM = "SELECT hold_confirm(%s, %s)"
KEYS = "SELECT * FROM keys_to_decide(%s)"
STAND = (
    "SELECT purpose FROM purposes WHERE recording = %s"
    " AND (stands = 'keeps' OR (stands = 'taken_back' AND reason = 'grounds_given')) ORDER BY purpose"
)
END = "SELECT hold_end(%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Shown:
    """`recording` of a standing is empty where they may not see which it is. `others`: how many their keys do not open."""

    holds: tuple[Standing, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Meant:
    hold: str
    recording: UUID
    raised_for: HoldBy


@dataclass(frozen=True, slots=True)
class Anew:
    """A data key that custody has sealed anew."""

    role: KeyRole
    segment: int
    key_id: str
    suite: str
    sealed: bytes = field(repr=False)

    def row(self) -> dict[str, object]:
        told = {"role": self.role.value, "segment": self.segment, "key_id": self.key_id, "suite": self.suite}
        return {**told, "sealed": self.sealed.hex()}


@dataclass(frozen=True, slots=True)
class ToOpen:
    """A segment's data key, sealed for custody's keys."""

    segment: int
    purposes: tuple[Purpose, ...]
    seals: tuple[Seal, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """`stand`: the purposes that have not ended."""

    segments: tuple[ToOpen, ...]
    stand: tuple[Purpose, ...]


class Ends(StrEnum):
    LIFTED = "lifted"
    ANSWERED = "answered"
    NOT_ANSWERED = "not_answered"


class EndedAs(StrEnum):
    LIFTED = "lifted"
    TRAINING_ENDED = "training_ended"
    """nobody could open it for training again"""
    ERASED = "erased"
    """nothing else kept it"""


async def shown(tx: Transaction, beginning: str, now: datetime) -> Shown:
    rows = await tx.all(TOLD, beginning)
    told = tuple(_standing(row, now) for row in rows if row["hold"] is not None)
    return Shown(told, len(rows) - len(told))


async def raise_holds(
    tx: Transaction,
    by: HoldBy,
    why: str,
    now: datetime,
    *,
    recording: UUID | None = None,
    number: bytes | None = None,
) -> Raised:
    """Raises MissingError where the recording that is named is not here."""
    within = await confirm_within(tx)
    due = {"": (now + within.length()).isoformat()}
    rows = await tx.all(RAISE, recording, number, by.value, why, Jsonb(due))
    if recording is not None and not rows:
        raise MissingError("error.team.missing")
    stand = [_standing(row | {"raised_for": by.value, "why": why, "raised_by": ""}, now) for row in rows]
    named = {one.recording for one in stand if one.recording}
    already = {str(row["hold"]) for row in rows if row["already"]}
    return deciding.raised(stand, named, already, by, len(rows), 0)


async def meant(tx: Transaction, beginning: str) -> Meant:
    """By custody alone. Raises ArchiveError `no_such_hold`, `ambiguous_hold`."""
    row = await _meant(tx, beginning)
    return Meant(row["hold"], row["recording"], HoldBy(row["raised_for"]))


async def confirm(tx: Transaction, hold: str, look_again: date, now: datetime) -> Standing:
    """Raises ArchiveError."""
    row = await _meant(tx, hold)
    deciding.check_look_again(row["raised_for"], row["at"], row["time_zone"], look_again, now)
    if not await tx.value(CONFIRM, row["hold"], look_again):
        raise ArchiveError("error.archive.hold_void")
    found = await shown(tx, row["hold"], now)
    return next(one for one in found.holds if one.hold.hold == row["hold"])


async def keys(tx: Transaction, recording: UUID, nothing: ArchiveError) -> Keys:
    """What custody needs to seal a recording anew. The log has it. Raises `nothing` where there is nothing to decide about it."""
    try:
        rows = await tx.all(KEYS, recording)
    except MissingError:
        raise nothing from None
    segments: dict[int, ToOpen] = {}
    for row in rows:
        had = segments.get(row["segment"])
        seal = Seal(KeyRole.CUSTODY, row["key_id"], row["suite"], bytes(row["sealed"]))
        made_for = tuple(Purpose(one) for one in row["purposes"])
        segments[row["segment"]] = ToOpen(row["segment"], made_for, (*(had.seals if had else ()), seal))
    stand = tuple(Purpose(row["purpose"]) for row in await tx.all(STAND, recording))
    return Keys(tuple(segments.values()), stand)


async def end(
    tx: Transaction,
    beginning: str,
    how: Ends,
    reason: str,
    answered: date | None,
    anew: Sequence[Anew],
    now: datetime,
    *,
    training_may_end: bool,
) -> EndedAs:
    """Raises ArchiveError where it is not such a hold, or would end a training that may not end."""
    row = await _meant(tx, beginning)
    if answered is not None:
        deciding.check_answered(answered, row["opened_at"], row["time_zone"], now)
    told = answered.isoformat() if answered is not None else reason
    rows = Jsonb([one.row() for one in anew])
    with no_key_of_purpose(row["recording"]):
        result = str(await tx.value(END, row["hold"], how.value, told, rows, training_may_end))
    match result:
        case "none":
            raise ArchiveError("error.archive.no_such_hold", id=row["hold"])
        case "is_access":
            raise ArchiveError("error.archive.hold_is_access", id=row["hold"])
        case "is_dispute":
            raise ArchiveError("error.archive.hold_is_dispute", id=row["hold"])
        case "ends_training":
            raise ArchiveError("error.archive.lift_ends_training", id=str(row["recording"]))
        case _:
            return EndedAs(result)


@contextmanager
def no_key_of_purpose(recording: UUID) -> Generator[None]:
    """What was sealed anew lets nobody open it whom the newest policy names."""
    try:
        yield
    except WrongError:
        raise ArchiveError("error.archive.no_key_of_purpose", id=str(recording)) from None


async def _meant(tx: Transaction, beginning: str) -> Row:
    rows = await tx.all(MEANT, beginning)
    if not rows:
        raise ArchiveError("error.archive.no_such_hold", id=beginning)
    if len(rows) > 1 and rows[0]["hold"] != beginning:
        raise ArchiveError("error.archive.ambiguous_hold", id=beginning)
    return rows[0]


def _standing(row: Row, now: datetime) -> Standing:
    hold = HoldRow(
        row["hold"],
        row["raised_for"],
        row["at"],
        row["provisional_until"],
        row["confirm_by"],
        row["why"],
        row["look_again"],
        row["raised_by"],
    )
    recording = str(row["recording"]) if row["recording"] else ""
    return deciding.standing_of(recording, hold, row["time_zone"], now, alone=row["alone"])
