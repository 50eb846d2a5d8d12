"""A session begins, goes on and ends. Its tokens are bound to the key of the desk that was signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from softphone.domain.errors import TeamError
from softphone.team.people.asking import Asker
from softphone.team.people.proof import Proof
from softphone.team.people.tokens import ACCESS, REFRESH, checked, new_token
from softphone.team.rows.pool import Rows, Transaction, kept_of


@dataclass(frozen=True, slots=True)
class Opened:
    """What a desk gets once: of both the database has hashes alone."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


async def take_code(rows: Rows, code: str, desk: UUID, proof: Proof) -> Opened:
    """By a one-time code. Raises TeamError `invitation_over` where it was used, ran out, or was never made."""
    opened = _opened()
    async with rows.nobody() as tx:
        await _used(tx, proof)
    async with rows.nobody() as tx:
        try:
            await tx.all(
                "SELECT session_by_code(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                *(kept_of(checked(code)), uuid4(), kept_of(opened.access), kept_of(opened.refresh)),
                *(desk, proof.key, proof.thumbprint, ACCESS, REFRESH),
            )
        except TeamError as error:
            if error.code == "error.team.signed_out":
                raise TeamError("error.team.invitation_over") from error
            raise
    return opened


async def renew(rows: Rows, refresh: str, proof: Proof) -> Opened:
    """Raises TeamError `signed_out` where it was used before, ran out, is another desk's, or its desk was revoked."""
    opened = _opened()
    async with rows.nobody() as tx:
        await _used(tx, proof)
    async with rows.nobody() as tx:
        goes_on = await tx.value(
            "SELECT session_renew(%s, %s, %s, %s, %s, %s, %s)",
            *(kept_of(checked(refresh)), proof.thumbprint, uuid4()),
            *(kept_of(opened.access), kept_of(opened.refresh), ACCESS, REFRESH),
        )
    if not goes_on:
        raise TeamError("error.team.signed_out")
    return opened


async def end(rows: Rows, asker: Asker) -> None:
    async with rows.asking(asker.token) as tx:
        await tx.all("SELECT session_end()")


async def revoke(rows: Rows, asker: Asker, desk: UUID) -> bool:
    """One's own desk, or any by IT: its sessions end at once. False: there is none that is theirs to revoke."""
    async with rows.asking(asker.token) as tx:
        return bool(await tx.value("SELECT desk_revoke(%s)", desk))


async def invite(tx: Transaction, subject: str, roles: list[str], agents: list[str], lives: timedelta) -> str:
    """The code, once. `tx` is of the login that may make one."""
    code = new_token()
    await tx.all("SELECT code_make(%s, %s, %s, %s, %s)", kept_of(code), subject, roles, agents, lives)
    return code


def _opened() -> Opened:
    return Opened(new_token(), new_token())


async def _used(tx: Transaction, proof: Proof) -> None:
    """In a transaction of its own: a refusal that follows does not make it new again."""
    if not await tx.value("SELECT proof_new(%s, %s)", proof.used, proof.until):
        raise TeamError("error.team.proof_used")
