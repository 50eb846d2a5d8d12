"""What a desk is set up with: settings of the house, accounts, recorded notices; and the news that it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from softphone.team.rows.pool import Row, Rows, Transaction

SETTINGS = "SELECT number, told FROM house_settings ORDER BY number DESC LIMIT 1"
NOTICE = "SELECT sound FROM notice_files WHERE digest = %s"
NEWS = "SELECT my_news() AS news"
PASSWORDS = "SELECT * FROM account_passwords()"
KEPT = "SELECT account_password_kept(%s)"
TAKE_SETTINGS = "SELECT house_settings_take(%s)"
TAKE_NOTICE = "SELECT notice_take(%s, %s)"
NAME_NOTICE = "SELECT policy_notice(%s, %s, %s)"
SET_ACCOUNT = "SELECT account_set(%s, %s, %s)"
REMOVE_ACCOUNT = "SELECT account_remove(%s)"
LISTED = "SELECT * FROM accounts_listed()"


@dataclass(frozen=True, slots=True)
class Notice:
    """`name` as the policy has it; `digest`: the SHA-256 of `sound`, in hex."""

    name: str
    digest: str
    sound: bytes


async def news(rows: Rows, token: str) -> dict[str, Any]:
    """All that may have changed for whoever asks, without what takes long."""
    row = await rows.once(token, NEWS)
    assert row is not None
    return row["news"]


async def passwords(tx: Transaction) -> Sequence[Row]:
    """As they lie there, sealed. They come again until they are `kept`."""
    return await tx.all(PASSWORDS)


async def password_kept(tx: Transaction, address: str) -> None:
    await tx.all(KEPT, address)


async def take_settings(tx: Transaction, told: str) -> int:
    return await tx.value(TAKE_SETTINGS, told)


async def take_notices(tx: Transaction, number: int, notices: Sequence[Notice]) -> None:
    """Of the policy of that number, in the transaction that takes it."""
    for one in notices:
        await tx.all(TAKE_NOTICE, one.digest, one.sound)
        await tx.all(NAME_NOTICE, number, one.name, one.digest)


async def set_account(tx: Transaction, address: str, told: Mapping[str, Any], password: bytes | None) -> None:
    """`password`: sealed; None leaves the one that waits there."""
    await tx.all(SET_ACCOUNT, address, Jsonb(dict(told)), password)


async def remove_account(tx: Transaction, address: str) -> bool:
    return await tx.value(REMOVE_ACCOUNT, address)


async def accounts(tx: Transaction) -> Sequence[Row]:
    return await tx.all(LISTED)
