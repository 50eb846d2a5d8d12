"""The store beside a loop, over a real archive: what is looked up, listed and noted, and what waits where it is not open."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.catalog.own_calls import OwnCall
from softphone.archive.changes.lookups import Lookups
from softphone.archive.crypto import policy_signer
from softphone.archive.finding.history import PastRow
from softphone.calls.live import LiveCall
from softphone.domain.changes import (
    AuditEntry,
    Change,
    Commit,
    ListCallBack,
    OpenRecording,
    OpenSegment,
    RememberLanguage,
    RememberRefusal,
)
from softphone.domain.decision import LookupResult
from softphone.domain.errors import ArchiveError
from softphone.domain.house_knows import HouseKnows
from softphone.domain.policy import Line
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.engine.storage import store
from softphone.engine.storage.store import Store
from softphone.wire.snapshot import CallPhase
from tests.archive.lines import line
from tests.archive.scene import NUMBER, MemoryKeys
from tests.policies import POLICY, policy_of

EVERY = line("100 %")
NOW = datetime.now(UTC)


class Desk:
    """A loop that runs what is posted to it when it is asked to, and hears the store's answers."""

    def __init__(self, opened: Callable[[], Archive]) -> None:
        self.inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self.known: dict[str, LookupResult] = {}
        self.late: dict[str, HouseKnows] = {}
        self.written: list[int] = []
        self.failed: list[Reason] = []
        self.taken: list[PastRow | None] = []
        self.own: list[Sequence[OwnCall]] = []
        self.changes = 0
        self.store = Store(opened, self.inbox.put, self._changed)
        self.store.start(self)

    def until(self, reached: Callable[[], object]) -> None:
        while not reached():
            self.inbox.get(timeout=20)()

    def _changed(self) -> None:
        self.changes += 1

    def committed(self, call_id: str, ticket: int, keys: Mapping[tuple[str, int], bytes]) -> None:
        self.written.append(ticket)

    def commit_failed(self, call_id: str, ticket: int, reason: Reason, overtaken: str = "") -> None:
        self.failed.append(reason)

    def looked_up(self, call_id: str, known: LookupResult) -> None:
        self.known[call_id] = known

    def heard_late(self, call_id: str, house: HouseKnows) -> None:
        self.late[call_id] = house

    def storage_works(self) -> None: ...

    def remembered(self, past: Sequence[PastRow], own: Sequence[OwnCall]) -> None:
        self.own.append(own)

    def taken_up(self, call_id: str, past: PastRow | None, *, failed: bool = False) -> None:
        self.taken.append(past)

    def rings(self, id: str, of: Line | None = EVERY, number: str | None = NUMBER) -> LiveCall:
        call = LiveCall(id, "anna", Direction.INBOUND, "", "", number, None, of, Language.DA, NOW, CallPhase.INCOMING)
        self.store.look_up(call)
        return call

    def look_up(self, id: str, of: Line | None = EVERY, number: str | None = NUMBER) -> LookupResult:
        call = self.rings(id, of, number)
        self.until(lambda: id in self.known)
        self.store.ring(call)
        return self.known[id]

    def commit(self, call: str, *changes: Change) -> None:
        ticket = len(self.written) + 1
        self.store.commit(call, Commit(ticket, changes, (AuditEntry("changed", "N4", NOW, call),)))
        self.until(lambda: ticket in self.written)


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def desk(tmp_path: Path, keys: MemoryKeys) -> Iterator[Desk]:
    made = Desk(lambda: Archive.open_or_create(tmp_path / "archive", keys))
    made.until(lambda: made.store.opened)
    yield made
    assert made.store.close()


def log_of(folder: Path, keys: MemoryKeys) -> list[tuple[str, str]]:
    archive = Archive.open(folder, keys)
    rows = [(row.event, row.rule) for row in archive.audit_of()]
    archive.close()
    return rows


@pytest.mark.rule("N4")
def test_who_is_to_be_called_back_is_listed_until_it_is_done_and_after_a_restart(
    desk: Desk, tmp_path: Path, keys: MemoryKeys
) -> None:
    for id, number in (("c1", NUMBER), ("c2", None)):
        desk.look_up(id, number=number)
        desk.commit(id, ListCallBack(id, NOW))
        desk.until(lambda id=id: id in {one.id for one in desk.store.call_backs()})
    assert [(one.id, one.number, one.line) for one in desk.store.call_backs()] == [
        ("c1", NUMBER, "salg"),
        ("c2", "", "salg"),
    ]
    assert desk.look_up("c3").call_back

    assert desk.store.close()
    again = Desk(lambda: Archive.open(tmp_path / "archive", keys))
    again.until(lambda: len(again.store.call_backs()) == 2)
    told = again.changes
    again.store.end_call_back("c1")
    again.store.end_call_back("nobody")
    again.until(lambda: [one.id for one in again.store.call_backs()] == ["c2"])
    assert again.changes > told
    assert not again.look_up("c4").call_back
    assert again.store.close()
    assert log_of(tmp_path / "archive", keys)[-1] == ("call_back_ended", "N4")


