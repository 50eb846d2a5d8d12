"""A session begins, and goes on. Its tokens are bound to the key of the desk that was signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.team.people.openid import Identity
from softphone.team.people.proof import Proof
from softphone.team.people.tokens import ACCESS, REFRESH, REFRESH_BY_DIRECTORY, checked, new_token
from softphone.team.rows import signing_in
from softphone.team.rows.errors import SignedOutError
from softphone.team.rows.pool import Rows, Transaction
from softphone.team.rows.signing_in import Desk, Tokens


async def take_code(rows: Rows, code: str, desk: UUID, proof: Proof, program: str = "") -> Tokens:
    """By a one-time code. `program`: the version that the desk says it runs, for IT's list.

    Raises TeamError `invitation_over` where it was used, ran out, or was never made.
    """
    tokens = _tokens()
    async with rows.nobody() as tx:
        await _used(tx, proof)
    async with rows.nobody() as tx:
        try:
            await signing_in.open_by_code(tx, checked(code), Desk(desk, proof.key, proof.thumbprint), tokens)
            await signing_in.desk_runs(tx, proof.thumbprint, program)
        except SignedOutError:
            raise TeamError("error.team.invitation_over") from None
    return tokens


async def take_identity(rows: Rows, identity: Identity, desk: UUID, proof: Proof, program: str = "") -> Tokens:
    """Of somebody whom the house's OpenID Connect has signed in."""
    tokens = _tokens(REFRESH if set(identity.roles) <= {Role.AGENT} else REFRESH_BY_DIRECTORY)
    async with rows.nobody() as tx:
        await _used(tx, proof)
    at = Desk(desk, proof.key, proof.thumbprint)
    async with rows.nobody() as tx:
        await signing_in.open_session(
            tx, identity.issuer, identity.subject, identity.roles, identity.agents, at, tokens
        )
        await signing_in.desk_runs(tx, proof.thumbprint, program)
    return tokens


async def renew(rows: Rows, refresh: str, proof: Proof, program: str = "") -> Tokens:
    """Raises TeamError `signed_out` where it was used before, unless its answer may be lost; also where it ran out, is another
    desk's, or its desk was revoked."""
    tokens = _tokens()
    async with rows.nobody() as tx:
        await _used(tx, proof)
    async with rows.nobody() as tx:
        goes_on = await signing_in.renew(tx, checked(refresh), proof.thumbprint, tokens)
        if goes_on:
            await signing_in.desk_runs(tx, proof.thumbprint, program)
    if not goes_on:
        raise SignedOutError("error.team.signed_out")
    return tokens


async def invite(tx: Transaction, subject: str, roles: Sequence[Role], agents: Sequence[str], lives: timedelta) -> str:
    """The code, once. `tx` is of a login that may make one."""
    code = new_token()
    await signing_in.make_code(tx, code, subject, roles, agents, lives)
    return code


def _tokens(refreshes: timedelta = REFRESH) -> Tokens:
    return Tokens(uuid4(), new_token(), new_token(), ACCESS, refreshes)


async def _used(tx: Transaction, proof: Proof) -> None:
    """In a transaction of its own: a refusal that follows does not make it new again."""
    if not await signing_in.is_new_proof(tx, proof.used, proof.until):
        raise TeamError("error.team.proof_used")
