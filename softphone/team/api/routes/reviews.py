"""Reviews of the living training sample, for its leads: the sample, what is said of a call, marks over time."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path
from fastapi.responses import JSONResponse, Response
from psycopg.types.json import Jsonb

from softphone.domain.archive import permission
from softphone.domain.archive.permission import NotPermitted
from softphone.domain.archive.reviews import SampleQuery
from softphone.domain.errors import ArchiveError, TeamError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission
from softphone.team.api import judging
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.routes import review_bodies as bodies
from softphone.team.api.seeing import RefusedError, Seeing, seeing
from softphone.team.api.service import Service
from softphone.team.people.asking import Asking
from softphone.team.rows import finding, opening, reviewing
from softphone.team.rows.pool import Row, Transaction
from softphone.team.rows.reviewing import Asked
from softphone.team.upload.told import Id

routes = router()
Recording = Annotated[Id, Path()]
Comment = Annotated[Id, Path()]
IfNoneMatch = Annotated[str | None, Header()]


@routes.get("/teams", status_code=204)
async def teams(here: Here, asking: Who) -> None:
    """Whether they review any team's sample: of which, the policy says."""
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.REVIEW)
        if not (one.viewer.all_teams or one.viewer.teams):
            raise NotPermitted(Permission.REVIEW, "not_your_team")


@routes.post("/sample/page")
async def sample_page(here: Here, asking: Who, asked: bodies.PageAsked) -> bodies.Rows:
    """Newest first, without a number."""
    after = (asked.after.opened_at, UUID(asked.after.recording)) if asked.after else None
    async with _leading(here, asking, asked.sample) as one:
        found = await reviewing.page(one.tx, _asked(asked.sample), after, asked.limit)
    return bodies.Rows(rows=[bodies.Row(**one) for one in found])


@routes.post("/sample/days")
async def sample_days(here: Here, asking: Who, asked: bodies.Sample) -> bodies.Days:
    """How many there are, by the day on which they end."""
    async with _leading(here, asking, asked) as one:
        found = await reviewing.days(one.tx, _asked(asked))
    return bodies.Days(days=[bodies.Day(**one) for one in found])


@routes.post("/sample/figures")
async def sample_figures(here: Here, asking: Who, asked: bodies.FiguresAsked) -> bodies.FiguresTold:
    """Counts, by what a call of the sample came to; and the days of reviews, for the pace."""
    team = asked.team
    async with _leading(here, asking, team) as one:
        found = await reviewing.figures(one.tx, team.lines, team.agents, asked.since, asked.since_day.isoformat())
    return bodies.FiguresTold(figures=[bodies.Figure(**one) for one in found])


@routes.post("/sample/living")
async def sample_living(here: Here, asking: Who, asked: bodies.These) -> bodies.Living:
    """Which of these may still be heard."""
    async with seeing(here, asking) as one:
        permission.require(one.viewer, Permission.REVIEW)
        found = await reviewing.living(one.tx, [UUID(one) for one in asked.recordings])
    return bodies.Living(recordings=sorted(found))


@routes.put("/sample/tallies", status_code=204)
async def tallies_put(here: Here, asking: Who, told: bodies.Tallies) -> None:
    """A desk's own counts of the sample: what it told before of the same is replaced."""
    async with here.rows.asking(asking.token) as tx:
        await tx.all(reviewing.TALLIES, Jsonb(told.model_dump()["tallies"]))


@routes.get("/sample/{recording}")
async def sample_row(here: Here, asking: Who, recording: Recording) -> bodies.Row:
    async with here.rows.asking(asking.token) as tx:
        found = await tx.row(reviewing.ROW, UUID(recording))
    if found is None:
        raise TeamError("error.team.missing")
    return bodies.Row(**found)


@routes.post("/reviews/{recording}/open")
async def review_open(here: Here, asking: Who, recording: Recording) -> bodies.Opened:
    """To hear it: its keys, and the log has it. Others see that it is open, until it is closed or not asked about."""
    async with seeing(here, asking) as one:
        await _may_review(one, UUID(recording))
        row = await one.tx.row(reviewing.ROW, UUID(recording))
        file = await opening.file(one.tx, UUID(recording))
        if row is None or file is None:
            raise _closed(recording, "opening_refused")
        wraps = await reviewing.hear(one.tx, UUID(recording))
    return bodies.Opened(row=bodies.Row(**row), bytes=file.size, wraps=[wrap_told(it) for it in wraps])


@routes.delete("/reviews/{recording}/open", status_code=204)
async def review_close(here: Here, asking: Who, recording: Recording) -> None:
    async with here.rows.asking(asking.token) as tx:
        await reviewing.close_review(tx, UUID(recording))


@routes.get("/reviews/{recording}", response_model=bodies.ReviewTold)
async def review_read(here: Here, asking: Who, recording: Recording, if_none_match: IfNoneMatch = None) -> Response:
    """Comments, points, whether it is shared, who else has it open, and for which desks of its agent it can be sealed."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.value(reviewing.READ, UUID(recording))
    return with_tag(found, if_none_match)


@routes.get("/reviews/{recording}/still")
async def review_still(here: Here, asking: Who, recording: Recording) -> bodies.Still:
    """Asked while it is open, again and again. 404: nothing more may be played."""
    async with here.rows.asking(asking.token) as tx:
        tag = await tx.value(reviewing.STILL, UUID(recording))
    if tag is None:
        raise TeamError("error.team.missing")
    return bodies.Still(tag=tag)


@routes.put("/reviews/{recording}/comments/{comment}", status_code=204)
async def comment_put(
    here: Here, asking: Who, recording: Recording, comment: Comment, told: bodies.CommentTold
) -> None:
    """By a lead; or by the call's agent, who answers what is shared. Put again, it changes nothing."""
    seals = [_seal(one) for one in told.seals]
    answers = UUID(told.answers) if told.answers else None
    async with here.rows.asking(asking.token) as tx:
        await reviewing.comment(tx, UUID(comment), UUID(recording), told.sample, seals, answers)


