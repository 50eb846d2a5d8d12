"""A dispute about earlier calls with a number, over a real archive: what is locked, what is left, and what is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from softphone.archive.archive import Archive
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import Commit, Discard, HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis
from softphone.domain.status import HoldPhase
from softphone.engine.sip import events as sip
from softphone.wire.snapshot import CodedText
from softphone.wire.to_engine import LockEarlier
from tests.archive.holds import raise_hold
from tests.archive.scene import DOCUMENTATION, TRAINING
from tests.engine.scene import CALL, PARTY, Scene
from tests.engine.test_later import ALL, AT, Later

pytestmark = pytest.mark.rule("G10")

LAST_WEEK, MUCH_LATER = AT - timedelta(days=7), AT + timedelta(days=200)
COLLEAGUE, OTHER = "bo@pbx.example", "+4531221009"


class Asked(Later):
    def lock(self, call: str, by: Literal["party", "controller"] = "controller") -> dict[str, str] | CodedText:
        """What the engine answers."""
        answers: list[dict[str, str] | CodedText] = []
        self.calls.lock_earlier(LockEarlier("1", call, by), answers.append)
        self.until(lambda: answers)
        return answers[0]

    def holds(self) -> dict[str, list[tuple[str, str]]]:
        """By call, for whom and by whom, oldest first."""
        archive = Archive.open(self.folder, self.before.memory)
        try:
            return {row.call: [(one.raised_for, one.raised_by) for one in row.holds] for row in archive.list(AT)}
        finally:
            archive.close()


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path / "archive")
    yield made
    made.calls.close_all()
    assert made.store.close()


def test_all_with_the_number_is_locked_whoever_had_it_and_nothing_else(later: Asked) -> None:
    mine, colleagues = later.kept(DOCUMENTATION, TRAINING, at=LAST_WEEK), later.kept(TRAINING, agent=COLLEAGUE)
    others = later.kept(DOCUMENTATION, TRAINING, number=OTHER)
    withheld = later.kept(DOCUMENTATION, TRAINING, number=None)
    this = later.kept(DOCUMENTATION, TRAINING, at=AT + timedelta(minutes=5))
    later.start()
    assert later.lock(this, "party") == {"locked": "2"}
    held = [("party", "account")]
    assert later.holds() == {mine: held, colleagues: held, others: [], withheld: [], this: []}
    assert later.opens_for(mine) == ALL - {"training"}
    assert later.opens_for(others) == later.opens_for(this) == ALL
    assert later.log(mine)[-1] == ("hold_placed", "G10")
    assert later.lock(this, "party") == CodedText("refused.earlier.locked")
    assert later.lock(others) == CodedText("refused.earlier.none")
    assert later.lock(withheld) == CodedText("refused.earlier.no_number")
    assert later.lock("nobody") == CodedText("refused.no_such_call")


def test_it_keeps_them_past_their_day_until_custody_has_looked_within_the_policys_time(later: Asked) -> None:
    earlier, this = later.kept(TRAINING, at=LAST_WEEK), later.kept(TRAINING)
    later.start()
    assert later.lock(this) == {"locked": "1"}
    archive = Archive.open(later.folder, later.before.memory)
    (hold,) = [one.hold for one in holding.standing(archive, AT)]
    assert hold.confirm_by == later.now().utc + timedelta(days=30)
    sweep(archive, MUCH_LATER, clock=MUCH_LATER, witness=MUCH_LATER)
    assert [row.call for row in archive.list(AT)] == [earlier]
    archive.close()


def test_a_row_that_was_locked_says_so_and_shows_it_when_it_is_opened(later: Asked) -> None:
    earlier, this = later.kept(DOCUMENTATION), later.kept(DOCUMENTATION, at=AT + timedelta(minutes=5))
    later.start()
    later.open(this)
    assert later.lock(this) == {"locked": "1"}
    assert (later.row(earlier).outcome, later.row(this).outcome) == ("locked", "documentation")
    later.close(this)
    status = later.open(earlier)
    assert status.hold is not None
    assert status.hold.phase is HoldPhase.LOCKED


def test_the_partys_lock_stands_beside_ours_and_ours_adds_nothing_to_a_lock(later: Asked) -> None:
    earlier, this = later.kept(DOCUMENTATION, at=LAST_WEEK), later.kept(DOCUMENTATION)
    later.start()
    assert later.lock(this) == {"locked": "1"}
    assert later.lock(this) == CodedText("refused.earlier.locked")
    assert later.lock(this, "party") == {"locked": "1"}
    assert later.holds()[earlier] == [("controller", "account"), ("party", "account")]


def test_our_lock_keeps_nothing_that_no_purpose_keeps(later: Asked) -> None:
    """Else what a refusal has left to custody for some days would stand for good."""
    earlier = later.kept(DOCUMENTATION, basis=Basis.CONSENT, notice=NoticeId.N2)
    this = later.kept(DOCUMENTATION, at=AT + timedelta(minutes=5))
    raise_hold(later.before.archive, f"{earlier}-1", HoldBy.ACCESS, "", "anna", AT)
    later.start()
    later.open(earlier)
    later.opt_out()
    later.close(earlier)
    assert later.lock(this) == CodedText("refused.earlier.locked")
    assert later.holds()[earlier] == [("access", "anna")]
    assert later.lock(this, "party") == {"locked": "1"}


def test_one_that_nobody_can_read_is_told_and_keeps_no_other_unlocked(later: Asked) -> None:
    changed, earlier = later.kept(DOCUMENTATION, at=LAST_WEEK), later.kept(DOCUMENTATION, at=LAST_WEEK)
    this = later.kept(DOCUMENTATION)
    with later.before.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE recordings SET opened_at = 'x' WHERE call = ?", (changed,))
    later.start()
    assert later.lock(this) == {"locked": "1", "unreadable": "1"}
    assert later.holds()[earlier] == [("controller", "account")]
    assert later.lock(this) == CodedText("refused.earlier.unreadable", {"count": 1})


def test_what_cannot_be_written_is_said_and_left_to_another_press(later: Asked) -> None:
    earlier, this = later.kept(DOCUMENTATION, at=LAST_WEEK), later.kept(DOCUMENTATION)
    later.start()
    answers: list[dict[str, str] | CodedText] = []
    later.calls.lock_earlier(LockEarlier("1", this), answers.append)
    lock = later.inbox.get(timeout=20)
    archive = Archive.open(later.folder, later.before.memory)
    ledger = archive.ledger(lambda _ticket, _keys: None, lambda _ticket, _reason, _detail: None)
    ledger.start()
    ledger.submit(Commit(1, (Discard(f"{earlier}-1", "expired"),), ()))
    assert ledger.stop()
    archive.close()
    lock()
    later.until(lambda: answers)
    assert answers == [CodedText("refused.earlier.failed")]
    assert not later.store.has_unwritten
    assert later.lock(this) == CodedText("refused.earlier.none")


def test_a_call_that_is_on_is_left_to_its_own_session_whichever_call_is_named() -> None:
    scene, answers = Scene(), list[object]()
    scene.ring()
    scene.decide()
    scene.answer()
    scene.calls.missed(sip.CallMissed("a", "Mette", PARTY, True, scene.now().utc))
    (missed,) = scene.calls.history()
    for call in (CALL, missed.id):
        scene.calls.lock_earlier(LockEarlier("1", call), answers.append)
    assert [(one.number, one.but) for one in scene.store.earlier] == [(PARTY, {CALL}), (PARTY, {CALL, missed.id})]
    assert PARTY not in repr(scene.store.earlier)
    assert answers == []


def test_while_no_archive_is_open_it_is_said(later: Asked) -> None:
    this = later.kept(DOCUMENTATION)
    later.start()
    archive, later.store._archive = later.store._archive, None
    assert later.lock(this) == CodedText("refused.earlier.no_archive")
    later.store._archive = archive
