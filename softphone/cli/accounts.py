"""`klartone account`: the user's SIP accounts, for whoever sets up many machines. A password goes into the keyring alone; it
is read from standard input, since others see a command's words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from getpass import getpass
from uuid import uuid4

from softphone.bootstrap.home import Home, key_store, password_name, texts
from softphone.cli.settings import tell_when
from softphone.cli.tables import show_table
from softphone.domain.errors import KlartoneError, SettingsError
from softphone.system.settings import FILE, InForce, account_of, write_value
from softphone.system.settings_schema import ACCOUNT_SCHEMA, check_accounts, doubts_of
from softphone.texts import plain
from softphone.wire.snapshot import Account

LONGEST = 1_000
"""letters of a password"""


def account_add(arguments: argparse.Namespace) -> int:
    """A new account, or another form of the one with this id: to say it twice changes nothing. Raises KlartoneError."""
    home, tell = Home.of(arguments), texts()
    held = _changeable(home)
    accounts = held.settings.accounts
    known = account_of(held.settings, arguments.id) if arguments.id else None
    said = {one.key: getattr(arguments, one.key, None) for one in ACCOUNT_SCHEMA if one.key != "id"}
    said["address"] = arguments.address.strip().removeprefix("sip:")
    if said["accept_from"] is not None:
        said["accept_from"] = tuple(said["accept_from"])
    account = replace(
        known or Account(arguments.id or str(uuid4()), ""), **{key: one for key, one in said.items() if one is not None}
    )
    wanted = tuple(account if one.id == account.id else one for one in accounts)
    wanted += () if known else (account,)
    check_accounts(wanted)
    for _, code, params in doubts_of({"accounts": (account,)}):
        raise SettingsError(code, **params)
    password = read_password() if arguments.password_stdin else None
    with _kept(home, held, account, password) as replaced:
        write_value(home.folders.config, held, "accounts", [asdict(one) for one in wanted])
    _tell(tell("account.changed" if known else "account.added", address=account.address, id=account.id))
    if replaced and not known:
        # The keyring is the user's, whatever the home: it may have been another phone's.
        _tell(tell("account.password_replaced", id=account.id))
    if password is None and account.register:
        _tell(tell("account.no_password", id=account.id))
    tell_when(home, tell, "accounts")
    return 0


def account_list(arguments: argparse.Namespace) -> int:
    """One a line: id, address, transport, and whether the keyring holds its password."""
    home, tell = Home.of(arguments), texts()
    held, _ = home.settings_in_force(only_look=True)
    store = key_store(home.archive(held.settings))
    rows: list[tuple[str, ...]] = []
    for one in held.settings.accounts:
        try:
            word = "kept" if store.get(password_name(one.id)) is not None else "none"
        except KlartoneError:
            word = "unknown"
        if arguments.json:
            print(json.dumps({**asdict(one), "password": word}, ensure_ascii=False))  # noqa: T201
        else:
            rows.append((one.id, one.address, one.transport.upper(), tell(f"account.password.{word}")))
    if rows:
        show_table(rows)
    elif not arguments.json:
        _tell(tell("account.list.none"))
    return 0


def account_remove(arguments: argparse.Namespace) -> int:
    """With its password. Raises KlartoneError."""
    home, tell = Home.of(arguments), texts()
    held = _changeable(home)
    account = _named(held, arguments.id)
    left = [asdict(one) for one in held.settings.accounts if one.id != account.id]
    write_value(home.folders.config, held, "accounts", left)
    key_store(home.archive(held.settings)).delete(password_name(account.id))
    _tell(tell("account.removed", address=account.address, id=account.id))
    tell_when(home, tell, "accounts")
    return 0


def account_password(arguments: argparse.Namespace) -> int:
    """Of an account that the organisation has set up, too. Raises KlartoneError."""
    home, tell = Home.of(arguments), texts()
    held, _ = home.settings_in_force(only_look=True)
    account = _named(held, arguments.id)
    key_store(home.archive(held.settings)).set(password_name(account.id), read_password().encode())
    _tell(tell("account.password_set", address=account.address, id=account.id))
    tell_when(home, tell, "accounts")
    return 0


@contextmanager
def _kept(home: Home, held: InForce, account: Account, password: str | None) -> Generator[bool]:
    """The password first: an account without it would be refused by its server, and perhaps locked there. If the account
    cannot be written, the password is as it was. Gives whether there was another. Raises KlartoneError."""
    if password is None:
        yield False
        return
    store, name = key_store(home.archive(held.settings)), password_name(account.id)
    before = store.get(name)
    store.set(name, password.encode())
    try:
        yield before not in (None, password.encode())
    except SettingsError:
        with suppress(KlartoneError):
            store.delete(name) if before is None else store.set(name, before)
        raise


def _changeable(home: Home) -> InForce:
    held, said = home.settings_in_force(only_look=True)
    held.machine.refuse("accounts")
    if said is not None and said.code != "error.settings.set_aside":
        raise SettingsError("error.settings.mend_first", path=str(home.folders.config / FILE))
    return held


def _named(held: InForce, id: str) -> Account:
    account = account_of(held.settings, id)
    if account is None:
        known = ", ".join(one.id for one in held.settings.accounts) or "–"
        raise SettingsError("error.account.unknown", id=id[:60], known=known)
    return account


def read_password() -> str:
    """Its first line, without the line's end; at a terminal it is asked for, and not shown. Raises SettingsError if there is
    none."""
    try:
        line = getpass(texts()("account.password.ask")) if sys.stdin.isatty() else sys.stdin.readline(LONGEST + 2)
    except UnicodeDecodeError:
        raise SettingsError("error.account.password_unreadable") from None
    password = line.removesuffix("\n").removesuffix("\r")
    if not password:
        raise SettingsError("error.account.no_password")
    if len(password) > LONGEST:
        raise SettingsError("error.account.long_password", most=LONGEST)
    return password


def _tell(line: str) -> None:
    print(plain(line))  # noqa: T201
