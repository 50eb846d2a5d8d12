"""The accounts: whether each is registered, or could be; its server's certificate; and whether sound is encrypted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from softphone.bootstrap.home import texts
from softphone.cli.doctor.faults import By
from softphone.cli.doctor.finding import Below, Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.cli.doctor.servers import ANSWERED_WITHIN, Asked, usable
from softphone.domain.errors import Param, SettingsError
from softphone.domain.roles import Role
from softphone.house.membership import HouseFolder
from softphone.wire.snapshot import AccountState, Registration

ENDS_SOON = timedelta(days=21)
_NOT_THIS_ACCOUNT = (401, 403, 404, 407)
"""answers to a REGISTER by which a server refuses the name or the password"""


def _accounts(machine: Machine) -> Iterator[Finding]:
    if not machine.settings.accounts:
        yield _none(machine)
    running = machine.running()
    states = {one.account.id: one for one in running.snapshot.accounts} if running and running.snapshot else {}
    asked = {one.account.id: one for one in machine.servers()}
    for account in machine.settings.accounts:
        there = asked.get(account.id)
        state = states.get(account.id)
        if state is not None and state.account == account:
            yield _who(machine, _as_the_phone_says(state, there))
        elif there is not None:
            yield _who(machine, _as_the_server_says(there))
        elif usable(account):
            yield Finding("doctor.account.direct", {"address": account.address})
        if there is not None and (ends := _ends(there)) is not None and ends - datetime.now(UTC) < ENDS_SOON:
            yield Finding("doctor.certificate.ends", {"server": there.state.server, "day": ends.date().isoformat()})


def _none(machine: Machine) -> Finding:
    """In a house it is the server that gives an agent one, and whoever is no agent takes no calls."""
    if machine.held.machine.faults:
        return Finding("doctor.account.withheld")
    try:
        house = HouseFolder(machine.home.folders.data).read()
    except SettingsError:  # the house's own check tells of it
        house = None
    if house is None:
        return Finding("doctor.account.none")
    if Role.AGENT not in house.roles:
        return Finding("doctor.account.not_wanted")
    return Finding("doctor.account.none", remedy="doctor.account.house.remedy", by=By.IT)


def _who(machine: Machine, found: Finding) -> Finding:
    """The agent cannot change the user of an account that the organisation has locked."""
    if found.code == "ready.registration.refused" and machine.held.machine.lock_of("accounts"):
        return replace(found, remedy="doctor.account.locked.remedy", by=By.IT)
    return found


def _as_the_phone_says(state: AccountState, there: Asked | None) -> Finding:
    """In the words of its window."""
    account = state.account
    if state.registration in (Registration.REFUSED, Registration.NO_PASSWORD):
        return Finding(f"ready.registration.{state.registration}", {"address": account.address})
    if state.registration is Registration.UNREGISTERED:
        return Finding("doctor.account.direct", {"address": account.address})
    if state.registration is Registration.REGISTERED:
        fields: dict[str, Param] = {"address": account.address, "transport": account.transport.upper()}
        return Finding("doctor.account.registered", fields, _about(there))
    if state.trouble is not None:
        fields = {**state.trouble.params, "address": account.address}
        return Finding(state.trouble.code, fields, (Below(account.address),))
    if there is not None and there.state.fault is not None:
        return _not_there(there)
    return _answers(account.address, state.code, state.reason)


def _as_the_server_says(there: Asked) -> Finding:
    state, address = there.state, there.account.address
    if state.fault is not None:
        return _not_there(there)
    if there.logged_in and state.code in _NOT_THIS_ACCOUNT:
        lacking = there.keyless and state.code in (401, 407)
        return Finding(f"ready.registration.{'no_password' if lacking else 'refused'}", {"address": address})
    if there.logged_in and state.code >= 300:
        return _answers(address, state.code, state.answer.phrase if state.answer else "")
    fields: dict[str, Param] = {
        "address": address,
        "server": state.server,
        "transport": there.account.transport.upper(),
        "ms": round(state.seconds * 1000),
    }
    return Finding("doctor.account" if there.logged_in else "doctor.server", fields, _about(there))


def _answers(address: str, code: int, reason: str) -> Finding:
    return Finding("connection.answer", {"address": address, "sip": f"{code} {reason}".strip()})


def _not_there(there: Asked) -> Finding:
    state = there.state
    assert state.fault is not None
    fields: dict[str, Param] = {"server": state.server, "detail": state.fault.detail, "address": there.account.address}
    if state.fault.code == "tls_authority_file":
        fields["file"] = there.account.certificate_authority
    return Finding(f"connection.{state.fault.code}", fields, (Below(there.account.address),))


def _about(there: Asked | None) -> tuple[Below, ...]:
    """Its certificate, and what its sound is."""
    if there is None or there.account.transport != "tls":
        return ()
    tell, ends = texts(), _ends(there)
    said: list[tuple[str, dict[str, str]]] = [(f"doctor.srtp.{there.account.srtp}", {})]
    if ends is not None:
        said.insert(0, ("doctor.certificate", {"server": there.state.server, "day": ends.date().isoformat()}))
    return tuple(Below(tell(code, **params), code) for code, params in said)


def _ends(there: Asked) -> datetime | None:
    ends = there.state.certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None


ACCOUNTS = Check("accounts", _accounts, ANSWERED_WITHIN + 3.0)