@routes.delete("/comments/{comment}")
async def comment_remove(here: Here, asking: Who, comment: Comment) -> bodies.Removed:
    """One's own, with what answers it."""
    async with here.rows.asking(asking.token) as tx:
        return bodies.Removed(removed=await reviewing.remove_comment(tx, UUID(comment)))


@routes.put("/reviews/{recording}/scores/{item}")
async def score_put(
    here: Here, asking: Who, recording: Recording, item: Annotated[bodies.Item, Path()], told: bodies.ScoreTold
) -> bodies.Version:
    async with here.rows.asking(asking.token) as tx:
        return bodies.Version(version=await reviewing.score(tx, UUID(recording), item, told.points, told.seen))


@routes.put("/reviews/{recording}/share")
async def review_share(here: Here, asking: Who, recording: Recording, told: bodies.ShareTold) -> bodies.Version:
    """With its agent, or no longer. What is sealed for the agent's desks comes with it, and goes with the sharing."""
    async with here.rows.asking(asking.token) as tx:
        version = await reviewing.share(tx, UUID(recording), told.on, told.seen, told.vouched)
        if told.on:
            await _seal_for_desks(tx, UUID(recording), told)
    return bodies.Version(version=version)


@routes.post("/reviews/{recording}/seals", status_code=204)
async def review_seal(here: Here, asking: Who, recording: Recording, told: bodies.ForDesks) -> None:
    """What is shared, sealed for a desk that its agent has had only since, or again after a hold."""
    async with here.rows.asking(asking.token) as tx:
        await _seal_for_desks(tx, UUID(recording), told)


@routes.post("/reviews/mark")
async def review_mark(here: Here, asking: Who, told: bodies.MarkTold) -> bodies.Marked:
    """It has been used to train. Of several leads the first counts, and the later is told when that was."""
    async with seeing(here, asking) as one:
        meant = await judging.meant(one, told.id, Permission.REVIEW)
        recording = meant if isinstance(meant, UUID) else UUID(meant.row.recording)
        await _may_review(one, recording)
        if await one.tx.row(reviewing.ROW, recording) is None and await one.tx.row(reviewing.MARKED, recording) is None:
            raise _closed(str(recording), "review_refused")
        before = await reviewing.mark(one.tx, recording, told.heard, told.keep, here.now())
    return bodies.Marked(before=before["reviewed_at"], time_zone=before["time_zone"]) if before else bodies.Marked()


@routes.get("/marks")
async def marks(here: Here, asking: Who) -> bodies.Marks:
    """Points over time: of each agent from living reviews alone, of a team from ended ones once five agents are in it."""
    async with here.rows.asking(asking.token) as tx:
        agents, teams = await tx.all(reviewing.MARKS), await tx.all(reviewing.GROUPS)
    return bodies.Marks(
        agents=[bodies.Mark(who=one.pop("agent"), **one) for one in agents],
        teams=[bodies.Mark(who=one.pop("team"), **one) for one in teams],
    )


@asynccontextmanager
async def _leading(here: Service, asking: Asking, team: bodies.Team) -> AsyncGenerator[Seeing]:
    """Who reviews this team's sample, and nobody else."""
    async with seeing(here, asking) as one:
        permission.require_team(one.viewer, SampleQuery(tuple(team.lines), tuple(team.agents)))
        yield one


async def _may_review(one: Seeing, recording: UUID) -> None:
    """Raises NotPermitted: it is no own team's, or they are no lead."""
    known = await finding.known(one.tx, recording)
    if known:
        one.about(known.call, recording)
    permission.require(one.viewer, Permission.REVIEW)
    if known and not known.led:
        raise NotPermitted(Permission.REVIEW, "not_your_team")


def _closed(recording: str, event: str) -> RefusedError:
    role = KeyRole.TRAINING.value
    fault = ArchiveError("error.archive.closed_to_role", id=recording, role=role)
    return RefusedError(fault, event, role=role, why="closed_to_role")


def wrap_told(row: Row) -> bodies.WrapTold:
    told: dict[str, Any] = {"key_id": "", **row, "sealed": base64.b64encode(row["sealed"]).decode("ascii")}
    return bodies.WrapTold(**told)


def with_tag(found: Mapping[str, Any], if_none_match: str | None) -> Response:
    headers = {"ETag": f'"{found["tag"]}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return JSONResponse({"review": dict(found)}, headers=headers)


async def _seal_for_desks(tx: Transaction, recording: UUID, told: bodies.ForDesks) -> None:
    wraps = [{**_for_desk(one), "segment": one.segment} for one in told.wraps]
    seals = [{**_for_desk(one), "comment": one.comment} for one in told.seals]
    if wraps or seals:
        await tx.all(reviewing.SEAL, recording, Jsonb(wraps), Jsonb(seals))


def _for_desk(one: bodies.ForDesk) -> dict[str, Any]:
    return {"desk": one.desk, "suite": one.suite, "sealed": base64.b64encode(one.sealed).decode("ascii")}


def _seal(one: bodies.SealTold) -> Row:
    return {"role": one.role, "key_id": one.key_id, "suite": one.suite, "sealed": one.sealed.hex()}


def _asked(sample: bodies.Sample) -> Asked:
    told: Iterable[str] = ("lines", "agents", "shown", "sought", "spoken", "named", "since", "until")
    return Asked(**{name: getattr(sample, name) for name in told})
