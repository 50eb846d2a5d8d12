"""The training sample in memory, and a call of it under review. Not a test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from softphone.domain import retention as k
from softphone.domain.archive import permission
from softphone.domain.archive import reviews as v
from softphone.domain.archive.teams import teams_led
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission
from softphone.domain.sampling import Verdict
from tests.archive.contract.memory_sound import Tone
from tests.archive.contract.memory_store import TRAINING, ZONE, Asking, Part, Stored


class Reviews(Part):
    def teams(self, policy: Policy) -> tuple[v.TeamLed, ...]:
        if not self.a.viewer.key_ids.get(KeyRole.TRAINING):
            self.a.store.note("refused", self.a.now(), deed=Permission.REVIEW.value)
            raise v.NotReviewing("no_key")
        return teams_led(self.a.viewer, policy)

    def page(self, query: v.SampleQuery, after: str | None = None, limit: int = 200) -> v.SamplePage:
        wanted = {
            v.SampleFilter.WAITING: (False,),
            v.SampleFilter.REVIEWED: (True,),
            v.SampleFilter.ALL: (False, True),
        }[query.shown]
        rows = [row for row in self._sample(query) if bool(row.reviewed_at) in wanted]
        return v.SamplePage(tuple(rows[:limit]), None)

    def counts(self, query: v.SampleQuery) -> Mapping[v.SampleFilter, int]:
        rows = self._sample(query)
        reviewed = sum(row.reviewed_at is not None for row in rows)
        return {
            v.SampleFilter.WAITING: len(rows) - reviewed,
            v.SampleFilter.REVIEWED: reviewed,
            v.SampleFilter.ALL: len(rows),
        }

    def figures(self, query: v.SampleQuery, capacity: int | None = None) -> v.Figures:
        waiting = self.counts(query)[v.SampleFilter.WAITING]
        return v.Figures(waiting, waiting, 0, waiting, 0, 0, 0.0, None, Verdict.FITS)

    def row(self, recording: str) -> v.SampleRow | None:
        one = self.a.store.stored.get(recording)
        seen = one and one.trains(self.a.now()) and self.a.viewer.leads(one.line, one.agent)
        return _sample_row(one) if one and seen else None

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        self.a.require(Permission.REVIEW)
        stored, now = self.a.store.stored, self.a.now()
        return {one for one in recordings if one in stored and stored[one].trains(now)}

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> Reviewing:
        one = self.a.store.stored[recording]
        self.a.require(Permission.REVIEW, one)
        self.a.closed(one, KeyRole.TRAINING, one.trains(self.a.now()))
        self.a.store.note("recording_opened", self.a.now(), recording)
        return Reviewing(self.a, one, dict(items))

    def still(self, recording: str) -> bool:
        return bool(self.living([recording]))

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:
        one, now = self.a.meant(id, Permission.REVIEW), self.a.now()
        self.a.require(Permission.REVIEW, one)
        if one.reviewed:
            return k.local_day(one.reviewed, ZONE)
        self.a.closed(one, KeyRole.TRAINING, one.trains(now))
        one.reviewed = now
        one.purposes[TRAINING] = replace(one.purposes[TRAINING], stands=k.Ended.EXPIRED, sealed=False)
        self.a.store.note("recording_reviewed", now, one.recording)
        self.a.store.settle(one, now)
        return None

    def _sample(self, query: v.SampleQuery) -> list[v.SampleRow]:
        with self.a.refusing():
            permission.require_team(self.a.viewer, query)
        of_team = [
            one for one in self.a.store.stored.values()
            if one.trains(self.a.now()) and (not query.agents or one.agent in query.agents)
            and (not query.lines or one.line in query.lines)
        ]  # fmt: skip
        return [_sample_row(one) for one in sorted(of_team, key=lambda one: one.at, reverse=True)]


def _sample_row(one: Stored) -> v.SampleRow:
    ends = one.lives().get(TRAINING)
    return v.SampleRow(
        one.recording, one.agent, one.line, one.at, 1.0, ZONE, ends, one.reviewed, len(one.comments), False
    )


class Reviewing:
    def __init__(self, asking: Asking, one: Stored, items: Mapping[str, int]) -> None:
        self.a, self.one, self.items = asking, one, items
        self.row, self.reader = _sample_row(one), Tone()

    @property
    def shared(self) -> bool:
        return self._living().shared

    def comments(self) -> tuple[v.Comment, ...]:
        return tuple(self._living().comments)

    def comment(self, sample: int, text: str) -> v.Comment:
        made = v.Comment(str(len(self.one.comments)), sample, text, self.a.now())
        self._living().comments.append(made)
        return made

    def remove(self, comment_id: str) -> None:
        self.one.comments = [one for one in self._living().comments if one.id != comment_id]

    def scores(self) -> Mapping[str, int]:
        return dict(self._living().scores)

    def score(self, item: str, points: int) -> None:
        if not 0 <= points <= self.items.get(item, -1):
            raise ArchiveError("error.review.not_on_the_card", item=item, points=points)
        self._living().scores[item] = points

    def share(self, on: bool) -> None:
        self._living().shared = on

    def close(self) -> None:
        pass

    def _living(self) -> Stored:
        self.a.closed(self.one, KeyRole.TRAINING, Reviews(self.a).still(self.one.recording))
        return self.one
