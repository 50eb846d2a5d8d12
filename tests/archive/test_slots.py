"""The slots that sealed keys lie in: whatever is deleted in whichever order, no byte of it is left in a page of the catalog."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.archive import catalog
from softphone.archive.archive import Archive
from softphone.archive.changes import CallFacts, Tables
from softphone.archive.keys import slots
from softphone.archive.keys.wraps import SUITE, Recipient, Wrap, create_key_pair, data_key, wrap
from softphone.archive.proof.verify import verify
from softphone.domain.changes import DropWraps, OpenSegment
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, KeyRole, Language, Purpose
from tests.archive.scene import AT, BASES, DOCUMENTATION, TRAINING, MemoryKeys, Scene, pages_of, scene

MEMORY = Path("/dev/shm")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Where there is one, a folder in memory: nothing here is about the disk."""
    with tempfile.TemporaryDirectory(prefix="klartone-", dir=MEMORY if MEMORY.is_dir() else tmp_path) as folder:
        yield Path(folder)


def marked(number: int) -> bytes:
    """As long as what HPKE makes, and of which each part says which it is."""
    return (b"<%08d>" % number * 8)[: slots.BYTES]


def marks_in(archive: Archive) -> set[int]:
    assert archive.catalog.scour()
    return {int(found) for found in re.findall(rb"<(\d{8})>", pages_of(archive.folder, archive.secrets.catalog))}


class Shelf:
    """Recordings with wraps that come and go as the session's changes have it, and which marks must be there."""

    def __init__(self, archive: Archive, seed: int) -> None:
        self.archive = archive
        self.chance = random.Random(seed)
        self.alive: dict[str, dict[KeyRole, set[int]]] = {}
        self.deleted = 0
        self._next = 0

    def step(self, tables: Tables) -> None:
        chance = self.chance
        if len(self.alive) < 30 or (len(self.alive) < 400 and chance.random() < 0.55):
            self._record(tables)
            return
        recording = chance.choice([*self.alive])
        roles = self.alive[recording]
        if chance.random() < 0.5:
            tables.discard(recording, AT)
            gone = [*roles]
        else:
            gone = [chance.choice([*roles])]
            tables.drop_wraps(recording, *gone)
        self.deleted += sum(len(roles.pop(role)) for role in gone)
        if not roles:
            del self.alive[recording]

    def _record(self, tables: Tables) -> None:
        call = f"{self.chance.getrandbits(64):016x}"
        periods = dict.fromkeys(Purpose, Period(months=3))
        facts = CallFacts(call, "salg", Direction.INBOUND, None, AT, Language.DA, "Europe/Copenhagen", periods)
        recording, purposes = f"{call}-1", self.chance.sample([DOCUMENTATION, TRAINING], self.chance.randint(1, 2))
        tables.open_recording(recording, facts, AT)
        made: list[Wrap] = []
        for segment in range(self.chance.randint(1, 4)):
            tables.open_segment(OpenSegment(recording, segment, tuple(purposes), BASES, AT), facts)
            for role in (*(KeyRole(purpose.value) for purpose in purposes), KeyRole.CUSTODY):
                key_id = f"{self.chance.getrandbits(128):032x}"
                made.append(Wrap(recording, segment, role, key_id, SUITE, marked(self._next)))
                self.alive.setdefault(recording, {}).setdefault(role, set()).add(self._next)
                self._next += 1
        tables.add_wraps(made)

    def left(self) -> set[int]:
        """Of those that were deleted, the ones of which a trace is in a page. All that live are found in the same look."""
        found = marks_in(self.archive)
        living = {one for roles in self.alive.values() for these in roles.values() for one in these}
        assert living <= found
        return found - living


@pytest.mark.rule("G10")
def test_no_trace_of_a_deleted_wrap_is_in_any_page_in_whichever_order_wraps_come_and_go(memory: Path) -> None:
    archive = Archive.create(memory / "archive", MemoryKeys())
    # With this seed two are left where what is sealed lies among the wraps themselves: of a thousand, about one.
    shelf, left = Shelf(archive, seed=4), set[int]()
    for _ in range(40):
        with archive.catalog.writing() as connection:
            tables = Tables(connection, archive.desk, archive.secrets)
            for _ in range(20):
                shelf.step(tables)
        left |= shelf.left()
    archive.close()
    assert shelf.deleted > 1_000
    assert left == set()


@pytest.mark.rule("G10")
def test_by_whatever_statement_a_wrap_goes_its_slot_is_zeroed_and_the_next_wrap_lies_in_it(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)

    def table() -> list[tuple[Any, ...]]:
        with desk.archive.catalog.reading() as connection:
            rows = connection.exec_driver_sql("SELECT slot, free, sealed FROM slots ORDER BY slot")
            return [tuple(row) for row in rows]

    before = table()
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wraps WHERE role <> 'custody'")
    emptied = table()
    assert [slot for slot, free, _ in emptied if free] == [1, 2]
    assert [sealed for _, free, sealed in emptied if free] == [bytes(80)] * 2
    assert emptied[2] == before[2]

    again = desk.open(desk.call(), TRAINING)
    assert [(slot, free) for slot, free, _ in table()] == [(1, 0), (2, 0), (3, 0)]
    assert {one.sealed for one in desk.archive.wraps_of(again)} == {sealed for _, _, sealed in table()[:2]}
    third = desk.open(desk.call(), DOCUMENTATION)
    assert [(slot, free) for slot, free, _ in table()] == [(slot, 0) for slot in range(1, 6)]
    assert len(desk.archive.wraps_of(third)) == 2
    assert recording in {row.recording for row in desk.archive.list(AT)}


