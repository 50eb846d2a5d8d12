"""`klartone archive health`: how the archive is, for whoever looks after the machine. Nothing of a call."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, date, datetime
from typing import cast

from softphone.archive.backup.alone import SNAPSHOT
from softphone.archive.backup.run import Health as Backup
from softphone.archive.proof.health import health
from softphone.bootstrap.archive.shared import opened, print_line
from softphone.bootstrap.home import texts
from softphone.texts import Texts

_COUNTED = ("recordings", "oldest", "bytes", "free", "audit_entries", "last_at_work", "last_swept", "last_checkpoint")
_MORE = ("backups", "holds_overdue", "set_aside", "to_delete", "schema", "shared_with")
_SIZES = frozenset({"bytes", "free"})
_GIB = 1 << 30
_MIB = 1 << 20
_TIME = "%Y-%m-%d %H:%M:%S %z"


def archive_health(arguments: argparse.Namespace) -> int:
    """Status 1 where it lies where no archive may."""
    tell = texts()
    with opened(arguments) as archive:
        found = health(archive, datetime.now(UTC))
    told = found.as_json()
    if arguments.json:
        print_line(json.dumps(told, ensure_ascii=False))
        return int(found.network is not None)
    words = {name: tell(f"health.{name}") for name in (*_COUNTED, *_MORE)}
    width = max(map(len, words.values())) + 2
    for name, word in words.items():
        print_line(f"{word:<{width}}{_shown(name, getattr(found, name), tell)}")
    for folder in found.replaced:
        print_line(tell("archive.finding.former_left", path=folder))
    for folder in found.half_restored:
        print_line(tell("archive.finding.restore_left", path=folder))
    if found.backup_left:
        print_line(tell("archive.finding.backup_left", path=SNAPSHOT))
    if not found.signs:
        print_line(tell("health.signs_not"))
    if found.network is not None:
        print_line(tell("health.network", kind=found.network))
    return int(found.network is not None)


def _shown(name: str, value: object, tell: Texts) -> str:
    if value is None or value == ():
        return tell("health.nobody" if name == "shared_with" else "health.never")
    if isinstance(value, tuple):
        return "; ".join(_backup(one, tell) for one in cast("tuple[Backup, ...]", value))
    if isinstance(value, datetime):
        return value.astimezone().strftime(_TIME)
    if isinstance(value, date):
        return tell.day(value)
    return _size(int(str(value)), tell) if name in _SIZES else str(value)


def _size(size: int, tell: Texts) -> str:
    """In GiB, as disks are; what is less than one in MiB."""
    unit, of = ("GiB", _GIB) if size >= _GIB else ("MiB", _MIB)
    return f"{size / of:.1f} {unit}".replace(".", tell("health.comma"))


def _backup(one: Backup, tell: Texts) -> str:
    told = tell("health.backup", at=one.at.astimezone().strftime(_TIME), path=one.folder)
    return f"{told}, {tell('health.backup.waiting', count=one.waiting)}" if one.waiting else told
