"""What custody judges and decides in the house (G10, G23, G32)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from softphone.domain.archive.decisions import Case, Decided, ToJudge, VisibleRows
from softphone.domain.archive.recordings import AuditRow, RecordingRow
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.house.archive.asking import Asking, RowTold
from softphone.house.archive.sealing import KeysTold, sealed_anew


@dataclass(frozen=True, slots=True)
class _After:
    at: datetime
    recording: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    waits: tuple[ToJudge, ...]
    others: int
    next: _After | None


@dataclass(frozen=True, slots=True)
class _Gone:
    gone: bool


@dataclass(frozen=True, slots=True)
class _Cases:
    cases: tuple[Case, ...]
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case(RowTold):
    cases: tuple[Case, ...]
    log: tuple[AuditRow, ...]


class Judging:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def waiting(self, within: Period) -> Iterator[ToJudge | None]:  # noqa: ARG002
        """How long custody has is the house's policy's to say."""
        return self._pages(self._page(None))

    def _pages(self, page: _Waiting) -> Iterator[ToJudge | None]:
        while True:
            yield from page.waits
            yield from [None] * page.others
            if page.next is None:
                return
            page = self._page(page.next)

    def _page(self, after: _After | None) -> _Waiting:
        told = {"at": after.at.isoformat(), "recording": after.recording} if after else None
        return self._asking.post("/v1/judging/waiting", {"after": told}, _Waiting)

    def keep(self, id: str, until: date, reason: str, policy: Policy | None, purpose: Purpose | None = None) -> str:
        asking = self._asking
        told = asking.post("/v1/judging/to-keep", {"id": id}, KeysTold)
        wraps = sealed_anew(asking, told, policy, (purpose,) if purpose else tuple(Purpose))
        recording = told.row.recording
        body = {"id": recording, "until": until.isoformat(), "reason": reason, "wraps": wraps}
        asking.tell("/v1/judging/keep", {**body, "purpose": purpose and purpose.value})
        return recording

    def let_go(self, id: str, reason: str, within: Period, purpose: Purpose | None = None) -> bool:  # noqa: ARG002
        body = {"id": id, "reason": reason, "purpose": purpose and purpose.value}
        return self._asking.post("/v1/judging/let-go", body, _Gone).gone


class Cases:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def open(self) -> VisibleRows[Case]:
        found = self._asking.get("/v1/cases", _Cases)
        return VisibleRows(found.cases, found.others)

    def show(self, id: str) -> tuple[RecordingRow, Sequence[Case], Sequence[AuditRow]]:
        told = self._asking.post("/v1/cases/show", {"id": id}, _Case)
        return self._asking.row(told), told.cases, told.log

    def decide(
        self, id: str, *, uphold: bool, reason: str, policy: Policy | None, purpose: Purpose | None = None
    ) -> Decided:
        asking, wraps = self._asking, list[object]()
        body = {"id": id, "uphold": uphold, "reason": reason, "purpose": purpose and purpose.value}
        if not uphold:
            told = asking.post("/v1/cases/to-decide", {"id": id}, KeysTold)
            wraps += sealed_anew(asking, told, policy, tuple(Purpose))
        return asking.post("/v1/cases/decide", {**body, "wraps": wraps}, Decided)
