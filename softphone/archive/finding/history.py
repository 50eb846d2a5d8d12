"""The calls of a desk's own last days, and one of them whole, for any agent who had them: what was kept, never a sound.

Reads only, on any thread. The session decides what follows from it (`domain.session.reopening`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from softphone.archive.catalog import own_calls
from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.call import CallFacts, facts_of
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.outbox.shipping import away
from softphone.archive.schema.tables import audit, calls, holds, purposes, recordings, wraps
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose
from softphone.domain.retention import Ended, has_expired
from softphone.domain.session.reopening import KeptCall, KeptHold, KeptPurpose, KeptRecording


@dataclass(frozen=True, slots=True)
class PastRow:
    """A call of which something is kept. `seconds`: from the first sample kept to the last, pauses included."""

    facts: CallFacts
    kept: KeptCall
    seconds: float
    closed: bool = True
    """each of its recordings is: it is over"""


class History:
    """`secrets` opens the calls' own numbers. Raises ArchiveError throughout."""

    def __init__(self, catalog: Catalog, secrets: Secrets) -> None:
        self._catalog = catalog
        self._secrets = secrets

    def own(
        self, agents: Sequence[str], since: datetime, now: datetime, limit: int
    ) -> tuple[list[PastRow], list[OwnCall]]:
        """The newest calls of these accounts' addresses, newest first: those of which something is kept, and from their own
        list those of which nothing is."""
        asked = (
            select(calls)
            .where(calls.c.agent.in_(agents), calls.c.started_at >= since.isoformat())
            .order_by(calls.c.started_at.desc())
            .limit(limit)
        )
        with self._catalog.reading() as connection:
            rows = connection.execute(asked).all()
            listed = own_calls.read(connection, self._secrets, agents, now.date(), limit)
            return self._past(connection, [self._facts(row) for row in rows], now), listed

    def call(self, call: str, now: datetime) -> PastRow | None:
        """None if nothing of it is kept any more."""
        with self._catalog.reading() as connection:
            facts = facts_of(connection, self._secrets, call)
            return self._past(connection, [facts], now)[0] if facts else None

    def _facts(self, row: Any) -> CallFacts:
        """As far as a row of the list shows them."""
        number = self._secrets.open_number(row.number_sealed, row.call) if row.number_sealed else None
        notice = NoticeId(row.notice) if row.notice else None
        direction, language = Direction(row.direction), Language(row.language)
        return CallFacts(
            row.call,
            row.line,
            direction,
            number,
            _time(row.started_at),
            language,
            row.time_zone,
            {},
            notice,
            agent=row.agent,
            group=row.call_group or "",
        )

    def _past(self, connection: Connection, those: Sequence[CallFacts], now: datetime) -> list[PastRow]:
        """Five statements, however many they are."""
        here = recordings.c.call.in_([facts.call for facts in those])
        of_call = _by("call", connection, select(recordings).where(here).order_by(recordings.c.recording))
        made = [row.recording for rows in of_call.values() for row in rows]
        made_for = _by("recording", connection, select(purposes).where(purposes.c.recording.in_(made)))
        opens = _by("recording", connection, select(wraps.c.recording, wraps.c.role).where(wraps.c.recording.in_(made)))
        standing = select(holds).where(holds.c.recording.in_(made), holds.c.lifted_at.is_(None)).order_by(holds.c.at)
        held = _by("recording", connection, standing)
        broke_off = _broke_off(connection, [facts.call for facts in those])
        gone = away(connection, made)
        past: list[PastRow] = []
        for facts in those:
            rows = of_call.get(facts.call, [])
            kept = tuple(
                KeptRecording(
                    row.recording,
                    {
                        Purpose(one.purpose): _purpose(
                            one,
                            _opened_in_the_house(one, held.get(row.recording, []))
                            if row.recording in gone
                            else {wrap.role for wrap in opens.get(row.recording, [])},
                            facts.time_zone,
                            now,
                        )
                        for one in made_for.get(row.recording, [])
                    },
                    tuple(_hold(one) for one in held.get(row.recording, [])),
                    row.restricted,
                    row.broke_off_at is not None or bool({(facts.call, row.recording), (facts.call, None)} & broke_off),
                )
                for row in rows
            )
            whole = KeptCall(facts.call, facts.direction, facts.language, facts.notice, kept)
            over = all(row.closed_at is not None or row.broke_off_at is not None for row in rows)
            past.append(PastRow(facts, whole, _seconds(rows), over))
        return past


def _opened_in_the_house(purpose: Any, held: Sequence[Any]) -> set[str]:
    """By whom, where the copy here has gone: as it would be here."""
    return set() if held and purpose.purpose == Purpose.TRAINING.value else {purpose.purpose}


def _by(key: str, connection: Connection, asked: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in connection.execute(asked):
        found.setdefault(getattr(row, key), []).append(row)
    return found


def _broke_off(connection: Connection, those: Sequence[str]) -> set[tuple[str, str | None]]:
    """Calls and recordings of which a failure left talk unrecorded, by the session's entries; None: a recording that was to
    come."""
    said = select(audit.c.call, audit.c.recording).where(
        audit.c.call.in_(those), audit.c.event == "recording_broke_off"
    )
    return {(row.call, row.recording) for row in connection.execute(said)}


def _seconds(rows: Sequence[Any]) -> float:
    if not rows:
        return 0.0
    begun = min(_time(row.opened_at) for row in rows)
    ended = max(_time(row.closed_at or row.broke_off_at or row.opened_at) for row in rows)
    return max(0.0, (ended - begun).total_seconds())


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _purpose(row: Any, opens: set[str], time_zone: str, now: datetime) -> KeptPurpose:
    day = date.fromisoformat(row.expires_on) if row.expires_on else None
    stands = row.stands == Ended.KEEPS.value and not (day is not None and has_expired(day, now, time_zone))
    basis = Basis(row.basis) if row.basis else None
    return KeptPurpose(basis, stands, KeyRole(row.purpose).value in opens, row.reason or "", day)


def _hold(row: Any) -> KeptHold:
    until = _time(row.provisional_until) if row.provisional_until else None
    return KeptHold(
        row.hold, HoldBy(row.raised_for), row.raised_by, _time(row.at), row.why, until, row.confirmed_at is not None
    )
