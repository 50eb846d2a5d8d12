"""`klartone team invite`: a link by which one person joins with one desk, once. Made on the server, by whoever runs it."""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import UTC, datetime, timedelta

from softphone.bootstrap.home import texts
from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.house.joining import Invitation
from softphone.system.signature import public_key, signer_fingerprint
from softphone.team.logins import migrating
from softphone.team.people.sessions import invite
from softphone.team.rows.in_force import NEWEST
from softphone.team.settings import MIGRATOR_PASSWORD, TeamSettings, read_settings, secret_in


def team_invite(arguments: argparse.Namespace) -> int:
    settings = read_settings(arguments.settings)
    try:
        signer = public_key(arguments.signer)
    except ValueError:
        raise TeamError("error.team.no_signer") from None
    if Role.AGENT in arguments.role and not arguments.agent:
        raise TeamError("error.team.agent_nowhere")
    password = secret_in(os.environ, MIGRATOR_PASSWORD)
    code, least = asyncio.run(_made(settings, password, signer, arguments))
    print(Invitation(settings.serve.address, code, signer_fingerprint(signer), least))  # noqa: T201
    until = datetime.now(UTC) + timedelta(days=arguments.days)
    tell = texts()
    roles = ", ".join(tell(f"cli.role.{role}") for role in arguments.role)
    print(tell("team.invited", day=until.date(), roles=roles))  # noqa: T201
    return 0


async def _made(settings: TeamSettings, password: str, signer: str, arguments: argparse.Namespace) -> tuple[str, int]:
    """The code, and the number of the newest policy: whoever joins takes none before it. A desk that pins another signer's key
    would refuse that one, so there is no such link."""
    async with migrating(settings.database, password) as tx:
        newest = await tx.row(NEWEST)
        if newest is None:
            raise TeamError("error.team.no_policy")
        if newest["signer"] != signer:
            raise TeamError("error.team.signer_differs", number=newest["number"])
        lives = timedelta(days=arguments.days)
        return await invite(tx, arguments.subject, arguments.role, arguments.agent, lives), newest["number"]
