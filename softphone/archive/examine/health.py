"""How an archive is, for whoever looks after the machine: counts, times and room. Nothing of a call.

Whether all of it holds together is `verify`'s.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, select

from softphone.archive.archive import Archive
from softphone.archive.backup.run import Health as Backup
from softphone.archive.backup.run import health as backups
from softphone.archive.catalog.clock import last_seen, last_swept
from softphone.archive.crypto import policy_signer
from softphone.archive.folder.disk import refusal
from softphone.archive.folder.marker import half_restored, replaced
from softphone.archive.folder.network import network_of
from softphone.archive.retention import holding, judging
from softphone.archive.retention.cases import open_cases
from softphone.archive.schema.migrations import HEAD
from softphone.archive.schema.tables import audit, checkpoints, condemned, recordings, time_in
from softphone.domain.errors import ArchiveError
from softphone.domain.retention import HoldState

_QUICK = 64 << 20
"""bytes of a catalog, whose seals are looked at in less than a second"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for custody."""

    to_judge: int
    """purposes whose end custody is to judge, as `archive judge` lists them"""
    judge_before: date | None
    """the first day on which one of them ends unjudged"""
    holds_overdue: int
    holds_due: date | None
    """the first day on which one of them was to be decided"""
    cases_open: int
    cases_overdue: int
    cases_due: date | None
    """the first day on which one that is overdue was to be decided"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Waiting):
    """`bytes`: of all files in the folder; `free`: of its disk. Times in UTC, None where it has not happened yet."""

    recordings: int
    oldest: date | None
    bytes: int
    free: int
    disk: ArchiveError | None
    """what keeps it from being written now; its code in JSON"""
    damaged: bool
    """a page of its catalog is; where that is too large for a quick look, only `verify` can tell"""
    audit_entries: int
    last_at_work: datetime | None
    """an engine was started, or a sweep begun"""
    last_swept: datetime | None
    """a sweep came to its end"""
    last_checkpoint: datetime | None
    backups: tuple[Backup, ...]
    """one a folder, the newest first"""
    set_aside: int
    to_delete: int
    """files of recordings that have gone, and that could not be deleted yet"""
    schema: str
    network: str | None
    """the network file system it lies on: it must not"""
    replaced: tuple[Path, ...]
    """folders beside it in which it lay before a restore: what is erased is not erased there"""
    half_restored: tuple[Path, ...]
    """folders beside it into which a restore was cut off, or runs at this moment"""
    policy_signer: str | None
    """whose signature a policy must have to count here; None: nobody's"""

    def as_json(self) -> dict[str, Any]:
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}


def waiting(archive: Archive, now: datetime) -> Waiting:
    """Of what no sweep has listed yet, by the default period. Raises ArchiveError."""
    to_judge = judging.waiting(archive, now)
    overdue = [one.decide_by for one in holding.standing(archive, now) if one.state is HoldState.OVERDUE]
    with archive.catalog.reading() as connection:
        cases = open_cases(connection, now)
    late = [one.deadline for one in cases if one.overdue]
    return Waiting(
        to_judge=len(to_judge),
        judge_before=min((one.judge_by for one in to_judge), default=None),
        holds_overdue=len(overdue),
        holds_due=min((day for day in overdue if day), default=None),
        cases_open=len(cases),
        cases_overdue=len(late),
        cases_due=min(late, default=None),
    )


def health(archive: Archive, now: datetime) -> Health:
    """Raises ArchiveError."""
    kept, size, waits = backups(archive, now), _bytes(archive.folder), waiting(archive, now)
    damaged = archive.catalog.path.stat().st_size <= _QUICK and bool(archive.catalog.seals())
    with archive.catalog.reading() as connection:

        def one(asked: Any) -> Any:
            return connection.execute(asked).scalar()

        oldest = one(select(func.min(recordings.c.opened_at)))
        return Health(
            **asdict(waits),
            recordings=int(one(select(func.count()).select_from(recordings))),
            oldest=day.date() if (day := time_in(oldest)) else None,
            bytes=size,
            free=shutil.disk_usage(archive.folder).free,
            damaged=damaged,
            disk=refusal(archive.folder, archive.catalog.path) or refusal(archive.vault.folder),
            audit_entries=int(one(select(func.count()).select_from(audit))),
            last_at_work=last_seen(connection),
            last_swept=last_swept(connection),
            last_checkpoint=time_in(one(select(func.max(checkpoints.c.at)))),
            backups=tuple(kept),
            set_aside=len(archive.vault.aside()),
            to_delete=int(one(select(func.count()).select_from(condemned))),
            schema=HEAD,
            network=network_of(archive.folder),
            replaced=tuple(replaced(archive.folder, archive.id)),
            half_restored=tuple(half_restored(archive.folder, archive.id)),
            policy_signer=policy_signer.chosen(connection) or None,
        )


def disk_in_json(fault: ArchiveError) -> str:
    """`full`, `read_only`, `denied`, `gone`, `unwritable`."""
    return fault.code.rpartition(".")[2]


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
                        total += one.stat(follow_symlinks=False).st_size
    return total


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in cast("tuple[object, ...]", value)]
    if isinstance(value, Backup):
        return {
            "folder": str(value.folder), "number": value.number, "at": value.at.isoformat(),
            "waiting": value.waiting, "stale": value.stale,
        }  # fmt: skip
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, ArchiveError):
        return disk_in_json(value)
    return value.isoformat() if isinstance(value, date) else value
