"""The local archive as one person sees it: behind `domain.archive.interface`, with what is this machine's alone as `upkeep`.

Nothing below this asks who it is for, but by the keys that open what is sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.seen.asking import Asking
from softphone.archive.seen.deciding import Cases, Judging, Rights
from softphone.archive.seen.finding import Finding
from softphone.archive.seen.holds import Holds
from softphone.archive.seen.log import Log
from softphone.archive.seen.opening import Opening, opening
from softphone.archive.seen.reviewing import Reviews
from softphone.archive.seen.upkeep import Upkeep
from softphone.domain.archive.permission import Viewer
from softphone.domain.purpose import KeyRole


class LocalArchive:
    """For one thread. `clock`: what counts as now; None: the archive's own."""

    def __init__(self, archive: Archive, viewer: Viewer, clock: Callable[[], datetime] | None = None) -> None:
        self._asking = Asking(archive, viewer, clock or archive.clock)
        self.find = Finding(self._asking)
        self.holds = Holds(self._asking)
        self.rights = Rights(self._asking)
        self.judging = Judging(self._asking)
        self.cases = Cases(self._asking)
        self.log = Log(self._asking)
        self.reviews = Reviews(self._asking)
        self.upkeep = Upkeep(self._asking)

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        return opening(self._asking, id, role, why, case)

    @property
    def looks(self) -> float:
        return 0.2

    def written(self) -> Hashable:
        """By the sizes and times of the catalog's files."""
        seen: list[tuple[int, int]] = []
        for end in ("", "-wal"):
            with suppress(OSError):
                stat = Path(f"{self._asking.archive.catalog.path}{end}").stat()
                seen.append((stat.st_size, stat.st_mtime_ns))
        return tuple(seen)

    def beside(self) -> LocalArchive:
        return LocalArchive(self._asking.archive.beside(), self._asking.viewer, self._asking.now)

    def close(self) -> None:
        self._asking.archive.close()
