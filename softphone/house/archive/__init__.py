"""The house's archive as one person sees it: behind `domain.archive.interface`, over the house's service.

The service finds, judges and logs. What is sealed is opened here, where the keys are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from softphone.archive.crypto.wraps import KeyStore
from softphone.domain.purpose import KeyRole
from softphone.house.archive.asking import Asking
from softphone.house.archive.deciding import Cases, Judging
from softphone.house.archive.finding import Finding
from softphone.house.archive.holds import Holds
from softphone.house.archive.opening import Opening, opening
from softphone.house.archive.rights import Rights
from softphone.house.connection import Connection


@dataclass(frozen=True, slots=True)
class _Written:
    written: int


class HouseArchive:
    """For any thread: the connection sees to that. It is not closed with this."""

    def __init__(
        self, connection: Connection, keys: KeyStore, number_here: Callable[[str], str | None] = lambda _call: None
    ) -> None:
        self._asking = Asking(connection, keys, number_here)
        self.find = Finding(self._asking)
        self.holds = Holds(self._asking)
        self.rights = Rights(self._asking)
        self.judging = Judging(self._asking)
        self.cases = Cases(self._asking)

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        return opening(self._asking, id, role, why, case)

    def written(self) -> Hashable:
        """By the newest entries of the service's log that concern this person."""
        return self._asking.get("/v1/written", _Written).written

    def beside(self) -> HouseArchive:
        return self

    def close(self) -> None:
        pass
