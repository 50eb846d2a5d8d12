"""What a backup has yet to hear of, and which folders have been told: rows of the catalog, filled by the catalog itself.

A row names what changed, never how: what it has become is looked up when it is told, so that the newest counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from softphone.archive.schema.tables import meta, touched

_NAME = "backup-"
_FORGOTTEN_DAYS = 366
"""a folder that nothing was written to for so long is waited for no longer: restoring it tells of what it cannot know"""


@dataclass(frozen=True, slots=True)
class Told:
    """A folder that is kept up to date. `seq`: what it has been told; `lines`: of its journal; `at`: of its last backup."""

    target: str
    folder: str
    number: int
    """0: none has been finished yet"""
    lines: int
    seq: int
    at: datetime
    heard_at: datetime
    """when something was last written there"""


@dataclass(frozen=True, slots=True)
class Touch:
    seq: int
    kind: str
    id: str


def targets(connection: Connection) -> list[Told]:
    """The newest first."""
    rows = connection.execute(select(meta.c.value).where(meta.c.name.like(f"{_NAME}%"))).scalars()
    told = [_told(json.loads(row)) for row in rows]
    return sorted(told, key=lambda one: one.at, reverse=True)


def _told(one: dict[str, Any]) -> Told:
    at, heard_at = (datetime.fromisoformat(one.pop(name)) for name in ("at", "heard_at"))
    return Told(**one, at=at, heard_at=heard_at)


def target(connection: Connection, id: str) -> Told | None:
    return next((one for one in targets(connection) if one.target == id), None)


def remember(connection: Connection, told: Told) -> None:
    """From the first on, the catalog notes what changes. What every folder has been told is noted no longer."""
    name = _NAME + told.target
    connection.execute(delete(meta).where(meta.c.name == name))
    text = json.dumps({**asdict(told), "at": told.at.isoformat(), "heard_at": told.heard_at.isoformat()})
    connection.execute(insert(meta).values(name=name, value=text))
    for one in targets(connection):
        if (told.heard_at - one.heard_at).days > _FORGOTTEN_DAYS:
            connection.execute(delete(meta).where(meta.c.name == _NAME + one.target))
    least = min(one.seq for one in targets(connection))
    connection.execute(delete(touched).where(touched.c.seq <= least))


def forget_all(connection: Connection) -> None:
    """An archive that was just brought back has no backup of its own yet."""
    connection.execute(delete(meta).where(meta.c.name.like(f"{_NAME}%")))
    connection.execute(delete(touched))


def last(connection: Connection) -> int:
    """The newest of them; also of those that are no longer noted."""
    asked = "SELECT seq FROM sqlite_sequence WHERE name = 'touched'"
    return int(connection.exec_driver_sql(asked).scalar() or 0)


def since(connection: Connection, seq: int, limit: int) -> Sequence[Touch]:
    asked = select(touched).where(touched.c.seq > seq).order_by(touched.c.seq).limit(limit)
    return [Touch(row.seq, row.kind, row.id) for row in connection.execute(asked)]


def waiting(connection: Connection, seq: int) -> int:
    return int(connection.execute(select(func.count()).select_from(touched).where(touched.c.seq > seq)).scalar_one())
