"""What this person finds in the house, and what they are told of one recording, without a sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from softphone.domain.archive.decisions import HoldShown, RecordingShown, Standing
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.recordings import AuditRow, Cursor, OwnReview, Page, Query, RecordingRow
from softphone.domain.policy.period import Period
from softphone.domain.retention import hold_state, local_day
from softphone.domain.roles import Role
from softphone.house.archive.asking import Asking, RowTold, listed


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[RowTold, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown(RowTold):
    numbers: bool
    log: tuple[AuditRow, ...] | None
    own: bool
    whole: tuple[bool, ...]
    now: datetime


class Finding:
    def __init__(self, asking: Asking, own_review: Callable[[str], OwnReview] = lambda _recording: OwnReview()) -> None:
        """`own_review`: what is shared of an own call's review."""
        self._asking = asking
        self._own_review = own_review

    def page(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page:
        body = {**told_of(query), "after": str(after) if after else None, "limit": limit}
        found = self._asking.post("/v1/recordings/find", body, _Page)
        return Page(
            tuple(self._asking.row(one) for one in found.rows), Cursor.parse(found.next) if found.next else None
        )

    def count(self, query: Query, progress: Progress | None = None) -> int:  # noqa: ARG002 - it is one question
        return self._asking.post("/v1/recordings/count", told_of(query), _Count).count

    def only_own(self) -> Period | None:
        viewer = self._asking.viewer
        return viewer.reaches_back if viewer.roles <= {Role.AGENT} else None

    def others(self, query: Query) -> int:  # noqa: ARG002
        """None: the newest policy's custody keys find all that the house has."""
        return 0

    def show(self, id: str) -> RecordingShown:
        told = self._asking.post("/v1/recordings/show", {"id": id}, _Shown)
        row = self._asking.row(told, numbers=told.numbers)
        holds = zip(standing_of(row, told.now), told.whole, strict=False)
        return RecordingShown(
            row,
            tuple(HoldShown(one, named=True, whole=whole) for one, whole in holds),
            numbers=told.numbers,
            log=told.log,
            review=self._own_review(row.recording) if told.own else None,
        )


def told_of(query: Query) -> dict[str, Any]:
    """As the service takes it. `sealed_for` is the service's to add."""
    return {
        "number": query.number,
        "since": query.since and query.since.isoformat(),
        "until": query.until and query.until.isoformat(),
        "lines": listed(query.lines),
        "agents": listed(query.agents),
        "opens_for": query.opens_for and query.opens_for.value,
        "held": query.held,
        "begins": query.begins,
    }


def standing_of(row: RecordingRow, now: datetime) -> list[Standing]:
    """The holds on one recording, oldest first."""
    today = local_day(now, row.time_zone)
    alone = not row.kept
    return [
        Standing(
            row.recording,
            replace(one),
            hold_state(
                provisional_until=one.provisional_until,
                confirm_by=one.confirm_by,
                look_again=one.look_again,
                now=now,
                today=today,
            ),
            alone,
            row.time_zone,
        )
        for one in row.holds
    ]
