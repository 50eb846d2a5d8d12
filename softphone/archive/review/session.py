"""One call under review: listened to, commented on, scored, shared, and marked as reviewed (G33, G38).

A review is there as long as the call may be listened to for training, and goes with that (ADR 015). Each operation asks anew
whether it still may be: a call withdrawn while it plays is not reviewed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.ending import call_row, end_purpose
from softphone.archive.changes.sealing import drop_wraps
from softphone.archive.changes.tally import tally_review
from softphone.archive.files.container import RATE
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.retention.deleting import discard_what_nothing_keeps
from softphone.archive.retention.sweep import finish
from softphone.archive.review.sample import SampleRow, living_in, row_of
from softphone.archive.schema.tables import calls, purposes, recordings, review_comments, review_scores, reviews
from softphone.domain.archive.reviews import Comment, check_points, checked_comment
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended, kept_reviewed, local_day

USED = "reviewed"
"""the reason of a training that ended by having been used"""


def open_review(
    archive: Archive,
    recording: str,
    by: str,
    clock: Callable[[], datetime],
    *,
    items: Iterable[tuple[str, int]] = (),
    may: Callable[[], None] = lambda: None,
) -> Reviewing:
    """To listen to it and to judge it; to be closed. The audit log has it, or the refusal, before this returns.

    `recording`: its whole id. `by`: the id of the reviewer's key, no name. `items`: the score card, each with its most
    points. `may` raises before a change that this person may not make any more; who may open it is asked by `seen`.
    Raises ArchiveError: its training has ended, is held or has expired; its call still goes on; its file is damaged or missing.
    """
    now = clock()
    row = row_of(archive, recording, now)
    if row is None:
        raise _refused(archive, recording, now)
    reader = archive.open_recording(recording, now, role=KeyRole.TRAINING, by=by)
    return Reviewing(archive, row, reader, by, dict(items), clock, may)


class Reviewing:
    """A call that is open for review. For one thread. All but `close` raise ArchiveError once it may no longer be heard."""

    def __init__(
        self,
        archive: Archive,
        row: SampleRow,
        reader: OpenedRecording,
        by: str,
        items: Mapping[str, int],
        clock: Callable[[], datetime],
        may: Callable[[], None],
    ) -> None:
        self._archive = archive
        self._by = by
        self._items = items
        self._now = clock
        self._may = may
        self.row = row
        self.reader = reader

    def close(self) -> None:
        self.reader.close()

    def comments(self) -> tuple[Comment, ...]:
        """In the order of what they are about."""
        mine = select(review_comments).where(review_comments.c.recording == self.row.recording)
        with self._looking() as connection:
            rows = connection.execute(mine.order_by(review_comments.c.sample, review_comments.c.at)).all()
        return tuple(Comment(row.comment, row.sample, row.text, datetime.fromisoformat(row.at)) for row in rows)

    def comment(self, sample: int, text: str) -> Comment:
        """About one moment of it."""
        text = checked_comment(text)
        if not 0 <= sample <= self.reader.length:
            raise ArchiveError(
                "error.container.past_end", id=self.row.recording, length=f"{self.reader.length / RATE:.2f}"
            )
        with self._changing() as (tx, now):
            made = Comment(str(uuid7()), sample, text, now)
            tx.execute(insert(review_comments).values(comment=made.id, sample=sample, text=text, **self._told(now)))
            self._log(tx, "review_commented", now)
        return made

    def remove(self, comment_id: str) -> None:
        """Its text is in no page any more. A missing one changes nothing."""
        with self._changing() as (tx, now):
            here = review_comments.c.recording == self.row.recording
            gone = tx.execute(delete(review_comments).where(here, review_comments.c.comment == comment_id))
            if gone.rowcount:
                self._log(tx, "review_comment_removed", now)
        finish(self._archive)

    def scores(self) -> Mapping[str, int]:
        """Points by item, of those that have any."""
        mine = select(review_scores).where(review_scores.c.recording == self.row.recording)
        with self._looking() as connection:
            return {row.item: row.points for row in connection.execute(mine.order_by(review_scores.c.item))}

    def score(self, item: str, points: int) -> None:
        """Zero takes them back."""
        check_points(self._items, item, points)
        with self._changing() as (tx, now):
            this = (review_scores.c.recording == self.row.recording) & (review_scores.c.item == item)
            gone = tx.execute(delete(review_scores).where(this))
            if points:
                tx.execute(insert(review_scores).values(item=item, points=points, **self._told(now)))
            if points or gone.rowcount:
                self._log(tx, "review_scored", now)

    @property
    def shared(self) -> bool:
        """Whether the agent of the call may read its review."""
        mine = select(reviews.c.shared).where(reviews.c.recording == self.row.recording)
        with self._looking() as connection:
            return bool(connection.execute(mine).scalar())

    def share(self, on: bool) -> None:
        with self._changing() as (tx, now):
            was = tx.execute(select(reviews.c.shared).where(reviews.c.recording == self.row.recording)).scalar()
            if on == bool(was):
                return
            added = upsert(reviews).values(shared=int(on), **self._told(now))
            again = {"shared": added.excluded.shared, "at": added.excluded.at, "by": added.excluded.by}
            tx.execute(added.on_conflict_do_update(index_elements=["recording"], set_=again))
            self._log(tx, "review_shared" if on else "review_unshared", now)

    def others(self) -> tuple[str, ...]:
        """Nobody is told of: one archive is one machine's."""
        return ()

    @contextmanager
    def _looking(self) -> Generator[Connection]:
        with self._archive.catalog.reading() as connection:
            self._refuse_what_is_over(connection, self._now())
            yield connection

    @contextmanager
    def _changing(self) -> Generator[tuple[Transaction, datetime]]:
        self._may()
        now = self._now()
        with self._archive.catalog.writing() as tx:
            self._refuse_what_is_over(tx.connection, now)
            yield tx, now

    def _log(self, tx: Transaction, event: str, now: datetime) -> None:
        """Whose key it was, and nothing of what was said."""
        call = tx.execute(select(recordings.c.call).where(recordings.c.recording == self.row.recording))
        told = {"by": self._by, **self._archive.key_here(self.row.recording, KeyRole.TRAINING)}
        tx.log(AuditEntry(event, "G11", now, call.scalar_one(), self.row.recording, dict(told)))

    def _refuse_what_is_over(self, connection: Connection, now: datetime) -> None:
        if not living_in(connection, [self.row.recording], now):
            raise _not_living(connection, self.row.recording)

    def _told(self, now: datetime) -> dict[str, str]:
        return {
            "recording": self.row.recording,
            "desk": self._archive.desk,
            "at": now.isoformat(),
            "by": self._by,
        }


