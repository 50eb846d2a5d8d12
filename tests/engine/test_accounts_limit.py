"""How many SIP accounts there may be: one too many is refused in words, because PJSIP would end the engine."""

from __future__ import annotations

import pytest

from softphone.domain.errors import SettingsError
from softphone.engine.accounts import MOST, Accounts
from softphone.engine.sip.settings import AccountSettings
from softphone.wire import Account, Said


class _Phone:
    def __init__(self) -> None:
        self.added: list[str] = []

    def add_account(self, account: str, settings: AccountSettings) -> None:
        self.added.append(account)

    def remove_account(self, account: str) -> None:
        self.added.remove(account)


def some(count: int) -> tuple[Account, ...]:
    return tuple(Account(f"a{number}", f"user{number}@pbx.example", register=False) for number in range(count))


def test_one_account_too_many_is_refused_and_nothing_is_changed() -> None:
    phone = _Phone()
    faults: list[tuple[str, Said | None]] = []
    accounts = Accounts(phone, lambda _: None, lambda deed: deed(), lambda name, said: faults.append((name, said)))
    accounts.set(some(MOST), in_call=False)
    assert len(phone.added) == MOST
    with pytest.raises(SettingsError) as refused:
        accounts.set(some(MOST + 1), in_call=False)
    assert refused.value.params == {"most": MOST}
    assert len(phone.added) == MOST
