"""`klartone team verify`: database and storage compared, and the logs. It ends with 1 where it cannot mend all."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

from softphone.bootstrap.home import texts
from softphone.system.signature import public_half
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.proving.comparing import Comparing, Digests, Found
from softphone.team.schema import SWEEPER
from softphone.team.serving import refuse_if_restored, storage_of
from softphone.team.settings import HEAD_KEY, STORAGE_SECRET, SWEEPER_PASSWORD, key_in, read_settings, secret_in


def team_verify(arguments: argparse.Namespace) -> int:
    settings, tell = read_settings(arguments.settings), texts()
    storage = storage_of(settings, secret_in(os.environ, STORAGE_SECRET, needed=True))
    key, password = public_half(key_in(os.environ, HEAD_KEY)), secret_in(os.environ, SWEEPER_PASSWORD)
    refuse_if_restored(settings, SWEEPER, password, storage)

    def told(found: Found) -> None:
        line = json.dumps(asdict(found)) if arguments.json else tell(f"team.verify.{found.what}", of=found.of)
        print(line, flush=True)  # noqa: T201

    async def compared() -> Comparing:
        bucket = Bucket(storage)
        try:
            async with login(settings.database, SWEEPER, password, most=8) as rows:
                one = Comparing(rows, bucket, key, told, Digests(arguments.digests))
                if arguments.anew:
                    await one.anew()
                await one.run(datetime.now(UTC))
                return one
        finally:
            bucket.close()

    done = asyncio.run(compared())
    if not arguments.json:
        print(tell("team.verify.done", count=done.looked, wrong=done.wrong))  # noqa: T201
    return 1 if done.wrong else 0
