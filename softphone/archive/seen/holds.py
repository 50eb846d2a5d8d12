"""Holds as this person raises, sees and decides them (G08, G10). What a hold is and keeps is `retention.holding`'s."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.finding.searching import begins
from softphone.archive.retention import holding
from softphone.archive.schema.tables import holds, recordings
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import deciding, permission
from softphone.domain.archive.decisions import HoldsShown, Lifted, Raised, Standing
from softphone.domain.archive.recordings import RecordingRow
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import JUDGE_WITHIN
from softphone.domain.roles import Permission


class Holds:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def standing(self) -> HoldsShown:
        asking = self._asking
        there = holding.standing(asking.archive, asking.now())
        return permission.holds_shown(asking.viewer, there, asking.opens, asking.sees)

    def place(self, id: str, by: HoldBy, why: str, within: Period) -> Raised:
        self._asking.require(Permission.RAISE_HOLD)
        row = self._asking.meant(id, Permission.RAISE_HOLD)
        return self._raise([row], {row.recording}, by, why, within)

    def place_on_number(self, number: str, by: HoldBy, why: str, within: Period) -> Raised:
        asking, unreadable = self._asking, set[str]()
        asking.require(Permission.RAISE_HOLD)
        archive, now = asking.archive, asking.now()
        found = holding.seek(archive, number, by, now, unreadable, key=asking.viewer.a_key)
        scopes = ((row, asking.scope(row)) for row in found)
        named = {row.recording for row, scope in scopes if scope and scope.by_number}
        return self._raise(found, named, by, why, within, len(unreadable))

    def _raise(
        self, rows: list[RecordingRow], named: set[str], by: HoldBy, why: str, within: Period, unreadable: int = 0
    ) -> Raised:
        asking, now = self._asking, self._asking.now()
        before = {hold.hold for row in rows for hold in row.holds}
        stand = holding.raise_holds(asking.archive, rows, by, why, asking.viewer.user, now, within)
        already = {one.hold.hold for one in stand if one.hold.hold in before}
        return deciding.raised(stand, named, already, by, len(rows), unreadable)

    def confirm(self, hold: str, look_again: date) -> Standing:
        return holding.confirm(self._asking.archive, self._decided(hold, "confirm"), look_again, self._asking.now())

    def lift(self, hold: str, reason: str, policy: Policy | None, *, training_may_end: bool = False) -> Lifted:
        return holding.lift(
            self._asking.archive,
            self._decided(hold, "lift"),
            reason,
            policy_recipients(policy) if policy else None,
            self._asking.now(),
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
            training_may_end=training_may_end,
        )

    def close(
        self,
        hold: str,
        policy: Policy | None,
        *,
        answered: date | None = None,
        reason: str = "",
        training_may_end: bool = False,
    ) -> Lifted:
        return holding.close(
            self._asking.archive,
            self._decided(hold, "close"),
            policy_recipients(policy) if policy else None,
            self._asking.now(),
            answered=answered,
            reason=reason,
            judge_within=policy.judge_within if policy else JUDGE_WITHIN,
            training_may_end=training_may_end,
        )

    def _decided(self, hold: str, what: str) -> str:
        """The hold's whole id. Who is not custody is refused, and the log tells of it: in the same words whether there is none
        that begins so, one or several."""
        asking = self._asking
        archive, viewer = asking.archive, asking.viewer
        with archive.catalog.reading() as connection:
            asked = select(holds.c.hold, holds.c.recording, recordings.c.call).join(
                recordings, recordings.c.recording == holds.c.recording
            )
            these = asked.where((holds.c.hold == hold) | begins(holds.c.hold, hold), holds.c.lifted_at.is_(None))
            found = list(connection.execute(these).all()) if hold else []
        exact = [one for one in found if one.hold == hold]
        may = viewer.may(Permission.DECIDE_HOLD)
        theirs = exact or [one for one in found if may and asking.opens(one.recording)]
        if not may or not (theirs or viewer.finds_all):
            of_it = {"call": found[0].call, "recording": found[0].recording} if len(found) == 1 else {}
            told = {"role": KeyRole.CUSTODY.value, "what": what, "why": "no_private_key"}
            archive.note_refusal(holding.REFUSED, "G11", asking.now(), **of_it, **told)
            raise ArchiveError("error.archive.only_custody")
        if len(theirs) != 1:
            raise ArchiveError("error.archive.ambiguous_hold" if theirs else "error.archive.no_such_hold", id=hold)
        return str(theirs[0].hold)
