"""The living training sample of own teams, over the service: lists, counts, figures, and what is opened for review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from softphone.archive.changes.tally import PACE_KEPT, Tallied, month_before, pace_of
from softphone.archive.crypto.wraps import fingerprint
from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.reviews import (
    Figures,
    Mark,
    Marks,
    NotReviewing,
    SampleFilter,
    SamplePage,
    SampleQuery,
    SampleRow,
    TeamLed,
    sought_of,
)
from softphone.domain.archive.teams import teams_led
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import local_day
from softphone.domain.sampling import judge_sample
from softphone.house.archive.asking import Asking, decoded
from softphone.house.archive.reviewing import Reviewing, RowTold, open_review, sample_row
from softphone.house.archive.told import answers, is_missing

_REVIEWED_ON = "reviewed_on"
_AT_ONCE = 500
"""recordings asked of in one question"""
_MONTHS = 3


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: tuple[RowTold, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    expires_on: date | None
    time_zone: str
    reviewed: bool
    number: int


@dataclass(frozen=True, slots=True)
class _Days:
    days: tuple[_Day, ...]


@dataclass(frozen=True, slots=True)
class _Figure:
    what: str
    span: str
    number: int


@dataclass(frozen=True, slots=True)
class _Figures:
    figures: tuple[_Figure, ...]


@dataclass(frozen=True, slots=True)
class _These:
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Marked:
    before: datetime | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Marks:
    agents: tuple[Mark, ...]
    teams: tuple[Mark, ...]


class Reviews:
    """`policy`: the signed one that this desk has; it says for whom comments are sealed."""

    def __init__(self, asking: Asking, policy: Callable[[], Policy | None]) -> None:
        self._asking = asking
        self._policy = policy
        self._now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def teams(self, policy: Policy) -> tuple[TeamLed, ...]:
        try:
            self._asking.tell("/v1/teams", method="GET")
        except ArchiveError as error:
            if error.code == "error.archive.not_your_team":
                raise NotReviewing("no_team") from None
            if error.code == "error.archive.not_yours":
                raise NotReviewing("no_key") from None
            raise
        self._policy = lambda: policy
        here = {one.id for one in policy.recipients(KeyRole.TRAINING) if _key_id(one.public_key) in self._keys}
        teams = tuple(one for one in policy.team if here & set(one.leads))
        return teams_led(Viewer(frozenset(), teams=teams, all_teams=not policy.team), policy)

    @property
    def _keys(self) -> tuple[str, ...]:
        """Those that the service has taken this person's word for."""
        return self._asking.viewer.keys.get(KeyRole.TRAINING, ())

    def page(self, query: SampleQuery, after: str | None = None, limit: int = 200) -> SamplePage:
        opened_at, _, last = (after or "").partition(" ")
        behind = {"opened_at": opened_at, "recording": last} if after else None
        body = {"sample": _told(query), "after": behind, "limit": limit}
        rows = self._asking.post("/v1/sample/page", body, _Rows).rows
        end = f"{rows[-1].opened_at.isoformat()} {rows[-1].recording}" if len(rows) == limit else None
        return SamplePage(tuple(map(sample_row, rows)), end)

    def counts(self, query: SampleQuery) -> Mapping[SampleFilter, int]:
        counted = Counter[SampleFilter]()
        for one in self._days(query):
            counted[SampleFilter.REVIEWED if one.reviewed else SampleFilter.WAITING] += one.number
            counted[SampleFilter.ALL] += one.number
        return {shown: counted[shown] for shown in SampleFilter}

    def figures(self, query: SampleQuery, capacity: int | None = None) -> Figures:
        now, team = self._now(), {"lines": list(query.lines), "agents": list(query.agents)}
        since_day = (now - PACE_KEPT).date().isoformat()
        body = {"team": team, "since": month_before(now, _MONTHS), "since_day": since_day}
        told = self._asking.post("/v1/sample/figures", body, _Figures).figures
        counted = Counter({one.what: one.number for one in told if one.what != _REVIEWED_ON})
        reviews = sorted((date.fromisoformat(one.span), one.number) for one in told if one.what == _REVIEWED_ON)
        a_week = pace_of(reviews, now)
        ends, days = Counter[date](), Counter[int]()
        for one in self._days(SampleQuery(query.lines, query.agents)):
            if not one.reviewed and one.expires_on:
                ends[one.expires_on] += one.number
                days[(one.expires_on - local_day(now, one.time_zone)).days] += one.number
        unseen = counted[Tallied.EXPIRED_UNSEEN]
        return Figures(
            drawn=counted[Tallied.DRAWN],
            recorded=counted[Tallied.RECORDED],
            declined=counted[Tallied.DECLINED],
            waiting=ends.total(),
            reviewed=counted[Tallied.REVIEWED],
            expired_unseen=unseen,
            reviewed_a_week=float(a_week) if a_week is not None else 0.0,
            oldest_expires=min(ends, default=None),
            verdict=judge_sample(counted[Tallied.DRAWN], days, unseen, capacity, a_week),
        )

    def marks(self) -> Marks:
        told = self._asking.get("/v1/marks", _Marks)
        return Marks(told.agents, told.teams)

    def row(self, recording: str) -> SampleRow | None:
        try:
            return sample_row(self._asking.get(f"/v1/sample/{recording}", RowTold))
        except ArchiveError as error:
            if is_missing(error):
                return None
            raise

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        asked, found = list(recordings), set[str]()
        for begin in range(0, len(asked), _AT_ONCE):
            body = {"recordings": asked[begin : begin + _AT_ONCE]}
            found |= {*self._asking.post("/v1/sample/living", body, _These).recordings}
        return found

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> Reviewing:
        return open_review(self._asking, recording, dict(items), self._policy)

    def still(self, recording: str) -> bool:
        return answers(self._asking, f"/v1/reviews/{recording}/still")

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:
        body = {"id": id, "heard": heard, "keep": str(keep) if keep else None}
        told = self._asking.post("/v1/reviews/mark", body, _Marked)
        return local_day(told.before, told.time_zone) if told.before else None

    def _days(self, query: SampleQuery) -> tuple[_Day, ...]:
        return self._asking.post("/v1/sample/days", _told(query), _Days).days


def _told(query: SampleQuery) -> dict[str, Any]:
    sought, spoken = sought_of(query.search)
    return {
        "lines": list(query.lines),
        "agents": list(query.agents),
        "shown": query.shown.value,
        "sought": sought,
        "spoken": spoken,
        "named": list(query.named),
        "since": query.since and query.since.isoformat(),
        "until": query.until and query.until.isoformat(),
    }


def _key_id(public_key: str) -> str:
    return fingerprint(decoded(public_key))
