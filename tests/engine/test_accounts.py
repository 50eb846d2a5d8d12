"""The accounts between settings, keyring and SIP: how many there may be, and how long a fault of the keyring's stands."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace

import pytest

from softphone.domain.errors import KeyringError, SettingsError
from softphone.engine.accounts import Accounts
from softphone.engine.sip import events as sip
from softphone.engine.sip.settings import AccountSettings
from softphone.system.settings_schema import MOST_ACCOUNTS
from softphone.wire.snapshot import Account, CodedText, Mailbox, Registration

ONE = Account("one", "one@pbx.example")
OTHER = Account("other", "other@pbx.example")


class _Phone:
    def __init__(self) -> None:
        self.added: list[str] = []
        self.passwords: list[str] = []

    def add_account(self, account: str, settings: AccountSettings) -> None:
        self.added.append(account)
        self.passwords.append(settings.password)

    def remove_account(self, account: str) -> None:
        self.added.remove(account)


class Desk:
    """`locked`: the accounts whose password the keyring does not give; `without`: those that it has none for."""

    def __init__(self) -> None:
        self.locked: set[str] = set()
        self.without: set[str] = set()
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.faults: dict[str, CodedText | None] = {}
        self.phone = _Phone()
        self.accounts = Accounts(self.phone, self._password, self.inbox.put, self.faults.__setitem__, ask_again=0.2)

    def _password(self, account: str) -> str | None:
        if account in self.locked:
            raise KeyringError("error.keyring.locked")
        return None if account in self.without else f"secret of {account}"

    def set(self, *accounts: Account, answers: int) -> None:
        self.accounts.set(accounts, in_call=False)
        for _ in range(answers):
            self.inbox.get(timeout=15)()

    @property
    def fault(self) -> str | None:
        said = self.faults.get("keyring")
        return said.code if said else None


def some(count: int) -> tuple[Account, ...]:
    return tuple(Account(f"a{number}", f"user{number}@pbx.example", register=False) for number in range(count))


def test_one_account_too_many_is_refused_and_nothing_is_changed() -> None:
    desk = Desk()
    desk.set(*some(MOST_ACCOUNTS), answers=0)
    assert len(desk.phone.added) == MOST_ACCOUNTS
    with pytest.raises(SettingsError) as refused:
        desk.set(*some(MOST_ACCOUNTS + 1), answers=0)
    assert refused.value.params == {"most": MOST_ACCOUNTS}
    assert len(desk.phone.added) == MOST_ACCOUNTS


def test_the_account_that_calls_go_out_on_is_the_first_of_the_settings() -> None:
    desk = Desk()
    one, other = some(2)
    desk.set(one, other, answers=0)
    desk.set(other, one, answers=0)
    assert [state.account for state in desk.accounts.shown()] == [other, one]
    desk.accounts.check((other, one), in_call=True)


@pytest.mark.parametrize("end", ["removed", "registers no more", "the keyring answers"])
def test_a_keyring_that_does_not_answer_is_a_fault_as_long_as_an_account_needs_it(end: str) -> None:
    desk = Desk()
    desk.locked = {ONE.id}
    desk.set(ONE, OTHER, answers=2)
    # That another account's password could be had says nothing of this one's.
    assert desk.fault == "error.keyring.locked"
    assert [one.registration for one in desk.accounts.shown()] == [Registration.NO_PASSWORD, Registration.REGISTERING]
    match end:
        case "removed":
            desk.set(OTHER, answers=1)
        case "registers no more":
            desk.set(replace(ONE, register=False), OTHER, answers=1)
        case _:
            # It is asked again and again, and nobody presses anything.
            for _ in range(3):
                desk.inbox.get(timeout=15)()
            desk.locked.clear()
            while not desk.accounts.settle(in_call=False):
                desk.inbox.get(timeout=15)()
            assert desk.phone.passwords == ["", "secret of other", "secret of one"]
            assert desk.accounts.shown()[0].registration is Registration.REGISTERING
    assert desk.fault is None


def test_an_exchange_that_wants_a_password_where_none_was_found_is_said_to_want_one() -> None:
    desk = Desk()
    desk.without = {ONE.id}
    desk.set(ONE, OTHER, answers=2)
    for one in (ONE, OTHER):
        desk.accounts.registration(sip.RegistrationChanged(one.id, "refused", None, 401, "Unauthorized"))
    assert [one.registration for one in desk.accounts.shown()] == [Registration.NO_PASSWORD, Registration.REFUSED]


def test_what_the_keyring_says_of_an_account_that_has_gone_meanwhile_is_no_fault() -> None:
    desk = Desk()
    desk.locked = {ONE.id}
    desk.accounts.set((ONE,), in_call=False)
    desk.set(answers=1)
    assert (desk.fault, desk.phone.added) == (None, [])


def test_an_earlier_look_up_gives_no_password_and_a_new_one_waits_until_no_call_is_on() -> None:
    answers: queue.SimpleQueue[queue.SimpleQueue[str]] = queue.SimpleQueue()
    inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    phone = _Phone()

    def keyring(_: str) -> str:
        own: queue.SimpleQueue[str] = queue.SimpleQueue()
        answers.put(own)
        return own.get(timeout=15)

    def asked(*accounts: Account) -> queue.SimpleQueue[str]:
        desk.set(accounts, in_call=False)
        return answers.get(timeout=15)

    def said(by: queue.SimpleQueue[str], password: str, *, in_call: bool = False) -> list[str]:
        by.put(password)
        inbox.get(timeout=15)()
        desk.settle(in_call=in_call)
        return phone.passwords

    desk = Accounts(phone, keyring, inbox.put, lambda _, __: None)
    first = asked(ONE)
    second = asked(replace(ONE, user="other"))
    third = asked(ONE)
    assert said(first, "of an account since changed") == []
    assert said(second, "of another user") == []
    assert said(third, "old") == ["old"]
    # Its password may be new, and a call comes before the keyring has answered.
    earlier = asked(ONE)
    later = asked(ONE)
    assert said(later, "new", in_call=True) == ["old"]
    assert said(earlier, "old", in_call=True) == ["old"]
    desk.settle(in_call=False)
    assert phone.passwords == ["old", "new"]
    assert phone.added == [ONE.id]


@pytest.mark.parametrize(
    ("named", "called"),
    [
        ("tel:+4570102030;phone-context=x", "+4570102030"),
        ("sip:voice@pbx.example", "sip:voice@pbx.example"),
        ("sip:%20@pbx.example", ""),
        ("", ""),
    ],
)
def test_a_mailbox_is_named_as_this_phone_can_call_it(named: str, called: str) -> None:
    desk = Desk()
    desk.set(ONE, answers=1)
    desk.accounts.mailbox(sip.MailboxChanged(ONE.id, waiting=True, new=1, target=named))
    [state] = desk.accounts.shown()
    assert state.mailbox == Mailbox(True, 1, called)


def test_an_authoritys_file_that_cannot_be_read_is_named_to_its_user_and_not_in_the_logged_event() -> None:
    desk = Desk()
    account = replace(ONE, transport="tls", certificate_authority="/home/bjarke/ours.pem")
    desk.set(account, answers=1)
    desk.accounts.not_connected(sip.NotConnected("one", "pbx.example", "tls_authority_file", "No such file"))
    trouble = desk.accounts.shown()[0].trouble
    assert trouble is not None
    assert (trouble.code, trouble.params["file"]) == ("connection.tls_authority_file", account.certificate_authority)
