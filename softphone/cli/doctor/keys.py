"""The keyring, and the house's word for this desk."""

from __future__ import annotations

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
PASSPORTS = Check("passports", _passports)
