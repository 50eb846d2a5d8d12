"""What a person finds: pages by keyset, newest first, and a recording's row as every archive shows it.

Row-level security says what is found. Here it is asked so that an index answers: a deep page costs what the first costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from softphone.domain.archive.recordings import AuditRow, Cursor, HoldRow, Query, RecordingRow, opens_for
from softphone.domain.purpose import Direction, KeyRole, Purpose, Reason
from softphone.domain.retention import Ended, has_expired
from softphone.team.rows.arriving import Seal
from softphone.team.rows.pool import Row, Transaction

NUMBER_CALLS = "SELECT call FROM number_calls(%s) AS call"
ROWS = (
    "SELECT r.recording, r.call, r.line, r.agent, r.opened_at, r.closed_at, r.broke_off, r.restricted, r.size,"
    " r.opened_by, c.direction, c.time_zone,"
    " coalesce(r.person = (SELECT my_person()) AND r.opened_at >= (SELECT mine_since()), false) AS by_asker"
    " FROM recordings r JOIN calls c USING (call) WHERE r.recording = ANY (%s)"
)
PURPOSES = (
    "SELECT recording, purpose, expires_on, stands, reason, at_end, judge_by FROM purposes"
    " WHERE recording = ANY (%s) ORDER BY purpose"
)
HOLDS = (
    "SELECT h.recording, h.hold, h.raised_for, h.at, h.provisional_until, h.confirm_by, h.look_again, w.raised_by, w.why"
    " FROM holds h LEFT JOIN hold_words w USING (hold) WHERE h.recording = ANY (%s) AND h.lifted_at IS NULL"
    " ORDER BY h.at, h.hold"
)
STORED = "SELECT recording, sum(greatest(chunks - 1, 0)) AS seconds FROM segments WHERE recording = ANY (%s) GROUP BY recording"
SEALS = "SELECT call, role, key_id, suite, sealed FROM call_number_seals WHERE call = ANY (%s) ORDER BY role, key_id"
ASKED = "SELECT * FROM recording_asked(%s)"
LOG = "SELECT * FROM recording_log(%s)"
WRITTEN = "SELECT archive_written() AS written"
SEVERAL = 100
"""lines or agents that are each searched by themselves"""
_LIVES = {
    KeyRole.DOCUMENTATION: "r.documentation_until > statement_timestamp()",
    KeyRole.TRAINING: "r.training_until > '-infinity' AND r.training_until > statement_timestamp() AND NOT r.held",
    KeyRole.CUSTODY: "lives_for(r, 'custody')",
}
"""as the function `lives_for` has it, for the planner to see; the sample has indexes of its own"""
_NEWEST = "ORDER BY opened_at DESC, recording DESC"
_LAST = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Found:
    """A row without its number, which is in `seals` for keys of who asks. `opened_by`: `role:key_id` of each key. `by_asker`: who
    asks had that call; its address alone may have been another's."""

    row: RecordingRow
    opened_by: frozenset[str]
    seals: tuple[Seal, ...] = ()
    by_asker: bool = False


