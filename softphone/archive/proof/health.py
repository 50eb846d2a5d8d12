"""How an archive is, for whoever looks after the machine: counts, times and room. Nothing of a call.

Whether all of it holds together is `verify`'s.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, or_, select

from softphone.archive.archive import Archive
from softphone.archive.backup.alone import left_over
from softphone.archive.backup.run import Health as Backup
from softphone.archive.backup.run import health as backups
from softphone.archive.marker import half_restored, replaced
from softphone.archive.migrations import HEAD
from softphone.archive.retention.clock import last_seen, last_swept
from softphone.archive.sharing import group_of, network_of
from softphone.archive.tables import audit, checkpoints, condemned, holds, recordings, time_in


@dataclass(frozen=True, slots=True)
class Health:
    """`bytes`: of all files in the folder; `free`: of its disk. Times in UTC, None where it has not happened yet."""

    recordings: int
    oldest: date | None
    bytes: int
    free: int
    audit_entries: int
    last_at_work: datetime | None
    """an engine was started, or a sweep begun"""
    last_swept: datetime | None
    """a sweep came to its end"""
    last_checkpoint: datetime | None
    backups: tuple[Backup, ...]
    """one a folder, the newest first"""
    holds_overdue: int
    set_aside: int
    to_delete: int
    """files of recordings that have gone, and that could not be deleted yet"""
    schema: str
    shared_with: str | None
    network: str | None
    """the network file system it lies on: it must not"""
    replaced: tuple[Path, ...]
    """folders beside it in which it lay before a restore: what is erased is not erased there"""
    half_restored: tuple[Path, ...]
    """folders beside it into which a restore was cut off, or runs at this moment"""
    backup_left: bool
    """a copy of its catalog that a killed backup left, and that could not be erased"""
    signs: bool
    """whether this keyring signs checkpoints of the audit log"""

    def as_json(self) -> dict[str, Any]:
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}


def health(archive: Archive, now: datetime) -> Health:
    """Raises ArchiveError."""
    kept, size = backups(archive), _bytes(archive.folder)
    with archive.catalog.reading() as connection:

        def one(asked: Any) -> Any:
            return connection.execute(asked).scalar()

        oldest = one(select(func.min(recordings.c.opened_at)))
        overdue = select(func.count()).where(
            holds.c.lifted_at.is_(None),
            or_(holds.c.confirm_by <= now.isoformat(), holds.c.look_again <= now.date().isoformat()),
        )
        return Health(
            recordings=int(one(select(func.count()).select_from(recordings))),
            oldest=day.date() if (day := time_in(oldest)) else None,
            bytes=size,
            free=shutil.disk_usage(archive.folder).free,
            audit_entries=int(one(select(func.count()).select_from(audit))),
            last_at_work=last_seen(connection),
            last_swept=last_swept(connection),
            last_checkpoint=time_in(one(select(func.max(checkpoints.c.at)))),
            backups=tuple(kept),
            holds_overdue=int(one(overdue)),
            set_aside=len(archive.vault.aside()),
            to_delete=int(one(select(func.count()).select_from(condemned))),
            schema=HEAD,
            shared_with=group_of(archive.folder),
            network=network_of(archive.folder),
            replaced=tuple(replaced(archive.folder, archive.id)),
            half_restored=tuple(half_restored(archive.folder, archive.id)),
            backup_left=left_over(archive.folder),
            signs=archive.signer.signs,
        )


def _bytes(folder: Path) -> int:
    """Without a look at the catalog kept open; what goes meanwhile counts for nothing."""
    total, waiting = 0, [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as found:
            for one in found:
                with suppress(OSError):
                    if one.is_dir(follow_symlinks=False):
                        waiting.append(Path(one.path))
                    else:
                        total += one.stat().st_size
    return total


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, Backup):
        return {
            "folder": str(value.folder), "number": value.number, "at": value.at.isoformat(), "waiting": value.waiting,
        }  # fmt: skip
    if isinstance(value, Path):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
