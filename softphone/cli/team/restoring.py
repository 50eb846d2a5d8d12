"""`klartone team restored`: after the database came back from a backup, and before anything serves from it."""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import UTC, datetime

from softphone.bootstrap.home import texts
from softphone.domain.errors import TeamError
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.proving.heads import Heads
from softphone.team.proving.restoring import Restored, is_behind, restore, would
from softphone.team.schema import SWEEPER
from softphone.team.serving import storage_of
from softphone.team.settings import HEAD_KEY, STORAGE_SECRET, SWEEPER_PASSWORD, key_in, read_settings, secret_in


def team_restored(arguments: argparse.Namespace) -> int:
    """What it would erase is listed first. Raises TeamError, unless `--yes`, where something of that is held or its day has not
    come, where storage has what the house has not written, and where the database has forgotten nothing: everybody would be
    signed out by a slip."""
    settings, tell = read_settings(arguments.settings), texts()
    storage = storage_of(settings, secret_in(os.environ, STORAGE_SECRET, needed=True))
    heads = Heads(key_in(os.environ, HEAD_KEY), settings.database.durable)
    password = secret_in(os.environ, SWEEPER_PASSWORD)

    async def done() -> Restored:
        bucket = Bucket(storage)
        try:
            async with login(settings.database, SWEEPER, password, most=1) as rows:
                if not arguments.yes and not await is_behind(rows, bucket):
                    raise TeamError("error.team.not_behind")
                meant = await would(rows, bucket)
                for kind in ("held", "early", "due", "forged"):
                    for one in getattr(meant, kind):
                        print(tell(f"team.restored.would.{kind}", of=str(one)), flush=True)  # noqa: T201
                if meant.asks and not arguments.yes:
                    count = len(meant.held) + len(meant.early)
                    raise TeamError("error.team.restored_asks", count=count, forged=len(meant.forged))
                found = await restore(rows, bucket, heads.key)
                await heads.sign(rows, bucket, datetime.now(UTC))
                return found
        finally:
            bucket.close()

    found = asyncio.run(done())
    print(tell("team.restored", recordings=found.recordings, stones=found.stones, epoch=found.epoch))  # noqa: T201
    print(tell("team.restored.sign_in"))  # noqa: T201
    return 0
