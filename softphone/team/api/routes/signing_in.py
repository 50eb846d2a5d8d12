"""Signing in: how one does it, and a session that begins or goes on. The process that answers has the login for it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body

from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.asking import Proven, SigningIn, router
from softphone.team.people import sessions

routes = router()


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
) -> bodies.Tokens:
    """A session begins with a one-time code or an ID token, or goes on. Each code and refresh token is used up by it."""
    if isinstance(asked, bodies.ByInvitation):
        opened = await sessions.take_code(here.rows, asked.code, UUID(asked.desk), proof)
    elif isinstance(asked, bodies.ByIdToken):
        if here.openid is None:
            raise TeamError("error.team.sign_in_wrong")
        identity = await here.openid.identify(asked.id_token, proof.thumbprint, here.now())
        opened = await sessions.take_identity(here.rows, identity, UUID(asked.desk), proof)
    else:
        opened = await sessions.renew(here.rows, asked.refresh_token, proof)
    return bodies.Tokens(
        access_token=opened.access, refresh_token=opened.refresh, expires_in=int(opened.lives.total_seconds())
    )
