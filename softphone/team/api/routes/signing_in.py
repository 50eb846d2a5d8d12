"""Signing in: how one does it, and a session that begins or goes on. The process that answers has the login for it."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import Body, Header

from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.asking import Proven, SigningIn, router
from softphone.team.people import sessions

routes = router()
_PROGRAM = re.compile(r"klartone/([0-9A-Za-z.+-]{1,40})")


@routes.get("/sign-in")
async def sign_in(here: SigningIn) -> bodies.SignInTold:
    """What a desk needs to know before it has a token."""
    if here.openid is None:
        return bodies.SignInTold()
    told = here.openid.settings
    return bodies.SignInTold(issuer=told.issuer, client=told.client, scopes=told.scopes)


@routes.post("/token")
async def token(
    here: SigningIn,
    proof: Proven,
    asked: Annotated[bodies.ByInvitation | bodies.ByIdToken | bodies.ByRefresh, Body(discriminator="grant")],
    user_agent: Annotated[str, Header()] = "",
) -> bodies.Tokens:
    """A session begins with a one-time code or an ID token, or goes on. Each code and refresh token is used up by it. IT's list
    has the version that `User-Agent` tells, and when."""
    said = _PROGRAM.match(user_agent)
    program = said[1] if said else ""
    if isinstance(asked, bodies.ByInvitation):
        opened = await sessions.take_code(here.rows, asked.code, UUID(asked.desk), proof, program)
    elif isinstance(asked, bodies.ByIdToken):
        if here.openid is None:
            raise TeamError("error.team.sign_in_wrong")
        identity = await here.openid.identify(asked.id_token, proof.thumbprint, here.now())
        opened = await sessions.take_identity(here.rows, identity, UUID(asked.desk), proof, program)
    else:
        opened = await sessions.renew(here.rows, asked.refresh_token, proof, program)
    return bodies.Tokens(
        access_token=opened.access, refresh_token=opened.refresh, expires_in=int(opened.lives.total_seconds())
    )
