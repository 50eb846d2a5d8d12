"""Holds of the house as this person raises, sees and decides them (G08, G10)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from softphone.domain.archive.decisions import HoldsShown, Lifted, Raised, Standing
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.house.archive.asking import Asking, RowTold
from softphone.house.archive.sealing import KeysTold, sealed_anew


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended(RowTold):
    training_ended: bool


@dataclass(frozen=True, slots=True)
class _Page:
    shown: HoldsShown
    next: str


class Holds:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def standing(self) -> HoldsShown:
        page = self._asking.get("/v1/holds", _Page)
        shown, found = page.shown, {one.standing.hold.hold: one for one in page.shown.holds}
        while page.next:
            page = self._asking.get(f"/v1/holds?after={page.next}", _Page)
            found |= {one.standing.hold.hold: one for one in page.shown.holds}
        return replace(shown, holds=tuple(found.values()))

    def place(self, id: str, by: HoldBy, why: str, within: Period) -> Raised:
        del within  # the house's policy says it
        return self._raise({"id": id}, by, why)

    def place_on_number(self, number: str, by: HoldBy, why: str, within: Period) -> Raised:
        del within
        return self._raise({"number": number}, by, why)

    def _raise(self, which: dict[str, str], by: HoldBy, why: str) -> Raised:
        body = {**which, "raised_for": by.value, "why": why}
        return self._asking.post("/v1/holds/raise", body, Raised)

    def confirm(self, hold: str, look_again: date) -> Standing:
        return self._asking.post("/v1/holds/confirm", {"hold": hold, "look_again": look_again.isoformat()}, Standing)

    def lift(self, hold: str, reason: str, policy: Policy | None, *, training_may_end: bool = False) -> Lifted:
        return self._end(hold, {"how": "lifted", "reason": reason}, policy, training_may_end=training_may_end)

    def close(
        self,
        hold: str,
        policy: Policy | None,
        *,
        answered: date | None = None,
        reason: str = "",
        training_may_end: bool = False,
    ) -> Lifted:
        how = {"how": "answered", "answered": answered.isoformat()} if answered else {"how": "not_answered"}
        return self._end(hold, {**how, "reason": reason}, policy, training_may_end=training_may_end)

    def _end(self, hold: str, how: dict[str, str], policy: Policy | None, *, training_may_end: bool) -> Lifted:
        asking = self._asking
        told = asking.post("/v1/holds/to-end", {"hold": hold, "how": how["how"]}, KeysTold)
        wraps = sealed_anew(asking, told, policy, (Purpose.TRAINING,))
        # Where no policy says who, nothing is lifted that needs somebody.
        body = {"hold": hold, **how, "wraps": wraps, "training_may_end": training_may_end and policy is not None}
        try:
            done = asking.post("/v1/holds/end", body, _Ended)
        except ArchiveError as error:
            if policy is None and error.code == "error.archive.lift_ends_training":
                raise ArchiveError("error.archive.no_key_of_purpose", id=told.row.recording) from None
            raise
        return Lifted(asking.row(done), done.training_ended)
