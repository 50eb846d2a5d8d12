"""A finished recording arrives: its container part by part, then all its rows in one transaction.

The moment at which each purpose ends is computed here, by the domain. The database compares it with its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Basis, Direction, KeyRole, Purpose
from softphone.domain.retention import Ended, day_begins
from softphone.team.rows.pool import Rows, Transaction

BEGIN = "SELECT * FROM upload_begin(%s, %s, %s, %s, %s)"
NAMED = "SELECT upload_named(%s, %s, %s)"
PART = "SELECT upload_part(%s, %s, %s, %s, %s)"
PARTS = "SELECT part, digest, etag FROM upload_parts WHERE recording = %s ORDER BY part"
DROP = "SELECT upload_drop(%s)"
STORE = "SELECT * FROM recording_store(%s, %s)"
ENDED = "SELECT purposes_ended(%s)"
KEEP_RECEIPT = "SELECT receipt_keep(%s, %s)"
RECEIPT = "SELECT receipt FROM receipts WHERE recording = %s"


class UploadState(StrEnum):
    GOING_ON = "going_on"
    STORED = "stored"
    ERASED = "erased"
    """its date came, or it was taken back: nothing is to be sent"""


@dataclass(frozen=True, slots=True)
class Upload:
    """`have`: the parts that are here. `receipt`: of one that is stored, once it was signed."""

    state: UploadState
    object_key: str = ""
    upload: str = ""
    """what the object store calls it; empty: it was not begun there. Of what is stored: the version"""
    chunk: int = 0
    have: tuple[int, ...] = ()
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    digest: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Call:
    id: UUID
    group: UUID
    """of the first of calls that were transferred one into another"""
    line: str | None
    direction: Direction
    started_at: datetime
    notice: str | None
    language: str
    time_zone: str
    agent: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A data key, or a number, sealed for a key."""

    role: KeyRole
    key_id: str
    suite: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Number:
    """`hash`: keyed (`numbers`), which the service has made."""

    hash: bytes = field(repr=False)
    seals: tuple[Seal, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFor:
    """One purpose of a recording, as the domain has left it."""

    purpose: Purpose
    basis: Basis | None
    retention: str | None
    expires_on: date | None
    stands: Ended = Ended.KEEPS
    reason: str | None = None
    reviewed_at: datetime | None = None
    judged_at_end: bool = False
    keep_reviewed: str | None = None
    judge_by: date | None = None

    def row(self, time_zone: str) -> dict[str, Any]:
        ends, judged = self.expires_on, self.judge_by
        return {
            "purpose": self.purpose.value,
            "basis": self.basis.value if self.basis else None,
            "retention": self.retention,
            "expires_on": ends and ends.isoformat(),
            "ends_at": ends and day_begins(ends, time_zone).isoformat(),
            "stands": self.stands.value,
            "reason": self.reason,
            "reviewed_at": _text(self.reviewed_at),
            "at_end": "review" if self.judged_at_end else "delete",
            "keep_reviewed": self.keep_reviewed,
            "judge_by": judged and judged.isoformat(),
            "judge_until": judged and day_begins(judged, time_zone).isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Segment:
    number: int
    opened_at: datetime
    purposes: tuple[Purpose, ...]
    chunks: int
    wraps: tuple[Seal, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """Who raised it is who asks."""

    id: str
    recording: UUID
    by: HoldBy
    why: str
    at: datetime
    provisional_until: datetime | None = None
    confirm_by: datetime | None = None

    def row(self) -> dict[str, Any]:
        return {
            "hold": self.id,
            "recording": str(self.recording),
            "raised_for": self.by.value,
            "why": self.why,
            "at": self.at.isoformat(),
            "provisional_until": _text(self.provisional_until),
            "confirm_by": _text(self.confirm_by),
        }


@dataclass(frozen=True, slots=True)
class Arrived:
    """A finished recording: what a desk says of it, checked by the service as far as it can be."""

    recording: UUID
    call: Call
    number: Number | None
    opened_at: datetime
    closed_at: datetime
    broke_off: bool
    restricted: str | None
    object_version: str
    size: int
    digest: bytes
    purposes: tuple[KeptFor, ...]
    segments: tuple[Segment, ...]
    holds: tuple[Hold, ...] = ()
    object_key: str | None = None
    """under which `object_version` lies: the upload that counts by now may be another. None: that upload's own"""

    def document(self) -> dict[str, Any]:
        zone, call = self.call.time_zone, self.call
        return {
            "call": {
                "call": str(call.id),
                "call_group": str(call.group),
                "line": call.line,
                "direction": call.direction.value,
                "started_at": call.started_at.isoformat(),
                "notice": call.notice,
                "language": call.language,
                "time_zone": zone,
                "agent": call.agent,
            },
            "number": self.number and {"hash": self.number.hash.hex(), "seals": _seals(self.number.seals)},
            "recording": {
                "opened_at": self.opened_at.isoformat(),
                "closed_at": self.closed_at.isoformat(),
                "broke_off": self.broke_off,
                "restricted": self.restricted,
                "object_key": self.object_key,
                "object_version": self.object_version,
                "size": self.size,
                "digest": self.digest.hex(),
            },
            "purposes": [one.row(zone) for one in self.purposes],
            "segments": [
                {
                    "segment": one.number,
                    "opened_at": one.opened_at.isoformat(),
                    "purposes": [purpose.value for purpose in one.purposes],
                    "chunks": one.chunks,
                }
                for one in self.segments
            ],
            "wraps": [{"segment": one.number, **seal} for one in self.segments for seal in _seals(one.wraps)],
            "holds": [one.row() for one in self.holds],
        }


class Stored(StrEnum):
    STORED = "stored"
    AGAIN = "again"
    """it was here, the same"""
    ERASED = "erased"
    """nothing keeps it any more: its date came, or it was taken back meanwhile"""


@dataclass(frozen=True, slots=True)
class StoredAt:
    """`number`, `hash`: where the service's log stands, for the receipt."""

    result: Stored
    number: int
    hash: str


async def begin(
    rows: Rows, token: str, recording: UUID, size: int, digest: bytes, chunk: int, object_key: str
) -> Upload:
    """Or go on: what is here already is told. Raises ConflictError: another size or digest, or another desk's."""
    row = await rows.once(token, BEGIN, recording, size, digest, chunk, object_key)
    assert row is not None
    state = UploadState(row["state"])
    if state is not UploadState.GOING_ON:
        return Upload(state, row["object_key"] or "", row["upload"] or "", receipt=row["receipt"])
    return Upload(state, row["object_key"], row["upload"], row["chunk"], tuple(row["have"]))


async def named(tx: Transaction, recording: UUID, old: str, new: str) -> str:
    """The object store calls it so. What counts is returned: another request may have been faster."""
    return await tx.value(NAMED, recording, old, new)


async def part(tx: Transaction, recording: UUID, upload: str, one: Part) -> None:
    await tx.all(PART, recording, upload, one.number, one.digest, one.etag)


async def parts(tx: Transaction, recording: UUID) -> tuple[Part, ...]:
    return tuple(Part(row["part"], row["digest"], row["etag"]) for row in await tx.all(PARTS, recording))


async def drop(tx: Transaction, recording: UUID) -> bool:
    """The sweep ends it in the object store. False: there is no such upload."""
    return await tx.value(DROP, recording)


async def store(tx: Transaction, arrived: Arrived) -> StoredAt:
    """Raises TeamError: not the session's desk or agent, another digest, sealed for whom no policy names."""
    row = await tx.row(STORE, arrived.recording, Jsonb(arrived.document()))
    assert row is not None
    return StoredAt(Stored(row["result"]), row["head"], row["head_hash"])


def keep_receipt(tx: Transaction, recording: UUID, receipt: str) -> None:
    """As the last of its transaction: the service's log waits for the end."""
    tx.last(KEEP_RECEIPT, recording, receipt)


async def ended(tx: Transaction, recording: UUID) -> dict[str, list[str]]:
    """Purposes of a recording of the desk that asks, for which it is kept no more: how each stands, and why."""
    return await tx.value(ENDED, recording)


async def receipt(tx: Transaction, recording: UUID) -> str | None:
    return await tx.value(RECEIPT, recording)


def _seals(them: Sequence[Seal]) -> list[dict[str, str]]:
    return [
        {"role": one.role.value, "key_id": one.key_id, "suite": one.suite, "sealed": one.sealed.hex()} for one in them
    ]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
