"""What each change of the session means in the catalog's tables, within one transaction. Keys and files are the ledger's.

Purposes that may open a recording are exactly the roles that have wraps; nothing else is asked when one is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from softphone.archive import tables
from softphone.archive.keys.wraps import Recipient, Secrets, Wrap
from softphone.archive.tables import (
    call_backs,
    calls,
    condemned,
    holds,
    party_languages,
    purposes,
    recordings,
    refusals,
    segments,
    wraps,
)
from softphone.domain.changes import (
    ChangeHold,
    CloseRecording,
    EndCallBack,
    ListCallBack,
    OpenSegment,
    PlaceHold,
    RememberLanguage,
    RememberRefusal,
)
from softphone.domain.decision import NoticeId
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose, Reason
from softphone.domain.retention import Ended, expires_on

REMEMBERED = Period(months=12)
"""of a party: that it declined, and its language"""
CALL_BACK_LISTED = Period(months=3)
"""at most, where the line has no training any more whose own period would hold (G36)"""
HOLD_ONLY = Reason.HOLD_ONLY.value
"""the reason of a restriction where a hold is all that keeps the recording; any other is a case that custody decides (G23)"""
FOR_A_HOLD = "hold"
"""the reason of training wraps that go for a hold: the purpose itself does not end by it"""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the store knows of a call before anything of it is kept. `number` is E.164, None where it is withheld; times UTC."""

    call: str
    line: str | None
    direction: Direction
    number: str | None = field(repr=False)
    started_at: datetime
    language: Language
    time_zone: str
    retention: Mapping[Purpose, Period]
    notice: NoticeId | None = None
    recipients: tuple[Recipient, ...] = ()
    """whom the policy that held when it rang lets open it"""


