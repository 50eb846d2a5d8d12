"""`klartone team people`: who has joined, with which desk and version, what waits there and what failed. Nothing of a call."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from softphone.bootstrap.home import texts
from softphone.cli.tables import show_table
from softphone.team.logins import migrating
from softphone.team.rows import signing_in
from softphone.team.settings import MIGRATOR_PASSWORD, TeamSettings, read_settings, secret_in
from softphone.texts import Texts


def team_people(arguments: argparse.Namespace) -> int:
    settings, tell = read_settings(arguments.settings), texts()
    found = asyncio.run(_found(settings, secret_in(os.environ, MIGRATOR_PASSWORD)))
    if arguments.json:
        for one in found:
            print(json.dumps({**one, "state": _state(one)}, default=str, ensure_ascii=False))  # noqa: T201
        return 0
    if not found:
        print(tell("team.people.nobody"))  # noqa: T201
        return 0
    names = ("person", "roles", "desk", "program", "seen", "waiting", "state")
    show_table([[tell(f"team.people.{name}") for name in names], *(_told(one, tell) for one in found)])
    return 0


def _told(one: Mapping[str, Any], tell: Texts) -> list[str]:
    roles = ", ".join(tell(f"cli.role.{role}") for role in one["roles"])
    seen = f"{one['seen_at'].astimezone():%Y-%m-%d %H:%M}" if one["seen_at"] else "–"
    state = _state(one)
    said = one["failed"] if state == "well" and one["failed"] else tell(f"team.people.{state}")
    return [one["subject"], roles, str(one["desk"] or "–"), one["program"] or "–", seen, str(one["waiting"] or 0), said]


def _state(one: Mapping[str, Any]) -> str:
    if one["left_at"]:
        return "gone"
    if one["desk"] is None:
        return "no_desk"
    if one["revoked_at"]:
        return "left" if one["left_by_itself"] else "revoked"
    return "well" if one["signed_in"] else "signed_out"


async def _found(settings: TeamSettings, password: str) -> Sequence[Mapping[str, Any]]:
    async with migrating(settings.database, password) as tx:
        return await signing_in.people(tx)