class Asked:
    """One narrowed query as SQL."""

    def __init__(self, query: Query, after: Cursor | None, calls: Sequence[UUID] | None) -> None:
        self.query = query
        self.where: list[str] = ["true"]
        self.values: list[object] = []
        if calls is not None:
            self._and("r.call = ANY (%s)", list(calls))
        if query.since is not None:
            self._and("r.opened_at >= %s", query.since)
        if query.until is not None:
            self._and("r.opened_at < %s", query.until)
        if query.held is not None:
            self._and("r.held" if query.held else "NOT r.held")
        if query.opens_for is not None:
            self._and(_LIVES[query.opens_for])
            # It also takes a key, of whomever.
            self._and("EXISTS (SELECT FROM unnest(r.opened_by) AS one (key) WHERE starts_with(one.key, %s))",
                      f"{query.opens_for.value}:")  # fmt: skip
        if query.sealed_for is not None:
            role, ids = query.sealed_for
            self._and("r.opened_by && %s", [f"{role.value}:{one}" for one in ids])
        if query.begins:
            first, last = _begin(query.begins)
            self._and("r.recording BETWEEN %s AND %s", first, last)
        if after is not None:
            self._and("(r.opened_at, r.recording) < (%s, %s)", after.opened_at, _id(after.recording))

    def _and(self, condition: str, *values: object) -> None:
        self.where.append(condition)
        self.values += values

    def page(self, limit: int) -> tuple[str, list[object]]:
        """Each of several agents or lines gives its own newest by its own index, and the newest of those are taken. Where both
        are asked for, an agent has fewer than a line."""
        lines, agents = self.query.lines, self.query.agents
        each: Iterable[tuple[str, list[object]]]
        if agents is not None and len(agents) <= SEVERAL:
            each = [self._among(lines, (one,)) for one in dict.fromkeys(agents)]
        elif lines is not None and len(lines) <= SEVERAL:
            each = [self._among((one,), agents) for one in dict.fromkeys(lines)]
        else:
            each = [self._among(lines, agents)]
        found, values = list[str](), list[object]()
        for more, given in each:
            told = f"{' AND '.join(self.where)}{more}"
            found.append(f"(SELECT r.recording, r.opened_at FROM recordings r WHERE {told} {_NEWEST} LIMIT %s)")  # noqa: S608
            values += [*self.values, *given, limit]
        if len(found) < 2:
            return next(iter(found), ""), values
        return f"{' UNION ALL '.join(found)} {_NEWEST} LIMIT %s", [*values, limit]

    def all_of(self) -> tuple[str, list[object]]:
        more, given = self._among(self.query.lines, self.query.agents)
        told = f"SELECT r.recording FROM recordings r WHERE {' AND '.join(self.where)}{more}"  # noqa: S608
        return told, [*self.values, *given]

    def _among(self, lines: tuple[str, ...] | None, agents: tuple[str | None, ...] | None) -> tuple[str, list[object]]:
        """A house knows the agent of each call."""
        told, values = "", list[object]()
        for column, those in (("line", lines), ("agent", agents)):
            if those is None:
                continue
            named = [one for one in those if one is not None]
            told += f" AND r.{column} = %s" if len(named) == 1 else f" AND r.{column} = ANY (%s)"
            values.append(named[0] if len(named) == 1 else named)
        return told, values


async def calls_of(tx: Transaction, number: bytes) -> list[UUID]:
    return [row["call"] for row in await tx.all(NUMBER_CALLS, number)]


async def newest(tx: Transaction, asked: Asked, limit: int) -> list[UUID]:
    statement, values = asked.page(limit)
    return [row["recording"] for row in await tx.all(statement, *values)] if statement else []


async def count(tx: Transaction, each: Sequence[Asked]) -> int:
    """What any of them finds, once."""
    if not each:
        return 0
    told = [one.all_of() for one in each]
    statement = f"SELECT count(*) AS n FROM ({' UNION '.join(f'({one})' for one, _ in told)}) AS found"  # noqa: S608
    return await tx.value(statement, *(it for _, them in told for it in them))


async def rows_of(tx: Transaction, ids: Sequence[UUID], now: datetime) -> list[Found]:
    """Those that who asks finds, in the order of `ids`: as many statements for a page as for one."""
    these = list(ids)
    found = {row["recording"]: row for row in await tx.all(ROWS, these)}
    kept, standing = _by(await tx.all(PURPOSES, these)), _by(await tx.all(HOLDS, these))
    stored = {row["recording"]: int(row["seconds"]) for row in await tx.all(STORED, these)}
    seals = _by(await tx.all(SEALS, [row["call"] for row in found.values()]), "call") if found else {}
    return [
        _found(row, kept[one], standing[one], stored.get(one), seals.get(row["call"], []), now)
        for one in ids
        if (row := found.get(one)) is not None
    ]


