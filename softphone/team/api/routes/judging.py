"""What has reached its day, and cases: data protection judges and decides them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from softphone.domain.archive import permission
from softphone.domain.archive.decisions import Case, Decided, Overdue, ToJudge
from softphone.domain.archive.recordings import AuditRow
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Purpose
from softphone.domain.roles import Permission
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.deciding import custodys, overdue
from softphone.team.api.routes.finding import IdAsked, RowTold, told_row
from softphone.team.api.routes.holds import KeysTold, Words, Wraps, keys_told, sealed_anew
from softphone.team.api.seeing import seeing
from softphone.team.rows import cases, finding, holds, judging
from softphone.team.upload.told import Day, Moment, Told, WrapRow

routes = router()
_MOST = 500


class AfterWaiting(Told):
    """Where a page ended, as it told it."""

    at: Moment
    recording: UUID


class WaitingAsked(Told):
    after: AfterWaiting | None = None


class WaitingTold(Told):
    """`others`: how many of this page another custody key opens."""

    waits: list[ToJudge]
    others: int
    next: AfterWaiting | None


class Keep(IdAsked):
    """`wraps`: its data keys, sealed for those whom the policy lets open it again."""

    until: Day
    reason: Words
    purpose: Purpose | None = None
    wraps: Wraps = Field(default_factory=list[WrapRow])


class LetGo(IdAsked):
    reason: Words
    purpose: Purpose | None = None


class Gone(Told):
    gone: bool


class CasesTold(Told):
    """`others`: how many more another custody key opens."""

    cases: list[Case]
    others: int


class CaseTold(RowTold):
    cases: list[Case]
    log: list[AuditRow]


class Decide(IdAsked):
    """`reason`: the person gets it. `wraps`: as in `keep`, where it is not upheld."""

    uphold: bool
    reason: Annotated[Words, Field(min_length=1)]
    purpose: Purpose | None = None
    wraps: Wraps = Field(default_factory=list[WrapRow])


@routes.get("/overdue")
async def overdue_told(here: Here, asking: Who) -> Overdue:
    """The days by which data protection was to decide holds and cases, for its own desk; nothing for anybody else."""
    async with seeing(here, asking) as one:
        return await overdue(one)


@routes.post("/judging/waiting")
async def judging_waiting(here: Here, asking: Who, asked: WaitingAsked) -> WaitingTold:
    """The oldest first, a page at a time."""
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.JUDGE)
        after = (asked.after.at, asked.after.recording) if asked.after else None
        found = await judging.waiting(one.tx, after, one.seer.now, _MOST)
    last = AfterWaiting(at=found.next[0], recording=found.next[1]) if found.next else None
    return WaitingTold(waits=list(found.rows), others=found.others, next=last)


@routes.post("/judging/to-keep")
async def judging_to_keep(here: Here, asking: Who, asked: IdAsked) -> KeysTold:
    """What data protection needs to seal it anew. That it got the keys is in the log."""
    async with seeing(here, asking) as one:
        found = await custodys(one, asked.id, Permission.JUDGE)
        nothing = ArchiveError("error.archive.nothing_to_judge", id=found.row.recording)
        return keys_told(found, await holds.keys(one.tx, UUID(found.row.recording), nothing))


@routes.post("/judging/keep", status_code=204)
async def judged_keep(here: Here, asking: Who, told: Keep) -> None:
    """No longer than its own period once more."""
    async with seeing(here, asking) as one:
        found = await custodys(one, told.id, Permission.JUDGE)
        recording, anew = UUID(found.row.recording), sealed_anew(told.wraps)
        await judging.keep(one.tx, recording, told.purpose, told.until, told.reason, anew, one.seer.now)


@routes.post("/judging/let-go")
async def judged_let_go(here: Here, asking: Who, told: LetGo) -> Gone:
    async with seeing(here, asking) as one:
        found = await custodys(one, told.id, Permission.JUDGE)
        return Gone(gone=await judging.let_go(one.tx, UUID(found.row.recording), told.purpose, told.reason))


@routes.get("/cases")
async def cases_open(here: Here, asking: Who) -> CasesTold:
    """Objections and grounds that are not decided, about what is still here; the oldest first."""
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.DECIDE_CASE)
        found, others = await cases.about_recordings(one.tx)
    return CasesTold(cases=found, others=others)


@routes.post("/cases/show")
async def case_show(here: Here, asking: Who, asked: IdAsked) -> CaseTold:
    """With what happened to the recording."""
    async with seeing(here, asking) as one:
        found = await custodys(one, asked.id, Permission.DECIDE_CASE, first=True)
        recording = UUID(found.row.recording)
        told, _ = await cases.about_recordings(one.tx, recording)
        if not told:
            raise ArchiveError("error.cases.none", id=found.row.recording)
        return CaseTold(**told_row(found), cases=told, log=await finding.log_of(one.tx, recording))


@routes.post("/cases/to-decide")
async def case_to_decide(here: Here, asking: Who, asked: IdAsked) -> KeysTold:
    """What data protection needs to seal it anew. That it got the keys is in the log."""
    async with seeing(here, asking) as one:
        found = await custodys(one, asked.id, Permission.DECIDE_CASE, first=True)
        nothing = ArchiveError("error.cases.none", id=found.row.recording)
        return keys_told(found, await holds.keys(one.tx, UUID(found.row.recording), nothing))


@routes.post("/cases/decide")
async def case_decide(here: Here, asking: Who, told: Decide) -> Decided:
    """Each case of a recording, once."""
    async with seeing(here, asking) as one:
        found = await custodys(one, told.id, Permission.DECIDE_CASE, first=True)
        return await cases.settle(
            one.tx,
            UUID(found.row.recording),
            uphold=told.uphold,
            reason=told.reason,
            purpose=told.purpose,
            anew=sealed_anew(told.wraps),
            now=one.seer.now,
        )
