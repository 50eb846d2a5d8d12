"""Holds, withdrawals, judgements and cases in memory. Not a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from softphone.domain import retention as k
from softphone.domain.archive import decisions as d
from softphone.domain.archive import permission
from softphone.domain.archive import recordings as r
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.events import Terms
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.roles import Permission
from tests.archive.contract.memory_store import TRAINING, ZONE, Part, Stored


def standing_of(one: Stored, hold: r.HoldRow, now: datetime) -> d.Standing:
    state = k.hold_state(
        provisional_until=None,
        confirm_by=hold.confirm_by,
        look_again=hold.look_again,
        now=now,
        today=k.local_day(now, ZONE),
    )
    return d.Standing(
        one.recording, hold, state, all(k.has_expired(day, now, ZONE) for day in one.lives().values()), ZONE
    )


class Holds(Part):
    def standing(self) -> d.HoldsShown:
        stored, now = self.a.store.stored, self.a.now()
        there = [standing_of(one, hold, now) for one in stored.values() for hold in one.holds]
        return permission.holds_shown(
            self.a.viewer, there, self.a.opens, lambda recording: self.a.scope(stored[recording]) is not None
        )

    def place(self, id: str, by: HoldBy, why: str, within: Period) -> d.Raised:
        self.a.require(Permission.RAISE_HOLD)
        one = self.a.meant(id, Permission.RAISE_HOLD)
        return self._place([one], {one.recording}, by, why, within)

    def place_on_number(self, number: str, by: HoldBy, why: str, within: Period) -> d.Raised:
        self.a.require(Permission.RAISE_HOLD)
        found = self.of_number(number)
        named = {one.recording for one in found if (scope := self.a.scope(one)) and scope.by_number}
        return self._place(found, named, by, why, within)

    def _place(self, found: list[Stored], named: set[str], by: HoldBy, why: str, within: Period) -> d.Raised:
        now, user, told, already, days = self.a.now(), self.a.viewer.user, list[d.Standing](), set[str](), list[date]()
        until = k.answer_by(now, ZONE) if by is HoldBy.ACCESS else now + within.length()
        for one in found:
            same = [hold for hold in one.holds if (hold.raised_for, hold.raised_by, hold.why) == (by, user, why)]
            already |= {hold.hold for hold in same}
            name = f"hold-{len(one.holds)}-{one.recording}"
            hold = same[0] if same else r.HoldRow(name, by.value, now, None, until, why, None, user)
            if not same:
                one.holds.append(hold)
                one.purposes[TRAINING] = replace(one.purposes[TRAINING], sealed=False)
                self.a.store.note("hold_placed", now, one.recording)
            days += [day for day in [standing_of(one, hold, now).decide_by] if day]
            told += [standing_of(one, hold, now)] if one.recording in named else []
        unnamed = len(found) - len(told)
        return d.Raised(tuple(told), unnamed, frozenset(already), len(found), 0, min(days, default=None))

    def confirm(self, hold: str, look_again: date) -> d.Standing:
        one, there = self._decided(hold)
        one.holds[one.holds.index(there)] = made = replace(there, confirm_by=None, look_again=look_again)
        self.a.store.note("hold_confirmed", self.a.now(), one.recording)
        return standing_of(one, made, self.a.now())

    def lift(self, hold: str, reason: str, policy: Policy | None, *, training_may_end: bool = False) -> d.Lifted:
        return self._end(hold, "hold_lifted")

    def close(
        self,
        hold: str,
        policy: Policy | None,
        *,
        answered: date | None = None,
        reason: str = "",
        training_may_end: bool = False,
    ) -> d.Lifted:
        return self._end(hold, "access_answered" if answered else "access_not_answered")

    def _end(self, hold: str, event: str) -> d.Lifted:
        one, there = self._decided(hold)
        if (HoldBy(there.raised_for) is HoldBy.ACCESS) is not event.startswith("access"):
            raise ArchiveError(
                f"error.archive.hold_is_{'dispute' if event.startswith('access') else 'access'}", id=hold
            )
        one.holds.remove(there)
        one.purposes[TRAINING] = replace(one.purposes[TRAINING], sealed=True)
        self.a.store.note(event, self.a.now(), one.recording)
        return d.Lifted(one.row(self.a.now()))

    def _decided(self, id: str) -> tuple[Stored, r.HoldRow]:
        there = [(one, hold) for one in self.a.store.stored.values() for hold in one.holds if hold.hold == id]
        if not self.a.viewer.may(Permission.DECIDE_HOLD):
            self.a.store.note("hold_refused", self.a.now(), there[0][0].recording if there else None)
            raise ArchiveError("error.archive.only_custody")
        if not there:
            raise ArchiveError("error.archive.no_such_hold", id=id)
        return there[0]


class Rights(Part):
    def take_back(self, id: str, right: d.Right, terms: Terms, purpose: Purpose | None = None) -> d.WithdrawalResult:
        self.a.require(Permission.TAKE_BACK)
        one = self.a.meant(id, Permission.TAKE_BACK)
        return self._end([one], {one.recording}, right)

    def take_back_of_number(
        self, number: str, right: d.Right, terms: Terms, purpose: Purpose | None = None
    ) -> d.WithdrawalResult:
        self.a.require(Permission.TAKE_BACK)
        found = self.of_number(number)
        return self._end(found, {one.recording for one in found if self.a.scope(one)}, right)

    def notes(self, number: str) -> Sequence[d.AgentNote]:
        self.a.require(Permission.READ_NOTES)
        self.a.store.note("notes_read", self.a.now())
        return [one for one in self.a.store.notes.get(number, []) if self.a.now().date() < one.until]

    def erase_notes(self, number: str, reason: str) -> int:
        self.a.require(Permission.READ_NOTES)
        self.a.store.note("notes_erased", self.a.now())
        return len(self.a.store.notes.pop(number, []))

    def _end(self, found: list[Stored], named: set[str], right: d.Right) -> d.WithdrawalResult:
        now, ended = self.a.now(), list[d.PurposesEnded]()
        self.a.store.note(f"{right.value}_sought", now)
        for one in found:
            # Nothing here rests on a consent that could be withdrawn.
            if right is d.Right.OPT_OUT and TRAINING in one.lives():
                one.purposes[TRAINING] = replace(one.purposes[TRAINING], stands=k.Ended.TAKEN_BACK, sealed=False)
                ended.append(d.PurposesEnded(one.recording, (TRAINING,), self.a.store.settle(one, now), None))
        told = tuple(one for one in ended if one.recording in named)
        return d.WithdrawalResult(told, unnamed=len(ended) - len(told))


class Judging(Part):
    def waiting(self, within: Period) -> Iterator[d.ToJudge | None]:
        self.a.require(Permission.JUDGE)
        now, held = self.a.now(), Period(months=3)
        today = k.local_day(now, ZONE)
        return iter(
            [
                d.ToJudge(one.recording, of, one.line, one.at, ZONE, day, k.judge_by(day, within, listed_on=day),
                        k.keep_at_most(today, held), bool(one.holds)) if self.a.opens(one.recording) else None
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
            one.purposes[of] = replace(one.purposes[of], stands=k.Ended.EXPIRED, sealed=False)
        self.a.store.note("judged_ended", now, one.recording)
        return self.a.store.settle(one, now)

    def _waits(self, id: str) -> Stored:
        one = self.a.meant(id, Permission.JUDGE)
        if not one.waits(self.a.now()):
            raise ArchiveError("error.archive.nothing_to_judge", id=one.recording)
        return one


class Cases(Part):
    def open(self) -> d.VisibleRows[d.Case]:
        self.a.require(Permission.DECIDE_CASE)
        found = [_case(one, one.case, self.a.now()) for one in self.a.store.stored.values() if one.case]
        own = [one for one in found if self.a.opens(one.recording)]
        return d.VisibleRows(own, len(found) - len(own))

    def show(self, id: str) -> tuple[r.RecordingRow, Sequence[d.Case], Sequence[r.AuditRow]]:
        one, case = self._of(id)
        log = [row for row in self.a.store.log if row.recording == one.recording]
        return one.row(self.a.now()), [case], log

    def decide(
        self, id: str, *, uphold: bool, reason: str, policy: Policy | None, purpose: Purpose | None = None
    ) -> d.Decided:
        one, case = self._of(id)
        one.case = None
        if uphold:
            kept = one.purposes[case.kind.purpose]
            one.purposes[case.kind.purpose] = replace(kept, stands=k.Ended.UPHELD, sealed=False)
        self.a.store.note("case_upheld" if uphold else "case_rejected", self.a.now(), one.recording)
        return d.Decided((case,), uphold and self.a.store.settle(one, self.a.now()), False, uphold)

    def _of(self, id: str) -> tuple[Stored, d.Case]:
        self.a.require(Permission.DECIDE_CASE)
        one = self.a.meant(id, Permission.DECIDE_CASE)
        if one.case is None:
            raise ArchiveError("error.cases.none", id=one.recording)
        return one, _case(one, one.case, self.a.now())


def _case(one: Stored, kind: d.CaseKind, now: datetime) -> d.Case:
    deadline = k.ANSWER_WITHIN.after(k.local_day(one.at, ZONE))
    overdue = k.local_day(now, ZONE) > deadline
    goes_on = max(one.lives().values(), default=None)
    return d.Case(one.recording, "", kind, one.line, one.at, deadline, goes_on, overdue, bool(one.holds), ZONE)
