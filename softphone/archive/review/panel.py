"""What became of a team's training sample, in figures, and what they say about its size (G33, G34).

`tally` has what was counted, and this counts what waits; `domain.sampling` judges.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.changes.tally import Tallied, of_months, pace
from softphone.archive.review.sample import SampleQuery, waiting
from softphone.domain.archive.reviews import Figures
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
