"""What became of a team's training sample, in figures, and what they say about its size (G33, G34).

`tally` has what was counted, and this counts what waits; `domain.sampling` judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.changes.tally import Tallied, of_months, pace
from softphone.archive.review.sample import SampleQuery, living_in, waiting
from softphone.archive.schema.tables import calls, recordings, review_scores
from softphone.domain.archive.reviews import Figures, Mark
from softphone.domain.retention import local_day
from softphone.domain.sampling import Verdict, judge_sample

__all__ = ["Figures", "Verdict", "figures"]


def figures(
    archive: Archive,
    lines: tuple[str, ...],
    agents: tuple[str, ...],
    now: datetime,
    *,
    months: int = 3,
    capacity: int | None = None,
) -> Figures:
    """Of a team, as `SampleQuery` has it. `months` are calendar months, the current one included; `capacity` are the calls
    that the reviewers say they can review in a week. Raises ArchiveError."""
    with archive.catalog.reading() as connection:
        counted = of_months(connection, lines, agents, now, months)
        a_week = pace(connection, lines, agents, now)
    waits = waiting(archive, SampleQuery(lines, agents), now)
    days = Counter[int]()
    for one in waits:
        days[one.days] += one.count
    return Figures(
        drawn=counted[Tallied.DRAWN],
        recorded=counted[Tallied.RECORDED],
        declined=counted[Tallied.DECLINED],
        waiting=sum(one.count for one in waits),
        reviewed=counted[Tallied.REVIEWED],
        expired_unseen=counted[Tallied.EXPIRED_UNSEEN],
        reviewed_a_week=float(a_week) if a_week is not None else 0.0,
        oldest_expires=waits[0].expires_on if waits else None,
        verdict=judge_sample(counted[Tallied.DRAWN], days, counted[Tallied.EXPIRED_UNSEEN], capacity, a_week),
    )


def marks(archive: Archive, leads: Callable[[str | None, str | None], bool], now: datetime) -> Iterator[Mark]:
    """Points of each agent in each month, of living reviews alone. Raises ArchiveError."""
    asked = (
        select(
            *(recordings.c.recording, recordings.c.agent, recordings.c.line, recordings.c.opened_at, calls.c.time_zone),
            *(review_scores.c.item, review_scores.c.points),
        )
        .join(recordings, recordings.c.recording == review_scores.c.recording)
        .join(calls, calls.c.call == recordings.c.call)
    )
    counted, points = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    with archive.catalog.reading() as connection:
        rows = [row for row in connection.execute(asked) if leads(row.line, row.agent)]
        here = living_in(connection, {row.recording for row in rows}, now)
    for row in rows:
        if row.recording in here:
            month = f"{local_day(datetime.fromisoformat(row.opened_at), row.time_zone):%Y-%m}"
            counted[row.agent or "", month, row.item] += 1
            points[row.agent or "", month, row.item] += row.points
    return (Mark(*which, counted[which], points[which]) for which in sorted(counted))
