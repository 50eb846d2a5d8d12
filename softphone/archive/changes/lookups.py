"""What the archive knows of a call while it rings: its place in the sample, its party's wishes, what waits for review.

A call holds a place as long as it lives, and uses it up when it is answered (`UseDraw`). A call that came to nothing gives
it back. What follows from it is not decided here.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, text

from softphone.archive.catalog.database import Catalog
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto.revocation import standing
from softphone.archive.crypto.wraps import Recipient, Secrets
from softphone.archive.schema.tables import call_backs as listed
from softphone.archive.schema.tables import calls, party_languages, purposes, recordings, refusals, sample_runs, upheld
from softphone.domain.decision import LookupResult
from softphone.domain.policy import Line
from softphone.domain.purpose import KeyRole, Language, Purpose
from softphone.domain.retention import REMEMBERED, Ended, expires_on, local_day
from softphone.domain.sampling import SampleRun, free_place, is_drawn, reviewers_have_enough, use

_SEED_BYTES = 32
_WAITING = (
    "SELECT purposes.expires_on, count(*) AS number FROM purposes INDEXED BY ix_purposes_to_review "
    "CROSS JOIN recordings ON recordings.recording = purposes.recording "
    "CROSS JOIN calls ON calls.call = recordings.call "
    "WHERE purposes.purpose = 'training' AND purposes.stands = 'keeps' AND purposes.reviewed_at IS NULL "
    "AND purposes.expires_on > :today AND calls.line = :line {more}GROUP BY purposes.expires_on"
)
_TO_REVIEW = text(_WAITING.format(more=""))
"""What a hold keeps out of training counts, since it comes back with the lifting. By the index: little of what is kept
waits, which the planner cannot know."""
_NOT_IN_THE_HOUSE = text(
    _WAITING.format(
        more="AND NOT EXISTS (SELECT 1 FROM shipped WHERE shipped.recording = purposes.recording "
        "AND shipped.state IN ('received', 'erased')) "
    )
)
"""What has arrived the house counts itself, and knows when it is reviewed."""


@dataclass(frozen=True, slots=True)
class PartyQuery:
    """A call that rings. `agent` is its account, `number` E.164 or None where it is withheld; `at` in UTC."""

    call: str
    agent: str
    number: str | None = field(repr=False)
    line: Line
    time_zone: str
    at: datetime
    recipients: tuple[Recipient, ...] | None = None
    """those whom its policy names to open recordings; None: their keys are not asked about"""
    elsewhere: Mapping[date, int] | None = None
    """what waits for review on this line in the house this desk belongs to, by the day it ends; None: it belongs to none"""


@dataclass(frozen=True, slots=True)
class CallBackRow:
    """Somebody who is to be called back without recording (N4). `id` is the call in which it was promised, `number` E.164,
    None if it was withheld; `until` is the day it is forgotten on."""

    id: str
    number: str | None = field(repr=False)
    line: str | None
    at: datetime
    until: date


@dataclass(frozen=True, slots=True)
class _Held:
    """A call's place. `number` counts the runs of this line and agent."""

    line: str
    agent: str
    number: int
    run: SampleRun
    place: int
    drawn: bool


