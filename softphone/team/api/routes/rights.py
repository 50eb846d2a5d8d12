"""Withdrawals, and what the house remembers of a number."""

from __future__ import annotations

from uuid import UUID

from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.asking import Here, Who, WhoRings, router
from softphone.team.rows import afterwards, rights
from softphone.team.rows.numbers import number_hash

routes = router()


@routes.post("/withdrawals")
async def withdrawal(here: Here, asking: Who, told: bodies.Withdrawal) -> bodies.Reached:
    """By the agent of the call; by number, for case handlers and data protection. It reaches what arrives later too."""
    if (told.call_group is None) == (told.number is None) or (told.call and told.number):
        raise TeamError("error.team.request_wrong", where="number", reason="one_of")
    of_number = number_hash(here.arriving.number_key, told.number) if told.number else None
    group, call = (UUID(one) if one else None for one in (told.call_group, told.call))
    async with here.rows.asking(asking.token) as tx:
        id, now = UUID(told.withdrawal), here.now()
        if group and call:
            reached = await rights.take_back_own(tx, id, group, call, told.purposes, told.reason)
        else:
            reached = await rights.take_back(tx, id, told.purposes, told.reason, now, group=group, number=of_number)
    return bodies.Reached(recordings=reached)


@routes.post("/numbers", status_code=204)
async def number_remember(here: Here, asking: Who, told: bodies.Remembered) -> None:
    of_number = number_hash(here.arriving.number_key, told.number)
    async with here.rows.asking(asking.token) as tx:
        await afterwards.remember(
            *(tx, of_number, afterwards.Remembered(told.what), told.at, told.until),
            line=told.line,
            purpose=told.purpose,
            value=told.value,
        )


@routes.post("/numbers/known")
async def number_known(here: Here, asking: WhoRings, asked: bodies.Asked) -> bodies.Known:
    """Asked while it rings: answered within a third of a second, or not at all."""
    of_number = number_hash(here.arriving.number_key, asked.number)
    async with here.ringing.asking(asking.token) as tx:
        found = await afterwards.known(tx, of_number, asked.line)
    return bodies.Known(known=[bodies.KnownOne(**one) for one in found])
