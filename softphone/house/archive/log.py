"""The service's log, for custody and IT: the service says which entries of it."""

from __future__ import annotations

from dataclasses import dataclass

from softphone.domain.archive.recordings import AuditRow, Wanted
from softphone.house.archive.asking import Asking

_MOST = 1_000
"""entries that one look is given"""


@dataclass(frozen=True, slots=True)
class _Looked:
    rows: tuple[AuditRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class _Events:
    events: tuple[str, ...]


class Log:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def look(self, wanted: Wanted, before: int | None, limit: int) -> tuple[tuple[AuditRow, ...], int | None]:
        asked = {
            "since": wanted.since and wanted.since.isoformat(),
            "until": wanted.until and wanted.until.isoformat(),
            "events": [*wanted.events],
            "refusals": wanted.refusals,
            "recording": wanted.recording,
        }
        told = self._asking.post("/v1/log/look", {**asked, "before": before, "limit": min(limit, _MOST)}, _Looked)
        return told.rows, told.before

    def events(self) -> tuple[str, ...]:
        return self._asking.get("/v1/log/events", _Events).events
