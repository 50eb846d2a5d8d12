"""A second archive behind the interface, plain and in memory: the domain's rules, dictionaries and nothing else. Not a test.

It seals nothing and forgets all at the end. What it can do with so little, a house's archive can.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from softphone.domain.archive import permission
from softphone.domain.archive.decisions import (
    Case,
    CaseKind,
    Decided,
    HoldSeen,
    HoldsSeen,
    Lifted,
    Own,
    PurposesEnded,
    Raised,
    RecordingShown,
    Right,
    Standing,
    TakenBack,
    ToJudge,
)
from softphone.domain.archive.permission import FINDS, OPENS, Refused, Sealed, Sight, Viewer
from softphone.domain.archive.recordings import (
    RATE,
    AuditRow,
    Cursor,
    Exported,
    HoldRow,
    Mark,
    OwnReview,
    Page,
    Query,
    RecordingRow,
    Sound,
    opens_for,
)
from softphone.domain.archive.reviews import (
    Comment,
    Figures,
    NotReviewing,
    SamplePage,
    SampleQuery,
    SampleRow,
    Shown,
    TeamLed,
)
from softphone.domain.archive.teams import teams_led
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.events import Terms
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, KeyRole, Purpose
from softphone.domain.retention import (
    ANSWER_WITHIN,
    JUDGE_WITHIN,
    Ended,
    HoldStanding,
    answer_by,
    has_expired,
    hold_state,
    is_kept,
    judge_by,
    keep_at_most,
    local_day,
)
from softphone.domain.roles import Deed
from softphone.domain.sampling import Verdict

ZONE = "Europe/Copenhagen"
TRAINING = Purpose.TRAINING


@dataclass
class Kept:
    expires: date
    judged: bool = False
    stands: Ended = Ended.KEEPS
    sealed: bool = True


@dataclass
class Stored:
    """A recording. `keys`: for whom it is sealed in each role, as long as its purpose is."""

    recording: str
    line: str
    agent: str
    number: str
    at: datetime
    purposes: dict[Purpose, Kept]
    keys: Mapping[KeyRole, str]
    case: CaseKind | None = None
    holds: list[HoldRow] = field(default_factory=list[HoldRow])
    comments: list[Comment] = field(default_factory=list[Comment])
    scores: dict[str, int] = field(default_factory=dict[str, int])
    shared: bool = False
    reviewed: datetime | None = None

    def sealed(self) -> dict[KeyRole, str]:
        roles = {KeyRole(one.value) for one, kept in self.purposes.items() if kept.sealed} | {KeyRole.CUSTODY}
        return {role: key for role, key in self.keys.items() if role in roles}

    def is_for(self, keys: permission.Keys) -> bool:
        return self.sealed().get(keys[0]) in keys[1]

    def lives(self) -> dict[Purpose, date]:
        return {one: kept.expires for one, kept in self.purposes.items() if kept.stands is Ended.KEEPS}

    def waits(self, now: datetime, within: Period = JUDGE_WITHIN) -> list[Purpose]:
        def does(day: date) -> bool:
            until = judge_by(day, within, listed_on=day)
            return has_expired(day, now, ZONE) and not has_expired(until, now, ZONE)

        return [one for one, day in self.lives().items() if self.purposes[one].judged and does(day)]

    def row(self, now: datetime) -> RecordingRow:
        held, restricted = bool(self.holds), self.case.value if self.case else None
        waits = bool(self.waits(now))
        sealed = {one.value for one in self.sealed()}
        opens = opens_for(sealed, self.lives(), now, ZONE, held=held, waits=waits, restricted=restricted)
        return RecordingRow(
            self.recording, f"call-{self.recording}", self.line, Direction.INBOUND, self.number, self.at,
            self.at + timedelta(seconds=1), opens, self.lives(), tuple(self.holds), restricted, 0, ZONE, self.agent,
        )  # fmt: skip

    def trains(self, now: datetime) -> bool:
        return KeyRole.TRAINING in self.row(now).opens_for and not self.case


@dataclass
class Store:
    """What everybody sees a part of."""

    stored: dict[str, Stored] = field(default_factory=dict[str, Stored])
    log: list[AuditRow] = field(default_factory=list[AuditRow])

    def note(self, event: str, now: datetime, recording: str | None = None, **params: str) -> None:
        self.log.append(AuditRow(len(self.log) + 1, now, event, "G11", params, recording))

    def settle(self, one: Stored, now: datetime) -> bool:
        """What nothing keeps is gone."""
        holds = (HoldStanding(HoldBy(hold.raised_for).by_party) for hold in one.holds)
        if is_kept((kept.stands for kept in one.purposes.values()), holds, now=now):
            return False
        del self.stored[one.recording]
        return True


class MemoryArchive:
    def __init__(self, store: Store, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.store, self.viewer, self.now = store, viewer, clock
        self.find, self.holds, self.rights = Finding(self), Holds(self), Rights(self)
        self.judging, self.cases, self.reviews = Judging(self), Cases(self), Reviews(self)

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        viewer = self.viewer
        one = self.meant(id, *([OPENS[role]] if role else sorted(OPENS.values(), key=viewer.may, reverse=True)))
        row = one.row(self.now())
        with self.refusing(one):
            chosen = permission.role_to_open(viewer, row, role, why=why, case=case) or row.opens_for[0]
        self.closed(one, chosen, chosen in row.opens_for)
        return Opening(self, one, row, chosen)

    def written(self) -> Hashable:
        return len(self.store.log), len(self.store.stored)

    def beside(self) -> MemoryArchive:
        return MemoryArchive(self.store, self.viewer, self.now)

    def close(self) -> None:
        pass

    # --- what all parts share -----------------------------------------------------------------------

    @contextmanager
    def refusing(self, one: Stored | None = None) -> Generator[None]:
        try:
            yield
        except Refused as error:
            self.store.note("refused", self.now(), one.recording if one else None, deed=error.deed.value)
            raise error.fault from None

    def closed(self, one: Stored, role: KeyRole, opens: bool) -> None:
        if not opens:
            self.store.note("opening_refused", self.now(), one.recording, role=role.value)
            raise ArchiveError("error.archive.closed_to_role", id=one.recording, role=role.value)

    def require(self, deed: Deed, one: Stored | None = None) -> None:
        with self.refusing(one):
            permission.require(self.viewer, deed, (one.line, one.agent) if one else None)

    def sealed(self, one: Stored) -> Sealed:
        return lambda keys: one.is_for(keys)

    def sight(self, one: Stored) -> Sight | None:
        return permission.sight_of(self.viewer, one.row(self.now()), self.sealed(one), self.now())

    def opens(self, recording: str) -> bool:
        return permission.opens(self.viewer, KeyRole.CUSTODY, self.sealed(self.store.stored[recording]))

    def meant(self, id: str, *deeds: Deed) -> Stored:
        begins = [one for key, one in self.store.stored.items() if id and key.startswith(id)]
        exact = self.store.stored.get(id)
        with self.refusing(exact):
            permission.require_any(self.viewer, deeds)
        mine = begins if self.viewer.finds_all else [one for one in begins if self.sight(one)]
        if exact or len(mine) == 1:
            return exact or mine[0]
        if mine:
            raise ArchiveError("error.archive.ambiguous", id=id)
        if self.viewer.finds_all:
            raise ArchiveError("error.archive.no_such_recording", id=id)
        self.store.note("refused", self.now(), deed=deeds[0].value)
        raise ArchiveError("error.archive.not_among_yours")


class Part:
    def __init__(self, archive: MemoryArchive) -> None:
        self.a = archive

    def of_number(self, number: str) -> list[Stored]:
        return [one for one in self.a.store.stored.values() if one.number == number]


class Finding(Part):
    def page(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page:
        rows = sorted(self._all(query).values(), key=lambda row: (row.opened_at, row.recording), reverse=True)
        rows = [row for row in rows if not after or (row.opened_at, row.recording) < (after.opened_at, after.recording)]
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(tuple(rows[:limit]), Cursor(last.opened_at, last.recording) if last else None)

    def count(self, query: Query, progress: object = None) -> int:
        return len(self._all(query))

    def others(self, query: Query) -> int:
        sees = [one for one in permission.sights(self.a.viewer, self.a.now()) if one.custody and one.sealed_for]
        every = [one for one in self.a.store.stored.values() if _fits(query, one, self.a.now())]
        return len(every) - len(self._all(query)) if sees else 0

    def only_own(self) -> Period | None:
        sights = permission.sights(self.a.viewer, self.a.now())
        return self.a.viewer.own_calls if all(one.deed is Deed.FIND_OWN for one in sights) else None

    def show(self, id: str) -> RecordingShown:
        one, now, viewer = self.a.meant(id, *FINDS), self.a.now(), self.a.viewer
        sight = self.a.sight(one)
        if sight is None:
            self.a.store.note("refused", now, one.recording, deed=FINDS[0].value)
            raise ArchiveError("error.archive.not_among_yours")
        shown = permission.told(viewer, sight, one.row(now))
        whole = [permission.is_whole(viewer, hold, custody=sight.custody) for hold in one.holds]
        review = OwnReview(tuple(one.scores.items()), tuple((it.sample, it.text) for it in one.comments))
        return RecordingShown(
            shown,
            tuple(HoldSeen(_standing(one, h, now), True, w) for h, w in zip(shown.holds, whole, strict=True)),
            sight.numbers,
            tuple(row for row in self.a.store.log if row.recording == one.recording) if sight.log else None,
            None if sight.deed is not Deed.FIND_OWN else review if one.shared and one.trains(now) else OwnReview(),
        )

    def _all(self, query: Query) -> dict[str, RecordingRow]:
        now, found = self.a.now(), dict[str, RecordingRow]()
        with self.a.refusing():
            sights = permission.sights_for(self.a.viewer, query, now)
        for sight in sights:
            for each in permission.narrowed(self.a.viewer, sight, query):
                for one in self.a.store.stored.values():
                    if _fits(each, one, now):
                        found.setdefault(one.recording, permission.told(self.a.viewer, sight, one.row(now)))
        return found


def _fits(query: Query, one: Stored, now: datetime) -> bool:
    return (
        query.number in (None, one.number)
        and (query.since is None or one.at >= query.since)
        and (query.until is None or one.at < query.until)
        and (query.lines is None or one.line in query.lines)
        and (query.agents is None or one.agent in query.agents)
        and (query.opens_for is None or query.opens_for in one.row(now).opens_for)
        and (query.sealed_for is None or one.is_for(query.sealed_for))
        and query.held in (None, bool(one.holds))
        and one.recording.startswith(query.begins)
    )


class Opening:
    def __init__(self, archive: MemoryArchive, one: Stored, row: RecordingRow, role: KeyRole) -> None:
        self.a, self.row, self.role = archive, row, role

    @contextmanager
    def sound(self, seconds: float | None = None) -> Generator[Sound]:
        self.a.store.note("recording_opened", self.a.now(), self.row.recording, role=self.role.value)
        yield Sound(RATE, Tone().pcm, ())

    def export(self, file: str, go_on: Callable[[int, int], object]) -> Exported:
        self.a.store.note("recording_exported", self.a.now(), self.row.recording, role=self.role.value)
        with wave.open(str(Path(file)), "wb") as out:
            out.setparams((2, 2, RATE, 0, "NONE", ""))
            out.writeframes(b"".join(block.tobytes() for block in Tone().pcm()))
        go_on(RATE, RATE)
        return Exported(1.0, ())


class Tone:
    """What every recording here is of: a second of sound."""

    length = RATE

    def pcm(self, at: int = 0) -> Iterator[Any]:
        yield np.full((RATE - at, 2), 1_000, np.int16)

    def marks(self) -> list[Mark]:
        return []

    def close(self) -> None:
        pass


def _standing(one: Stored, hold: HoldRow, now: datetime) -> Standing:
    state = hold_state(
        provisional_until=None,
        confirm_by=hold.confirm_by,
        look_again=hold.look_again,
        now=now,
        today=local_day(now, ZONE),
    )
    return Standing(one.recording, hold, state, all(has_expired(day, now, ZONE) for day in one.lives().values()), ZONE)


class Holds(Part):
    def standing(self) -> HoldsSeen:
        stored, now = self.a.store.stored, self.a.now()
        there = [_standing(one, hold, now) for one in stored.values() for hold in one.holds]
        return permission.holds_seen(
            self.a.viewer, there, self.a.opens, lambda recording: self.a.sight(stored[recording]) is not None
        )

    def place(self, id: str, by: HoldBy, why: str, within: Period) -> Raised:
        self.a.require(Deed.RAISE_HOLD)
        one = self.a.meant(id, Deed.RAISE_HOLD)
        return self._place([one], {one.recording}, by, why, within)

    def place_on_number(self, number: str, by: HoldBy, why: str, within: Period) -> Raised:
        self.a.require(Deed.RAISE_HOLD)
        found = self.of_number(number)
        named = {one.recording for one in found if (sight := self.a.sight(one)) and sight.by_number}
        return self._place(found, named, by, why, within)

    def _place(self, found: list[Stored], named: set[str], by: HoldBy, why: str, within: Period) -> Raised:
        now, user, told, already, days = self.a.now(), self.a.viewer.user, list[Standing](), set[str](), list[date]()
        until = answer_by(now, ZONE) if by is HoldBy.ACCESS else now + within.length()
        for one in found:
            same = [hold for hold in one.holds if (hold.raised_for, hold.raised_by, hold.why) == (by, user, why)]
            already |= {hold.hold for hold in same}
            name = f"hold-{len(one.holds)}-{one.recording}"
            hold = same[0] if same else HoldRow(name, by.value, now, None, until, why, None, user)
            if not same:
                one.holds.append(hold)
                one.purposes[TRAINING] = replace(one.purposes[TRAINING], sealed=False)
                self.a.store.note("hold_placed", now, one.recording)
            days += [day for day in [_standing(one, hold, now).decide_by] if day]
            told += [_standing(one, hold, now)] if one.recording in named else []
        unnamed = len(found) - len(told)
        return Raised(tuple(told), unnamed, frozenset(already), len(found), 0, min(days, default=None))

    def confirm(self, hold: str, look_again: date) -> Standing:
        one, there = self._decided(hold)
        one.holds[one.holds.index(there)] = made = replace(there, confirm_by=None, look_again=look_again)
        self.a.store.note("hold_confirmed", self.a.now(), one.recording)
        return _standing(one, made, self.a.now())

    def lift(self, hold: str, reason: str, policy: Policy | None, *, training_may_end: bool = False) -> Lifted:
        return self._end(hold, "hold_lifted")

    def close(
        self,
        hold: str,
        policy: Policy | None,
        *,
        answered: date | None = None,
        reason: str = "",
        training_may_end: bool = False,
    ) -> Lifted:
        return self._end(hold, "access_answered" if answered else "access_not_answered")

    def _end(self, hold: str, event: str) -> Lifted:
        one, there = self._decided(hold)
        if (HoldBy(there.raised_for) is HoldBy.ACCESS) is not event.startswith("access"):
            raise ArchiveError(
                f"error.archive.hold_is_{'dispute' if event.startswith('access') else 'access'}", id=hold
            )
        one.holds.remove(there)
        one.purposes[TRAINING] = replace(one.purposes[TRAINING], sealed=True)
        self.a.store.note(event, self.a.now(), one.recording)
        return Lifted(one.row(self.a.now()))

    def _decided(self, id: str) -> tuple[Stored, HoldRow]:
        there = [(one, hold) for one in self.a.store.stored.values() for hold in one.holds if hold.hold == id]
        if not self.a.viewer.may(Deed.DECIDE_HOLD):
            self.a.store.note("hold_refused", self.a.now(), there[0][0].recording if there else None)
            raise ArchiveError("error.archive.only_custody")
        if not there:
            raise ArchiveError("error.archive.no_such_hold", id=id)
        return there[0]


class Rights(Part):
    def take_back(self, id: str, right: Right, terms: Terms, purpose: Purpose | None = None) -> TakenBack:
        self.a.require(Deed.TAKE_BACK)
        one = self.a.meant(id, Deed.TAKE_BACK)
        return self._end([one], {one.recording}, right)

    def take_back_of_number(self, number: str, right: Right, terms: Terms, purpose: Purpose | None = None) -> TakenBack:
        self.a.require(Deed.TAKE_BACK)
        found = self.of_number(number)
        return self._end(found, {one.recording for one in found if self.a.sight(one)}, right)

    def _end(self, found: list[Stored], named: set[str], right: Right) -> TakenBack:
        now, ended = self.a.now(), list[PurposesEnded]()
        self.a.store.note(f"{right.value}_sought", now)
        for one in found:
            # Nothing here rests on a consent that could be withdrawn.
            if right is Right.OPT_OUT and TRAINING in one.lives():
                one.purposes[TRAINING] = replace(one.purposes[TRAINING], stands=Ended.TAKEN_BACK, sealed=False)
                ended.append(PurposesEnded(one.recording, (TRAINING,), self.a.store.settle(one, now), None))
        told = tuple(one for one in ended if one.recording in named)
        return TakenBack(told, unnamed=len(ended) - len(told))


class Judging(Part):
    def waiting(self, within: Period) -> Iterator[ToJudge | None]:
        self.a.require(Deed.JUDGE)
        now, held = self.a.now(), Period(months=3)
        today = local_day(now, ZONE)
        return iter(
            [
                ToJudge(one.recording, of, one.line, one.at, ZONE, day, judge_by(day, within, listed_on=day),
                        keep_at_most(today, held), bool(one.holds)) if self.a.opens(one.recording) else None
                for one in self.a.store.stored.values() for of in one.waits(now, within) for day in [one.lives()[of]]
            ]
        )  # fmt: skip

    def keep(self, id: str, until: date, reason: str, policy: Policy | None, purpose: Purpose | None = None) -> str:
        one = self._waits(id)
        for of in one.waits(self.a.now()):
            one.purposes[of] = replace(one.purposes[of], expires=until)
        self.a.store.note("judged_kept", self.a.now(), one.recording)
        return one.recording

    def let_go(self, id: str, reason: str, within: Period, purpose: Purpose | None = None) -> bool:
        one, now = self._waits(id), self.a.now()
        for of in one.waits(now):
            one.purposes[of] = replace(one.purposes[of], stands=Ended.EXPIRED, sealed=False)
        self.a.store.note("judged_ended", now, one.recording)
        return self.a.store.settle(one, now)

    def _waits(self, id: str) -> Stored:
        one = self.a.meant(id, Deed.JUDGE)
        if not one.waits(self.a.now()):
            raise ArchiveError("error.archive.nothing_to_judge", id=one.recording)
        return one


class Cases(Part):
    def open(self) -> Own[Case]:
        self.a.require(Deed.DECIDE_CASE)
        found = [_case(one, one.case, self.a.now()) for one in self.a.store.stored.values() if one.case]
        own = [one for one in found if self.a.opens(one.recording)]
        return Own(own, len(found) - len(own))

    def show(self, id: str) -> tuple[RecordingRow, Sequence[Case], Sequence[AuditRow]]:
        one, case = self._of(id)
        log = [row for row in self.a.store.log if row.recording == one.recording]
        return one.row(self.a.now()), [case], log

    def decide(
        self, id: str, *, uphold: bool, reason: str, policy: Policy | None, purpose: Purpose | None = None
    ) -> Decided:
        one, case = self._of(id)
        one.case = None
        if uphold:
            kept = one.purposes[case.kind.purpose]
            one.purposes[case.kind.purpose] = replace(kept, stands=Ended.UPHELD, sealed=False)
        self.a.store.note("case_upheld" if uphold else "case_rejected", self.a.now(), one.recording)
        return Decided((case,), uphold and self.a.store.settle(one, self.a.now()), False, uphold)

    def _of(self, id: str) -> tuple[Stored, Case]:
        self.a.require(Deed.DECIDE_CASE)
        one = self.a.meant(id, Deed.DECIDE_CASE)
        if one.case is None:
            raise ArchiveError("error.cases.none", id=one.recording)
        return one, _case(one, one.case, self.a.now())


def _case(one: Stored, kind: CaseKind, now: datetime) -> Case:
    deadline = ANSWER_WITHIN.after(local_day(one.at, ZONE))
    overdue = local_day(now, ZONE) > deadline
    goes_on = max(one.lives().values(), default=None)
    return Case(one.recording, "", kind, one.line, one.at, deadline, goes_on, overdue, bool(one.holds), ZONE)


class Reviews(Part):
    def teams(self, policy: Policy) -> tuple[TeamLed, ...]:
        if not self.a.viewer.key_ids.get(KeyRole.TRAINING):
            self.a.store.note("refused", self.a.now(), deed=Deed.REVIEW.value)
            raise NotReviewing("no_key")
        return teams_led(self.a.viewer, policy)

    def page(self, query: SampleQuery, after: str | None = None, limit: int = 200) -> SamplePage:
        wanted = {Shown.WAITING: (False,), Shown.REVIEWED: (True,), Shown.ALL: (False, True)}[query.shown]
        rows = [row for row in self._sample(query) if bool(row.reviewed_at) in wanted]
        return SamplePage(tuple(rows[:limit]), None)

    def counts(self, query: SampleQuery) -> Mapping[Shown, int]:
        rows = self._sample(query)
        reviewed = sum(row.reviewed_at is not None for row in rows)
        return {Shown.WAITING: len(rows) - reviewed, Shown.REVIEWED: reviewed, Shown.ALL: len(rows)}

    def figures(self, query: SampleQuery, capacity: int | None = None) -> Figures:
        waiting = self.counts(query)[Shown.WAITING]
        return Figures(waiting, waiting, 0, waiting, 0, 0, 0.0, None, Verdict.FITS)

    def row(self, recording: str) -> SampleRow | None:
        one = self.a.store.stored.get(recording)
        seen = one and one.trains(self.a.now()) and self.a.viewer.leads(one.line, one.agent)
        return _sample_row(one) if one and seen else None

    def living(self, recordings: Iterable[str]) -> Collection[str]:
        stored, now = self.a.store.stored, self.a.now()
        return {one for one in recordings if one in stored and stored[one].trains(now)}

    def open(self, recording: str, items: Iterable[tuple[str, int]] = ()) -> Reviewing:
        one = self.a.store.stored[recording]
        self.a.require(Deed.REVIEW, one)
        self.a.closed(one, KeyRole.TRAINING, one.trains(self.a.now()))
        self.a.store.note("recording_opened", self.a.now(), recording)
        return Reviewing(self.a, one, dict(items))

    def still(self, recording: str) -> bool:
        return bool(self.living([recording]))

    def mark(self, id: str, *, heard: int = 0, keep: Period | None = None) -> date | None:
        one, now = self.a.meant(id, Deed.REVIEW), self.a.now()
        self.a.require(Deed.REVIEW, one)
        if one.reviewed:
            return local_day(one.reviewed, ZONE)
        self.a.closed(one, KeyRole.TRAINING, one.trains(now))
        one.reviewed = now
        one.purposes[TRAINING] = replace(one.purposes[TRAINING], stands=Ended.EXPIRED, sealed=False)
        self.a.store.note("recording_reviewed", now, one.recording)
        self.a.store.settle(one, now)
        return None

    def _sample(self, query: SampleQuery) -> list[SampleRow]:
        with self.a.refusing():
            permission.require_team(self.a.viewer, query)
        of_team = [
            one for one in self.a.store.stored.values()
            if one.trains(self.a.now()) and (not query.agents or one.agent in query.agents)
            and (not query.lines or one.line in query.lines)
        ]  # fmt: skip
        return [_sample_row(one) for one in sorted(of_team, key=lambda one: one.at, reverse=True)]


def _sample_row(one: Stored) -> SampleRow:
    ends = one.lives().get(TRAINING)
    return SampleRow(
        one.recording, one.agent, one.line, one.at, 1.0, ZONE, ends, one.reviewed, len(one.comments), False
    )


class Reviewing:
    def __init__(self, archive: MemoryArchive, one: Stored, items: Mapping[str, int]) -> None:
        self.a, self.one, self.items = archive, one, items
        self.row, self.reader = _sample_row(one), Tone()

    @property
    def shared(self) -> bool:
        return self._living().shared

    def still(self) -> bool:
        return self.a.reviews.still(self.one.recording)

    def comments(self) -> tuple[Comment, ...]:
        return tuple(self._living().comments)

    def comment(self, sample: int, text: str) -> Comment:
        made = Comment(str(len(self.one.comments)), sample, text, self.a.now())
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

    def reviewed(self, *, heard: int = 0) -> bool:
        return self.a.reviews.mark(self.one.recording, heard=heard) is None

    def close(self) -> None:
        pass

    def _living(self) -> Stored:
        self.a.closed(self.one, KeyRole.TRAINING, self.still())
        return self.one
