"""`klartone team account`: the SIP accounts that desks are set up with. A password waits sealed, and only until a desk has it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from softphone.archive.crypto.passwords import put_away
from softphone.bootstrap.home import texts
from softphone.cli.accounts import read_password
from softphone.cli.tables import show_table
from softphone.domain.errors import SettingsError, TeamError
from softphone.system.settings_schema import ACCOUNT_SCHEMA, check_accounts, doubts_of
from softphone.team.logins import migrating
from softphone.team.rows import joining
from softphone.team.rows.pool import Transaction
from softphone.team.settings import MIGRATOR_PASSWORD, NUMBER_KEY, key_in, read_settings, secret_in
from softphone.wire.snapshot import Account

Found = TypeVar("Found")


def account_set(arguments: argparse.Namespace) -> int:
    """An account, or another form of it: to say it twice changes nothing. Raises KlartoneError."""
    address = _address(arguments)
    given = {one.key: getattr(arguments, one.key, None) for one in ACCOUNT_SCHEMA if one.key not in ("id", "address")}
    told = {key: one for key, one in given.items() if one is not None}
    fields: dict[str, Any] = {**told, "accept_from": tuple(told.get("accept_from", ()))}
    account = replace(Account("one", address), **fields)
    check_accounts((account,))
    for _, code, params in doubts_of({"accounts": (account,)}):
        raise SettingsError(code, **params)
    held = None
    if arguments.password_stdin:
        held = put_away(read_password(), address, key_in(os.environ, NUMBER_KEY))
    _do(arguments, lambda tx: joining.set_account(tx, address, told, held))
    print(texts()("team.account.set" if held else "team.account.set_only", address=address))  # noqa: T201
    return 0


def account_remove(arguments: argparse.Namespace) -> int:
    """Desks that have it lose it with their next news. Raises KlartoneError."""
    address = _address(arguments)
    if not _do(arguments, lambda tx: joining.remove_account(tx, address)):
        raise TeamError("error.team.no_account", address=address)
    print(texts()("team.account.removed", address=address))  # noqa: T201
    return 0


def account_list(arguments: argparse.Namespace) -> int:
    tell = texts()
    found = _do(arguments, joining.accounts)
    if arguments.json:
        for one in found:
            print(json.dumps(one, default=str, ensure_ascii=False))  # noqa: T201
    elif found:
        words = {True: tell("team.account.waits"), False: "–"}
        show_table(
            [[one["address"], str(one["told"].get("transport", "")).upper(), words[one["waits"]]] for one in found]
        )
    else:
        print(tell("team.account.none"))  # noqa: T201
    return 0


def _address(arguments: argparse.Namespace) -> str:
    return arguments.address.strip().removeprefix("sips:").removeprefix("sip:")


def _do(arguments: argparse.Namespace, deed: Callable[[Transaction], Coroutine[Any, Any, Found]]) -> Found:
    settings, password = read_settings(arguments.settings), secret_in(os.environ, MIGRATOR_PASSWORD)

    async def whole() -> Found:
        async with migrating(settings.database, password) as tx:
            return await deed(tx)

    return asyncio.run(whole())
