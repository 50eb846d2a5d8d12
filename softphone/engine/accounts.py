"""The SIP accounts and their true states. A password comes from the keyring on a thread, and goes to SIP alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from softphone.calls.turns import Post
from softphone.domain.errors import KlartoneError, SettingsError
from softphone.engine.sip import events as sip
from softphone.engine.sip.settings import AccountSettings
from softphone.system.settings_schema import check_accounts
from softphone.wire.snapshot import Account, AccountState, CodedText, Mailbox, Registration

ASK_AGAIN = 5.0
"""seconds until a keyring that could not be read is asked again"""
_WANTS_A_PASSWORD = (401, 407)
_SILENT = (0, 408)
_EDGE_SAID = ("Not connected", "Name leads nowhere")
"""how the edge's own answers begin; it has said why by then"""
_ANSWER = "connection.answer"
FindPassword = Callable[[str], str | None]
"""by the account's id; None if the keyring holds none. Raises KeyringError. May take its time."""


class AccountsPort(Protocol):
    def add_account(self, account: str, settings: AccountSettings) -> None: ...
    def remove_account(self, account: str) -> None: ...


class Accounts:
    def __init__(
        self,
        phone: AccountsPort,
        find_password: FindPassword,
        post: Post,
        fault: Callable[[str, CodedText | None], None],
        ask_again: float = ASK_AGAIN,
    ) -> None:
        self._phone = phone
        self._find_password = find_password
        self._post = post
        self._fault = fault
        self._ask_again = ask_again
        self._states: dict[str, AccountState] = {}
        self._added: dict[str, str] = {}
        """the phone's accounts, with the password it was given for each"""
        self._asked: dict[str, int] = {}
        """the number of each account's last look-up: an earlier one's answer counts no more"""
        self._number = 0
        self._late: dict[str, tuple[Account, str]] = {}
        """new passwords of accounts that stand: to add one anew would end its calls"""
        self._unanswered: dict[str, CodedText] = {}
        """accounts whose password the keyring could not give, and why"""

    def known(self, account: str) -> bool:
        return account in self._added

    def address(self, account: str) -> str:
        """The account's address, user@domain; empty if it has gone."""
        state = self._states.get(account)
        return state.account.address if state else ""

    def own(self) -> dict[str, str]:
        """The accounts' ids by their addresses."""
        return {state.account.address: id for id, state in self._states.items()}

    def place(self, account: str) -> int:
        """In the settings' order, from 1; 0: it has gone. For logs, which name none."""
        return next((n for n, id in enumerate(self._states, 1) if id == account), 0)

    def shown(self) -> tuple[AccountState, ...]:
        return tuple(self._states.values())

    def check(self, accounts: tuple[Account, ...], *, in_call: bool) -> None:
        """Raises SettingsError for a faulty address, for too many accounts, or for a change while a call is on."""
        if in_call and accounts != tuple(state.account for state in self._states.values()):
            raise SettingsError("error.settings.in_call")
        check_accounts(accounts)

    def set(self, accounts: tuple[Account, ...], *, in_call: bool) -> None:
        """Raises SettingsError as `check` does; then nothing is changed."""
        self.check(accounts, in_call=in_call)
        if in_call:
            return
        wanted = {account.id: account for account in accounts}
        for gone in [one for one in self._states if one not in wanted]:
            self._remove(gone)
            self._asked.pop(gone, None)
            del self._states[gone]
            self._keyring(gone, None)
        for account in accounts:
            if self._stands(account):
                # Calls keep coming while other settings are saved; its password may be new all the same.
                if account.register:
                    self._ask(account)
                continue
            self._remove(account.id)
            self._asked.pop(account.id, None)
            self._states[account.id] = AccountState(account, Registration.REGISTERING)
            if account.register:
                self._ask(account)
            else:
                self._keyring(account.id, None)
                self._add(account, "")
        # Calls go out on the first.
        self._states = {account.id: self._states[account.id] for account in accounts}

    def settle(self, *, in_call: bool) -> bool:
        """To be called in each turn: new passwords wait for a moment without a call. Whether an account has changed."""
        if in_call or not self._late:
            return False
        late, self._late = self._late, {}
        for account, password in late.values():
            self._remove(account.id)
            self._states[account.id] = AccountState(account, Registration.REGISTERING)
            self._add(account, password)
        return True

    def registration(self, event: sip.RegistrationChanged) -> None:
        if state := self._states.get(event.account):
            registration = Registration(event.state)
            if event.code in _WANTS_A_PASSWORD and not self._added.get(event.account):
                registration = Registration.NO_PASSWORD
            self._states[event.account] = replace(
                state,
                registration=registration,
                until=event.until,
                code=event.code,
                reason=event.reason,
                trouble=_trouble(state, event),
            )

    def mailbox(self, event: sip.MailboxChanged) -> None:
        if state := self._states.get(event.account):
            from softphone.calls.numbers import dialable  # a registration does not wait for the rules of numbers

            box = Mailbox(event.waiting, event.new, dialable(event.target))
            self._states[event.account] = replace(state, mailbox=box)

    def not_connected(self, event: sip.NotConnected) -> None:
        if state := self._states.get(event.account):
            params = {"server": event.server, "detail": event.detail}
            if event.why == "tls_authority_file":  # not from the event, which is logged: a path may name its user
                params["file"] = state.account.certificate_authority
            self._states[event.account] = replace(state, trouble=CodedText(f"connection.{event.why}", params))

    def _stands(self, account: Account) -> bool:
        state = self._states.get(account.id)
        works = (Registration.REGISTERED, Registration.REGISTERING, Registration.UNREGISTERED)
        return (
            state is not None and state.account == account and account.id in self._added and state.registration in works
        )

    def _ask(self, account: Account) -> None:
        self._number += 1
        self._asked[account.id] = self._number
        self._late.pop(account.id, None)
        threading.Thread(target=self._look_up, args=(account, self._number), name="password", daemon=True).start()

    def _look_up(self, account: Account, number: int) -> None:
        try:
            password = self._find_password(account.id)
        except KlartoneError as error:
            said = CodedText(error.code, error.params)
            self._post(lambda: self._no_password(account, number, said))
        else:
            self._post(lambda: self._password(account, number, password or ""))

    def _password(self, account: Account, number: int, password: str) -> None:
        if self._asked.get(account.id) != number:
            return
        self._keyring(account.id, None)
        if account.id not in self._added:
            self._add(account, password)
        elif self._added[account.id] != password:
            self._late[account.id] = account, password

    def _no_password(self, account: Account, number: int, said: CodedText) -> None:
        """Without a keyring it tries without a password: some exchanges want none. The keyring may come later."""
        if self._asked.get(account.id) != number:
            return
        self._keyring(account.id, said)
        again = threading.Timer(self._ask_again, self._post, (lambda: self._look_again(account, number),))
        again.daemon = True
        again.start()
        if account.id in self._added:
            return
        self._add(account, "")
        self._states[account.id] = replace(self._states[account.id], registration=Registration.NO_PASSWORD)

    def _look_again(self, account: Account, number: int) -> None:
        if self._asked.get(account.id) == number:
            self._ask(account)

    def _keyring(self, account: str, said: CodedText | None) -> None:
        """The fault stands as long as an account does that needed the keyring in vain."""
        if said:
            self._unanswered[account] = said
        else:
            self._unanswered.pop(account, None)
        self._fault("keyring", next(iter(self._unanswered.values()), None))

    def _add(self, account: Account, password: str) -> None:
        state = self._states[account.id]
        settings = AccountSettings(
            address=account.address,
            user=account.user,
            password=password,
            transport=account.transport,
            display_name=account.display_name,
            register=account.register,
            accept_from=account.accept_from,
            proxy=account.outbound_proxy,
            srtp=account.srtp,
            authority=account.certificate_authority,
            ice=account.ice,
            mailbox=True,
        )
        try:
            self._phone.add_account(account.id, settings)
        except KlartoneError as error:
            self._states[account.id] = replace(state, registration=Registration.REFUSED, reason=error.code)
            return
        self._added[account.id] = password
        if not account.register:
            self._states[account.id] = replace(state, registration=Registration.UNREGISTERED)

    def _remove(self, account: str) -> None:
        self._late.pop(account, None)
        if self._added.pop(account, None) is not None:
            self._phone.remove_account(account)


def _trouble(state: AccountState, event: sip.RegistrationChanged) -> CodedText | None:
    """Why its server is not reached, in the doctor's words too. What the edge has said is more exact than a silence."""
    before, account = state.trouble, state.account
    if event.state != "unreachable":
        return None if event.state == "registered" else before
    if event.code not in _SILENT and not event.reason.startswith(_EDGE_SAID):
        return CodedText(_ANSWER, {"address": account.address, "sip": f"{event.code} {event.reason}".strip()})
    if before is not None and before.code != _ANSWER:
        return before
    server = account.outbound_proxy or account.address.rpartition("@")[2]
    return CodedText("connection.silent", {"server": server, "detail": ""})
