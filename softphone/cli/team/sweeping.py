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
from softphone.team.proving.heads import AT_MOST, HOURLY, Heads
from softphone.team.proving.standing import Standing
from softphone.team.schema import SWEEPER
from softphone.team.serving import refuse_if_restored, shortcomings, storage_of
from softphone.team.settings import (
    HEAD_KEY,
    STORAGE_SECRET,
    SWEEPER_PASSWORD,
    TeamSettings,
    key_in,
    read_settings,
    secret_in,
)
from softphone.team.sweeping import Swept, sweep


def team_sweep(arguments: argparse.Namespace) -> int:
    settings, tell = read_settings(arguments.settings), texts()
    storage = storage_of(settings, secret_in(os.environ, STORAGE_SECRET, needed=True))
    every = AT_MOST if arguments.head else HOURLY
    heads = Heads(key_in(os.environ, HEAD_KEY), settings.database.durable, every)
    for one in shortcomings(storage):
        raise TeamError(one.code, **one.params)
    password = secret_in(os.environ, SWEEPER_PASSWORD)
    # What it would take off or erase may be held in truth.
    refuse_if_restored(settings, SWEEPER, password, storage)
    swept = asyncio.run(_swept(settings, Bucket(storage), password, heads))
    for what, count in asdict(swept).items():
        if count:
            print(tell(f"team.swept.{what}", count=count))  # noqa: T201
    if not swept:
        print(tell("team.swept.nothing"))  # noqa: T201
    if arguments.head:
        print(tell("team.head_key", key=heads.key))  # noqa: T201
    return 1 if swept.refused else 0


async def _swept(settings: TeamSettings, bucket: Bucket, password: str, heads: Heads) -> Swept:
    try:
        standing = Standing(lambda: login(settings.database, SWEEPER, password, most=1), bucket)
        async with login(settings.database, SWEEPER, password, most=2, standing=standing) as rows:
            return await sweep(rows, bucket, datetime.now(UTC), heads)
    finally:
        bucket.close()
