"""What leads say of a call of the living training sample. Words are sealed on the desk: here they pass through."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.archive.reviews import SampleFilter
from softphone.domain.errors import TeamError
from softphone.domain.policy.period import Period
from softphone.domain.retention import day_begins, kept_reviewed
from softphone.team.rows.pool import Row, Rows, Transaction

_log = logging.getLogger(__name__)
_MOMENT = 0.3
"""seconds that whoever asks waits for a count"""
_FAILED = 60.0
"""seconds until it is counted again"""
OPEN = "SELECT * FROM review_open(%s)"
CLOSE = "SELECT review_close(%s)"
COMMENT = "SELECT comment_put(%s, %s, %s, %s, %s)"
REMOVE = "SELECT comment_remove(%s)"
SCORE = "SELECT score_put(%s, %s, %s, %s)"
SHARE = "SELECT review_share(%s, %s, %s)"
VOUCH = "SELECT review_vouch(%s, %s)"
MARK = "SELECT review_mark(%s, %s, %s, %s)"
COMMENTS = (
    "SELECT comment, sample, answers, at, person, role, key_id, suite, sealed FROM review_comments"
    " JOIN comment_seals USING (comment) WHERE recording = %s ORDER BY sample, at, comment"
)
SCORES = "SELECT item, points, version, person FROM review_scores WHERE recording = %s ORDER BY item"
PAGE = "SELECT * FROM sample_page(%s, %s, %s, %s)"
ROW = "SELECT * FROM sample_row(%s)"
DAYS = "SELECT * FROM sample_days(%s)"
LIVING = "SELECT recording FROM sample_living(%s)"
TALLIES = "SELECT tallies_put(%s)"
WAITING = "SELECT sample_waiting() AS waiting"
FIGURES = "SELECT * FROM sample_figures(%s, %s, %s, %s)"
MARKS = "SELECT * FROM marks_living()"
GROUPS = "SELECT * FROM marks_groups()"
READ = (
    "SELECT review_read(one) || jsonb_build_object('vouched', (SELECT vouched FROM reviews WHERE recording = one))"
    " FROM (VALUES (%s::uuid)) AS asked (one)"
)
STILL = "SELECT review_still(%s)"
MARKED = "SELECT * FROM review_marked(%s)"
TERMS = "SELECT * FROM review_terms(%s)"
KEY = "SELECT reading_key_put(%s, %s)"
SEAL = "SELECT review_seal(%s, %s, %s)"
SHARED_WITH_ME = "SELECT * FROM shared_reviews()"
SHARED_READ = "SELECT shared_read(%s)"
SHARED_OPEN = "SELECT segment, suite, sealed FROM shared_open(%s)"
SHARED_FILE = "SELECT * FROM shared_file(%s)"
WRAPS = "SELECT segment, key_id, suite, sealed FROM wraps WHERE recording = %s AND role = 'training' ORDER BY segment, key_id"


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


async def share(tx: Transaction, recording: UUID, on: bool, seen: int, vouched: str | None) -> int:
    """As `score`."""
    version = await tx.value(SHARE, recording, on, seen)
    await tx.all(VOUCH, recording, vouched)
    return version


async def mark(tx: Transaction, recording: UUID, heard: int, keep: Period | None, now: datetime) -> Row | None:
    """It has been used: training ends now, or on the day that its policy's period and `keep` give.

    Returns when it was reviewed before, by whomever (`reviewed_at`, `time_zone`), and changes nothing then.
    """
    before = await tx.row(MARKED, recording)
    if before is not None:
        return before
    terms = await tx.row(TERMS, recording)
    said = Period.parse(terms["keep_reviewed"]) if terms and terms["keep_reviewed"] else None
    zone = terms["time_zone"] if terms else "UTC"
    until = kept_reviewed(now, said, keep, None, zone)
    # Whoever was faster has it in between: then it tells when.
    at = await tx.value(MARK, recording, heard, until, day_begins(until, zone) if until else None)
    return {"reviewed_at": at, "time_zone": zone} if at else None


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose sample, and which of it (`SampleQuery`). `spoken`: the search as a name is read."""

    lines: Sequence[str]
    agents: Sequence[str]
    shown: SampleFilter = SampleFilter.ALL
    sought: str = ""
    spoken: str = ""
    named: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def row(self) -> Jsonb:
        told = asdict(self)
        for name in ("since", "until"):
            moment: datetime | None = told[name]
            told[name] = moment.isoformat() if moment else None
        return Jsonb(told)


async def page(tx: Transaction, asked: Asked, after: tuple[datetime, UUID] | None, most: int) -> Sequence[Row]:
    """Newest first. Raises NotPermittedError for what is no own team's, as the three below do."""
    at, last = after or (None, None)
    return await tx.all(PAGE, asked.row(), at, last, most)


async def days(tx: Transaction, asked: Asked) -> Sequence[Row]:
    """How many there are, by the day on which they end."""
    return await tx.all(DAYS, asked.row())


async def figures(
    tx: Transaction, lines: Sequence[str], agents: Sequence[str], since: str, since_day: str
) -> Sequence[Row]:
    """What became of it from a month (2026-11) on, and the days of reviews from a day on."""
    return await tx.all(FIGURES, list(lines), list(agents), since, since_day)


async def living(tx: Transaction, these: Sequence[UUID]) -> set[UUID]:
    return {row["recording"] for row in await tx.all(LIVING, list(these))}


async def forget(tx: Transaction) -> int:
    """By the sweeper: figures that are too old, and points of teams of which too few agents are in them."""
    return await tx.value("SELECT marks_forget()")


async def hear(tx: Transaction, recording: UUID) -> Sequence[Row]:
    """Their wraps, once the log has it. A window that crashed has not closed it: each opening is logged."""
    await tx.all(CLOSE, recording)
    await tx.all(OPEN, recording)
    return await tx.all(WRAPS, recording)


class Backlog:
    """What waits for review in the whole house, which is the same for every agent who asks: by line and day.

    Each desk asks each minute, and to count takes the longer the more there is. So one counts at a time, and a count stands fifty
    times as long as it took. Nobody queues for it: what takes longer than a moment is told to whoever asks next.
    """

    def __init__(self) -> None:
        self._told: dict[str, dict[str, int]] | None = None
        self._until = 0.0
        self._counting: asyncio.Task[None] | None = None

    async def told(self, rows: Rows, token: str) -> dict[str, dict[str, int]] | None:
        """None: nothing is counted yet, or the last count failed. `token`: of an agent."""
        if time.monotonic() >= self._until and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count(rows, token))
        if self._counting is not None:
            await asyncio.wait([self._counting], timeout=_MOMENT)
        return self._told

    async def _count(self, rows: Rows, token: str) -> None:
        began, rests = time.monotonic(), 0.0
        try:
            row = await rows.once(token, WAITING)
            self._told = row["waiting"] if row else None
        except TeamError as error:
            # A desk goes by what it last heard. What is told here again would be taken for new.
            self._told, rests = None, _FAILED
            _log.warning("the reviewers' backlog is not counted: %s", error.code)
        finally:
            self._until = time.monotonic() + max(rests, 50 * (time.monotonic() - began))
