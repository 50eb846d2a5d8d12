"""`klartone team revoke`: a desk is signed out for good, or a person with all of theirs, who may also be let back. On the server,
by whoever runs it."""

from __future__ import annotations

import argparse
import asyncio
import os
from uuid import UUID

from softphone.bootstrap.home import texts
from softphone.domain.errors import TeamError
from softphone.team.logins import migrating
from softphone.team.rows import signing_in
from softphone.team.rows.pool import Transaction
from softphone.team.settings import MIGRATOR_PASSWORD, TeamSettings, read_settings, secret_in


def team_revoke(arguments: argparse.Namespace) -> int:
    """Raises TeamError where no desk begins so, or several do, where nobody has that name, and where several could come back."""
    settings, password, tell = read_settings(arguments.settings), secret_in(os.environ, MIGRATOR_PASSWORD), texts()
    if arguments.person:
        asyncio.run(_person(settings, password, arguments.person))
        print(tell("team.person_revoked", name=arguments.person))  # noqa: T201
    elif arguments.let_back:
        asyncio.run(_let_back(settings, password, arguments.let_back))
        print(tell("team.person_returned", name=arguments.let_back))  # noqa: T201
    else:
        of = asyncio.run(_desk(settings, password, arguments.desk))
        print(tell("team.desk_revoked", name=of))  # noqa: T201
    return 0


async def _desk(settings: TeamSettings, password: str, begins: str) -> str:
    """Whose it was."""
    async with migrating(settings.database, password) as tx:
        found = [one for one in await signing_in.people(tx) if str(one["desk"] or "").startswith(begins.lower())]
        if len(found) != 1:
            raise TeamError("error.team.no_desk", desk=begins[:60], count=len(found))
        if not await signing_in.revoke_desk(tx, found[0]["desk"]):
            raise TeamError("error.team.desk_gone", desk=str(found[0]["desk"]))
        return str(found[0]["subject"])


async def _person(settings: TeamSettings, password: str, name: str) -> None:
    async with migrating(settings.database, password) as tx:
        for one in await _meant(tx, name, left=False):
            await signing_in.person_leaves(tx, one)


async def _let_back(settings: TeamSettings, password: str, name: str) -> None:
    async with migrating(settings.database, password) as tx:
        found = await _meant(tx, name, left=True)
        if len(found) > 1:
            raise TeamError("error.team.several_people", name=name[:60], ids=", ".join(sorted(map(str, found))))
        await signing_in.person_returns(tx, found[0])


async def _meant(tx: Transaction, name: str, *, left: bool) -> list[UUID]:
    """All of that name, or the one of that id. Raises TeamError where there is none."""
    named = {one["person"]: one for one in await signing_in.people(tx) if name in (one["subject"], str(one["person"]))}
    found = [person for person, one in named.items() if bool(one["left_at"]) is left]
    if not found:
        raise TeamError("error.team.no_person", name=name[:60])
    return found
