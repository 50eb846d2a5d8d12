"""Own reviews that are shared with an agent: read, heard and answered at the agent's own desk."""

from __future__ import annotations

from uuid import UUID

from fastapi.responses import Response

from softphone.domain.errors import TeamError
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.routes import review_bodies as bodies
from softphone.team.api.routes.finding import RangeAsked, streamed
from softphone.team.api.routes.reviews import IfNoneMatch, Recording, with_tag, wrap_told
from softphone.team.rows import opening, reviewing

routes = router()


@routes.put("/desk/reading-key", status_code=204)
async def reading_key_put(here: Here, asking: Who, told: bodies.ReadingKey) -> None:
    """For which leads seal what they share with this desk's agent. Another one makes what was sealed before worthless."""
    async with here.rows.asking(asking.token) as tx:
        await tx.all(reviewing.KEY, told.public_key, told.signature)


@routes.get("/shared")
async def shared_list(here: Here, asking: Who) -> bodies.SharedRows:
    """Own calls whose review is shared, newest first, for as long as they may be heard."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.all(reviewing.SHARED_WITH_ME)
    return bodies.SharedRows(rows=[bodies.SharedRow(**one) for one in found])


@routes.get("/shared/{recording}", response_model=bodies.ReviewTold)
async def shared_read(here: Here, asking: Who, recording: Recording, if_none_match: IfNoneMatch = None) -> Response:
    async with here.rows.asking(asking.token) as tx:
        found = await tx.value(reviewing.SHARED_READ, UUID(recording))
    return with_tag(found, if_none_match)


@routes.post("/shared/{recording}/open")
async def shared_open(here: Here, asking: Who, recording: Recording) -> bodies.Opened:
    """To hear it: what a lead has sealed for this desk, and the log has it. No wrap: it can be read alone."""
    async with here.rows.asking(asking.token) as tx:
        wraps = await tx.all(reviewing.SHARED_OPEN, UUID(recording))
        file = await tx.row(reviewing.SHARED_FILE, UUID(recording))
    return bodies.Opened(bytes=file["size"] if file else 0, wraps=[wrap_told(one) for one in wraps])


@routes.get("/shared/{recording}/file", response_class=Response)
async def shared_file(here: Here, asking: Who, recording: Recording, range_: RangeAsked = None) -> Response:
    """Sealed, as it lies in storage. Asked anew for each range whether it is still shared and may be heard."""
    async with here.rows.asking(asking.token) as tx:
        row = await tx.row(reviewing.SHARED_FILE, UUID(recording))
    file = opening.File(row["object_key"], row["object_version"], row["size"]) if row else None
    return await streamed(here, file, range_)


@routes.get("/shared/{recording}/still")
async def shared_still(here: Here, asking: Who, recording: Recording) -> bodies.Still:
    """Asked while it is open, again and again. 404: nothing more may be played."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.value(reviewing.SHARED_READ, UUID(recording))
    if found is None:
        raise TeamError("error.team.missing")
    return bodies.Still(tag=found["tag"])
