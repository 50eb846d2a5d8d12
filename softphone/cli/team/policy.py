"""`klartone team policy`: a signed policy for the house, taken in on the server. Each desk checks the signature by itself."""

from __future__ import annotations

import argparse
import asyncio
import base64
import os

from softphone.archive.crypto.wraps import fingerprint
from softphone.bootstrap.home import texts
from softphone.domain.errors import TeamError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import policy_in, read_policy
from softphone.system.signature import Signed, signature_path
from softphone.team.logins import login
from softphone.team.rows.errors import ConflictError, WrongError
from softphone.team.rows.signing_in import Team, take_policy
from softphone.team.schema import MIGRATOR
from softphone.team.settings import MIGRATOR_PASSWORD, read_settings, secret_in


def team_policy(arguments: argparse.Namespace) -> int:
    """Raises PolicyError where it has faults or that key has not signed it."""
    settings, path, signer = read_settings(arguments.settings), arguments.file, arguments.signer
    raw = read_policy(path)
    Signed(raw, path).check(signer)
    policy = policy_in(raw, path).policy
    number = policy.house.policy_number
    if number is None:
        raise TeamError("error.team.policy_unnumbered")
    signed = signature_path(path).read_bytes().strip() + b"\n" + raw
    password = secret_in(os.environ, MIGRATOR_PASSWORD)

    async def take() -> None:
        async with login(settings.database, MIGRATOR, password, most=1) as rows, rows.nobody() as tx:
            await take_policy(tx, number, signed, signer, policy.own_calls, _keys(policy), _teams(policy))

    try:
        asyncio.run(take())
    except ConflictError:
        raise TeamError("error.team.policy_older", number=number) from None
    except WrongError:
        raise TeamError("error.team.policy_signer") from None
    print(texts()("team.policy_taken", number=number))  # noqa: T201
    return 0


def _keys(policy: Policy) -> dict[KeyRole, list[bytes]]:
    return {role: [base64.b64decode(one.public_key) for one in policy.recipients(role)] for role in KeyRole}


def _teams(policy: Policy) -> list[Team]:
    keys = {one.id: _key_id(one.public_key) for one in policy.recipients(KeyRole.TRAINING)}
    return [
        Team(one.id, one.agents, one.lines, tuple(keys[lead] for lead in one.leads if lead in keys))
        for one in policy.team
    ]


def _key_id(public_key: str) -> str:
    return fingerprint(base64.b64decode(public_key))
