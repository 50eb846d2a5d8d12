"""`klartone doctor`: what works on this machine and what is missing, a line each, for IT. It changes nothing."""

from __future__ import annotations

import argparse
import importlib
import platform
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from softphone.bootstrap.home import Home, key_store, texts
from softphone.bootstrap.policy.file import at_its_place, of_revoked
from softphone.cli.settings import fault_at_its_place, machine_fault_at_its_place
from softphone.domain.errors import ArchiveError, KlartoneError, Param, SettingsError, SoundError
from softphone.system.paths import is_there
from softphone.system.settings import ASIDE, FILE, FaultySettings, doubts_in
from softphone.system.settings_machine import MachineSettings
from softphone.system.settings_schema import check_accounts, doubts
from softphone.system.signature import public_key
from softphone.wire.snapshot import Account, Settings

if TYPE_CHECKING:
    from softphone.archive.seen.machine import MachineArchive


_NOTED = (".none", ".faulty", ".waits", ".revoked", ".stale", ".missing", ".as_it_is")
"""the ending of a finding's code that does not change the status"""


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad`: Klartone cannot do its work without it."""

    code: str
    params: dict[str, Param] = field(default_factory=dict[str, Param])
    bad: bool = False
    below: tuple[str, ...] = ()
    """sentences to it, a line each"""


def run_doctor(arguments: argparse.Namespace) -> int:
    """Status 1 if something is missing that calls need."""
    home = Home.of(arguments)
    tell = texts()
    worst = 0
    for finding in _findings(home):
        mark = "✗" if finding.bad else ("·" if finding.code.endswith(_NOTED) else "✓")
        detail = finding.params.get("detail")
        said = tell(str(detail), **finding.params) if isinstance(detail, str) and detail in tell else detail
        params = finding.params if said is None else {**finding.params, "detail": said}
        for line in (f"{mark} {tell(finding.code, **params)}", *(f"    {line}" for line in finding.below)):
            print(line)  # noqa: T201
        worst = max(worst, int(finding.bad))
    return worst


def _findings(home: Home) -> Iterator[Finding]:
    held, _ = home.settings_in_force(only_look=True)
    settings = held.settings
    yield Finding("doctor.python", {"version": platform.python_version()})
    yield _sip()
    yield from _sound(settings)
    yield _keyring(home.archive(settings))
    yield _voice()
    inside: list[Finding] = []
    policy: list[Finding] = []

    def look(archive: MachineArchive) -> None:
        inside.extend([*_backup(archive), *_waiting(archive), _signer(archive, settings)])
        policy.append(_policy(settings, archive))

    yield _archive(home.archive(settings), look)
    yield from inside
    yield from policy or [_policy(settings)]
    yield from _passports(settings, home.archive(settings))
    yield from _managed(held.machine)
    yield from _plugins(settings)
    yield _settings(home.folders.config)
    yield from _address(settings)
    yield from _servers(settings)
    yield from _stun(settings)
    yield from _strangers(home.folders.runtime)


def _sip() -> Finding:
    """Importing it is the proof: a wheel for another Python or system fails here."""
    try:
        importlib.import_module("softphone.engine.sip.phone")
    except ImportError as error:
        return Finding("doctor.sip.none", {"detail": str(error)}, bad=True)
    return Finding("doctor.sip", {"version": version("pjsua2-python")})


def _sound(settings: Settings) -> Iterator[Finding]:
    """What there is, and what the settings name that is not there."""
    from softphone.audio.cleaning import Cleaner
    from softphone.audio.devices import Side, SoundFault, list_devices
    from softphone.audio.files import read_wav
    from softphone.audio.names import device_name

    found = list_devices()
    yield Finding("doctor.sound", {"count": len(found.all)}) if found.all else Finding("doctor.sound.none")
    speakers = dict.fromkeys((settings.speaker, settings.ring_device, settings.notice_device))
    wanted: list[tuple[Side, str]] = [("microphone", settings.microphone), *(("speaker", one) for one in speakers)]
    for side, device in wanted:
        named = bool(device) and not device.startswith(("file:", "none"))
        if named and found.all and isinstance(found.find(side, device), SoundFault):
            yield Finding("doctor.sound.missing", {"device": device_name(device)})
    if (settings.echo or settings.noise) and not Cleaner(echo=settings.echo, noise=settings.noise).works:
        yield Finding("doctor.sound.as_it_is")
    if settings.ring_sound.startswith("file:"):
        path = settings.ring_sound.removeprefix("file:")
        try:
            read_wav(Path(path))
        except SoundError:
            yield Finding("doctor.ring.missing", {"path": path})


def _keyring(archive: Path) -> Finding:
    return _tried(lambda: key_store(archive).get("doctor"), Finding("doctor.keyring"), "doctor.keyring.none")


def _voice() -> Finding:
    """Through the plugin host, as a policy's notices are spoken."""
    from softphone.bootstrap.voice import speaker
    from softphone.domain.purpose import Language

    def speak() -> None:
        with speaker() as say:
            for language in Language:
                say("Klartone", language)

    return _tried(speak, Finding("doctor.voice"), "doctor.voice.none")


def _archive(folder: Path, inside: Callable[[MachineArchive], object] = lambda _: None) -> Finding:
    """`inside`: looks into it, if it opens."""
    from softphone.archive.folder.disk import refusal
    from softphone.archive.folder.marker import is_here
    from softphone.archive.seen.machine import MachineArchive

    def look() -> None:
        if found := refusal(next(one for one in (folder, *folder.parents) if is_there(one))):
            raise ArchiveError(found.code, **{**found.params, "path": str(folder)})
        if is_here(folder):
            with closing(MachineArchive.open(folder, key_store(folder))) as archive:
                inside(archive)

    return _tried(look, Finding("doctor.archive", {"folder": str(folder)}), "doctor.archive.none")


def _backup(archive: MachineArchive) -> Iterator[Finding]:
    """How old each backup is, and how many changes it does not have yet."""
    from softphone.archive.seen.machine import LIVES_ON
    from softphone.bootstrap.archive.shared import here

    found = archive.backups()
    if not found:
        yield Finding("doctor.backup.none")
    for one in found:
        if not one.number:
            yield Finding("doctor.backup.none")
            continue
        fields = {"path": str(one.folder), "at": here(one.at), "count": one.waiting}
        yield Finding("doctor.backup.waiting" if one.waiting else "doctor.backup", dict(fields))
        if one.stale:
            yield Finding("doctor.backup.stale", {"path": str(one.folder), "days": LIVES_ON.days})


def _waiting(archive: MachineArchive) -> Iterator[Finding]:
    """What data protection has to decide, if anything."""
    found = archive.waiting(datetime.now(UTC))
    for code, count, day in (
        ("doctor.judge.waits", found.to_judge, found.judge_before),
        ("doctor.holds.waits", found.holds_overdue, found.holds_due),
        ("doctor.cases.waits", found.cases_overdue, found.cases_due),
    ):
        if count:
            yield Finding(code, {"count": count, "day": str(day)})


def _signer(archive: MachineArchive, settings: Settings) -> Finding:
    """Whose signature the archive asks of a policy. If only the settings ask for one, other settings need none."""
    if archive.policy_signer:
        return Finding("doctor.signer", {"signer": archive.policy_signer})
    if not archive.demo:
        # None, or not a key: the policy's own finding says so.
        with suppress(ValueError):
            return Finding("doctor.signer.none", {"signer": public_key(settings.policy_signer)})
    return Finding("doctor.signer.nobody")


def _managed(machine: MachineSettings) -> Iterator[Finding]:
    """What the organisation says to this machine, if it says anything."""
    if machine.faults:
        stops = machine.shut or machine.unrecorded
        lines = tuple(machine_fault_at_its_place(one, texts()) for one in machine.faults)
        yield Finding("doctor.managed.stops" if stops else "doctor.managed.bad", bad=True, below=lines)
    elif machine.places:
        counts: dict[str, Param] = {"locked": len(machine.locked), "defaults": len(machine.default)}
        yield Finding("doctor.managed", {**counts, "places": ", ".join(dict.fromkeys(machine.places.values()))})


def _plugins(settings: Settings) -> Iterator[Finding]:
    """Of the organisation's plugins those that are refused."""
    from softphone.bootstrap.plugins import organisations_plugins

    refused = organisations_plugins(settings)[1]
    if refused:
        yield Finding("doctor.plugins.refused", bad=True, below=tuple(texts().error(one) for one in refused))


def _settings(folder: Path) -> Finding:
    """Also a file that was set aside, if no other has taken its place."""
    aside = not is_there(folder / FILE) and is_there(folder / ASIDE)
    path = folder / (ASIDE if aside else FILE)
    code, below = "doctor.settings.doubtful", ()
    try:
        below = tuple(fault_at_its_place(fault, texts()) for fault in doubts_in(path))
    except FaultySettings as error:
        code, below = "doctor.settings.faulty", tuple(fault_at_its_place(fault, texts()) for fault in error.faults)
    except SettingsError as error:
        return Finding("doctor.settings.unreadable", {"detail": texts().error(error)}, bad=True)
    if aside or below:
        return Finding("doctor.settings.aside" if aside else code, {"path": str(path)}, bad=True, below=below)
    if why := why_unwritable(folder):
        # IT may have locked them: Klartone works with what they say.
        return Finding("doctor.settings.none", {"folder": str(folder), "detail": why})
    return Finding("doctor.settings", {"folder": str(folder)})


def why_unwritable(folder: Path) -> str:
    """The system's reason against writing there, or in the nearest existing folder above it; empty: none.

    It makes a file without a name, which is gone again: rights alone do not show a read-only disk.
    """
    try:
        there = next(one for one in (folder, *folder.parents) if is_there(one))
        with TemporaryFile(dir=there):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _policy(settings: Settings, archive: MachineArchive | None = None) -> Finding:
    """`archive`: if there is one here, whose signature it asks for, and which keys are revoked in it."""
    from softphone.bootstrap.archive.viewing import revoked_in
    from softphone.domain.policy import PolicyError, PolicyUnsigned
    from softphone.system.policy_file import load_policy

    if not settings.policy:
        return Finding("doctor.policy.none")
    try:
        signers = settings.policy_signer, archive.policy_signer if archive else ""
        loaded = load_policy(Path(settings.policy), *signers, guarded=settings.policy_guarded)
    except PolicyError as error:
        lines = tuple(at_its_place(fault, texts()) for fault in error.faults)
        if isinstance(error, PolicyUnsigned):
            return Finding("doctor.policy.unsigned", {"path": settings.policy}, bad=True, below=lines)
        return Finding("doctor.policy.faulty", {"path": settings.policy, "count": len(lines)}, below=lines)
    revoked = of_revoked(loaded, revoked_in(archive, loaded)) if archive else []
    if revoked:
        lines = tuple(at_its_place(one, texts()) for one in revoked)
        return Finding("doctor.policy.revoked", {"path": settings.policy, "count": len(lines)}, below=lines)
    if open_ones := [one for one in loaded.remarks if not one.by]:
        return Finding("doctor.policy.waits", {"path": settings.policy, "count": len(open_ones)})
    return Finding("doctor.policy", {"path": settings.policy})


def _passports(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Whether colleagues' phones believe this desk. Nothing where neither the policy nor the settings speak of a house."""
    from softphone.archive.crypto.wraps import signer_name
    from softphone.archive.folder.marker import read_marker
    from softphone.bootstrap.archive.shared import here
    from softphone.system.passports import certified_until
    from softphone.system.policy_file import load_policy
    from softphone.system.signature import public_half

    houses: tuple[str, ...] = ()
    if settings.policy:
        with suppress(KlartoneError):  # the policy's own finding says so
            houses = load_policy(Path(settings.policy)).policy.house.keys
    if not houses and not settings.desk_certificate:
        return
    private: bytes | None = None
    with suppress(KlartoneError):  # the archive's finding says so, or the keyring's
        private = key_store(folder).get(signer_name(read_marker(folder).desk))
    if not settings.desk_certificate:
        yield Finding("doctor.passport.none")
        return
    desk = public_half(private) if private is not None else ""
    until = certified_until(settings.desk_certificate, desk, houses, datetime.now(UTC))
    yield Finding("doctor.passport", {"at": here(until)}) if until else Finding("doctor.passport.faulty")


def _address(settings: Settings) -> Iterator[Finding]:
    """The address to be called at, if it is none of this machine's. The settings' own finding says if it is no address."""
    with suppress(ValueError):
        family = socket.AF_INET6 if ip_address(settings.bind).version == 6 else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as one:
                one.bind((settings.bind, 0))
        except OSError:
            yield Finding("error.bind", {"bind": settings.bind}, bad=True)


def _servers(settings: Settings) -> Iterator[Finding]:
    """Each account's server, asked as the phone would: all at once. An account that cannot be used is asked about nowhere."""
    import asyncio

    from softphone.edge.channel import EdgeAccount
    from softphone.edge.server_check import ServerState, check_server

    def usable(account: Account) -> bool:
        try:
            check_accounts((account,))
        except SettingsError:
            return False
        return True

    accounts = [one for one in settings.accounts if (one.register or one.outbound_proxy) and usable(one)]

    async def ask() -> list[ServerState]:
        return await asyncio.gather(
            *(
                check_server(
                    EdgeAccount(
                        one.id,
                        one.address,
                        one.address.rpartition("@")[2],
                        one.transport,
                        outbound_proxy=one.outbound_proxy,
                        authority=one.certificate_authority,
                    )
                )
                for one in accounts
            )
        )

    for account, found in zip(accounts, asyncio.run(ask()) if accounts else (), strict=True):
        fields: dict[str, Param] = {
            "address": account.address,
            "server": found.server,
            "transport": account.transport.upper(),
        }
        if found.fault is None:
            yield Finding("doctor.server", {**fields, "ms": round(found.seconds * 1000)})
        else:
            why = texts()(f"connection.{found.fault.code}", server=found.server, detail=found.fault.detail)
            yield Finding("doctor.server.none", fields, bad=True, below=(why,))


def _stun(settings: Settings) -> Iterator[Finding]:
    """The server that says how others see this phone, if one is set."""
    if not settings.stun or any(path[0] == "stun" for path, _, _ in doubts(settings)):
        return
    import asyncio

    from softphone.edge.server_check import check_stun

    seen = asyncio.run(check_stun(settings.stun))
    fields: dict[str, Param] = {"server": settings.stun}
    yield (
        Finding("doctor.stun", {**fields, "address": seen[0]})
        if seen is not None
        else Finding("doctor.stun.silent", fields, bad=True)
    )


def _strangers(runtime: Path) -> Iterator[Finding]:
    """Addresses that called and were not let in, if any: an unnamed trunk looks like this."""
    from softphone.bootstrap.archive.shared import here
    from softphone.system.strangers import read

    found = read(runtime)
    if found:
        tell = texts()
        lines = tuple(
            tell("doctor.stranger", host=one.host, count=one.calls, at=here(datetime.fromtimestamp(one.at, UTC)))
            for one in reversed(found)
        )
        yield Finding("doctor.strangers.waits", {"count": len(found)}, below=lines)


def _tried(action: Callable[[], object], good: Finding, bad: str) -> Finding:
    try:
        action()
    except KlartoneError as error:
        tell = texts()
        return Finding(bad, {"detail": tell.error(error)}, bad=True)
    return good
