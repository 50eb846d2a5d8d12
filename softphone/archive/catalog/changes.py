"""What each change of the session means in the catalog's tables, within one transaction. Keys and files are the ledger's.

Purposes that may open a recording are exactly the roles that have wraps; nothing else is asked when one is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from softphone.archive.catalog.tally import Tallied, tally_call, tally_review
from softphone.archive.crypto import revocation, slots
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Recipient, Secrets, Wrap
from softphone.archive.schema import tables
from softphone.archive.schema.tables import (
    call_backs,
    calls,
    condemned,
    holds,
    party_languages,
    purposes,
    recordings,
    refusals,
    review_comments,
    review_scores,
    reviews,
    segments,
    upheld,
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
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose, Reason
from softphone.domain.retention import Ended, expires_on, local_day

REMEMBERED = Period(months=12)
"""of a party: that it declined, and its language"""
UPHELD_FOR = Period(months=60)
"""how long an upheld objection binds later calls: as long as the log that proves the decision is kept"""
CALL_BACK_LISTED = Period(months=3)
"""at most, where the line has no training any more whose own period would hold (G36)"""
HOLD_ONLY = Reason.HOLD_ONLY.value
"""the reason of a restriction where a hold is all that keeps the recording; any other is a case that custody decides (G23)"""
FOR_A_HOLD = "hold"
"""the reason of training wraps that go for a hold: the purpose itself does not end by it"""
_REVIEW = (review_comments, review_scores, reviews)


@dataclass(frozen=True, slots=True)
class PurposeEnd:
    """The policy's terms for the end of a purpose, as they were when it rang."""

    review: bool = False
    """its day makes it judged by custody, not deleted"""
    keep_reviewed: Period | None = None
    """how long a reviewed training recording is kept on (G38); None: it goes at once"""


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
    agent: str | None = None
    """the address of the account that took or made it"""
    ends: Mapping[Purpose, PurposeEnd] = field(default_factory=dict[Purpose, "PurposeEnd"])
    """what happens when a purpose has come to its day; deletion where nothing is said"""


