"""Who asks, for one request: a living session by its token, at the desk to which it was given, with a proof not shown before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from softphone.domain.errors import TeamError
from softphone.team.people.proof import check_proof
from softphone.team.people.tokens import checked
from softphone.team.rows import signing_in
from softphone.team.rows.errors import TooManyError
from softphone.team.rows.pool import Rows
from softphone.team.rows.signing_in import Asker

_SCHEME = "DPoP "


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one desk may ask for this within a minute, whichever instances it asks."""

    what: str
    most: int


@dataclass(frozen=True, slots=True)
class Asking:
    """`token` is what a transaction that acts as them is opened with."""

    who: Asker
    token: str = field(repr=False)


async def asking_of(
    rows: Rows, authorization: str | None, shown: str | None, method: str, url: str, now: datetime, rate: Rate
) -> Asking:
    """Raises TeamError. That a token came from another machine is logged: somebody has stolen it."""
    if authorization is None or not authorization.startswith(_SCHEME):
        raise TeamError("error.team.token_wrong")
    token = checked(authorization.removeprefix(_SCHEME))
    proof = check_proof(shown, method, url, now, token)
    asked = await signing_in.request(rows, token, proof.thumbprint, proof.used, proof.until, rate.what, rate.most)
    if asked is None:
        raise TeamError("error.team.signed_out")
    who, found = asked
    if found == "elsewhere":
        raise TeamError("error.team.proof_wrong")
    if found == "used":
        raise TeamError("error.team.proof_used")
    if found == "many":
        raise TooManyError("error.team.too_many", seconds=60 - now.second)
    return Asking(who, token)
