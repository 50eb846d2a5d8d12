"""The automatic sweep: when the engine starts and once a day, on a thread of its own, between the calls.

The archive says what is due. A clock that nobody can set counts the day. Each hour it also witnesses the other clock, so the
archive knows that the machine is at work. Both times custody, and nobody else, hears what it should have decided by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady, is_doubtful, steady
from softphone.archive.folder.disk import REFUSALS, UNWRITABLE
from softphone.archive.retention.sweep import sweeping
from softphone.archive.retention.swept import DEFAULT_TERMS, SweepTerms, Swept
from softphone.archive.seen.overdue import overdue
from softphone.domain.archive.decisions import Overdue
from softphone.domain.errors import ArchiveError, HouseError, KlartoneError
from softphone.domain.policy import Policy
from softphone.engine.storage.housekeeping import Housekeeper
from softphone.wire.snapshot import CodedText, PolicyPhase

_NOT_SWEPT = "error.archive.not_swept"
_OVERDUE = "error.archive.holds_overdue"
_CASES = "error.archive.cases_overdue"
DAY = 24 * 3600.0
_AGAIN = 3600.0
"""seconds, after a failure, and between two looks at the clock"""
_LOOK = 300.0
"""seconds: a machine that slept is late by no more"""
FIRST = 5.0
"""seconds: an engine that starts has other things to do"""


def _utc() -> datetime:
    return datetime.now(UTC)


def terms_of(policy: Policy | None, phase: PolicyPhase, signer: str = "") -> SweepTerms | None:
    """What the sweep goes by. While a policy is being read, or cannot be used, no other's terms stand in for its own. The
    same holds if there is none, but `signer` must sign one."""
    if policy is not None:
        signed = not signer or signer in policy.signed_by
        return SweepTerms(policy.judge_within, policy.audit_retention) if signed else None
    return DEFAULT_TERMS if phase is PolicyPhase.MISSING and not signer else None


class Sweeper(Housekeeper):
    """`report` gets what keeps it from sweeping, and None when it has swept, on the sweeper's thread.

    `overdue` gets the holds, and `cases` the cases, that custody should have decided by now, if this keyring is custody's;
    None once it has; `elsewhere`: what it has to decide in the house. `terms`: what the policy in force says; None if it is not
    known which that is.
    """

    def __init__(
        self,
        report: Callable[[CodedText | None], None],
        *,
        now: Callable[[], datetime] = _utc,
        beside: Callable[[], Steady] = steady,
        first: float | None = None,
        terms: Callable[[], SweepTerms | None] = lambda: DEFAULT_TERMS,
        overdue: Callable[[CodedText | None], None] = lambda _said: None,
        cases: Callable[[CodedText | None], None] = lambda _said: None,
        elsewhere: Callable[[], Overdue] = Overdue,
    ) -> None:
        super().__init__("sweep", FIRST if first is None else first, _NOT_SWEPT)
        self._report = report
        self._tell = {_OVERDUE: overdue, _CASES: cases}
        self._house_said = Overdue()
        self._stands: dict[str, CodedText] = {}
        """what is overdue, as reported last"""
        self._terms = terms
        self._elsewhere = elsewhere
        self._now = now
        self._beside = beside
        self._next: float | None = None
        self._see_next = 0.0

    def _turn(self, open_beside: Callable[[], Archive]) -> float:
        if self._next is None or self._elapsed() >= self._next:
            fault = self._tried(open_beside, self._sweep)
            self._next = self._elapsed() + (_AGAIN if fault else DAY)
            if self._ending:
                return _LOOK
            # Even after a failure, which may last for days. What goes wrong here is not one of the sweep's faults.
            self._tried(open_beside, self._see)
            self._report(fault)
        elif self._elapsed() >= self._see_next or self._stands:
            # What has been decided since must not stand there for an hour.
            self._tried(open_beside, self._see)
        else:
            return _LOOK
        self._see_next = self._elapsed() + _AGAIN
        return _LOOK

    def _elapsed(self) -> float:
        return self._beside().up.total_seconds()

    def _see(self, archive: Archive) -> None:
        """A disk that takes nothing keeps the clock from being witnessed, and nobody from being told."""
        now, beside = self._now(), self._beside()
        try:
            believed = archive.see(now, beside)
        except ArchiveError as error:
            if error.code not in REFUSALS:
                raise
            with archive.catalog.reading() as connection:
                believed = not is_doubtful(connection, now, beside)
        if believed:
            self._tell_overdue(archive, now)

    def _tell_overdue(self, archive: Archive, now: datetime) -> None:
        """Only by a clock that is believed."""
        try:
            said = _said_of(overdue(archive, now).with_those(self._in_the_house()))
        except KlartoneError as error:
            # Whether it is custody's keyring cannot be said: then nobody hears of it.
            self._log.warning("not told what is overdue: %s", error.code)
            said = {}
        before, self._stands = self._stands, self._stands if self._ending else said
        for code, tell in self._tell.items():
            if self._stands.get(code) != before.get(code):
                tell(self._stands.get(code))

    def _in_the_house(self) -> Overdue:
        """As it was told last, where the house does not answer: that alone decides nothing."""
        with suppress(HouseError):
            self._house_said = self._elsewhere()
        return self._house_said

    def _said(self, error: KlartoneError) -> CodedText:
        if error.code in REFUSALS - {UNWRITABLE}:
            return super()._said(error)
        detail = error.params.get("detail") or error.params.get("path") or error.code
        return CodedText(_NOT_SWEPT, {"detail": str(detail)})

    def _sweep(self, archive: Archive) -> CodedText | None:
        now, beside = self._now(), self._beside()
        counts: Counter[Swept] = Counter()
        since = ""
        for item in sweeping(archive, now, clock=now, steady=beside, go_on=self._go_on, terms=self._terms()):
            counts[item.what] += 1
            since = item.since.isoformat() if item.what is Swept.CLOCK_DOUBTFUL and item.since else since
        if counts[Swept.CLOCK_DOUBTFUL]:
            return CodedText("error.archive.clock_doubtful", {"since": since, "today": now.date().isoformat()})
        if counts:
            self._log.info("swept: %s", _told(counts))
        return None


def _said_of(found: Overdue) -> dict[str, CodedText]:
    """What custody has left undecided, if this keyring is custody's."""
    said: dict[str, CodedText] = {}
    for code, days in ((_OVERDUE, found.holds), (_CASES, found.cases)):
        if days:
            said[code] = CodedText(code, {"count": len(days), "due": str(min(filter(None, days), default=None))})
    return said


def _told(counts: Mapping[Swept, int]) -> str:
    """How much of what: the log holds no recording's id."""
    return ", ".join(f"{what.value} {counts[what]}" for what in Swept if what in counts)
