"""Search in a large archive: every page is right, costs what it shows, and reads what an index gives and no more."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from softphone.archive.archive import Archive
from softphone.archive.finding.searching import Cursor, Query, count, page, pages
from softphone.archive.schema.tables import holds, purposes, wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive import many
from tests.archive.scene import MemoryKeys

MANY = 2_000
NOW = many.END
LAST_YEAR = NOW - timedelta(days=200)
QUERIES = {
    "all": Query(),
    "number": Query(number=many.number(17)),
    "time": Query(since=LAST_YEAR, until=LAST_YEAR + timedelta(days=20)),
    "line": Query(lines=("salg",)),
    "lines": Query(lines=("salg", "klager", "salg")),
    "no line": Query(lines=()),
    "unknown line": Query(lines=("nowhere",)),
    "agent": Query(agents=many.AGENTS[:1]),
    "agents of lines": Query(agents=many.AGENTS[:9], lines=("salg", "booking")),
    "documentation": Query(opens_for=KeyRole.DOCUMENTATION),
    "training": Query(opens_for=KeyRole.TRAINING),
    "training of lines": Query(opens_for=KeyRole.TRAINING, lines=("salg", "support")),
    "training of a team": Query(opens_for=KeyRole.TRAINING, lines=("salg", "support"), agents=(*many.AGENTS[:9], None)),
    "custody": Query(opens_for=KeyRole.CUSTODY),
    "held": Query(held=True),
    "held of lines": Query(held=True, lines=("salg", "support", "faktura")),
    "not held": Query(held=False),
    "number and role": Query(number=many.number(3), opens_for=KeyRole.DOCUMENTATION, held=False),
    "agent and time": Query(agents=many.AGENTS[3:5], since=NOW - timedelta(days=7)),
}
BIG = ("calls", "recordings", "purposes", "segments", "wraps", "audit", "touched")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    made = Archive.create(tmp_path_factory.mktemp("many") / "archive", MemoryKeys())
    many.fill(made, MANY)
    yield made
    made.close()


@dataclass
class Seen:
    """What the readers of an archive did: statements with their parameters, and steps of the database's machine."""

    statements: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    hundreds: int = 0


@contextmanager
def watched(archive: Archive) -> Generator[Seen]:
    seen, engine = Seen(), archive.catalog._reader

    def connected(driver: Any, *_: object) -> None:
        def step() -> int:
            seen.hundreds += 1
            return 0

        driver.set_progress_handler(step, 100)

    def executed(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if not statement.startswith(("BEGIN", "ROLLBACK")):
            seen.statements.append((statement, parameters))

    event.listen(engine, "connect", connected)
    event.listen(engine, "before_cursor_execute", executed)
    try:
        yield seen
    finally:
        event.remove(engine, "connect", connected)
        event.remove(engine, "before_cursor_execute", executed)


def plans(archive: Archive, seen: Seen) -> list[str]:
    """How the database goes about what it was asked; the function that only a search knows stands for itself."""
    told: list[str] = []
    with archive.catalog.reading() as connection:
        driver: Any = connection.connection.driver_connection
        driver.create_function("day_in", 1, str, deterministic=True)
        for statement, parameters in seen.statements:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            told += [str(row.detail) for row in rows]
    return told


@cache
def everything(archive: Archive) -> tuple[Any, ...]:
    with archive.catalog.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT recordings.recording, recordings.opened_at, calls.line, calls.agent, calls.number_index, "
                "calls.time_zone FROM recordings JOIN calls ON calls.call = recordings.call"
            )
        ).all()
        held = {row.recording for row in connection.execute(holds.select()) if row.lifted_at is None}
        wrapped = {(row.recording, row.role) for row in connection.execute(wraps.select())}
        ends = {
            (row.recording, row.purpose): row.expires_on
            for row in connection.execute(purposes.select())
            if row.stands == "keeps"
        }
    return rows, held, wrapped, ends


