"""Signed heads of the service's log: a desk keeps the newest that it saw, and finds out a log that was written anew."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from softphone.team.api.asking import Here, Who, router
from softphone.team.rows import proving

_MOST = 200
routes = router()


class Head(BaseModel):
    """`signature` (Ed25519, base64) is over the words that docs/team.md says, all but itself."""

    serial: int
    number: int
    hash: str
    at: datetime
    durable_to: int
    epoch: int
    restored_from: int
    previous: str
    key: str
    signature: str


class Heads(BaseModel):
    """In their order. The last one is the newest, unless there are more: then ask on."""

    heads: list[Head]


@routes.get("/heads")
async def heads(here: Here, asking: Who, since: Annotated[int | None, Query(ge=0, lt=1 << 63)] = None) -> Heads:
    """The newest; or those after `since`, a serial that the desk has seen."""
    async with here.rows.asking(asking.token) as tx:
        if since is not None:
            found = await proving.heads_since(tx, since, _MOST)
        else:
            newest = await proving.newest_head(tx)
            found = [newest] if newest else []
    return Heads(heads=[Head.model_validate(one.told()) for one in found])
