"""The whole log of this machine's archive, for custody."""

from __future__ import annotations

from sqlalchemy import select

from softphone.archive.log import audit
from softphone.archive.schema.tables import audit as entries
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import permission
from softphone.domain.archive.recordings import AuditRow, Wanted
from softphone.domain.roles import Permission


class Log:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def look(self, wanted: Wanted, before: int | None, limit: int) -> tuple[list[AuditRow], int | None]:
        self._require()
        archive = self._asking.archive
        with archive.catalog.reading() as connection:
            rows, place = audit.look(connection, archive.desk, wanted, before, limit)
        return [*map(audit.as_row, rows)], place

    def events(self) -> list[str]:
        self._require()
        with self._asking.archive.catalog.reading() as connection:
            return sorted(map(str, connection.execute(select(entries.c.event).distinct()).scalars()))

    def _require(self) -> None:
        with self._asking.refusing():
            permission.require_all(self._asking.viewer, Permission.READ_LOG)
