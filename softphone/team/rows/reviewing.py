"""What leads say of a call of the living training sample. Words are sealed on the desk: here they pass through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.retention import day_begins
from softphone.team.rows.pool import Row, Transaction

OPEN = "SELECT * FROM review_open(%s)"
CLOSE = "SELECT review_close(%s)"
COMMENT = "SELECT comment_put(%s, %s, %s, %s, %s)"
REMOVE = "SELECT comment_remove(%s)"
SCORE = "SELECT score_put(%s, %s, %s, %s)"
SHARE = "SELECT review_share(%s, %s, %s)"
MARK = "SELECT review_mark(%s, %s, %s, %s)"
COMMENTS = (
    "SELECT comment, sample, answers, at, person, role, key_id, suite, sealed FROM review_comments"
    " JOIN comment_seals USING (comment) WHERE recording = %s ORDER BY sample, at, comment"
)
SCORES = "SELECT item, points, version, person FROM review_scores WHERE recording = %s ORDER BY item"
SHARED = "SELECT shared, version FROM reviews WHERE recording = %s"


async def open_review(tx: Transaction, recording: UUID) -> Sequence[Row]:
    """Again and again while it is open. Who else has it open: `person`, `since`. Raises MissingError: it is not theirs now."""
    return await tx.all(OPEN, recording)


async def close_review(tx: Transaction, recording: UUID) -> None:
    await tx.all(CLOSE, recording)


async def comment(
    tx: Transaction, id: UUID, recording: UUID, sample: int, seals: Sequence[Row], answers: UUID | None = None
) -> None:
    """`seals`: `role` (`training`, `agent`), `key_id`, `suite`, `sealed` in hex. The call's agent answers what is shared."""
    await tx.all(COMMENT, id, recording, sample, answers, Jsonb(list(seals)))


async def remove_comment(tx: Transaction, id: UUID) -> bool:
    """One's own, with what answers it."""
    return await tx.value(REMOVE, id)


async def comments(tx: Transaction, recording: UUID) -> Sequence[Row]:
    """In the call's order, each as sealed for a key of theirs."""
    return await tx.all(COMMENTS, recording)


async def score(tx: Transaction, recording: UUID, item: str, points: int, seen: int) -> int:
    """`seen`: the version that they saw, 0 for none. Raises ConflictError where somebody was faster. The new version."""
    return await tx.value(SCORE, recording, item, points, seen)


async def scores(tx: Transaction, recording: UUID) -> Sequence[Row]:
    return await tx.all(SCORES, recording)


async def share(tx: Transaction, recording: UUID, on: bool, seen: int) -> int:
    """As `score`."""
    return await tx.value(SHARE, recording, on, seen)


async def mark(tx: Transaction, recording: UUID, heard: int, until: date | None, time_zone: str) -> datetime | None:
    """It has been used: training ends now, or on a day. Returns when it was reviewed before, and changes nothing then."""
    return await tx.value(MARK, recording, heard, until, day_begins(until, time_zone) if until else None)
