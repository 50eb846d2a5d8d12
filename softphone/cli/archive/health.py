"""`klartone archive health`: the archive's state, for the person who looks after the machine. Nothing of a call.

On a desk of a house it tells of this machine, and tells data protection what should have been decided in the house too.
"""

from __future__ import annotations

import argparse
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from softphone.archive.crypto.revocation import RevokedKey
from softphone.archive.folder.disk import DAMAGED, REFUSALS, refusal
from softphone.archive.folder.marker import CATALOG, NO_ARCHIVE
from softphone.archive.seen.machine import LIVES_ON, BackupHealth, MachineArchive, disk_in_json
from softphone.bootstrap.archive.house import house_overdue, meant_house
from softphone.bootstrap.archive.shared import folder_of, here, opened, print_line
from softphone.bootstrap.archive.viewing import revoked_in
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import at_its_place, of_revoked
from softphone.domain.archive.decisions import Overdue
from softphone.domain.errors import ArchiveError, KlartoneError
from softphone.domain.policy import LoadedPolicy, PolicyError
from softphone.domain.roles import Role
from softphone.house.membership import HouseFolder
from softphone.system.policy_file import load_policy
from softphone.texts import Texts

_COUNTED = ("recordings", "oldest", "bytes", "free", "audit_entries", "last_at_work", "last_swept", "last_checkpoint")
_WAITS = ("to_judge", "judge_before", "holds_overdue", "holds_due", "cases_open", "cases_overdue", "cases_due")
_MORE = ("backups", *_WAITS, "set_aside", "to_delete", "schema", "policy_signer")
_SIZES = frozenset({"bytes", "free"})
_GIB = 1 << 30
_MIB = 1 << 20


def archive_health(arguments: argparse.Namespace) -> int:
    """Status 1 if no archive may lie there, its disk takes nothing, or its catalog is damaged.

    These come first, with the free space, even if nothing more can be read.
    """
    tell, now = texts(), datetime.now(UTC)
    try:
        with opened(arguments) as archive:
            found, (policy, gone) = archive.health(now), _revoked(arguments, archive)
    except ArchiveError as error:
        folder = folder_of(arguments)
        if not folder.exists() or error.code == NO_ARCHIVE:
            raise
        disk = error if error.code in REFUSALS else refusal(folder, folder / CATALOG)
        if disk is not None:
            _tell_disk(arguments, disk, shutil.disk_usage(folder).free, tell)
        elif error.code == DAMAGED and arguments.json:
            print_line(json.dumps({"damaged": True, "free": shutil.disk_usage(folder).free}))
        if disk is not error:
            raise
        return 1
    in_house = meant_house(arguments, Home.of(arguments))
    overdue = _overdue(Home.of(arguments)) if in_house else None
    bad = int(found.network is not None or found.disk is not None or found.damaged)
    if arguments.json:
        told = {**found.as_json(), "revoked": [_as_json(one) for one in gone]}
        if isinstance(overdue, Overdue):
            told["house"] = {"holds_overdue": len(overdue.holds), "cases_overdue": len(overdue.cases)}
        print_line(json.dumps(told, ensure_ascii=False))
        return bad
    if in_house:
        print_line(tell("health.here_alone"))
    if isinstance(overdue, Overdue):
        print_line(tell("health.house", holds=len(overdue.holds), cases=len(overdue.cases)))
    elif overdue is not None:
        print_line(tell.error(overdue))
    if found.disk is not None:
        _tell_disk(arguments, found.disk, found.free, tell)
    if found.damaged:
        print_line(tell("error.archive.damaged", path=folder_of(arguments) / CATALOG, detail=""))
    words = {name: tell(f"health.{name}") for name in (*_COUNTED, *_MORE)}
    width = max(map(len, words.values())) + 2
    for name, word in words.items():
        print_line(f"{word:<{width}}{_shown(name, getattr(found, name), tell)}")
    for folder in found.replaced:
        print_line(tell("archive.finding.former_left", path=folder))
    for folder in found.half_restored:
        print_line(tell("archive.finding.restore_left", path=folder))
    if policy and gone:
        print_line(tell("doctor.policy.revoked", path=policy.path, count=len(gone)))
        for one in of_revoked(policy, gone):
            print_line(f"    {at_its_place(one, tell)}")
    if found.network is not None:
        print_line(tell("health.network", kind=found.network))
    return bad


def _overdue(home: Home) -> Overdue | KlartoneError | None:
    """In the house, or why nobody can tell. None: whoever is here does not decide there."""
    try:
        membership = HouseFolder(home.folders.data).read()
        if membership is None or Role.CUSTODY not in membership.roles:
            return None
        return house_overdue(home, home.settings(only_look=True)[0])
    except KlartoneError as error:
        return error


def _revoked(arguments: argparse.Namespace, archive: MachineArchive) -> tuple[LoadedPolicy | None, list[RevokedKey]]:
    """The settings' policy, and those whom it names by a key that is revoked here. `doctor` reports a policy that cannot be
    used."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    try:
        signers = settings.policy_signer, archive.policy_signer
        policy = load_policy(Path(settings.policy), *signers, guarded=settings.policy_guarded)
    except PolicyError:
        return None, []
    return policy, revoked_in(archive, policy)


def _as_json(one: RevokedKey) -> dict[str, str | bool]:
    return {
        "recipient": one.recipient.id,
        "purpose": one.recipient.role.value,
        "key": one.recipient.key_id,
        "revoked": one.since.isoformat(),
        "last": one.last,
    }


def _tell_disk(arguments: argparse.Namespace, error: ArchiveError, free: int, tell: Texts) -> None:
    if arguments.json:
        print_line(json.dumps({"disk": disk_in_json(error), "free": free}))
    else:
        print_line(tell("health.disk", free=f"{free:,}".replace(",", " "), said=tell.error(error)))


def _shown(name: str, value: object, tell: Texts) -> str:
    if value is None or value == ():
        return tell("health.nobody" if name == "policy_signer" else "health.never")
    if isinstance(value, tuple):
        return "; ".join(_backup(one, tell) for one in cast("tuple[BackupHealth, ...]", value))
    if isinstance(value, datetime):
        return here(value)
    if isinstance(value, date):
        return tell.day(value)
    return _size(int(str(value)), tell) if name in _SIZES else str(value)


def _size(size: int, tell: Texts) -> str:
    """In GiB, as disks are; less than one in MiB."""
    unit, of = ("GiB", _GIB) if size >= _GIB else ("MiB", _MIB)
    return f"{tell.decimal(size / of)} {unit}"


def _backup(one: BackupHealth, tell: Texts) -> str:
    text = tell("health.backup", at=here(one.at), path=one.folder)
    said = [text, *([tell("health.backup.waiting", count=one.waiting)] if one.waiting else [])]
    return ", ".join([*said, *([tell("health.backup.stale", days=LIVES_ON.days)] if one.stale else [])])
