"""`klartone team policy`: a signed policy for the house, taken in on the server. Each desk checks the signature by itself."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from pathlib import Path

from softphone.bootstrap.home import texts
from softphone.bootstrap.policy.file import at_its_place
from softphone.domain.errors import TeamError
from softphone.domain.policy import Policy, unsigned_sounds
from softphone.plugin.sound_file import bytes_of
from softphone.system.paths import is_below
from softphone.system.policy_file import policy_in, read_policy
from softphone.system.signature import Signed, public_key, signature_path, succeeds
from softphone.team.logins import migrating
from softphone.team.rows.errors import ConflictError, WrongError
from softphone.team.rows.joining import Notice, take_notices
from softphone.team.rows.signing_in import take_policy
from softphone.team.settings import MIGRATOR_PASSWORD, read_settings, secret_in

LARGEST_NOTICE = 20_000_000
"""bytes"""


def team_policy(arguments: argparse.Namespace) -> int:
    """Raises PolicyError where it has faults, TeamError where that key has not signed it."""
    settings, path = read_settings(arguments.settings), arguments.file
    try:
        signer = public_key(arguments.signer)
    except ValueError:
        raise TeamError("error.team.no_signer") from None
    raw = read_policy(path)
    if signer not in Signed(raw, path):
        raise TeamError("error.team.not_signed", path=str(path))
    loaded = policy_in(raw, path)
    policy = loaded.policy
    number = policy.house.policy_number
    if number is None:
        raise TeamError("error.team.policy_unnumbered")
    signed = signature_path(path).read_bytes().strip() + b"\n" + raw
    notices, succession = _notices(path.parent, policy), arguments.succession
    password = secret_in(os.environ, MIGRATOR_PASSWORD)

    async def take() -> None:
        async with migrating(settings.database, password) as tx:
            last = await tx.row("SELECT signer FROM newest_signed()")
            if last is not None and last["signer"] != signer and not succeeds(succession or "", last["signer"], signer):
                raise WrongError("error.team.policy_signer")
            word = succession.encode("ascii", "replace") if succession else None
            await take_policy(tx, number, signed, signer, policy, succession=word)
            await take_notices(tx, number, notices)

    try:
        asyncio.run(take())
    except ConflictError:
        raise TeamError("error.team.policy_older", number=number) from None
    except WrongError:
        raise TeamError("error.team.policy_signer") from None
    print(texts()("team.policy_taken", number=number))  # noqa: T201
    for one in unsigned_sounds(loaded):
        print(at_its_place(one, texts()), file=sys.stderr)  # noqa: T201
    return 0


def _notices(folder: Path, policy: Policy) -> list[Notice]:
    """The recorded ones that its lines name. Raises SoundError, and TeamError for one that lies elsewhere."""
    names = sorted(
        {one.file for line in policy.line for sounds in line.sound.values() for one in sounds.values() if one.file}
    )
    found: list[Notice] = []
    for name in names:
        if not is_below(name):
            raise TeamError("error.team.notice_elsewhere", name=name[:200])
        sound = bytes_of(folder / name)
        if len(sound) > LARGEST_NOTICE:
            raise TeamError("error.team.notice_large", name=name[:200], most=LARGEST_NOTICE // 1_000_000)
        found.append(Notice(name, hashlib.sha256(sound).hexdigest(), sound))
    return found
