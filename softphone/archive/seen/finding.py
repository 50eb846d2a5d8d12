"""What this person finds, and what they are told of one recording, without a sound."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.catalog import own_calls
from softphone.archive.finding.searching import count
from softphone.archive.log import audit
from softphone.archive.retention import holding
from softphone.archive.review.sample import living_in
from softphone.archive.schema.tables import review_comments, review_scores, reviews
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import permission
from softphone.domain.archive.decisions import HoldShown, RecordingShown
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.permission import narrowed, row_shown
from softphone.domain.archive.recordings import AuditRow, Cursor, OwnReview, Page, Query, RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.roles import FINDS, Permission

_MOST_OWN = 10_000


class Finding:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def page(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page:
        return self._asking.found(query, after, limit)

    def count(self, query: Query, progress: Progress | None = None) -> int:
        asking = self._asking
        each = [one for scope in asking.scopes_for(query) for one in narrowed(asking.viewer, scope, query)]
        return count(asking.archive, each, asking.now(), progress)

    def others(self, query: Query) -> int:
        asking, now = self._asking, self._asking.now()
        scopes = permission.search_scopes(asking.viewer, now)
        ours = next((one.sealed_for for one in scopes if one.permission is Permission.FIND_ALL), None)
        if not ours:
            return 0
        archive = asking.archive
        return count(archive, query, now) - count(archive, replace(query, sealed_for=ours), now)

    def only_own(self) -> Period | None:
        """How far back an agent finds own calls, where that is all they find."""
        scopes = permission.search_scopes(self._asking.viewer, self._asking.now())
        return (
            self._asking.viewer.own_calls if all(scope.permission is Permission.FIND_OWN for scope in scopes) else None
        )

    def own_numbers(self) -> dict[str, str]:
        """Of each own call of the last days, by the desk's list: who was on the line. A withheld number is not in it."""
        asking, found = self._asking, dict[str, str]()
        with asking.archive.catalog.reading() as connection:
            listed = own_calls.read(
                connection, asking.archive.secrets, asking.viewer.agents, asking.now().date(), _MOST_OWN
            )
        for one in listed:
            with suppress(ValueError, KeyError, TypeError):
                if number := str(json.loads(one.told)["number"]):
                    found[one.call] = number
        return found

    def show(self, id: str) -> RecordingShown:
        asking = self._asking
        archive, viewer, now = asking.archive, asking.viewer, asking.now()
        row = asking.meant(id, *FINDS)
        scope = asking.scope(row)
        if scope is None:
            asking.refuse(FINDS[0], call=row.call, recording=row.recording)
            raise ArchiveError("error.archive.not_among_yours")
        whole = [permission.is_shown_whole(viewer, one, custody=scope.custody) for one in row.holds]
        shown = row_shown(viewer, scope, row)
        holds = zip(holding.of_row(shown, now), whole, strict=True)
        return RecordingShown(
            shown,
            tuple(HoldShown(one, named=True, whole=all_of) for one, all_of in holds),
            numbers=scope.numbers,
            log=tuple(entries_of(archive, row)) if scope.log else None,
            review=own_review(archive, row.recording, now) if scope.permission is Permission.FIND_OWN else None,
        )


def entries_of(archive: Archive, row: RecordingRow) -> list[AuditRow]:
    """What happened to the recording and to its call, oldest first; another recording of that call is left out.

    Raises ArchiveError.
    """
    with archive.catalog.reading() as connection:
        of_call = audit.entries(connection, call=row.call)
        others = {entry.number for entry in of_call if entry.recording not in (None, row.recording)}
    told_of = [*archive.audit_of(call=row.call), *archive.audit_of(row.recording)]
    by_number = {entry.number: entry for entry in told_of if entry.number not in others}
    return [by_number[number] for number in sorted(by_number)]


def own_review(archive: Archive, recording: str, now: datetime) -> OwnReview:
    """Empty where it is not shared, and while its call may not be listened to for training (ADR 015)."""
    with archive.catalog.reading() as connection:
        shared = select(reviews.c.shared).where(reviews.c.recording == recording)
        if not connection.execute(shared).scalar() or not living_in(connection, [recording], now):
            return OwnReview()
        scores = connection.execute(
            select(review_scores.c.item, review_scores.c.points)
            .where(review_scores.c.recording == recording)
            .order_by(review_scores.c.item)
        ).all()
        comments = connection.execute(
            select(review_comments.c.sample, review_comments.c.text)
            .where(review_comments.c.recording == recording)
            .order_by(review_comments.c.sample, review_comments.c.at)
        ).all()
    return OwnReview(tuple((row.item, row.points) for row in scores), tuple((row.sample, row.text) for row in comments))