@pytest.mark.rule("G31")
def test_a_no_that_is_still_on_its_way_to_the_archive_is_known_to_the_next_call(
    desk: Desk, tmp_path: Path, keys: MemoryKeys
) -> None:
    assert not desk.look_up("c1").declined_earlier
    with closing(Archive.open(tmp_path / "archive", keys)) as other:
        with other.catalog.writing():
            no = Commit(1, (RememberRefusal("c1", NOW),), (AuditEntry("refusal_remembered", "G31", NOW, "c1"),))
            desk.store.commit("c1", no)
            assert desk.look_up("c2").declined_earlier
            assert not desk.look_up("c3", number="+4520999999").declined_earlier
        desk.until(lambda: 1 in desk.written)
    assert desk.look_up("c4").declined_earlier


def test_what_is_asked_again_of_the_agents_calls_has_what_was_still_on_its_way_to_the_archive(
    desk: Desk, tmp_path: Path, keys: MemoryKeys
) -> None:
    desk.look_up("c1")
    with closing(Archive.open(tmp_path / "archive", keys)) as other:
        with other.catalog.writing():
            desk.store.list_own(OwnCall("c1", "anna", NOW, NOW.date() + timedelta(days=9), "told", note="Ring igen"))
            desk.store.look_back(["anna"], NOW, NOW, again=True)
            with pytest.raises(queue.Empty):
                desk.inbox.get(timeout=0.3)()
        desk.until(lambda: desk.own)
    assert [one.note for one in desk.own[0]] == ["Ring igen"]


@pytest.mark.rule("G11")
def test_whose_signature_the_archive_asks_for_is_told_while_it_runs_and_at_the_next_start(
    desk: Desk, tmp_path: Path, keys: MemoryKeys
) -> None:
    heard: list[str] = []
    desk.store.on_policy_signer = heard.append
    with closing(Archive.open(tmp_path / "archive", keys)) as other, other.catalog.writing() as tx:
        policy_signer.choose(tx.connection, "key")
        tx.log(AuditEntry("policy_signer_chosen", "G11", NOW, ""))
    desk.until(lambda: heard)
    assert heard == ["key"]

    assert desk.store.close()
    again, told = Desk(lambda: Archive.open(tmp_path / "archive", keys)), list[str]()
    again.store.on_policy_signer = told.append
    again.until(lambda: told)
    assert told == ["key"]
    assert again.store.close()


def test_the_language_that_a_party_chose_is_known_at_its_next_call(desk: Desk) -> None:
    assert desk.look_up("c1").language is None
    desk.commit("c1", RememberLanguage("c1", Language.EN, NOW))
    assert desk.look_up("c2").language is Language.EN
    assert desk.look_up("c3", number=None).language is None


@pytest.mark.rule("G34")
def test_an_answer_uses_a_place_up_and_a_call_that_is_over_gives_it_back(
    desk: Desk, tmp_path: Path, keys: MemoryKeys
) -> None:
    assert desk.look_up("c1").drawn
    desk.store.answered("c1")
    desk.store.over("c1")
    # Answered, and over, before it was looked up: the place is used up all the same.
    desk.rings("c2", number=None)
    desk.store.answered("c2")
    desk.store.over("c2")
    desk.until(lambda: "c2" in desk.known)
    desk.look_up("c3")
    desk.store.over("c3")
    desk.commit("c3")
    desk.look_up("c4")
    desk.store.answered("c4")
    desk.commit("c4", ListCallBack("c4", NOW))
    archive = Archive.open(tmp_path / "archive", keys)
    with archive.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT agent, next, taken FROM sample_runs").all() == [("anna", 3, "")]
    archive.close()


def test_a_call_on_no_line_is_answered_at_once_and_has_no_place(desk: Desk) -> None:
    desk.rings("c1", of=None)
    assert desk.known == {"c1": LookupResult()}


def test_what_belongs_to_no_call_is_noted_once_the_archive_is_open(tmp_path: Path, keys: MemoryKeys) -> None:
    may_open = threading.Event()

    def slowly() -> Archive:
        may_open.wait(20)
        return Archive.open_or_create(tmp_path / "archive", keys)

    desk = Desk(slowly)
    entry = AuditEntry("policy_taken_up", "G11", NOW, "", params={"sha256": "00" * 32})
    desk.store.note([entry])
    may_open.set()
    desk.until(lambda: desk.store.opened)
    desk.store.note([entry])
    assert desk.store.close()
    assert log_of(tmp_path / "archive", keys) == [("policy_taken_up", "G11")] * 2


