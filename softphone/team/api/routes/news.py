"""What a desk is set up with when it joins, and asks for from then on. All of it is small but the notices' sound."""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any

from fastapi import Header, Path
from fastapi.responses import Response
from pydantic import Field

from softphone.archive.crypto.passwords import seal_for, taken_out
from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.team.api.asking import Here, Who, router
from softphone.team.rows import joining
from softphone.team.upload.told import Sealed, Told

routes = router()
Address = Annotated[str, Field(min_length=3, max_length=200, repr=False)]


class NoticeNamed(Told):
    """A recorded notice of the newest policy: its file's name there, and the SHA-256 of what is in it."""

    name: str
    digest: str


class Succession(Told):
    """The signer before says by its signature (Ed25519, base64) that this one succeeds it."""

    number: int
    signer: str
    succession: str


class AccountTold(Told):
    """Of the agent who asks. `waits`: a password that this desk may have."""

    address: str = Field(repr=False)
    told: dict[str, Any] = Field(repr=False)
    waits: bool


class News(Told):
    """`policy` and `settings`: the numbers of the newest; null: there is none. `signer`: whose signature that policy has.

    For agents: `shared` has own recordings whose review is shared, and `waiting` what waits for review in the whole house, by
    line and the day on which it ends. Each desk's sample leaves room for it (G33). It is as old as fifty counts take at most,
    and null where none has succeeded."""

    policy: int | None = None
    signer: str = ""
    successions: list[Succession] = Field(default_factory=list[Succession])
    notices: list[NoticeNamed] = Field(default_factory=list[NoticeNamed])
    settings: int | None = None
    accounts: list[AccountTold] = Field(default_factory=list[AccountTold])
    shared: list[str] = Field(default_factory=list[str])
    waiting: dict[str, dict[str, int]] | None = None


class PasswordsAsked(Told):
    """`key`: a public key (X25519) that the desk has made for this alone."""

    key: Sealed


class Password(Told):
    """`sealed` to the key that was told (HPKE), in base64."""

    address: str = Field(repr=False)
    sealed: str = Field(repr=False)


class Passwords(Told):
    passwords: list[Password]


class PasswordKept(Told):
    address: Address


@routes.get("/news", response_model=News)
async def news(here: Here, asking: Who, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """What is newest. A desk asks with the ETag that it has, and fetches what is another than it has."""
    told = await joining.news(here.rows, asking.token)
    if Role.AGENT in asking.who.roles:
        told["waiting"] = await here.backlog.told(here.rows, asking.token)
    text = News.model_validate(told).model_dump_json().encode()
    headers = {"ETag": f'"{hashlib.sha256(text).hexdigest()[:32]}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


@routes.get("/settings")
async def settings(here: Here, asking: Who) -> Response:
    """The house's, as TOML: what a machine's file says, for every desk."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.row(joining.SETTINGS)
    if found is None:
        raise TeamError("error.team.missing")
    return Response(found["told"], media_type="application/toml", headers={"ETag": f'"{found["number"]}"'})


@routes.get("/notices/{digest}")
async def notice(here: Here, asking: Who, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """A recorded notice's file, as it was taken in."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.value(joining.NOTICE, digest)
    if found is None:
        raise TeamError("error.team.missing")
    return Response(bytes(found), media_type="application/octet-stream")


@routes.post("/accounts/passwords")
async def account_passwords(here: Here, asking: Who, asked: PasswordsAsked) -> Passwords:
    """The SIP passwords of one's own accounts that wait here, for the first desk that asks. They come again until it has said
    that it has kept them; then they are gone from here."""
    async with here.rows.asking(asking.token) as tx:
        waiting = await joining.passwords(tx)
    key, desk = here.arriving.number_key, str(asking.who.desk)
    try:
        opened = [(one["address"], taken_out(bytes(one["password"]), one["address"], key)) for one in waiting]
    except ValueError:
        raise TeamError("error.team.password_lost") from None
    try:
        sealed = [(address, seal_for(password, address, desk, asked.key)) for address, password in opened]
    except ValueError:
        raise TeamError("error.team.request_wrong", where="key", reason="x25519") from None
    return Passwords(
        passwords=[Password(address=address, sealed=base64.b64encode(one).decode()) for address, one in sealed]
    )


@routes.post("/accounts/passwords/kept", status_code=204)
async def account_password_kept(here: Here, asking: Who, told: PasswordKept) -> None:
    """This desk has it in its keyring."""
    async with here.rows.asking(asking.token) as tx:
        await joining.password_kept(tx, told.address)
