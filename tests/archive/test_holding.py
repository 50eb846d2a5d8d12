"""Holds after the call: anyone may raise one, custody alone confirms and lifts, and what nothing else keeps is custody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.archive.log.audit import HOLD
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.review.sample import living
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import viewer_of
from softphone.domain.changes import (
    AuditEntry,
    ChangeHold,
    CloseRecording,
    Discard,
    HoldBy,
    LiftHold,
    PlaceHold,
    Restrict,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import HoldState
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, TRAINING, CommitFailedError, Scene, scene

LATER = datetime(2027, 3, 1, tzinfo=UTC)
AGAIN = date(2027, 6, 1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def closed(desk: Scene, *purposes: Purpose, number: str | None = NUMBER) -> str:
    recording = desk.recorded(1, *purposes, call=desk.call(number=number))
    desk.commit(CloseRecording(recording, AT, purposes), recording=recording)
    desk.ledger.forget_keys(recording)
    return recording


def held(desk: Scene, recording: str, now: datetime = AT, why: str = "price") -> str:
    return holding.raise_hold(desk.archive, recording, HoldBy.PARTY, why, "mette", now)


def state(desk: Scene, now: datetime) -> list[HoldState]:
    return [one.state for one in holding.standing(desk.archive, now)]


def seen(desk: Scene, now: datetime) -> LocalArchive:
    return desk.archive.seen_by(viewer_of(desk.archive, None, ()), lambda: now)


def swept(desk: Scene, now: datetime) -> list[Swept]:
    return [item.what for item in sweep(desk.archive, now, clock=now, witness=now)]


def last(desk: Scene, recording: str) -> tuple[str, dict[str, object]]:
    row = desk.archive.audit_of(recording)[-1]
    return row.event, {name: what for name, what in row.params.items() if name != HOLD}


@pytest.mark.rule("G10")
def test_a_hold_is_raised_by_number_by_someone_who_can_open_nothing(desk: Scene) -> None:
    theirs = [closed(desk, DOCUMENTATION, TRAINING) for _ in range(2)]
    another, withheld = closed(desk, DOCUMENTATION, number="+4520999999"), closed(desk, DOCUMENTATION, number=None)
    sealed = [one.sealed for one in desk.archive.wraps_of(theirs[0]) if one.role is KeyRole.TRAINING]
    agent = Archive.open(desk.folder, desk.only())

    found = holding.with_number(agent, NUMBER, AT)
    for row in found:
        holding.raise_hold(agent, row.recording, HoldBy.CONTROLLER, "complaint", "mette", AT)
    agent.close()

    assert [row.recording for row in found] == theirs
    for recording in theirs:
        assert desk.archive.find(recording).purposes == (DOCUMENTATION,)
        assert last(desk, recording) == ("hold_placed", {"by": "controller"})
    assert not any(one in desk.pages() for one in sealed)
    assert not desk.archive.find(another).holds
    assert not desk.archive.find(withheld).holds
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_a_hold_is_to_be_confirmed_then_confirmed_then_to_be_looked_at_again(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION)
    hold = held(desk, recording)
    due = AT + timedelta(days=30)
    assert state(desk, due - timedelta(seconds=1)) == [HoldState.UNCONFIRMED]
    assert state(desk, due) == [HoldState.OVERDUE]
    assert swept(desk, due) == [Swept.HOLD_OVERDUE]

    assert seen(desk, due).holds.confirm(hold[:-3], AGAIN).state is HoldState.CONFIRMED

    key = {"key": desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert last(desk, recording) == ("hold_confirmed", {"look_again": "2027-06-01", **key})
    assert swept(desk, LATER) == [Swept.PURPOSE_EXPIRED]
    again = datetime(2027, 5, 31, 22, 0, tzinfo=UTC)  # the first of June in Copenhagen
    assert state(desk, again - timedelta(seconds=1)) == [HoldState.CONFIRMED]
    assert state(desk, again) == [HoldState.OVERDUE]
    assert swept(desk, again) == [Swept.HOLD_LOOK_AGAIN]
    assert [row.recording for row in desk.archive.list()] == [recording]
    with pytest.raises(ArchiveError) as refused:
        holding.confirm(desk.archive, hold, AGAIN, again + timedelta(days=1))
    assert refused.value.code == "error.archive.look_again_past"


@pytest.mark.rule("G10")
def test_a_provisional_hold_that_custody_confirms_in_time_no_longer_lapses(desk: Scene) -> None:
    until = AT + timedelta(days=14)
    kept, lapsed = closed(desk, DOCUMENTATION), closed(desk, DOCUMENTATION)
    for recording in (kept, lapsed):
        hold = f"{recording}-h1"
        desk.commit(PlaceHold(hold, recording, HoldBy.CONTROLLER, "desk-3", AT, None), Restrict(recording, "hold_only"))
        desk.commit(ChangeHold(hold, HoldBy.CONTROLLER, until))
    assert state(desk, AT) == [HoldState.PROVISIONAL] * 2
    assert all(one.alone for one in holding.standing(desk.archive, AT))
    holding.confirm(desk.archive, f"{kept}-h1", AGAIN, AT)
    with pytest.raises(ArchiveError) as refused:
        holding.confirm(desk.archive, f"{lapsed}-h1", AGAIN, until)
    assert refused.value.code == "error.archive.hold_void"
    assert swept(desk, until) == [Swept.HOLD_VOID, Swept.DISCARDED]
    assert [row.recording for row in desk.archive.list()] == [kept]


@pytest.mark.rule("G10")
def test_only_custody_confirms_and_lifts_and_every_refusal_is_in_the_log(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    hold = held(desk, recording)
    closed(desk, TRAINING)  # another's: of one that is held, training's key opens nothing
    for roles in ((), (KeyRole.DOCUMENTATION,), (KeyRole.TRAINING,), (KeyRole.DOCUMENTATION, KeyRole.TRAINING)):
        person = Archive.open(desk.folder, desk.only(*roles))
        with pytest.raises(ArchiveError) as refused:
            holding.lift(person, hold, "settled", desk.policy_recipients, AT)
        assert refused.value.code == "error.archive.only_custody"
        told = {"role": "custody", "what": "lift", "why": "no_private_key", **desk.shown(*roles)}
        assert last(desk, recording) == ("hold_refused", told)
        with pytest.raises(ArchiveError):
            holding.confirm(person, hold, AGAIN, AT)
        assert last(desk, recording)[1]["what"] == "confirm"
        person.close()
    assert state(desk, AT) == [HoldState.UNCONFIRMED]

    officer = Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))
    holding.lift(officer, hold, "settled", desk.policy_recipients, AT)
    officer.close()
    assert state(desk, AT) == []
    key = {"key": desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert last(desk, recording) == ("hold_lifted", {"why": "settled", **key})
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_nothing_but_the_hold_keeps_opens_for_custody_alone_and_others_are_refused_in_the_log(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    held(desk, recording)
    desk.archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
    assert [one.alone for one in holding.standing(desk.archive, AT)] == [False]

    for sweeps in (False, True):
        if sweeps:
            swept(desk, LATER)
        assert [one.alone for one in holding.standing(desk.archive, LATER)] == [True]
        person = Archive.open(desk.folder, desk.only(KeyRole.DOCUMENTATION, KeyRole.TRAINING))
        for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING, None):
            with pytest.raises(ArchiveError):
                person.open_recording(recording, LATER, role=role)
            event, params = last(desk, recording)
            assert (event, params["role"]) == ("opening_refused", role.value if role else None)
        person.close()
        officer = Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))
        assert officer.open_recording(recording, LATER).length() == RATE
        officer.close()


@pytest.mark.rule("G10")
def test_once_the_last_hold_is_lifted_what_is_past_its_date_goes_at_the_next_sweep(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    first, second = held(desk, recording), held(desk, recording, why="tone")
    assert swept(desk, LATER)[:2] == [Swept.PURPOSE_EXPIRED] * 2
    assert holding.lift(desk.archive, first, "settled", desk.policy_recipients, LATER).row.holds
    assert Swept.DISCARDED not in swept(desk, LATER)
    holding.lift(desk.archive, second, "settled", desk.policy_recipients, LATER)
    assert swept(desk, LATER) == [Swept.DISCARDED]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_training_that_has_neither_ended_nor_expired_comes_back_with_the_last_hold_lifted(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    first, second = held(desk, recording), held(desk, recording, why="tone")
    holding.lift(desk.archive, first, "settled", desk.policy_recipients, AT)
    assert desk.archive.find(recording).purposes == (DOCUMENTATION,)
    holding.lift(desk.archive, second, "settled", desk.policy_recipients, AT)
    lead = Archive.open(desk.folder, desk.only(KeyRole.TRAINING))
    assert lead.open_recording(recording, AT).length() == RATE
    lead.close()
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
@pytest.mark.rule("G38")
def test_a_hold_is_lifted_also_where_nobody_is_named_who_could_open_training_and_that_ends_if_it_may(
    desk: Scene,
) -> None:
    both, training = closed(desk, DOCUMENTATION, TRAINING), closed(desk, TRAINING)
    nobody = [desk.recipients[KeyRole.CUSTODY]]
    for recording in (both, training):
        hold = held(desk, recording)
        with pytest.raises(ArchiveError) as refused:
            holding.lift(desk.archive, hold, "settled", nobody, AT)
        assert refused.value.code == "error.archive.lift_ends_training"
        assert desk.archive.find(recording).holds
        # Where no policy says who, nobody can say that it is nobody.
        with pytest.raises(ArchiveError) as refused:
            holding.lift(desk.archive, hold, "settled", None, AT, training_may_end=True)
        assert refused.value.code == "error.archive.no_key_of_purpose"
        lifted = holding.lift(desk.archive, hold, "settled", nobody, AT, training_may_end=True)
        row = lifted.row
        assert (row.holds, TRAINING in row.purposes, lifted.training_ended) == ((), False, True)
        assert last(desk, recording)[0] == "training_unopened"
    assert living(desk.archive, [both, training], AT) == set()
    assert verify(desk.archive).ok
    assert swept(desk, AT) == [Swept.DISCARDED]
    assert desk.archive.find(both).purposes == (DOCUMENTATION,)
    assert verify(desk.archive).ok


@pytest.mark.rule("G36")
def test_training_past_its_date_does_not_come_back(desk: Scene) -> None:
    recording = closed(desk, TRAINING)
    hold = held(desk, recording)
    row = holding.lift(desk.archive, hold, "settled", [], LATER).row
    assert row.purposes == ()
    assert swept(desk, LATER) == [Swept.DISCARDED]


@pytest.mark.rule("G10")
def test_by_a_clock_that_has_jumped_no_training_ends_when_a_hold_is_lifted(desk: Scene) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    hold = held(desk, recording)
    sweep(desk.archive, AT, clock=AT)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, AT + timedelta(days=4000))
    assert desk.archive.find(recording, AT).purposes == (DOCUMENTATION, TRAINING)
    assert verify(desk.archive).ok


@pytest.mark.parametrize(("hold", "code"), [("", "no_such_hold"), ("none", "no_such_hold"), ("0", "ambiguous_hold")])
def test_a_hold_that_is_not_there_or_not_the_only_one_is_refused_with_words(desk: Scene, hold: str, code: str) -> None:
    recording = closed(desk, DOCUMENTATION)
    for why in ("price", "tone"):
        held(desk, recording, why=why)
    with pytest.raises(ArchiveError) as refused:
        seen(desk, AT).holds.lift(hold, "settled", None)
    assert refused.value.code == f"error.archive.{code}"


@pytest.mark.rule("G04")
@pytest.mark.rule("G10")
@pytest.mark.parametrize("by", list(HoldBy))
def test_a_session_that_never_saw_a_hold_takes_what_was_withdrawn_from_everybody_but_custody(
    desk: Scene, by: HoldBy
) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    hold = holding.raise_hold(desk.archive, recording, by, "price", "mette", AT)
    told = AuditEntry("recording_discarded", "G04", AT, recording.removesuffix("-1"), recording, {"why": "withdrawn"})
    desk.commit(Discard(recording, "withdrawn"), entries=(told,))
    row = desk.archive.find(recording)
    assert [one.hold for one in row.holds] == [hold]
    assert {wrap.role for wrap in desk.archive.wraps_of(recording)} == {KeyRole.CUSTODY}
    assert ("restricted", "G10") in [(one.event, one.rule) for one in desk.archive.audit_of(recording)]
    assert "recording_discarded" not in [one.event for one in desk.archive.audit_of(recording)]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_a_session_neither_undoes_nor_changes_a_hold_that_custody_has_confirmed_meanwhile(
    desk: Scene,
) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    hold = f"{recording}-h1"
    desk.commit(PlaceHold(hold, recording, HoldBy.CONTROLLER, "anna", AT, None))
    holding.confirm(desk.archive, hold, date(2027, 3, 1), AT)
    with pytest.raises(CommitFailedError):
        desk.commit(LiftHold(hold, "undone", restore_training=True))
    told = AuditEntry("hold_lifted", "G10", AT, recording.removesuffix("-1"), recording, {"why": "withdrawn"})
    desk.commit(LiftHold(hold, "withdrawn"), Discard(recording, "withdrawn"), entries=(told,))
    desk.commit(ChangeHold(hold, HoldBy.CONTROLLER, AT))
    assert [(one.hold, one.provisional_until) for one in desk.archive.find(recording).holds] == [(hold, None)]
    assert {wrap.role for wrap in desk.archive.wraps_of(recording)} == {KeyRole.CUSTODY}
    assert "hold_lifted" not in [one.event for one in desk.archive.audit_of(recording)]


@pytest.mark.rule("G10")
@pytest.mark.parametrize("lines", [frozenset({"salg"}), frozenset({"another"})])
def test_a_hold_is_lifted_for_whom_the_policy_names_for_that_line_alone(desk: Scene, lines: frozenset[str]) -> None:
    recording = closed(desk, DOCUMENTATION, TRAINING)
    assert desk.archive.find(recording, AT).line == "salg"
    hold = held(desk, recording)
    named = [replace(one, lines=lines) if one.role is KeyRole.TRAINING else one for one in desk.policy_recipients]
    if "salg" in lines:
        assert KeyRole.TRAINING in holding.lift(desk.archive, hold, "settled", named, AT).row.opens_for
        return
    with pytest.raises(ArchiveError, match="lift_ends_training"):
        holding.lift(desk.archive, hold, "settled", named, AT)
