"""`klartone team desk-settings`: what the house says to each desk that has joined, as a machine's file does to its machine."""

from __future__ import annotations

import argparse
import asyncio
import os

from softphone.bootstrap.home import texts
from softphone.domain.errors import SettingsError, TeamError
from softphone.system.settings_house import from_house
from softphone.team.logins import migrating
from softphone.team.rows.joining import take_settings
from softphone.team.settings import MIGRATOR_PASSWORD, read_settings, secret_in
from softphone.texts import plain


def team_desk_settings(arguments: argparse.Namespace) -> int:
    """Raises SettingsError for the first thing in it that a desk would not take."""
    settings, file = read_settings(arguments.settings), arguments.file
    try:
        raw = file.read_bytes()
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise SettingsError("error.settings.unreadable", path=str(file), detail=detail) from None
    for one in from_house(raw, str(file)).faults:
        where = " ".join(part for part in (str(one.fault.line or ""), one.fault.key) if part)
        reason = texts()(one.fault.code, **one.fault.params)
        raise TeamError("error.team.desk_settings", path=str(file), where=plain(where), reason=plain(reason))

    async def take() -> int:
        password = secret_in(os.environ, MIGRATOR_PASSWORD)
        async with migrating(settings.database, password) as tx:
            return await take_settings(tx, raw.decode("utf-8-sig"))

    print(texts()("team.desk_settings_taken", number=asyncio.run(take())))  # noqa: T201
    return 0
