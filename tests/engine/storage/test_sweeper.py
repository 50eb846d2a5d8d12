"""The sweep that comes by itself: at the start and once a day, between calls, by a clock that two sources agree on."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady, believe
from softphone.archive.catalog.database import Catalog
from softphone.archive.examine.health import health
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.retention import holding, judging
from softphone.archive.retention.sweep import SweepTerms
from softphone.domain.archive.decisions import Overdue
from softphone.domain.changes import CloseRecording, HoldBy
from softphone.domain.errors import ArchiveError, KeyringError, UnreachableError
from softphone.domain.policy import Period
from softphone.domain.purpose import KeyRole
from softphone.engine.storage import sweeper
from softphone.engine.storage.store import HOLDS, SWEEP
from softphone.engine.storage.sweeper import DAY, Sweeper
from softphone.wire.snapshot import CodedText, PolicyPhase
from tests.archive.disk import fill, tmpfs
from tests.archive.judged import to_judge
from tests.archive.scene import AT, DOCUMENTATION, MemoryKeys, Scene, scene
from tests.engine.storage.test_store import Desk
from tests.policies import POLICY, policy_of

DUE = AT - timedelta(days=200)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        repair(made.archive, AT)
        yield made


class Beside:
    """A sweeper whose two clocks are moved by hand."""

    def __init__(self, desk: Scene) -> None:
        self.desk = desk
        self.now = AT
        self.elapsed = 1_000.0
        self.reports: queue.Queue[CodedText | None] = queue.Queue()
        self.overdue: queue.Queue[CodedText | None] = queue.Queue()
        self.in_the_house: list[Overdue] = []
        """what the house says each time, and from then on that it does not answer"""
        self.sweeper = Sweeper(
            self.reports.put,
            now=lambda: self.now,
            beside=self.beside,
            first=0,
            overdue=self.overdue.put,
            elsewhere=self.house,
        )

    def house(self) -> Overdue:
        if not self.in_the_house:
            raise UnreachableError("error.house.unreachable", server="klartone.test", reason="")
        return self.in_the_house.pop(0)

    def beside(self) -> Steady:
        return Steady("boot", timedelta(seconds=self.elapsed))

    def start(self, archive: Archive | None = None) -> CodedText | None:
        self.sweeper.start((archive or self.desk.archive).beside)
        return self.reports.get(timeout=20)

    def later(self, by: timedelta, clock: timedelta | None = None) -> CodedText | None:
        """So much time passes, and the clock says that so much has passed."""
        self.elapsed += by.total_seconds()
        self.now += by if clock is None else clock
        self.sweeper.look()
        return self.reports.get(timeout=20)


@pytest.fixture
def beside(desk: Scene) -> Iterator[Beside]:
    made = Beside(desk)
    yield made
    made.sweeper.stop()


def due(desk: Scene, at: datetime = DUE) -> str:
    recording = desk.recorded(1, DOCUMENTATION, call=desk.call(at=at), at=at)
    desk.commit(CloseRecording(recording, at, (DOCUMENTATION,)), recording=recording)
    return recording


def kept(desk: Scene) -> list[str]:
    return [row.recording for row in desk.archive.list()]


@pytest.mark.rule("G10")
def test_what_is_due_goes_at_the_start_and_once_a_day_and_the_log_says_so(desk: Scene, beside: Beside) -> None:
    first, later = due(desk), due(desk, AT - timedelta(days=91))
    assert beside.start() is None
    assert kept(desk) == [later]
    assert [row.event for row in desk.archive.audit_of(first)][-1] == "sweep_discarded"

    beside.elapsed += DAY - 1
    beside.sweeper.look()
    with pytest.raises(queue.Empty):
        beside.reports.get(timeout=0.3)
    assert kept(desk) == [later]
    assert beside.later(timedelta(seconds=1), clock=timedelta(days=1)) is None
    assert kept(desk) == []
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
@pytest.mark.parametrize("jump", [timedelta(days=20), timedelta(days=-3)])
def test_a_clock_that_jumps_while_the_engine_runs_is_found_by_the_other_clock(
    desk: Scene, beside: Beside, jump: timedelta
) -> None:
    assert beside.start() is None
    soon = due(desk, AT - timedelta(days=91))

    said = beside.later(timedelta(days=1), clock=timedelta(days=1) + jump)

    assert said is not None
    assert said.code == "error.archive.clock_doubtful"
    assert beside.later(timedelta(hours=1)) == said
    assert kept(desk) == [soon]
    assert [row.event for row in desk.archive.audit_of()].count("sweep_clock_doubtful") == 1
    assert beside.later(timedelta(hours=1), clock=timedelta(hours=1) - jump) is None
    assert kept(desk) == []


def test_with_the_other_clock_as_a_witness_a_long_absence_is_no_jump(desk: Scene, beside: Beside) -> None:
    assert beside.start() is None
    recording = due(desk, AT)
    assert beside.later(timedelta(days=120)) is None
    assert recording not in kept(desk)


def test_each_hour_at_work_is_told_to_the_archive_so_that_what_is_away_after_it_is_little(
    desk: Scene, beside: Beside
) -> None:
    closed: queue.Queue[None] = queue.Queue()

    def open_beside() -> Archive:
        archive = desk.archive.beside()
        close = archive.close
        archive.close = lambda: (close(), closed.put(None))[1]
        return archive

    beside.sweeper.start(open_beside)
    assert beside.reports.get(timeout=20) is None
    for _ in ("the sweep", "a look at the clock"):
        closed.get(timeout=20)
    beside.now += timedelta(hours=2)
    beside.elapsed += 7200
    beside.sweeper.look()
    closed.get(timeout=20)
    assert beside.reports.empty()
    assert health(desk.archive, beside.now).last_at_work == beside.now


def test_a_person_who_agrees_with_the_clock_is_believed_by_the_next_sweep(desk: Scene, beside: Beside) -> None:
    assert beside.start() is None
    recording = due(desk, AT)
    assert beside.later(timedelta(days=1), clock=timedelta(days=400)) is not None
    with desk.archive.catalog.writing() as tx:
        assert believe(tx, beside.now, steady=beside.beside(), witness=beside.now)
    assert beside.later(timedelta(hours=1)) is None
    assert recording not in kept(desk)


@pytest.mark.rule("G10")
def test_the_terms_are_those_of_the_policy_in_force_and_none_while_it_is_not_known() -> None:
    policy = policy_of(
        POLICY.replace("[controller]", 'judge_within = "P9D"\naudit_retention = "P9Y"\n[controller]')
    ).policy
    for phase in PolicyPhase:
        assert sweeper.terms_of(policy, phase) == SweepTerms(Period(days=9), Period(months=108))
        assert sweeper.terms_of(None, phase) == (SweepTerms() if phase is PolicyPhase.MISSING else None)
        # Where the archive asks for a signature, none without it, and none where there is none.
        assert sweeper.terms_of(policy, phase, "signer") is sweeper.terms_of(None, phase, "signer") is None
        assert sweeper.terms_of(policy.as_signed({"signer"}), phase, "signer") == sweeper.terms_of(policy, phase)


@pytest.mark.rule("G10")
def test_what_is_to_be_judged_is_listed_by_the_terms_of_the_moment(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION, at=AT - timedelta(days=95))
    terms: list[SweepTerms | None] = [SweepTerms(Period(days=40)), None]
    reports: queue.Queue[CodedText | None] = queue.Queue()
    clock = [AT]
    beside = lambda: Steady("boot", clock[0] - AT)  # noqa: E731
    made = Sweeper(reports.put, now=lambda: clock[0], beside=beside, first=0, terms=terms.pop)
    made.start(desk.archive.beside)
    try:
        assert reports.get(timeout=20) is None
        assert "sweep_to_judge" not in [row.event for row in desk.archive.audit_of(recording)]
        clock[0] = AT + timedelta(days=1)
        made.look()
        assert reports.get(timeout=20) is None
        (one,) = judging.waiting(desk.archive, clock[0])
        assert one.judge_by == clock[0].date() + timedelta(days=40)
    finally:
        made.stop()


def test_nothing_is_swept_while_somebody_talks(desk: Scene, beside: Beside) -> None:
    recording = due(desk)
    beside.sweeper.talking(True)
    beside.sweeper.start(desk.archive.beside)
    with pytest.raises(queue.Empty):
        beside.reports.get(timeout=0.5)
    assert kept(desk) == [recording]
    beside.sweeper.talking(False)
    assert beside.reports.get(timeout=20) is None
    assert kept(desk) == []


@pytest.mark.expected_log(
    "not done: error.archive.unwritable",
    "not told what is overdue: error.archive.unwritable",
    reason="it cannot be written",
)
def test_what_cannot_be_swept_is_said_and_tried_again_within_the_hour(
    desk: Scene, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = due(desk)

    def refuse(_: Catalog) -> None:
        raise ArchiveError("error.archive.unwritable", path="catalog.db", detail="disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Catalog, "reading", refuse)
        assert beside.start() == CodedText("error.archive.not_swept", {"detail": "disk full"})
    assert kept(desk) == [recording]
    assert beside.later(timedelta(hours=1)) is None
    assert kept(desk) == []


def locked(desk: Scene, by: HoldBy = HoldBy.PARTY, at: datetime = AT) -> str:
    """A hold that custody is to look at within thirty days."""
    (hold,) = holding.raise_holds(desk.archive, [desk.archive.find(due(desk, at))], by, "price", "mette", at)
    return hold.hold.hold


@pytest.mark.rule("G08")
@pytest.mark.rule("G10")
def test_what_custody_should_have_decided_is_told_where_its_key_is_until_it_has(desk: Scene, beside: Beside) -> None:
    holds = locked(desk), locked(desk, HoldBy.ACCESS)
    assert beside.start() is None
    assert beside.overdue.empty()  # there is time left
    assert beside.later(timedelta(days=31)) is None
    day = (AT + timedelta(days=30)).date()
    told = CodedText("error.archive.holds_overdue", {"count": 2, "due": str(day)})
    assert beside.overdue.get(timeout=20) == told

    holding.confirm(desk.archive, holds[0], AT.date() + timedelta(days=90), beside.now)
    beside.sweeper.look()
    one = beside.overdue.get(timeout=20)
    assert one is not None
    assert one.params["count"] == 1

    holding.confirm(desk.archive, holds[1], AT.date() + timedelta(days=40), beside.now)
    beside.sweeper.look()
    assert beside.overdue.get(timeout=20) is None
    assert beside.overdue.empty()


@pytest.mark.rule("G10")
def test_what_waits_in_the_house_is_told_with_it_as_told_last_while_the_house_does_not_answer(
    desk: Scene, beside: Beside
) -> None:
    locked(desk)
    day = AT.date() - timedelta(days=3)
    beside.in_the_house = [Overdue((day, None)), Overdue((day,)), Overdue()]
    assert beside.start() is None
    assert beside.overdue.get(timeout=20) == CodedText("error.archive.holds_overdue", {"count": 2, "due": str(day)})
    beside.sweeper.look()
    told = CodedText("error.archive.holds_overdue", {"count": 1, "due": str(day)})
    assert beside.overdue.get(timeout=20) == told
    beside.sweeper.look()
    assert beside.overdue.get(timeout=20) is None
    # It does not answer from here on: nothing there is not something here.
    assert beside.later(timedelta(days=31)) is None
    told = CodedText("error.archive.holds_overdue", {"count": 1, "due": str((AT + timedelta(days=30)).date())})
    assert beside.overdue.get(timeout=20) == told


@pytest.mark.rule("G10")
def test_it_is_told_within_the_hour_and_not_by_a_clock_that_jumped(desk: Scene, beside: Beside) -> None:
    locked(desk)
    assert beside.start() is None
    assert beside.later(timedelta(days=29, hours=23)) is None
    beside.now += timedelta(days=60)
    beside.elapsed += 3600
    beside.sweeper.look()
    with pytest.raises(queue.Empty):
        beside.overdue.get(timeout=0.5)
    beside.now -= timedelta(days=60) - timedelta(hours=2)
    beside.elapsed += 3600
    beside.sweeper.look()
    assert beside.overdue.get(timeout=20) is not None


@pytest.mark.rule("G10")
@pytest.mark.expected_log("not done: error.archive.unwritable", reason="it cannot be written")
def test_it_is_told_also_while_no_sweep_can_be_done(
    desk: Scene, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(desk)
    assert beside.start() is None

    def refuse(*_: object, **__: object) -> None:
        raise ArchiveError("error.archive.unwritable", path="catalog.db", detail="disk full")

    monkeypatch.setattr(sweeper, "sweeping", refuse)
    assert beside.later(timedelta(days=31)) == CodedText("error.archive.not_swept", {"detail": "disk full"})
    told = beside.overdue.get(timeout=20)
    assert told is not None
    assert told.code == "error.archive.holds_overdue"


@pytest.mark.rule("G10")
@pytest.mark.expected_log("not done: error.archive.full_not_due", reason="the disk is full")
def test_it_is_told_on_a_disk_that_is_full_and_not_by_a_clock_that_jumped(tmp_path: Path) -> None:
    with tmpfs(tmp_path) as disk, scene(disk / "archive") as desk:
        repair(desk.archive, AT)
        locked(desk)
        desk.archive.catalog.empty_log()
        beside = Beside(desk)
        assert beside.start() is None
        fill(disk)
        assert beside.later(timedelta(hours=25), clock=timedelta(days=60)) is not None
        assert beside.overdue.empty()
        beside.now = AT + timedelta(hours=25)
        said = beside.later(timedelta(days=30))
        assert said is not None
        assert said.code == "error.archive.full_not_due"
        assert beside.overdue.get(timeout=20) is not None
        beside.sweeper.stop()


@pytest.mark.expected_log("bug ZeroDivisionError", reason="it is planted")
def test_a_bug_in_what_is_told_beside_a_sweep_is_not_said_to_be_one_of_the_sweep(
    desk: Scene, beside: Beside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recording = due(desk)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(holding, "standing", broken)
    assert beside.start() is None
    assert kept(desk) == []
    assert [row.event for row in desk.archive.audit_of(recording)][-1] == "sweep_discarded"
    assert "bug ZeroDivisionError" in caplog.text


@pytest.mark.rule("G10")
@pytest.mark.parametrize("keys", [(), (KeyRole.DOCUMENTATION, KeyRole.TRAINING)])
def test_whoever_has_not_custody_s_key_is_told_nothing_of_it(
    desk: Scene, beside: Beside, keys: tuple[KeyRole, ...]
) -> None:
    locked(desk)
    with closing(Archive.open(desk.folder, desk.only(*keys))) as theirs:
        assert beside.start(theirs) is None
        assert beside.later(timedelta(days=31)) is None
        beside.sweeper.stop()
    assert beside.overdue.empty()


@pytest.mark.rule("G10")
@pytest.mark.expected_log("not told what is overdue: keyring_locked", reason="it is locked")
def test_where_the_keyring_cannot_be_asked_nobody_is_told_and_the_sweep_goes_on(
    desk: Scene, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(desk)

    def locks(_archive: Archive, _key_id: str) -> bytes | None:
        raise KeyringError("keyring_locked")

    monkeypatch.setattr(Archive, "private_key", locks)
    assert beside.start() is None
    assert beside.later(timedelta(days=31)) is None
    assert beside.overdue.empty()


@pytest.mark.rule("G10")
def test_a_store_tells_what_is_overdue_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeper, "FIRST", 0)
    told: dict[str, CodedText | None] = {}
    with scene(tmp_path / "archive") as desk:
        locked(desk, at=datetime.now(UTC) - timedelta(days=31))
        phone = Desk(desk.reopen)
        phone.store.on_fault = told.__setitem__
        phone.until(lambda: HOLDS in told)
        said = told[HOLDS]
        assert said is not None
        assert (said.code, said.params["count"]) == ("error.archive.holds_overdue", 1)
        assert phone.store.close()


def test_a_store_that_is_opened_sweeps_and_its_fault_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "FIRST", 0)
    keys = MemoryKeys()
    folder = tmp_path / "archive"
    told: list[tuple[str, CodedText | None]] = []
    desk = Desk(lambda: Archive.open_or_create(folder, keys))
    desk.store.on_fault = lambda name, said: told.append((name, said))
    desk.until(lambda: told)
    assert told == [(SWEEP, None)]
    assert desk.store.close()


@pytest.mark.rule("G10")
@pytest.mark.expected_log("not done: error.archive.full_not_due", reason="the disk is full")
def test_on_a_full_disk_it_makes_room_and_says_what_keeps_it_from_more(tmp_path: Path) -> None:
    with tmpfs(tmp_path) as disk, scene(disk / "archive") as desk:
        repair(desk.archive, AT)
        due(desk)
        desk.archive.catalog.empty_log()
        fill(disk)
        beside = Beside(desk)
        assert beside.start() is None
        assert kept(desk) == []
        desk.archive.catalog.empty_log()
        fill(disk)
        said = beside.later(timedelta(days=1))
        assert said is not None
        assert said.code == "error.archive.full_not_due"
        (disk / "filled").unlink()
        assert beside.later(timedelta(hours=1)) is None
        beside.sweeper.stop()
