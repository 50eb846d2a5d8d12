"""What became of the training sample: counted by line, agent and month in the transaction of each change (G33, G34).

Counts alone: they outlive the recordings they count, and name no call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.schema.tables import sample_tallies
from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import Purpose, Reason


class Tallied(StrEnum):
    """What a call of the sample came to. One that was recorded may later be declined, reviewed or expire unseen."""

    DRAWN = "drawn"
    RECORDED = "recorded"
    DECLINED = "declined"
    """by the party: before, during or after the call"""
    REVIEWED = "reviewed"
    EXPIRED_UNSEEN = "expired_unseen"


_REVIEWED_ON = "reviewed_on"
"""beside REVIEWED, and in the place of the month the day of the review: for the reviewers' pace alone"""
_PACE = timedelta(weeks=4)
PACE_KEPT = timedelta(days=92)
"""tells a team that has just begun from one that has ceased"""
_WEEK = 7
_PARTY_S = frozenset(
    {
        Reason.DECLINED_BY_KEY,
        Reason.DECLINED_BY_VOICE,
        Reason.DECLINED_BY_SIP,
        Reason.DECLINED_EARLIER,
        Reason.WITHDRAWN,
        Reason.OBJECTION,
        Reason.GROUNDS_GIVEN,
    }
)
"""the reasons of an end that are the party's no"""


def tally(tx: Transaction, line: str, agent: str, month: str, what: str) -> None:
    """`month`: `YYYY-MM` of the day of that outcome, in the policy's time zone."""
    added = insert(sample_tallies).values(desk=tx.desk, line=line, agent=agent, month=month, what=str(what), count=1)
    there = [sample_tallies.c[name] for name in ("desk", "line", "agent", "month", "what")]
    tx.execute(
        added.on_conflict_do_update(index_elements=there, set_={"count": sample_tallies.c.count + added.excluded.count})
    )


def tally_call(tx: Transaction, call: Any, what: Tallied, day: date) -> None:
    """Of a call with `line` and `agent`."""
    tally(tx, call.line or "", call.agent or "", f"{day:%Y-%m}", what)


def tally_review(tx: Transaction, call: Any, today: date) -> None:
    """Also for the reviewers' pace; days that no longer matter to it go."""
    tally_call(tx, call, Tallied.REVIEWED, today)
    tally(tx, call.line or "", call.agent or "", today.isoformat(), _REVIEWED_ON)
    old = sample_tallies.c.month < (today - PACE_KEPT).isoformat()
    forget(tx, (sample_tallies.c.what == _REVIEWED_ON) & old)


def forget(tx: Transaction, which: ColumnElement[bool]) -> None:
    tx.execute(delete(sample_tallies).where(which))


def declines(entry: AuditEntry) -> bool:
    """Whether it says that the party said no to training, in this call or in an earlier one."""
    return says_no(entry.event, entry.params)


def says_no(event: str, params: Mapping[str, Any]) -> bool:
    if params.get("purpose") != Purpose.TRAINING:
        return False
    return event == "refused_earlier" or (event == "purpose_ended" and params.get("reason") in _PARTY_S)


def counted(heard: Collection[Tallied]) -> frozenset[Tallied]:
    """What is counted of a call: a no counts if the call was drawn, even if it came before that."""
    return frozenset(heard) if Tallied.DRAWN in heard else frozenset(heard) - {Tallied.DECLINED}


def of_months(
    connection: Connection, lines: Collection[str], agents: Collection[str], now: datetime, months: int
) -> Mapping[Tallied, int]:
    """What became of a team's sample in the last calendar months, the one that runs counted."""
    since = month_before(now, months)
    asked = (
        select(sample_tallies.c.what, func.sum(sample_tallies.c.count))
        .where(_of_team(lines, agents), sample_tallies.c.month >= since, sample_tallies.c.what != _REVIEWED_ON)
        .group_by(sample_tallies.c.what)
    )
    return Counter({Tallied(what): int(number) for what, number in connection.execute(asked)})


def of_desk(connection: Connection, desk: str, now: datetime, months: int) -> list[dict[str, str | int]]:
    """What one desk counted itself, of calls whose agent is known."""
    asked = select(sample_tallies).where(
        sample_tallies.c.desk == desk,
        sample_tallies.c.what.in_([one.value for one in Tallied if one is not Tallied.REVIEWED]),
        sample_tallies.c.month >= month_before(now, months),
        sample_tallies.c.agent != "",
    )
    names = ("line", "agent", "month", "what", "count")
    return [{name: row._mapping[name] for name in names} for row in connection.execute(asked)]


def month_before(now: datetime, months: int) -> str:
    """The first of the last so many calendar months, the one that runs counted."""
    today = now.astimezone(UTC).date()
    first = today.year * 12 + today.month - months
    return f"{first // 12:04}-{first % 12 + 1:02}"


def pace(connection: Connection, lines: Collection[str], agents: Collection[str], now: datetime) -> Fraction | None:
    """How many a team's reviewers have reviewed in a week, over the last four. None: they have not begun, or long ceased."""
    asked = (
        select(sample_tallies.c.month, sample_tallies.c.count)
        .where(_of_team(lines, agents), sample_tallies.c.what == _REVIEWED_ON)
        .order_by(sample_tallies.c.month)
    )
    return pace_of([(date.fromisoformat(day), int(number)) for day, number in connection.execute(asked)], now)


def pace_of(days: Sequence[tuple[date, int]], now: datetime) -> Fraction | None:
    """As `pace`, of the days on which so many were reviewed, the earliest first."""
    if not days:
        return None
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    number = sum(number for day, number in days if day > tomorrow - timedelta(days=1) - _PACE)
    # A team that began a week ago has had no four weeks yet.
    over = min(max((tomorrow - days[0][0]).days, _WEEK), _PACE.days)
    return Fraction(number * _WEEK, over)


def _of_team(lines: Collection[str], agents: Collection[str]) -> ColumnElement[bool]:
    """As the sample has it: an agent's on a line, where the team names both."""
    of_lines, of_agents = sample_tallies.c.line.in_(lines), sample_tallies.c.agent.in_(agents)
    if not agents:
        return of_lines
    return of_lines & or_(of_agents, sample_tallies.c.agent == "") if lines else of_agents
