"""The training sample of the teams that this person leads, and one call of it under review (G33, G38)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.review import panel, sample, session
from softphone.archive.review.session import Reviewing
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import permission
from softphone.domain.archive.reviews import (
    Figures,
    Marks,
    NotReviewing,
    SampleFilter,
    SamplePage,
    SampleQuery,
    SampleRow,
    TeamLed,
)
from softphone.domain.archive.teams import teams_led
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission


class Reviews:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def teams(self, policy: Policy) -> tuple[TeamLed, ...]:
        viewer = self._asking.viewer
        if why := self._why_not(policy):
            self._asking.refuse(Permission.REVIEW)
            raise NotReviewing(why)
        return teams_led(viewer, policy)

    def _why_not(self, policy: Policy) -> str:
        asking = self._asking
        if asking.viewer.key_ids.get(KeyRole.TRAINING):
            return "" if asking.viewer.teams or asking.viewer.all_teams else "no_team"
        # Where the policy names a key that is here, it is the recordings that are missing: a key counts by what it opens.
        training = [one for one in policy_recipients(policy) if one.role is KeyRole.TRAINING]
        here = any(asking.archive.private_key(one.key_id) is not None for one in training)
        return "no_sample" if here else "no_key"

    def page(self, query: SampleQuery, after: str | None = None, limit: int = 200) -> SamplePage:
        self._require(query)
        return sample.page(self._asking.archive, query, self._asking.now(), after, limit)

    def counts(self, query: SampleQuery) -> Mapping[SampleFilter, int]:
        self._require(query)
        return sample.counts(self._asking.archive, query, self._asking.now())

    def figures(self, query: SampleQuery, capacity: int | None = None) -> Figures:
        self._require(query)
        return panel.figures(self._asking.archive, query.lines, query.agents, self._asking.now(), capacity=capacity)

    def marks(self) -> Marks:
        """Nothing is kept of reviews that have ended (ADR 015)."""
        with self._asking.refusing():
            permission.require(self._asking.viewer, Permission.REVIEW)
        return Marks(tuple(panel.marks(self._asking.archive, self._asking.viewer.leads, self._asking.now())))

    def row(self, recording: str) -> SampleRow | None:
        viewer = self._asking.viewer
        found = sample.row_of(self._asking.archive, recording, self._asking.now())
        # Where the policy names no team, everybody would lead all.
        sees = found and viewer.may(Permission.REVIEW) and viewer.leads(found.line, found.agent)
        return found if sees else None

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        with self._asking.refusing():
            permission.require(self._asking.viewer, Permission.REVIEW)
        return sample.living(self._asking.archive, recordings, self._asking.now())

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> Reviewing:
        asking = self._asking

        def may() -> None:
            asking.require(Permission.REVIEW, recording=recording)

        may()
        return session.open_review(asking.archive, recording, self._by, asking.now, items=items, may=may)

    def still(self, recording: str) -> bool:
        """Whether what is open may be listened to at this moment. Raises ArchiveError where their policy counts no more."""
        asking = self._asking
        if error := asking.unsigned():
            raise error
        return bool(sample.living(asking.archive, [recording], asking.now()))

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:
        asking = self._asking
        recording = asking.meant(id, Permission.REVIEW).recording
        asking.require(Permission.REVIEW, recording=recording)
        now = asking.now()
        if session.mark_reviewed(asking.archive, recording, self._by, now, heard=heard, keep=keep):
            return None
        return session.reviewed_on(asking.archive, recording)

    def _require(self, query: SampleQuery) -> None:
        with self._asking.refusing():
            permission.require_team(self._asking.viewer, query)

    @property
    def _by(self) -> str:
        """The id of the reviewer's key, no name. Without one they are refused, and the log tells of it."""
        return next(iter(self._asking.viewer.key_ids.get(KeyRole.TRAINING, ())), "")
