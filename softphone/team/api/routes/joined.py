"""Who one is, the end of a session or a desk, what a desk says of itself, and the policy."""

from __future__ import annotations

import base64
from typing import Annotated
from uuid import UUID

from fastapi import Header, Path
from fastapi.responses import Response

from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.asking import Here, Who, router
from softphone.team.rows import signing_in

routes = router()


@routes.get("/me")
async def me(asking: Who) -> bodies.Me:
    who = asking.who
    roles = sorted(one.value for one in who.roles)
    return bodies.Me(person=who.person, desk=who.desk, roles=roles, agents=list(who.agents), expires_at=who.expires_at)


@routes.delete("/session", status_code=204)
async def session_end(here: Here, asking: Who) -> None:
    async with here.rows.asking(asking.token) as tx:
        await signing_in.end_session(tx)


@routes.delete("/desks/{desk}", status_code=204)
async def desk_revoke(here: Here, asking: Who, desk: Annotated[UUID, Path()]) -> None:
    """One's own, or any by IT. Its tokens are worth nothing from the next request on."""
    async with here.rows.asking(asking.token) as tx:
        if not await signing_in.revoke_desk(tx, desk):
            raise TeamError("error.team.missing")


@routes.put("/desk", status_code=204)
async def desk_seen(here: Here, asking: Who, seen: bodies.Seen) -> None:
    async with here.rows.asking(asking.token) as tx:
        await signing_in.desk_seen(tx, seen.program, seen.waiting, seen.failed)


@routes.get("/policy")
async def policy(here: Here, asking: Who, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The newest, byte by byte as it was signed. A desk asks with the ETag that it has."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.row(signing_in.POLICY)
    if found is None:
        raise TeamError("error.team.missing")
    headers = {"ETag": f'"{found["number"]}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if found["succession"] is not None:
        headers["Klartone-Succession"] = base64.b64encode(found["succession"]).decode("ascii")
    return Response(bytes(found["signed"]), media_type="application/octet-stream", headers=headers)
