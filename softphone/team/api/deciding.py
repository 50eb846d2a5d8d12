"""Holds, rights, judgements and cases as the domain judges them, for one person in one transaction: the local archive's steps."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from softphone.domain.archive import permission
from softphone.domain.archive.decisions import HoldShown, HoldsShown, Lifted, Overdue
from softphone.domain.archive.recordings import RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import HoldState
from softphone.domain.roles import Permission
from softphone.team.api.judging import meant, not_among_yours
from softphone.team.api.seeing import RefusedError, Seeing
from softphone.team.rows import cases, finding, holds
from softphone.team.rows.finding import Found
from softphone.team.rows.holds import EndedAs, Meant


async def shown(one: Seeing) -> HoldsShown:
    """Custody gets those on what its keys open, others those that they raised, with the recording where they find it."""
    found = await holds.shown(one.tx, "", one.seer.now)
    told = tuple(HoldShown(it, named=bool(it.recording), whole=True) for it in found.holds)
    return HoldsShown(told, found.others, one.viewer.may(Permission.FIND_ALL))


async def overdue(one: Seeing) -> Overdue:
    """Of what their custody keys open. Who is not custody is told of nothing: it is no refusal."""
    if not one.viewer.may(Permission.DECIDE_HOLD):
        return Overdue()
    found = await holds.shown(one.tx, "", one.seer.now)
    told, _ = await cases.about_recordings(one.tx)
    days = tuple(it.decide_by for it in found.holds if it.state is HoldState.OVERDUE)
    return Overdue(days, tuple(it.deadline for it in told if it.overdue))


async def the_recording(one: Seeing, asked: str, wanted: Permission) -> UUID:
    """Of a whole id, whoever may do this need not find it. Raises as `meant`."""
    found = await meant(one, asked, wanted)
    return found if isinstance(found, UUID) else UUID(found.row.recording)


async def decided(one: Seeing, hold: str, what: str) -> Meant:
    """The hold that custody means. Others are refused in the same words whether there is one, several or none."""
    if not (one.viewer.may(Permission.DECIDE_HOLD) and one.viewer.finds_all):
        told = {"role": KeyRole.CUSTODY.value, "what": what, "why": "no_private_key"}
        raise RefusedError(ArchiveError("error.archive.only_custody"), "hold_refused", **told)
    return await holds.meant(one.tx, hold)


async def custodys(one: Seeing, asked: str, wanted: Permission, *, first: bool = False) -> Found:
    """A recording that custody decides on. `first`: the permission is asked for before the recording. Raises as `meant`."""
    if first:
        permission.require(one.viewer, wanted)
    found = await meant(one, asked, wanted)
    if isinstance(found, UUID) or not one.viewer.finds_all:
        # Of what another custody key opens, its whole id is no right to be told.
        raise not_among_yours(wanted)
    one.about(found.row.call, UUID(found.row.recording))
    return found


async def left(one: Seeing, before: Found, result: EndedAs) -> tuple[Found, Lifted]:
    """What a hold has left behind. Of one that is gone, what there was, without what kept it."""
    if result is EndedAs.ERASED:
        row = _gone(before.row)
        return replace(before, row=row), Lifted(row)
    (after,) = await finding.rows_of(one.tx, [UUID(before.row.recording)], one.seer.now)
    return after, Lifted(after.row, result is EndedAs.TRAINING_ENDED)


def _gone(row: RecordingRow) -> RecordingRow:
    return replace(row, holds=(), opens_for=(), expires={}, kept=False)
