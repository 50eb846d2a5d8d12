"""Each account's server, asked once: whether it answers, whether it knows the account, its certificate and its clock.

While a phone runs its registrations are its own, and the server is only asked whether it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from softphone.bootstrap.home import password_name
from softphone.domain.errors import KeyringError, SettingsError
from softphone.system.settings_schema import check_accounts
from softphone.wire.snapshot import Account

if TYPE_CHECKING:
    from softphone.archive.crypto.wraps import KeyStore
    from softphone.edge.server_check import ServerState

ANSWERED_WITHIN = 8.0
"""seconds for all that one server is asked"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`logged_in`: the account's own name and password were shown. `keyless`: there is no password for it."""

    account: Account
    state: ServerState
    at: datetime
    """when it answered, by this machine's clock"""
    logged_in: bool
    keyless: bool


def usable(account: Account) -> bool:
    """One that cannot be used is asked about nowhere; the settings' own finding says so."""
    try:
        check_accounts((account,))
    except SettingsError:
        return False
    return True


def ask_all(
    accounts: Sequence[Account], keys: KeyStore, environment: Mapping[str, str], *, log_in: bool
) -> list[Asked]:
    """All at once. `log_in`: no phone runs that has them registered."""
    from softphone.edge.resolver import named_server

    names = named_server(environment)
    with_server = [one for one in accounts if (one.register or one.outbound_proxy) and usable(one)]
    passwords = _passwords(with_server, keys) if log_in else {}

    async def ask() -> list[Asked]:
        return await asyncio.gather(
            *(_ask(one, passwords, names, log_in=log_in and one.register) for one in with_server)
        )

    return asyncio.run(ask()) if with_server else []


def _passwords(accounts: Sequence[Account], keys: KeyStore) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in accounts:
        try:
            secret = keys.get(password_name(one.id)) if one.register else None
        except KeyringError:
            break  # for all of them alike
        if secret:
            found[one.id] = secret.decode("utf-8", "replace")
    return found


async def _ask(
    account: Account, passwords: dict[str, str], names: tuple[tuple[str, ...], int], *, log_in: bool
) -> Asked:
    from softphone.edge.channel import EdgeAccount
    from softphone.edge.login import Login
    from softphone.edge.server_check import check_server

    user, _, server = account.address.rpartition("@")
    asked = EdgeAccount(
        account.id,
        account.address,
        server,
        account.transport,
        outbound_proxy=account.outbound_proxy,
        authority=account.certificate_authority,
    )
    password = passwords.get(account.id, "")
    login = Login(account.user or user, password) if log_in else None
    state = await check_server(asked, names, login=login, seconds=ANSWERED_WITHIN)
    return Asked(account, state, datetime.now().astimezone(), log_in, not password)
