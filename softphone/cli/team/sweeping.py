"""`klartone team sweep`: one sweep of the house's archive, for a timer. It says how much went, and of what kind."""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime

from softphone.bootstrap.home import texts
from softphone.domain.errors import TeamError
from softphone.team.logins import login
from softphone.team.objects import Bucket
from softphone.team.schema import SWEEPER
from softphone.team.serving import shortcomings, storage_of
from softphone.team.settings import STORAGE_SECRET, SWEEPER_PASSWORD, TeamSettings, read_settings, secret_in
from softphone.team.sweeping import Swept, sweep


def team_sweep(arguments: argparse.Namespace) -> int:
    settings, tell = read_settings(arguments.settings), texts()
    storage = storage_of(settings, secret_in(os.environ, STORAGE_SECRET, needed=True))
    for one in shortcomings(storage):
        raise TeamError(one.code, **one.params)
    swept = asyncio.run(_swept(settings, Bucket(storage), secret_in(os.environ, SWEEPER_PASSWORD)))
    for what, count in asdict(swept).items():
        if count:
            print(tell(f"team.swept.{what}", count=count))  # noqa: T201
    if not swept:
        print(tell("team.swept.nothing"))  # noqa: T201
    return 1 if swept.refused else 0


async def _swept(settings: TeamSettings, bucket: Bucket, password: str) -> Swept:
    try:
        async with login(settings.database, SWEEPER, password, most=2) as rows:
            return await sweep(rows, bucket, datetime.now(UTC))
    finally:
        bucket.close()