def _by(rows: Iterable[Row], column: str = "recording") -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _found(
    row: Row, kept: Sequence[Row], standing: Sequence[Row], stored: int | None, seals: Sequence[Row], now: datetime
) -> Found:
    zone = row["time_zone"]

    def is_over(day: date | None) -> bool:
        return day is not None and has_expired(day, now, zone)

    keeps, waits = dict[Purpose, date | None](), False
    for one in kept:
        if one["stands"] == Ended.KEEPS.value:
            waits = waits or (one["at_end"] == "review" and not is_over(one["judge_by"]))
            keeps[Purpose(one["purpose"])] = one["expires_on"]
        elif one["reason"] == Reason.GROUNDS_GIVEN.value:
            waits = waits or not is_over(one["expires_on"])
    holds = tuple(hold_of(one) for one in standing)
    sealed = {one.partition(":")[0] for one in row["opened_by"]}
    opens = opens_for(sealed, keeps, now, zone, held=bool(holds), waits=waits, restricted=row["restricted"])
    return Found(
        RecordingRow(
            recording=str(row["recording"]),
            call=str(row["call"]),
            line=row["line"],
            direction=Direction(row["direction"]),
            number=None,
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            opens_for=opens,
            expires={one: day for one, day in keeps.items() if day is not None},
            holds=holds,
            restricted=row["restricted"],
            bytes=row["size"],
            time_zone=zone,
            agent=row["agent"],
            broke_off=row["broke_off"],
            stored=stored,
            kept=any(day is None or not has_expired(day, now, zone) for day in keeps.values()),
        ),
        frozenset(row["opened_by"]),
        tuple(Seal(KeyRole(one["role"]), one["key_id"], one["suite"], bytes(one["sealed"])) for one in seals),
        row["by_asker"],
    )


def hold_of(row: Row) -> HoldRow:
    """Its words are there for custody, and for who raised it."""
    return HoldRow(
        row["hold"],
        row["raised_for"],
        row["at"],
        row["provisional_until"],
        row["confirm_by"],
        row["why"] or "",
        row["look_again"],
        row["raised_by"] or "",
    )


@dataclass(frozen=True, slots=True)
class Known:
    """Of a recording that who asks need not find. `led`: its call is one of a team of theirs."""

    call: UUID
    led: bool


async def known(tx: Transaction, recording: UUID) -> Known | None:
    row = await tx.row(ASKED, recording)
    return Known(row["call"], row["led"]) if row else None


async def log_of(tx: Transaction, recording: UUID) -> list[AuditRow]:
    """What happened to it and to its call, oldest first, without another recording of that call."""
    return [
        AuditRow(number, row["at"], row["event"], row["rule"], row["params"], row["recording"])
        for number, row in enumerate(await tx.all(LOG, recording), 1)
    ]


async def written(tx: Transaction) -> int:
    return await tx.value(WRITTEN) or 0


def cursor_behind(rows: Sequence[Found], limit: int) -> Cursor | None:
    return Cursor(rows[limit - 1].row.opened_at, rows[limit - 1].row.recording) if len(rows) > limit else None


def shown(one: Found, row: RecordingRow, *, numbers: bool) -> Found:
    """`row`: as who asks may see it."""
    return replace(one, row=row, seals=one.seals if numbers else ())


def whole_id(text: str) -> UUID | None:
    """None: it is no whole id."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def _begin(text: str) -> tuple[UUID, UUID]:
    """The first and the last id that begin so. What none begins with gives what nothing lies between."""
    digits = text.lower().replace("-", "")
    nothing = UUID(int=1), UUID(int=0)
    if not digits or len(digits) > 32 or any(one not in "0123456789abcdef" for one in digits):
        return nothing
    first, last = UUID(int=int(digits.ljust(32, "0"), 16)), UUID(int=int(digits.ljust(32, "f"), 16))
    return (first, last) if str(first).startswith(text.lower()) else nothing


def _id(text: str) -> UUID:
    """A cursor of another archive's goes on from its moment alone."""
    return whole_id(text) or UUID(int=_LAST)
