"""Proving a key of the policy: a sealed challenge, and its answer. Whoever has not proved one sees nothing of what it opens."""

from __future__ import annotations

from pydantic import Field

from softphone.domain.purpose import KeyRole
from softphone.team.api.asking import SigningIn, Who, router
from softphone.team.people import keys
from softphone.team.upload.told import KeyId, Sealed, Told

routes = router()


class KeyAsked(Told):
    """`key_id` as wraps name it. A role takes its own: `documentation` a case handler, `training` a lead, `custody` custody."""

    role: KeyRole
    key_id: KeyId


class Challenge(Told):
    """A nonce of 32 bytes, sealed by HPKE to the key. docs/team.md says to what it is bound."""

    sealed: Sealed


class KeyAnswer(Told):
    role: KeyRole
    key_id: KeyId
    nonce: Sealed = Field(repr=False)


@routes.post("/keys/challenge")
async def key_challenge(here: SigningIn, asking: Who, asked: KeyAsked) -> Challenge:
    """Good for two minutes and for one answer, right or wrong. Another one for the same key takes its place."""
    return Challenge(sealed=await keys.challenge(here.rows, asking, asked.role, asked.key_id))


@routes.post("/keys/answer", status_code=204)
async def key_answer(here: SigningIn, asking: Who, told: KeyAnswer) -> None:
    """From now on this person sees what the key opens, at each desk of theirs."""
    await keys.answer(here.rows, asking, told.role, told.key_id, told.nonce)
