"""The keyring, the private keys that should be in it, and the house's word for this desk."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from softphone.cli.doctor.finding import Check, Finding
from softphone.cli.doctor.machine import Machine
from softphone.domain.errors import KlartoneError


def _keyring(machine: Machine) -> Iterator[Finding]:
    machine.keys.get("doctor")
    yield Finding("doctor.keyring")


def _private_keys(machine: Machine) -> Iterator[Finding]:
    """Of the roles that this person has: by the house's word, and by what this keyring once had."""
    from softphone.archive.crypto.ring import gone
    from softphone.archive.crypto.wraps import fingerprint, private_name
    from softphone.domain.purpose import KeyRole
    from softphone.domain.roles import role_of
    from softphone.house.membership import HouseFolder
    from softphone.system.policy_file import load_policy

    for one in gone(machine.keys):
        yield Finding("doctor.key.gone", {"id": one.id, "key": one.key_id[:8]})
    membership = HouseFolder(machine.home.folders.data).read()
    if membership is None or not machine.settings.policy:
        return
    try:
        recipients = load_policy(Path(machine.settings.policy)).policy.recipient
    except KlartoneError:
        return  # the policy's own finding says so
    for role in KeyRole:
        ids = [one.id for one in recipients if one.purpose is role]
        named = (private_name(fingerprint(b64decode(one.public_key))) for one in recipients if one.purpose is role)
        if role_of(role).value in membership.roles and ids and all(machine.keys.get(name) is None for name in named):
            yield Finding(f"doctor.key.no_{role.value}", {"ids": ", ".join(ids)})


def _passports(machine: Machine) -> Iterator[Finding]:
    """Whether colleagues' phones believe this desk. Nothing where neither the policy nor the settings speak of a house."""
    from softphone.archive.crypto.wraps import signer_name
    from softphone.archive.folder.marker import read_marker
    from softphone.bootstrap.archive.shared import here
    from softphone.system.passports import certified_until
    from softphone.system.policy_file import load_policy
    from softphone.system.signature import public_half

    settings, folder = machine.settings, machine.archive
    houses: tuple[str, ...] = ()
    if settings.policy:
        with suppress(KlartoneError):  # the policy's own finding says so
            houses = load_policy(Path(settings.policy)).policy.house.keys
    if not houses and not settings.desk_certificate:
        return
    private: bytes | None = None
    with suppress(KlartoneError):  # the archive's finding says so, or the keyring's
        private = machine.keys.get(signer_name(read_marker(folder).desk))
    if not settings.desk_certificate:
        yield Finding("doctor.passport.none")
        return
    desk = public_half(private) if private is not None else ""
    until = certified_until(settings.desk_certificate, desk, houses, datetime.now(UTC))
    yield Finding("doctor.passport", {"at": here(until)}) if until else Finding("doctor.passport.faulty")


KEYRING = Check("keyring", _keyring)
PRIVATE_KEYS = Check("keys", _private_keys)
PASSPORTS = Check("passports", _passports)
