"""A recording that may be heard: its data keys, sealed for who asks, and where its file lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from softphone.domain.purpose import KeyRole
from softphone.team.rows.pool import Row, Transaction

OPEN = "SELECT * FROM recording_open(%s, %s, %s, %s)"
EXPORTED = "SELECT recording_exported(%s, %s, %s, %s)"
FILE = "SELECT * FROM recording_file(%s)"


@dataclass(frozen=True, slots=True)
class File:
    key: str
    version: str
    size: int


async def wraps(tx: Transaction, recording: UUID, role: KeyRole, why: str, case: str) -> Sequence[Row]:
    """`segment`, `key_id`, `suite`, `sealed`. Logged in this transaction. Raises MissingError where it is closed to the role."""
    return await tx.all(OPEN, recording, role.value, why, case)


async def exported(tx: Transaction, recording: UUID, role: KeyRole, why: str, case: str) -> None:
    await tx.all(EXPORTED, recording, role.value, why, case)


async def file(tx: Transaction, recording: UUID) -> File | None:
    """None: who asks may not hear it, or not any more."""
    row = await tx.row(FILE, recording)
    return File(row["object_key"], row["object_version"], row["size"]) if row else None