class SamplePlaces:
    """The sample's runs and who holds which place. For several threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._begun: dict[tuple[str, str], tuple[int, SampleRun]] = {}
        """runs without a used place, which no table has yet"""

    def hold(self, call: str, line: str, agent: str, share: Fraction) -> bool:
        """Gives the call a place. Returns whether it is drawn; asked again, the same. Raises ArchiveError."""
        with self._lock:
            held = self._held.get(call)
            if held is None:
                # The run is read under the lock: a place is at all times held or used up, as others see it.
                number, run = self._run(line, agent, share)
                others = [one.place for one in self._held.values() if _same(one, line, agent, number)]
                place = free_place(run, others)
                held = self._held[call] = _Held(line, agent, number, run, place, is_drawn(run, place))
            return held.drawn

    def use(self, tx: Transaction, call: str, at: datetime) -> bool:
        """Within the transaction of the answer, which was `at`; may be done twice. The place stays held until it is given up.

        Says whether the call is drawn.
        """
        with self._lock:
            held = self._held.get(call)
        if held is None:
            return False
        number, run = _read(tx.connection, held.line, held.agent) or (0, held.run)
        if number > held.number:
            return held.drawn  # the share has changed since it rang, and a new block has begun
        was = run if number == held.number else None
        run = use(was or held.run, held.place)
        if run == was:
            return held.drawn
        here = (sample_runs.c.line == held.line) & (sample_runs.c.agent == held.agent)
        tx.execute(delete(sample_runs).where(here))
        tx.insert(
            sample_runs,
            line=held.line,
            agent=held.agent,
            number=held.number,
            seed=run.seed,
            share=str(run.share),
            block=run.block,
            start=run.start,
            next=run.next,
            taken=",".join(map(str, sorted(run.taken))),
            until=REMEMBERED.after(at.date()).isoformat(),
        )
        return held.drawn

    def give_up(self, call: str) -> None:
        """The call is over, or its answer is written."""
        with self._lock:
            self._held.pop(call, None)

    def drawn_calls(self, line: str) -> set[str]:
        """The calls of a line that ring or go on and are in the sample."""
        with self._lock:
            return {call for call, held in self._held.items() if held.line == line and held.drawn}

    def _run(self, line: str, agent: str, share: Fraction) -> tuple[int, SampleRun]:
        with self._catalog.reading() as connection:
            known = _read(connection, line, agent)
        begun = self._begun.get((line, agent))
        if begun and (known is None or known[0] < begun[0]):
            known = begun
        if known is None or known[1].share != share:
            last = known[0] if known else 0
            known = self._begun[line, agent] = (last + 1, SampleRun(secrets.token_bytes(_SEED_BYTES), share))
        return known


class Lookups:
    """What is looked up for a call. Reads only. Raises ArchiveError throughout."""

    def __init__(self, catalog: Catalog, numbers: Secrets) -> None:
        self._catalog = catalog
        self._numbers = numbers
        self.places = SamplePlaces(catalog)

    def look_up(self, asked: PartyQuery) -> LookupResult:
        drawn = False
        if training := asked.line.training:
            drawn = self.places.hold(asked.call, asked.line.id, asked.agent, training.sample)
        with self._catalog.reading() as connection:
            enough = self._enough(connection, asked)
            party, keyless = self._of_party(connection, asked), _keyless(connection, asked)
            return LookupResult(**party, drawn=drawn, reviewers_have_enough=enough, keyless=keyless)

    def call_backs(self, now: datetime) -> list[CallBackRow]:
        """Who is still to be called back, oldest first."""
        with self._catalog.reading() as connection:
            rows = connection.execute(
                select(listed).where(listed.c.until > now.date().isoformat()).order_by(listed.c.at, listed.c.call)
            )
            return [
                CallBackRow(
                    row.call,
                    self._numbers.open_number(row.number_sealed, row.call) if row.number_sealed else None,
                    row.line,
                    datetime.fromisoformat(row.at),
                    date.fromisoformat(row.until),
                )
                for row in rows
            ]

    def _of_party(self, connection: Connection, asked: PartyQuery) -> Mapping[str, Any]:
        """A withheld number is not known."""
        if asked.number is None:
            return {}
        index, today = self._numbers.number_index(asked.number), asked.at.date().isoformat()

        def first(column: Any, table: Any, *more: Any) -> Any:
            mine = select(column).where(table.c.number_index == index, table.c.until > today, *more)
            return connection.execute(mine.limit(1)).scalar()

        objected = select(upheld.c.purpose).where(
            upheld.c.number_index == index, upheld.c.line == asked.line.id, upheld.c.until > today
        )
        language = first(party_languages.c.language, party_languages)
        before = select(recordings.c.recording).join(calls, calls.c.call == recordings.c.call)
        before = before.where(calls.c.number_index == index, calls.c.call != asked.call).limit(1)
        return {
            "declined_earlier": first(refusals.c.until, refusals) is not None,
            "upheld": frozenset(Purpose(one) for one in connection.execute(objected).scalars()),
            "language": Language(language) if language else None,
            # The promise is one line's: another line's calls do not keep it.
            "recorded_before": connection.execute(before).scalar() is not None,
            "call_back": first(listed.c.call, listed, listed.c.line == asked.line.id) is not None,
        }

    def _enough(self, connection: Connection, asked: PartyQuery) -> bool:
        line = asked.line
        period = line.retention(Purpose.TRAINING)
        if line.training is None or line.training.capacity is None or period is None:
            return False
        today = local_day(asked.at, asked.time_zone)
        here = _TO_REVIEW if asked.elsewhere is None else _NOT_IN_THE_HOUSE
        of_line = connection.execute(here, {"today": today.isoformat(), "line": line.id})
        waiting = Counter({(date.fromisoformat(row.expires_on) - today).days: int(row.number) for row in of_line})
        for day, number in (asked.elsewhere or {}).items():
            waiting[max((day - today).days, 0)] += number
        new = (expires_on(asked.at, period, asked.time_zone) - today).days
        # Calls that ring or talk at this moment may each become one more.
        rings = self.places.drawn_calls(line.id) - {asked.call}
        counted = select(recordings.c.call).join(purposes, purposes.c.recording == recordings.c.recording)
        counted = counted.where(recordings.c.call.in_(rings), *_waits(today))
        waiting[new] += len(rings - set(connection.execute(counted).scalars()))
        return reviewers_have_enough(waiting, new, line.training.capacity)


def _waits(today: date) -> tuple[ColumnElement[bool], ...]:
    """As `_TO_REVIEW` has it."""
    return (
        purposes.c.purpose == Purpose.TRAINING.value,
        purposes.c.stands == Ended.KEEPS.value,
        purposes.c.reviewed_at.is_(None),
        purposes.c.expires_on > today.isoformat(),
    )


def _same(held: _Held, line: str, agent: str, number: int) -> bool:
    return (held.line, held.agent, held.number) == (line, agent, number)


def _keyless(connection: Connection, asked: PartyQuery) -> frozenset[Purpose]:
    """The line's purposes for which no key stands; everything is sealed for custody too."""
    if asked.recipients is None:
        return frozenset()
    roles = {one.role for one in standing(connection, asked.recipients)}
    of_line = [one for one in Purpose if getattr(asked.line, one.value) is not None]
    return frozenset(one for one in of_line if not {KeyRole(one.value), KeyRole.CUSTODY} <= roles)


def _read(connection: Connection, line: str, agent: str) -> tuple[int, SampleRun] | None:
    row = connection.execute(
        select(sample_runs).where(sample_runs.c.line == line, sample_runs.c.agent == agent)
    ).first()
    if row is None:
        return None
    taken = frozenset(int(place) for place in row.taken.split(",") if place)
    return row.number, SampleRun(row.seed, Fraction(row.share), row.block, row.start, row.next, taken)