class Tables:
    """The changes, as statements on one connection. `desk` stands in every row."""

    def __init__(self, connection: Connection, desk: str, secrets: Secrets) -> None:
        self.connection = connection
        self._desk = desk
        self._secrets = secrets

    def open_recording(self, recording: str, facts: CallFacts, at: datetime) -> None:
        if not self.connection.execute(select(calls.c.call).where(calls.c.call == facts.call)).first():
            sealed, index = self._number(facts)
            self._insert(
                calls,
                call=facts.call,
                line=facts.line,
                direction=facts.direction.value,
                number_sealed=sealed,
                number_index=index,
                started_at=facts.started_at.isoformat(),
                notice=facts.notice.value if facts.notice else None,
                language=facts.language.value,
                time_zone=facts.time_zone,
            )
        self._insert(recordings, recording=recording, call=facts.call, opened_at=at.isoformat())

    def open_segment(self, change: OpenSegment, facts: CallFacts) -> None:
        recorded_for = (*change.purposes, *change.withheld)
        self._insert(
            segments,
            recording=change.recording,
            segment=change.segment,
            opened_at=change.at.isoformat(),
            purposes=_joined(recorded_for),
        )
        for purpose in recorded_for:
            self._keep_for(change.recording, purpose, facts, change.bases.get(purpose))

    def add_purpose(self, recording: str, purpose: Purpose, numbers: tuple[int, ...], facts: CallFacts) -> None:
        self._keep_for(recording, purpose, facts, Basis.CONSENT)
        for number in numbers:
            where = (segments.c.recording == recording) & (segments.c.segment == number)
            known = recorded_for(self.connection.execute(select(segments.c.purposes).where(where)).scalar() or "")
            if purpose not in known:
                self.connection.execute(update(segments).where(where).values(purposes=_joined((*known, purpose))))

    def add_wraps(self, wrapped: list[Wrap]) -> None:
        for one in wrapped:
            self.connection.execute(
                delete(wraps).where(
                    wraps.c.recording == one.recording,
                    wraps.c.segment == one.segment,
                    wraps.c.role == one.role.value,
                    wraps.c.key_id == one.key_id,
                )
            )
            self._insert(
                wraps,
                recording=one.recording,
                segment=one.segment,
                role=one.role.value,
                key_id=one.key_id,
                suite=one.suite,
                sealed=one.sealed,
            )

    def drop_wraps(self, recording: str, *roles: KeyRole) -> None:
        self.connection.execute(
            delete(wraps).where(wraps.c.recording == recording, wraps.c.role.in_([role.value for role in roles]))
        )

    def end_purpose(self, recording: str, purpose: Purpose, ended: Ended, reason: str) -> None:
        where = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
        self.connection.execute(
            update(purposes)
            .where(where, purposes.c.stands == Ended.KEEPS.value)
            .values(stands=ended.value, reason=reason)
        )

    def restrict(self, recording: str, reason: str) -> None:
        self.drop_wraps(recording, KeyRole.DOCUMENTATION, KeyRole.TRAINING)
        self.connection.execute(update(recordings).where(recordings.c.recording == recording).values(restricted=reason))
        if not is_case(reason):
            for purpose in Purpose:
                self.end_purpose(recording, purpose, Ended.TAKEN_BACK, reason)

    def discard(self, recording: str, at: datetime) -> None:
        """All rows of a recording, its call's number with the last of them. The file is still there: it is condemned."""
        row = self.connection.execute(select(recordings.c.call).where(recordings.c.recording == recording)).first()
        if row is None:
            return
        for table in (wraps, segments, purposes, holds, recordings):
            self.connection.execute(delete(table).where(table.c.recording == recording))
        if not self.connection.execute(select(recordings.c.recording).where(recordings.c.call == row.call)).first():
            self.connection.execute(delete(calls).where(calls.c.call == row.call))
        self._insert(condemned, recording=recording, at=at.isoformat())

    def place_hold(self, change: PlaceHold) -> None:
        known = self.connection.execute(select(holds.c.hold).where(holds.c.hold == change.hold)).first()
        if known is not None or not self.exists(change.recording):
            return
        self.drop_wraps(change.recording, KeyRole.TRAINING)
        self._insert(
            holds,
            hold=change.hold,
            recording=change.recording,
            raised_for=change.by.value,
            raised_by=change.raised_by,
            at=change.at.isoformat(),
            provisional_until=change.provisional_until.isoformat() if change.provisional_until else None,
            confirm_by=change.confirm_by.isoformat() if change.confirm_by else None,
            why=change.why,
        )

    def change_hold(self, change: ChangeHold) -> None:
        self.connection.execute(
            update(holds)
            .where(holds.c.hold == change.hold)
            .values(
                raised_for=change.by.value,
                provisional_until=change.provisional_until.isoformat() if change.provisional_until else None,
            )
        )

    def lift_hold(self, hold: str, reason: str, at: datetime) -> str | None:
        """The recording that it held; None where no such hold stands."""
        standing = (holds.c.hold == hold) & holds.c.lifted_at.is_(None)
        row = self.connection.execute(select(holds.c.recording).where(standing)).first()
        self.connection.execute(update(holds).where(standing).values(lifted_at=at.isoformat(), lifted_reason=reason))
        return row.recording if row else None

    def trainable(self, recording: str) -> list[int]:
        """The segments that training may be wrapped for: recorded for it, it neither ended nor is anything held."""
        if self.is_held(recording) or self._restricted(recording) is not None:
            return []
        stands = self.connection.execute(
            select(purposes.c.stands).where(
                purposes.c.recording == recording, purposes.c.purpose == Purpose.TRAINING.value
            )
        ).scalar()
        if stands != Ended.KEEPS:
            return []
        rows = self.connection.execute(select(segments).where(segments.c.recording == recording))
        return [row.segment for row in rows if Purpose.TRAINING in recorded_for(row.purposes)]

    def wrappable(self, recording: str, wanted: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        """Those of `wanted` that may have wraps now, whatever was asked: held is not for training, restricted for nobody."""
        if self._restricted(recording) is not None:
            return ()
        return tuple(one for one in wanted if not (one is Purpose.TRAINING and self.is_held(recording)))

    def close_recording(self, change: CloseRecording) -> None:
        self.connection.execute(
            update(recordings).where(recordings.c.recording == change.recording).values(closed_at=change.at.isoformat())
        )
        if self._restricted(change.recording) is None:
            for purpose in Purpose:
                if purpose not in change.purposes:
                    self.drop_wraps(change.recording, KeyRole(purpose.value))
                    self.end_purpose(change.recording, purpose, Ended.TAKEN_BACK, "closed_without")

    def list_call_back(self, change: ListCallBack, facts: CallFacts) -> None:
        sealed, index = self._number(facts)
        kept = facts.retention.get(Purpose.TRAINING) or CALL_BACK_LISTED
        self.connection.execute(delete(call_backs).where(call_backs.c.call == change.call))
        self._insert(
            call_backs,
            call=change.call,
            number_sealed=sealed,
            number_index=index,
            line=facts.line,
            at=change.at.isoformat(),
            until=expires_on(change.at, kept, facts.time_zone).isoformat(),
        )

    def end_call_back(self, change: EndCallBack) -> None:
        self.connection.execute(delete(call_backs).where(call_backs.c.call == change.call_back))

    def remember_refusal(self, change: RememberRefusal, facts: CallFacts) -> None:
        self._remember(refusals, change.at, facts)

    def remember_language(self, change: RememberLanguage, facts: CallFacts) -> None:
        self._remember(party_languages, change.at, facts, language=change.language.value)

    def facts(self, call: str) -> CallFacts | None:
        """Of a call whose facts are no longer in memory, as far as its recordings hold them."""
        row = self.connection.execute(select(calls).where(calls.c.call == call)).first()
        if row is None:
            return None
        held = self.connection.execute(
            select(purposes.c.purpose, purposes.c.retention)
            .join(recordings, recordings.c.recording == purposes.c.recording)
            .where(recordings.c.call == call, purposes.c.retention.is_not(None))
        )
        return CallFacts(
            row.call,
            row.line,
            Direction(row.direction),
            self._secrets.open_number(row.number_sealed, row.call) if row.number_sealed else None,
            datetime.fromisoformat(row.started_at),
            Language(row.language),
            row.time_zone,
            {Purpose(one.purpose): Period.parse(one.retention) for one in held},
            NoticeId(row.notice) if row.notice else None,
        )

    def call_of(self, recording: str) -> str | None:
        return self.connection.execute(select(recordings.c.call).where(recordings.c.recording == recording)).scalar()

    def exists(self, recording: str) -> bool:
        return self.call_of(recording) is not None

    def is_held(self, recording: str) -> bool:
        asked = select(holds.c.hold).where(holds.c.recording == recording, holds.c.lifted_at.is_(None)).limit(1)
        return self.connection.execute(asked).first() is not None

    def _restricted(self, recording: str) -> str | None:
        return self.connection.execute(
            select(recordings.c.restricted).where(recordings.c.recording == recording)
        ).scalar()

    def _keep_for(self, recording: str, purpose: Purpose, facts: CallFacts, basis: str | None) -> None:
        known = self.connection.execute(
            select(purposes.c.stands).where(purposes.c.recording == recording, purposes.c.purpose == purpose.value)
        ).first()
        if known is not None:
            return
        period = facts.retention.get(purpose)
        # Counted from the day of recording, and stored at once: a recording that breaks off has its end all the same.
        self._insert(
            purposes,
            recording=recording,
            purpose=purpose.value,
            basis=basis,
            retention=str(period) if period else None,
            expires_on=expires_on(facts.started_at, period, facts.time_zone).isoformat() if period else None,
            stands=Ended.KEEPS.value,
        )

    def _remember(self, table: tables.Table, at: datetime, facts: CallFacts, **what: str) -> None:
        """A withheld number cannot be known again: nothing is remembered of it."""
        _, index = self._number(facts)
        if index is not None:
            until = REMEMBERED.after(at.date())
            self.connection.execute(delete(table).where(table.c.number_index == index))
            self._insert(table, number_index=index, at=at.isoformat(), until=until.isoformat(), **what)

    def _number(self, facts: CallFacts) -> tuple[bytes | None, bytes | None]:
        if facts.number is None:
            return None, None
        return self._secrets.seal_number(facts.number, facts.call), self._secrets.number_index(facts.number)

    def _insert(self, table: tables.Table, **values: Any) -> None:
        self.connection.execute(insert(table).values(desk=self._desk, **values))


def is_case(restricted: str | None) -> bool:
    return restricted is not None and restricted != HOLD_ONLY


def recorded_for(text: str) -> tuple[Purpose, ...]:
    return tuple(Purpose(part) for part in text.split(",") if part)


def _joined(which: tuple[Purpose, ...]) -> str:
    return ",".join(purpose.value for purpose in which)
