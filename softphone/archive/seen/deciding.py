"""What a party takes back (G04, G31), and what custody judges and decides (G10, G23, G32), each asked for by who may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from softphone.archive.crypto.recipients import policy_recipients
from softphone.archive.retention import judging, notes, withdrawing
from softphone.archive.retention.cases import open_cases
from softphone.archive.retention.deciding import decide
from softphone.archive.retention.swept import Swept
from softphone.archive.retention.withdrawing import WithdrawalRequest
from softphone.archive.seen.asking import Asking
from softphone.archive.seen.finding import entries_of
from softphone.domain.archive.decisions import AgentNote, Case, Decided, Right, ToJudge, VisibleRows, WithdrawalResult
from softphone.domain.archive.recordings import AuditRow, RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.domain.events import Terms
from softphone.domain.policy import Policy
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.retention import JUDGE_WITHIN
from softphone.domain.roles import Permission


class Rights:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def take_back(
        self, id: str, right: Right, terms: Terms, purpose: Purpose | None = None, received: date | None = None
    ) -> WithdrawalResult:
        self._asking.require(Permission.TAKE_BACK)
        row = self._asking.meant(id, Permission.TAKE_BACK)
        asked = WithdrawalRequest(right, self._asking.now(), terms, purpose, self._asking.viewer.a_key, received)
        return _told(withdrawing.of_recording(self._asking.archive, row, asked), {row.recording})

    def take_back_of_number(
        self, number: str, right: Right, terms: Terms, purpose: Purpose | None = None, received: date | None = None
    ) -> WithdrawalResult:
        asking = self._asking
        asking.require(Permission.TAKE_BACK)
        archive, now = asking.archive, asking.now()
        named = {row.recording for row in withdrawing.with_number(archive, number, now) if asking.scope(row)}
        asked = WithdrawalRequest(right, now, terms, purpose, asking.viewer.a_key, received)
        return _told(withdrawing.of_number(archive, number, asked), named)

    def notes(self, number: str) -> Sequence[AgentNote]:
        key = self._may_read_notes()
        return notes.of_number(self._asking.archive, number, self._asking.now(), key)

    def erase_notes(self, number: str, reason: str) -> int:
        key = self._may_read_notes()
        return notes.erase_of_number(self._asking.archive, number, reason, self._asking.now(), key)

    def _may_read_notes(self) -> str:
        """A key of who asks. No key seals notes, so it takes one that opens most of what is here."""
        asking = self._asking
        asking.require(Permission.READ_NOTES)
        return asking.viewer.a_key


def _told(done: WithdrawalResult, named: set[str]) -> WithdrawalResult:
    """Which recordings it was is told to whoever finds them; of others, how many."""
    ended = tuple(one for one in done.ended if one.recording in named)
    return replace(done, ended=ended, unnamed=len(done.ended) - len(ended))


class Judging:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def waiting(self, within: Period) -> Iterator[ToJudge | None]:
        asking = self._asking
        asking.require(Permission.JUDGE)
        there = judging.waiting(asking.archive, asking.now(), within)
        return (one if asking.opens(one.recording) else None for one in there)

    def keep(self, id: str, until: date, reason: str, policy: Policy | None, purpose: Purpose | None = None) -> str:
        asking = self._asking
        recording = asking.meant(id, Permission.JUDGE).recording
        within = policy.judge_within if policy else JUDGE_WITHIN
        to = policy_recipients(policy)
        judging.keep(asking.archive, recording, until, reason, to, asking.now(), purpose=purpose, within=within)
        return recording

    def let_go(self, id: str, reason: str, within: Period, purpose: Purpose | None = None) -> bool:
        asking = self._asking
        recording = asking.meant(id, Permission.JUDGE).recording
        went = judging.let_go(asking.archive, recording, asking.now(), reason=reason, purpose=purpose, within=within)
        return any(item.what is Swept.DISCARDED for item in went)


class Cases:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def open(self) -> VisibleRows[Case]:
        asking = self._asking
        asking.require(Permission.DECIDE_CASE)
        found = self._open(None)
        own = [one for one in found if asking.opens(one.recording)]
        return VisibleRows(own, len(found) - len(own))

    def show(self, id: str) -> tuple[RecordingRow, Sequence[Case], Sequence[AuditRow]]:
        asking = self._asking
        asking.require(Permission.DECIDE_CASE)
        row = asking.meant(id, Permission.DECIDE_CASE)
        if not asking.opens(row.recording):
            # Of what another custody key opens, its whole id is no right to be told.
            asking.refuse(Permission.DECIDE_CASE, call=row.call, recording=row.recording)
            raise ArchiveError("error.archive.not_among_yours")
        found = self._open(row.recording)
        if not found:
            raise ArchiveError("error.cases.none", id=row.recording)
        return row, found, entries_of(asking.archive, row)

    def decide(
        self, id: str, *, uphold: bool, reason: str, policy: Policy | None, purpose: Purpose | None = None
    ) -> Decided:
        asking = self._asking
        asking.require(Permission.DECIDE_CASE)
        recording = asking.meant(id, Permission.DECIDE_CASE).recording
        to = policy_recipients(policy)
        return decide(
            asking.archive, recording, asking.now(), uphold=uphold, reason=reason, recipients=to, purpose=purpose
        )

    def _open(self, recording: str | None) -> list[Case]:
        with self._asking.archive.catalog.reading() as connection:
            return open_cases(connection, self._asking.now(), recording)