def mark_reviewed(
    archive: Archive,
    recording: str,
    by: str,
    now: datetime,
    *,
    heard: int = 0,
    keep: Period | None = None,
) -> bool:
    """Notes that `by` (a key's id; no name) has reviewed it, with the whole seconds of it that were `heard`, each counted
    once. False if it was reviewed before: then nothing changes.

    Training ends at once. If its line's policy said a period when it rang, it ends after that or `keep`, whichever is less,
    and never later than it would have. With it goes the review, and a recording that nothing else keeps. `seen` asks before
    who may. Raises ArchiveError, and KeyringError if the keys' store fails.
    """
    row = archive.find(recording, now)
    if reviewed_on(archive, row.recording):
        return False
    archive.keys_for(row, KeyRole.TRAINING, now, refusal="review_refused")
    key = archive.key_here(row.recording, KeyRole.TRAINING)
    this = (purposes.c.recording == row.recording) & (purposes.c.purpose == Purpose.TRAINING.value)
    with archive.catalog.writing() as tx:
        training, call = tx.execute(select(purposes).where(this)).first(), call_row(tx.connection, row.recording)
        if training is None or call is None or not living_in(tx.connection, [row.recording], now):
            # It still goes on, or an opt-out or a hold was quicker.
            raise _not_living(tx.connection, row.recording)
        if training.reviewed_at is not None:
            return False
        said = Period.parse(training.keep_reviewed) if training.keep_reviewed else None
        ends_on = date.fromisoformat(training.expires_on) if training.expires_on is not None else None
        kept = kept_reviewed(now, said, keep, ends_on, call.time_zone)
        params: dict[str, str | int | bool | None] = {"by": by, "line": row.line, "heard": heard, **key}
        tx.log(AuditEntry("recording_reviewed", "G33", now, row.call, row.recording, params))
        tx.execute(update(purposes).where(this).values(reviewed_at=now.isoformat()))
        tally_review(tx, call, local_day(now, call.time_zone))
        if kept is None:
            drop_wraps(tx, row.recording, KeyRole.TRAINING)
            end_purpose(tx, row.recording, Purpose.TRAINING, Ended.EXPIRED, USED)
            tx.log(AuditEntry("training_used", "G38", now, row.call, row.recording))
            discard_what_nothing_keeps(tx, row.recording, now)
        else:
            tx.execute(update(purposes).where(this).values(expires_on=kept.isoformat()))
    finish(archive, deleted=kept is None)
    return True


def reviewed_on(archive: Archive, recording: str) -> date | None:
    """The day on which it was reviewed, even if it is no longer used for training."""
    asked = (
        select(purposes.c.reviewed_at, calls.c.time_zone)
        .join(recordings, recordings.c.recording == purposes.c.recording)
        .join(calls, calls.c.call == recordings.c.call)
        .where(purposes.c.recording == recording, purposes.c.reviewed_at.is_not(None))
    )
    with archive.catalog.reading() as connection:
        row = connection.execute(asked).first()
    return local_day(datetime.fromisoformat(row.reviewed_at), row.time_zone) if row else None


def _refused(archive: Archive, recording: str, now: datetime) -> ArchiveError:
    """Why nobody can listen to it for training at all. The audit log notes the attempt."""
    row = archive.find(recording, now)
    with archive.catalog.reading() as connection:
        error = _not_living(connection, row.recording)
    told = {"role": KeyRole.TRAINING.value, "why": error.code.rpartition(".")[2]}
    archive.note_refusal("opening_refused", "G11", now, call=row.call, recording=row.recording, **told)
    return error


def _not_living(connection: Connection, recording: str) -> ArchiveError:
    over = select(recordings.c.closed_at, recordings.c.broke_off_at).where(recordings.c.recording == recording)
    row = connection.execute(over).first()
    if row is not None and row.closed_at is None and row.broke_off_at is None:
        return ArchiveError("error.archive.still_running", id=recording)
    return ArchiveError("error.archive.closed_to_role", id=recording, role=KeyRole.TRAINING.value)