def oracle(archive: Archive, query: Query, now: datetime) -> list[str]:
    """The same search, by looking at everything."""
    index = archive.secrets.number_index(query.number) if query.number else None
    rows, held, wrapped, ends = everything(archive)

    def opens(recording: str, zone: str) -> bool:
        role = query.opens_for
        if role is None or role is KeyRole.CUSTODY:
            return role is None or (recording, "custody") in wrapped
        end = ends.get((recording, role.value), "gone")
        living = end is None or (end != "gone" and date.fromisoformat(end) > now.astimezone(ZoneInfo(zone)).date())
        return (recording, role.value) in wrapped and living and not (role is KeyRole.TRAINING and recording in held)

    found = [
        (datetime.fromisoformat(row.opened_at), row.recording)
        for row in rows
        if (index is None or row.number_index == index)
        and (query.since is None or datetime.fromisoformat(row.opened_at) >= query.since)
        and (query.until is None or datetime.fromisoformat(row.opened_at) < query.until)
        and (query.lines is None or row.line in query.lines)
        and (query.agents is None or row.agent in query.agents)
        and (query.held is None or (row.recording in held) is query.held)
        and opens(row.recording, row.time_zone)
    ]
    return [recording for _, recording in sorted(found, reverse=True)]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_its_pages_hold_every_recording_once_newest_first_it_counts_them_and_reads_by_indexes_alone(
    archive: Archive, query: Query
) -> None:
    expected = oracle(archive, query, NOW)
    walked = [row.recording for one in pages(archive, query, NOW, limit=197) for row in one.rows]
    assert walked == expected
    assert count(archive, query, NOW) == len(expected)
    for after in (None, Cursor(NOW - timedelta(days=100), "0")):
        with watched(archive) as seen:
            page(archive, query, NOW, after)
        assert len(seen.statements) <= 7
        scans = {one for one in plans(archive, seen) if one.startswith("SCAN") and one.split()[1] in BIG}
        assert scans <= {
            "SCAN recordings USING COVERING INDEX ix_recordings_opened_at",
            "SCAN recordings USING INDEX ix_recordings_opened_at",
            "SCAN purposes USING COVERING INDEX ix_purposes_training_period",
        }


def test_who_opens_it_is_told_by_the_day_of_each_calls_own_zone(tmp_path: Path) -> None:
    archive = Archive.create(tmp_path / "archive", MemoryKeys())
    many.fill(archive, 200, zones=("Pacific/Kiritimati", "Europe/Copenhagen", "America/Los_Angeles", "Etc/GMT+12"))
    with archive.catalog.writing() as tx:
        # Many come to their end on the same days, long after they began.
        tx.connection.execute(
            text("UPDATE purposes SET stands = 'keeps', retention = 'P13M' WHERE purpose = 'training'")
        )
        tx.connection.execute(text("UPDATE purposes SET expires_on = '2027-02-0' || (1 + rowid % 3)"))
    found = 0
    for hour in range(0, 96, 12):
        now = datetime(2027, 1, 31, 1, tzinfo=UTC) + timedelta(hours=hour)
        listed = archive.list(now)
        for role in KeyRole:
            told = [row.recording for row in listed if role in row.opens_for]
            asked = Query(opens_for=role)
            assert [row.recording for one in pages(archive, asked, now, limit=50) for row in one.rows] == told
            assert count(archive, asked, now) == len(told)
            found += len(told)
    assert found
    archive.close()


def test_finding_one_by_its_id_or_a_beginning_reads_by_indexes_alone(archive: Archive) -> None:
    one = page(archive, Query(), NOW, Cursor(LAST_YEAR, "0"), limit=1).rows[0]
    with watched(archive) as seen:
        assert archive.find(one.recording, NOW) == one
        assert archive.find(one.recording[:34].upper(), NOW) == one
        assert len(archive.audit_of(one.recording)) == len(archive.audit_of(call=one.call)) == 0
    assert [told for told in plans(archive, seen) if told.startswith("SCAN")] == []
    assert seen.hundreds < 50


@pytest.mark.parametrize("word", ["", "x", "2026-11-25", "2026-11-25T10:00:00+00:00_", "_abc", "yesterday_abc"])
def test_a_word_that_is_no_cursor_is_refused(word: str) -> None:
    with pytest.raises(ArchiveError) as refused:
        Cursor.parse(word)
    assert refused.value.code == "error.archive.no_cursor"


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_of_a_million_a_page_and_a_search_cost_what_they_cost_of_ten_thousand(tmp_path: Path) -> None:
    # A team's sample is one in a hundred of what lies on its lines: ten thousand fill no page, a hundred thousand do.
    costs: dict[int, dict[str, int]] = {}
    team = "training of a team"
    for size in (10_000, 100_000, 1_000_000):
        archive = Archive.create(tmp_path / str(size), MemoryKeys())
        many.fill(archive, size)
        costs[size] = {}
        for name in set(QUERIES) - {"held", "held of lines"}:  # these are as many as there are, and put in order
            costs[size][name] = 0
            for days in (0, 80):
                # The dearer of the two: of ten thousand, little for training is left after 80 days.
                with watched(archive) as seen:
                    page(archive, QUERIES[name], NOW, Cursor(NOW - timedelta(days=days), "~"), limit=20)
                costs[size][name] = max(costs[size][name], seen.hundreds)
        archive.close()
    dearer = {
        name: (cost, costs[10_000][name])
        for name, cost in costs[1_000_000].items()
        if cost > 3 * costs[10_000][name] + 60 and name != team
    }
    assert dearer == {}
    assert costs[1_000_000][team] < 3 * costs[100_000][team]