def test_an_archive_that_cannot_be_opened_knows_nothing_and_keeps_nobody_waiting() -> None:
    def fails() -> Archive:
        raise ArchiveError("error.archive.no_archive", path="")

    desk = Desk(fails)
    desk.rings("c1")
    desk.store.answered("c1")
    desk.until(lambda: desk.store.unopened)
    assert desk.known == {"c1": LookupResult()}
    assert desk.look_up("c2") == LookupResult()
    assert desk.store.call_backs() == ()


@pytest.mark.rule("G31")
@pytest.mark.expected_log("not looked up: bug RuntimeError", "not listed: bug RuntimeError", reason="it is planted")
def test_a_look_up_that_meets_a_bug_is_no_refusal_and_no_draw_and_the_next_call_is_looked_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: Lookups, _asked: object) -> LookupResult:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(Lookups, "look_up", fails)
        patched.setattr(Lookups, "call_backs", fails)
        assert desk.look_up("c1") == LookupResult(looked_up=False)
        desk.commit("c1", ListCallBack("c1", NOW))
        assert desk.look_up("c2") == LookupResult(looked_up=False)
    assert desk.look_up("c3").call_back


def test_what_belongs_to_no_call_is_owed_until_it_is_written_and_the_log_tells_what_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_UNWRITTEN", 2)
    told: list[str] = []

    def tell(words: str, *rest: object) -> None:
        told.append(words % rest)

    monkeypatch.setattr(store._log, "error", tell)
    monkeypatch.setattr(desk.store, "_unwritten", deque[Commit](maxlen=2))
    opened = desk.store._ledger
    monkeypatch.setattr(desk.store, "_ledger", None)
    assert not desk.store.has_unwritten
    for event in ("policy_taken_up", "policy_refused", "notice_confirmed"):
        desk.store.note([AuditEntry(event, "G11", NOW, "")])
    assert desk.store.has_unwritten
    assert told == ["never written: policy_taken_up"]
    monkeypatch.setattr(desk.store, "_ledger", opened)
    desk.store.note([])
    assert desk.store.has_unwritten
    desk.until(lambda: not desk.store.has_unwritten)


def test_a_call_that_is_taken_up_in_the_same_run_is_known_as_it_was_when_it_rang(desk: Desk) -> None:
    call = desk.rings("c1")
    desk.until(lambda: desk.known)
    call.policy = policy_of(POLICY).policy
    desk.store.ring(call)
    opened = OpenSegment("c1-1", 0, (Purpose.TRAINING,), {Purpose.TRAINING: Basis.LEGITIMATE_INTEREST}, NOW)
    desk.commit("c1", OpenRecording("c1-1", "c1", NOW), opened)
    ledger = desk.store._ledger
    assert ledger is not None
    rang = ledger._memory.facts["c1"]
    assert desk.store.take_up("c1", NOW)
    desk.until(lambda: desk.taken)
    assert desk.taken[0] is not None
    # Whom its policy lets open it, and how its purposes end, stand in no row that could be read again.
    assert rang.recipients
    assert ledger._memory.facts["c1"] == rang


@pytest.mark.rule("G10")
def test_a_call_is_sealed_for_those_whom_the_policy_names_for_its_line(desk: Desk) -> None:
    other = POLICY[POLICY.index('[[recipient]]\nid = "lead-1"') : POLICY.index('[[recipient]]\nid = "protection-1"')]
    other = other.replace("lead-1", "lead-2").replace("hSDw", "iSDw") + 'lines = ["salg"]\n\n'
    text = POLICY.replace('id = "lead-1"', 'id = "lead-1"\nlines = ["support"]').replace(
        "[[line]]", f"{other}[[line]]", 1
    )
    call = desk.rings("c1")
    assert call.line is not None
    assert call.line.id == "salg"
    desk.until(lambda: desk.known)
    call.policy = policy_of(text).policy
    desk.store.ring(call)
    ledger = desk.store._ledger
    assert ledger is not None
    assert {one.id for one in ledger._memory.facts["c1"].recipients} == {"case-1", "lead-2", "protection-1"}


@pytest.mark.expected_log("not looked up: ", maybe="not listed: ", reason="the catalog is gone")
def test_what_could_not_be_looked_up_is_said_to_be_so(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "archive" / "catalog.db").unlink()
    assert desk.look_up("c1") == LookupResult(looked_up=False)