def test_what_is_sealed_is_as_long_as_a_slot() -> None:
    key = Recipient("case-1", KeyRole.DOCUMENTATION, create_key_pair(MemoryKeys()))
    assert len(wrap(data_key(), key, "recording", 0).sealed) == slots.BYTES


def test_a_slot_that_a_wrap_still_names_is_not_written_over_though_it_is_said_to_be_free(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION)
    before = desk.archive.wraps_of(recording)
    with desk.archive.catalog.writing() as connection:
        connection.exec_driver_sql("UPDATE slots SET free = 1")
    desk.open(desk.call(), DOCUMENTATION)
    assert desk.archive.wraps_of(recording) == before
    assert {finding.code for finding in verify(desk.archive).findings} >= {"slot_lost", "slot_not_erased"}


def test_of_two_wraps_for_one_key_the_later_counts(desk: Scene) -> None:
    """As where a policy names one key under two names."""
    desk.policy_recipients.append(desk.recipients[KeyRole.DOCUMENTATION])
    recording = desk.recorded(0.1, DOCUMENTATION)
    assert sorted(one.role for one in desk.archive.wraps_of(recording)) == [KeyRole.CUSTODY, KeyRole.DOCUMENTATION]
    desk.commit(DropWraps(recording, KeyRole.DOCUMENTATION, "withdrawn"), recording=recording)
    assert [one.role for one in desk.archive.wraps_of(recording)] == [KeyRole.CUSTODY]


# --- a catalog in which they lay among the wraps --------------------------------------------------


@pytest.mark.rule("G10")
def test_a_catalog_of_before_keeps_its_wraps_and_loses_the_traces_that_were_left_of_deleted_ones(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "HEAD", "0005")
        old = Archive.create(memory / "archive", MemoryKeys())
    alive = filled_as_before(old, 300)
    assert marks_in(old) > alive.keys()
    old.close()

    now = Archive.open(old.folder, old.store)
    assert marks_in(now) == alive.keys()
    found = {one.sealed: one for recording in {place[0] for place in alive.values()} for one in now.wraps_of(recording)}
    assert {number: (*_place(found[marked(number)]),) for number in alive} == alive
    with now.catalog.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("SELECT sum(free) FROM slots").scalar_one() == 0
    now.close()


Place = tuple[str, int, str, str]


def _place(one: Wrap) -> Place:
    return one.recording, one.segment, one.role.value, one.key_id


def filled_as_before(archive: Archive, calls: int) -> dict[int, Place]:
    """Rows as the former version had them, every third wrap deleted in a way that leaves its trace. Those that live, by mark."""
    alive, number = dict[int, Place](), 0
    desk, at = archive.desk, AT.isoformat()
    with archive.catalog.writing() as connection:
        driver: Any = connection.connection.driver_connection
        run = driver.execute
        run("PRAGMA secure_delete = OFF")
        for call in range(calls):
            run(
                "INSERT INTO calls (call, desk, direction, started_at, language, time_zone) "
                "VALUES (?, ?, 'inbound', ?, 'da', 'UTC')",
                (call, desk, at),
            )
            run("INSERT INTO recordings (recording, call, desk, opened_at) VALUES (?, ?, ?, ?)", (call, call, desk, at))
            run("INSERT INTO segments VALUES (?, 0, ?, ?, 'training')", (call, desk, at))
            for role in ("training", "custody"):
                place = (str(call), 0, role, f"{number:032x}")
                run("INSERT INTO wraps VALUES (?, ?, ?, ?, ?, ?, ?)", (*place, SUITE, desk, marked(number)))
                alive[number] = place
                number += 1
        for gone in range(0, number, 3):
            run("DELETE FROM wraps WHERE key_id = ?", (alive.pop(gone)[3],))
        run("PRAGMA secure_delete = ON")
    return alive


def test_a_wrap_of_another_size_does_not_keep_a_catalog_from_being_brought_up_to_date(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "HEAD", "0005")
        old = Archive.create(memory / "archive", MemoryKeys())
    with old.catalog.writing() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        run = connection.exec_driver_sql
        at = (AT + timedelta(hours=1)).isoformat()
        run("INSERT INTO calls (call, desk, direction, started_at, language, time_zone) "
            "VALUES ('c', 'd', 'inbound', ?, 'da', 'UTC')", (at,))  # fmt: skip
        run("INSERT INTO recordings (recording, call, desk, opened_at) VALUES ('r', 'c', 'd', ?)", (at,))
        run("INSERT INTO segments VALUES ('r', 0, 'd', ?, 'training')", (at,))
        for key_id, sealed in (("short", b"x"), ("right", marked(1)), ("text", "y" * 80)):
            run("INSERT INTO wraps VALUES ('r', 0, 'training', ?, ?, 'd', ?)", (key_id, SUITE, sealed))
    old.close()
    now = Archive.open(old.folder, old.store)
    found = {one.key_id: one.sealed for one in now.wraps_of("r")}
    now.close()
    assert found == {"short": bytes(80), "right": marked(1), "text": bytes(80)}
