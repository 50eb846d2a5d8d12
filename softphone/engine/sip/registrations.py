"""The phone's accounts and what is known of their registrations.

An unreachable registrar is reported after a few seconds without an answer, long before SIP's own time-out. It is tried again
and again, ever more seldom and at moments of chance, so that a server that comes back is not met by all its phones at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import random

import pjsua2 as pj

from softphone.domain.errors import SettingsError
from softphone.edge.channel import account_param
from softphone.engine.sip.account import AccountDirector, account_config, registration_state
from softphone.engine.sip.call import PhonePost
from softphone.engine.sip.endpoint import SipEndpoint
from softphone.engine.sip.events import PhoneEvent, RegistrationChanged, RegistrationState
from softphone.engine.sip.raw_events import RegistrationAnswered, RegistrationStarted
from softphone.engine.sip.settings import AccountSettings
from softphone.engine.sip.timers import Timers

ANSWER_LIMIT = 5.0
UNREGISTER_LIMIT = 1.5
LONGEST_WAIT = 8
"""as `retry_seconds`: what the waiting grows to"""
LONGEST_RETRY_AFTER = 3600.0
ROOM = 8
"""Accounts that PJSIP has room for; it aborts the process at the next. An account that is on its way out still has its
place."""


@dataclass(slots=True)
class Registration:
    director: AccountDirector
    settings: AccountSettings
    state: RegistrationChanged | None = None
    renewing: bool = True
    attempt: int = 0
    failures: int = 0
    """in a row"""
    waiting: bool = False


class Registrations:
    def __init__(
        self,
        endpoint: SipEndpoint,
        bind: str,
        timers: Timers,
        post: PhonePost,
        emit: Callable[[PhoneEvent], None],
    ) -> None:
        self._endpoint = endpoint
        self._bind = bind
        self._timers = timers
        self._post = post
        self._emit = emit
        self._accounts: dict[str, Registration] = {}
        self._retired: list[AccountDirector] = []
        endpoint.name_accounts(self._index_of)

    def __contains__(self, account: str) -> bool:
        return account in self._accounts

    def lacks_tls(self, account: str) -> bool:
        return account in self._accounts and self._accounts[account].settings.lacks_tls

    def get(self, account: str) -> Registration:
        """Raises SettingsError `account_unknown`."""
        try:
            return self._accounts[account]
        except KeyError:
            raise SettingsError("account_unknown", account=account) from None

    def add(self, account: str, settings: AccountSettings) -> None:
        """Raises SettingsError `account_address`, `account_server`, `account_transport`,
        `account_exists`, `error.settings.accounts` or `account_refused` (PJSIP would not take it)."""
        self.check(account)
        config = account_config(account, settings, self._endpoint.udp_transport, self._bind, self._endpoint.edge)
        director = AccountDirector(account, self._post)
        reason = ""
        try:
            director.create(config, not self._accounts)
        except pj.Error as error:
            reason = error.reason or str(error.status)
        if reason:
            raise SettingsError("account_refused", account=account, reason=reason)
        self._accounts[account] = Registration(director, settings)

    def _index_of(self, route: str) -> int | None:
        named = (one for account, one in self._accounts.items() if f";{account_param(account)}>" in route)
        return next((one.director.getId() for one in named), None)

    def check(self, account: str) -> None:
        """Raises SettingsError `account_exists` or `error.settings.accounts`."""
        if account in self._accounts:
            raise SettingsError("account_exists", account=account)
        if len(self._accounts) + len(self._retired) >= ROOM:
            raise SettingsError("error.settings.accounts", most=ROOM)

    def retire(self, account: str, in_use: Callable[[str], bool], gone: Callable[[str], None] = lambda _: None) -> None:
        """Unregister and forget; the pjsua2 account lives on until its answer and its calls are over. `gone` then hears of it,
        unless there is another of that name."""
        registration = self.get(account)
        del self._accounts[account]
        director = registration.director
        director.account = ""
        self._retired.append(director)
        if registration.settings.register:
            with contextlib.suppress(pj.Error):
                director.setRegistration(False)
            self._emit(RegistrationChanged(account, "unregistered", None, 0, ""))

        def drop() -> None:
            if in_use(account):
                self._timers.after(UNREGISTER_LIMIT, drop)
                return
            for index, kept in enumerate(self._retired):
                if kept is director:
                    del self._retired[index]
                    _end(kept)
                    break
            if account not in self._accounts:
                gone(account)

        self._timers.after(UNREGISTER_LIMIT, drop)

    def renew(self, account: str) -> None:
        """Register anew at once: the registrar's way to this account has gone."""
        registration = self._accounts.get(account)
        if registration is not None and registration.settings.register:
            with contextlib.suppress(pj.Error):
                registration.director.setRegistration(True)

    def renew_by(self, *transports: str) -> None:
        for account, registration in self._accounts.items():
            if registration.settings.transport in transports:
                self.renew(account)

    def unregister_all(self) -> None:
        for registration in self._accounts.values():
            if registration.state is not None and registration.state.state == "registered":
                registration.waiting = True
                with contextlib.suppress(pj.Error):
                    registration.director.setRegistration(False)

    def waiting(self) -> bool:
        return any(registration.waiting for registration in self._accounts.values())

    def drop_all(self) -> None:
        directors = [*self._retired, *(kept.director for kept in self._accounts.values())]
        self._retired.clear()
        self._accounts.clear()
        for director in directors:
            _end(director)

    def started(self, happening: RegistrationStarted) -> None:
        registration = self._accounts.get(happening.account)
        if registration is None:
            return
        registration.renewing = happening.renew
        registration.attempt += 1
        if not happening.renew:
            return
        # A refresh of a standing registration is not reported until it fails.
        if registration.state is None or registration.state.state in ("refused", "unregistered"):
            self._tell(registration, "registering", None, 0, "", happening.account)
        attempt = registration.attempt
        self._timers.after(ANSWER_LIMIT, lambda: self._unanswered(happening.account, attempt))

    def answered(self, happening: RegistrationAnswered) -> None:
        registration = self._accounts.get(happening.account)
        if registration is None:
            return
        registration.attempt += 1
        registration.waiting = False
        seconds = happening.seconds if registration.renewing else 0
        state = registration_state(happening.code, seconds)
        if state == "unreachable" and registration.renewing:
            self._again(registration, happening)
        else:
            registration.failures = 0
        until = None
        if state == "registered":
            until = datetime.now(UTC) + timedelta(seconds=seconds)
        self._tell(registration, state, until, happening.code, happening.reason, happening.account)

    def _again(self, registration: Registration, happening: RegistrationAnswered) -> None:
        wait = retry_wait(registration.settings.retry_seconds, registration.failures, float(happening.retry_after))
        registration.failures += 1
        attempt = registration.attempt

        def renew() -> None:
            if registration.attempt == attempt:
                self.renew(happening.account)

        self._timers.after(wait, renew)

    def _unanswered(self, account: str, attempt: int) -> None:
        registration = self._accounts.get(account)
        if registration is not None and registration.attempt == attempt:
            self._tell(registration, "unreachable", None, 0, "", account)

    def _tell(
        self,
        registration: Registration,
        state: RegistrationState,
        until: datetime | None,
        code: int,
        reason: str,
        account: str,
    ) -> None:
        changed = RegistrationChanged(account, state, until, code, reason)
        old = registration.state
        registration.state = changed
        if old != changed:
            self._emit(changed)


def retry_wait(retry_seconds: int, failures: int, retry_after: float, chance: Callable[[], float] = random) -> float:
    """Seconds until the next try (RFC 5626 4.5): between half of what has doubled with each failure and the whole."""
    longest = min(LONGEST_WAIT * retry_seconds, max(1.0, retry_seconds / 5) * 2 ** min(failures, 16))
    return max(longest * (0.5 + chance() / 2), min(retry_after * (1 + chance() / 10), LONGEST_RETRY_AFTER))


def _end(director: AccountDirector) -> None:
    """The account is gone. Its object is left to the library. Dropped later, it would shut down again, and its place may
    then be another account's, which would go with it."""
    with contextlib.suppress(pj.Error):
        director.shutdown()
    director.__disown__()