class CatalogWriter:
    """The changes, as statements on one connection. `desk` stands in every row."""

    def __init__(self, connection: Connection, desk: str, secrets: Secrets) -> None:
        self.connection = connection
        self._desk = desk
        self._secrets = secrets

    def on(self, connection: Connection) -> CatalogWriter:
        """The same desk's, through another connection."""
        return CatalogWriter(connection, self._desk, self._secrets)

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
                agent=facts.agent,
            )
        # Line and agent once more: a list by one of them is then a piece of an index, newest first.
        self._insert(
            recordings,
            recording=recording,
            call=facts.call,
            opened_at=at.isoformat(),
            line=facts.line,
            agent=facts.agent,
        )

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
            here = (wraps.c.recording == one.recording) & (wraps.c.segment == one.segment)
            slots.drop(
                self.connection, here, wraps.c.role == one.role.value, wraps.c.key_id == one.key_id, replaced=True
            )
        slots.add(self.connection, self._desk, wrapped)

    def wraps_of(self, recording: str, role: KeyRole) -> list[Wrap]:
        here = (wraps.c.recording == recording) & (wraps.c.role == role.value)
        return [slots.wrap_of(row, one) for row, one in slots.sealed(self.connection, here) if one is not None]

    def drop_wraps(self, recording: str, *roles: KeyRole, comes_back: bool = False) -> None:
        """`comes_back`: by custody's decision they may; so they go once it stands that they do, and no moment before."""
        these = wraps.c.role.in_([role.value for role in roles])
        slots.drop(self.connection, wraps.c.recording == recording, these, replaced=comes_back)

    def list_to_judge(self, recording: str, purpose: Purpose, until: date) -> None:
        """From its day on nobody but custody can open it, until custody has kept it."""
        self.drop_wraps(recording, KeyRole(purpose.value), comes_back=True)
        this = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
        self.connection.execute(update(purposes).where(this).values(judge_by=until.isoformat()))

    def end_purpose(self, recording: str, purpose: Purpose, ended: Ended, reason: str) -> None:
        where = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
        stands = purposes.c.stands == Ended.KEEPS.value
        if purpose is Purpose.TRAINING:
            if ended is Ended.EXPIRED:
                self._count_unseen(recording)
            self._drop_review(recording)
        self.connection.execute(update(purposes).where(where, stands).values(stands=ended.value, reason=reason))

    def mark_reviewed(self, recording: str, now: datetime) -> None:
        """Once: what was reviewed before stays as it was."""
        this = (purposes.c.recording == recording) & (purposes.c.purpose == Purpose.TRAINING.value)
        done = update(purposes).where(this, purposes.c.reviewed_at.is_(None)).values(reviewed_at=now.isoformat())
        if self.connection.execute(done).rowcount and (call := self._call(recording)) is not None:
            tally_review(self.connection, self._desk, call, local_day(now, call.time_zone))

    def _count_unseen(self, recording: str) -> None:
        """It was to be reviewed, and nobody did in time. What a case has taken out of training was declined."""
        asked = select(purposes.c.expires_on).where(
            purposes.c.recording == recording,
            purposes.c.purpose == Purpose.TRAINING.value,
            purposes.c.stands == Ended.KEEPS.value,
            purposes.c.reviewed_at.is_(None),
            purposes.c.expires_on.is_not(None),
        )
        last = self.connection.execute(asked).scalar()
        call = self._call(recording)
        if last is not None and call is not None and self._restricted(recording) is None:
            tally_call(self.connection, self._desk, call, Tallied.EXPIRED_UNSEEN, date.fromisoformat(last))

    def _drop_review(self, recording: str) -> None:
        """What was said in a review is there as long as the call may be listened to for training, and no longer (L4)."""
        for table in _REVIEW:
            self.connection.execute(delete(table).where(table.c.recording == recording))

    def _call(self, recording: str) -> Row[Any] | None:
        asked = select(calls).join(recordings, recordings.c.call == calls.c.call)
        return self.connection.execute(asked.where(recordings.c.recording == recording)).first()

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
        slots.drop(self.connection, wraps.c.recording == recording)
        for table in (segments, purposes, holds, *_REVIEW, recordings):
            self.connection.execute(delete(table).where(table.c.recording == recording))
        if not self.connection.execute(select(recordings.c.recording).where(recordings.c.call == row.call)).first():
            self.connection.execute(delete(calls).where(calls.c.call == row.call))
        self._insert(condemned, recording=recording, at=at.isoformat())

    def place_hold(self, change: PlaceHold) -> None:
        known = self.connection.execute(select(holds.c.lifted_at).where(holds.c.hold == change.hold)).first()
        if (known is not None and known.lifted_at is None) or not self.exists(change.recording):
            return
        if known is not None:
            # A call counts its holds: one that was undone has left its number to the next, and stays under another name.
            self.connection.execute(
                update(holds).where(holds.c.hold == change.hold).values(hold=f"{change.hold}-{known.lifted_at}")
            )
        self.drop_wraps(change.recording, KeyRole.TRAINING, comes_back=True)
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
            .where(holds.c.hold == change.hold, holds.c.confirmed_at.is_(None))
            .values(
                raised_for=change.by.value,
                provisional_until=change.provisional_until.isoformat() if change.provisional_until else None,
            )
        )

    def confirmed(self, hold: str) -> str | None:
        """The recording that it holds, where custody has confirmed it and has not lifted it."""
        asked = select(holds.c.recording).where(
            holds.c.hold == hold, holds.c.confirmed_at.is_not(None), holds.c.lifted_at.is_(None)
        )
        return self.connection.execute(asked).scalar()

    def lift_hold(self, hold: str, reason: str, at: datetime) -> str | None:
        """The recording that it held; None where no such hold stands."""
        standing = (holds.c.hold == hold) & holds.c.lifted_at.is_(None)
        row = self.connection.execute(select(holds.c.recording).where(standing)).first()
        self.connection.execute(update(holds).where(standing).values(lifted_at=at.isoformat(), lifted_reason=reason))
        return row.recording if row is not None else None

    def wrap_again(
        self, recording: str, purpose: Purpose, data_keys: Mapping[int, bytes], recipients: Sequence[Recipient]
    ) -> None:
        """As far as it may be opened for it now (`opens_to`). `data_keys` by segment. Raises ArchiveError where none of
        `recipients` has a key for it that still stands, or a data key is lacking."""
        segments = self.opens_to(recording, purpose)
        line = self.connection.execute(select(recordings.c.line).where(recordings.c.recording == recording)).scalar()
        standing = revocation.standing(self.connection, recipients)
        those = [one for one in standing if one.role.value == purpose.value and one.of_line(line)]
        if segments and (not those or not data_keys.keys() >= set(segments)):
            raise ArchiveError("error.archive.no_key_of_purpose", id=recording)
        for segment in segments:
            self.add_wraps([keys.wrap(data_keys[segment], one, recording, segment) for one in those])

    def opens_to(self, recording: str, purpose: Purpose) -> list[int]:
        """The segments that may have wraps for it: recorded for it, it neither ended nor waits to be judged, and neither a
        hold nor a case keeps it out."""
        if not self.wrappable(recording, (purpose,)):
            return []
        rows = self.connection.execute(select(segments).where(segments.c.recording == recording))
        return [row.segment for row in rows if purpose in recorded_for(row.purposes)]

    def wrappable(self, recording: str, wanted: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        """Those of `wanted` that may have wraps now: held is not for training; restricted, ended or to be judged for nobody."""
        if self._restricted(recording) is not None:
            return ()
        # What a sweep has ended while the call goes on, no later part of it brings back.
        over = (purposes.c.stands != Ended.KEEPS.value) | purposes.c.judge_by.is_not(None)
        asked = select(purposes.c.purpose).where(purposes.c.recording == recording, over)
        ended = set(self.connection.execute(asked).scalars())
        may = tuple(one for one in wanted if one.value not in ended)
        return tuple(one for one in may if not (one is Purpose.TRAINING and self.is_held(recording)))

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

    def remember_upheld(self, facts: CallFacts, purpose: Purpose, at: datetime) -> None:
        """For the number and the line of this call; of a withheld number nothing is known again."""
        _, index = self._number(facts)
        if index is None or facts.line is None:
            return
        here = (upheld.c.number_index == index) & (upheld.c.line == facts.line) & (upheld.c.purpose == purpose.value)
        self.connection.execute(delete(upheld).where(here))
        until = UPHELD_FOR.after(at.date()).isoformat()
        told = {"line": facts.line, "purpose": purpose.value, "at": at.isoformat(), "until": until}
        self._insert(upheld, number_index=index, **told)

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
            agent=row.agent,
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
        period, end = facts.retention.get(purpose), facts.ends.get(purpose, PurposeEnd())
        # Counted from the day of recording, and stored at once: a recording that breaks off has its end all the same.
        self._insert(
            purposes,
            recording=recording,
            purpose=purpose.value,
            basis=basis,
            retention=str(period) if period else None,
            expires_on=expires_on(facts.started_at, period, facts.time_zone).isoformat() if period else None,
            stands=Ended.KEEPS.value,
            at_end="review" if end.review else "delete",
            keep_reviewed=str(end.keep_reviewed) if end.keep_reviewed else None,
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


def waits_for_case(stands: str, reason: str | None) -> bool:
    """Whether a purpose has ended on grounds that custody has yet to judge (G32): until its own date that keeps the recording, as
    the purpose would have, and no longer."""
    return stands == Ended.TAKEN_BACK and reason == Reason.GROUNDS_GIVEN.value


def recorded_for(text: str) -> tuple[Purpose, ...]:
    return tuple(Purpose(part) for part in text.split(",") if part)


def _joined(which: tuple[Purpose, ...]) -> str:
    return ",".join(purpose.value for purpose in which)
