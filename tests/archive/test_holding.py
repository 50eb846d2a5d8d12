"""Holds after the call: anyone may raise one, custody alone confirms and lifts, and what nothing else keeps is custody's."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto.wraps import Recipient
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
    Discard,
    HoldBy,
    LiftHold,
    PlaceHold,
    Restrict,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import HoldState
from tests.archive.holds import raise_hold
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, TRAINING, CommitFailedError, Scene

LATER = datetime(2027, 3, 1, tzinfo=UTC)
AGAIN = date(2027, 6, 1)


def held(desk: Scene, recording: str, now: datetime = AT, why: str = "price") -> str:
    return raise_hold(desk.archive, recording, HoldBy.PARTY, why, "mette", now)


def state(desk: Scene, now: datetime) -> list[HoldState]:
    return [one.state for one in holding.standing(desk.archive, now)]


def seen(desk: Scene, now: datetime) -> LocalArchive:
    return LocalArchive(desk.archive, viewer_of(desk.archive, None, ()), lambda: now)


def swept(desk: Scene, now: datetime) -> list[Swept]:
    return [item.what for item in sweep(desk.archive, now, clock=now, witness=now)]


def for_training(desk: Scene, recording: str) -> set[int]:
    """The segments with a wrap for it."""
    return {one.segment for one in desk.archive.wraps_of(recording) if one.role is KeyRole.TRAINING}


def last(desk: Scene, recording: str) -> tuple[str, dict[str, object]]:
    row = desk.archive.audit_of(recording)[-1]
    return row.event, {name: what for name, what in row.params.items() if name != HOLD}


@pytest.mark.rule("G10")
def test_a_hold_is_raised_by_number_by_someone_who_can_open_nothing(desk: Scene) -> None:
    theirs = [desk.closed(DOCUMENTATION, TRAINING) for _ in range(2)]
    others = [desk.closed(DOCUMENTATION, number=number) for number in ("+4520999999", None)]
    sealed = [one.sealed for one in desk.archive.wraps_of(theirs[0]) if one.role is KeyRole.TRAINING]
    with closing(Archive.open(desk.folder, desk.only())) as agent:
        found = holding.with_number(agent, NUMBER, AT)
        for row in found:
            raise_hold(agent, row.recording, HoldBy.CONTROLLER, "complaint", "mette", AT)
    assert [row.recording for row in found] == theirs
    for recording in theirs:
        assert desk.archive.find(recording).purposes == (DOCUMENTATION,)
        assert last(desk, recording) == ("hold_placed", {"by": "controller"})
    assert not any(one in desk.pages() for one in sealed)
    assert not any(desk.archive.find(one).holds for one in others)
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_a_hold_is_to_be_confirmed_then_confirmed_then_to_be_looked_at_again(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION)
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
    kept, lapsed = desk.closed(DOCUMENTATION), desk.closed(DOCUMENTATION)
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
def test_a_training_without_a_day_keeps_what_a_hold_has_closed_to_training(desk: Scene) -> None:
    recording = desk.closed(TRAINING)
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE purposes SET expires_on = NULL WHERE recording = ?", (recording,))
    held(desk, recording)
    assert [one.alone for one in holding.standing(desk.archive, AT)] == [False]


@pytest.mark.rule("G10")
def test_once_the_last_hold_is_lifted_training_comes_back_before_its_day_and_all_goes_after_it(desk: Scene) -> None:
    living, over = desk.closed(DOCUMENTATION, TRAINING), desk.closed(DOCUMENTATION, TRAINING)
    holds = {one: [held(desk, one), held(desk, one, why="tone")] for one in (living, over)}
    lift = partial(holding.lift, desk.archive, reason="settled", recipients=desk.policy_recipients)
    lift(holds[living][0], now=AT)
    assert desk.archive.find(living).purposes == (DOCUMENTATION,)
    assert for_training(desk, living) == set()
    # By a clock that has jumped no training ends.
    sweep(desk.archive, AT, clock=AT)
    lift(holds[living][1], now=AT + timedelta(days=4000))
    with closing(Archive.open(desk.folder, desk.only(KeyRole.TRAINING))) as lead:
        assert lead.open_recording(living, AT).length == RATE
    desk.commit(Discard(living, "withdrawn"), recording=living)

    assert swept(desk, LATER)[:2] == [Swept.PURPOSE_EXPIRED] * 2
    assert [one.alone for one in holding.standing(desk.archive, LATER)] == [True, True]
    with closing(Archive.open(desk.folder, desk.only(KeyRole.DOCUMENTATION, KeyRole.TRAINING))) as person:
        for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING, None):
            with pytest.raises(ArchiveError):
                person.open_recording(over, LATER, role=role)
            event, params = last(desk, over)
            assert (event, params["role"]) == ("opening_refused", role.value if role else None)
    with closing(Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))) as officer:
        assert officer.open_recording(over, LATER).length == RATE
    assert lift(holds[over][0], now=LATER).row.holds
    assert Swept.DISCARDED not in swept(desk, LATER)
    assert lift(holds[over][1], now=LATER).row.purposes == ()
    assert swept(desk, LATER) == [Swept.DISCARDED]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
@pytest.mark.rule("G38")
def test_a_hold_is_lifted_also_where_nobody_is_named_who_could_open_training_and_that_ends_if_it_may(
    desk: Scene,
) -> None:
    both, training = desk.closed(DOCUMENTATION, TRAINING), desk.closed(TRAINING)
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


@pytest.mark.rule("G04")
@pytest.mark.rule("G10")
@pytest.mark.parametrize("by", list(HoldBy))
def test_a_session_that_never_saw_a_hold_takes_what_was_withdrawn_from_everybody_but_custody(
    desk: Scene, by: HoldBy
) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING)
    hold = raise_hold(desk.archive, recording, by, "price", "mette", AT)
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
    recording = desk.closed(DOCUMENTATION, TRAINING)
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
def test_while_one_of_several_holds_stands_no_segment_opens_to_training_however_it_comes(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    for number in (1, 2):
        desk.commit(PlaceHold(f"{recording}-h{number}", recording, HoldBy.PARTY, "mette", AT, None))
    desk.commit(desk.segment(recording, 1, DOCUMENTATION, TRAINING), recording=recording)
    assert for_training(desk, recording) == set()
    desk.commit(LiftHold(f"{recording}-h1", "undone", restore_training=True))
    assert for_training(desk, recording) == set()
    desk.commit(LiftHold(f"{recording}-h2", "undone", restore_training=True))
    assert for_training(desk, recording) == {0, 1}


@pytest.mark.rule("G10")
def test_a_hold_is_lifted_for_whom_the_policy_names_for_that_line_alone(desk: Scene) -> None:
    hold = held(desk, desk.closed(DOCUMENTATION, TRAINING))

    def named(line: str) -> list[Recipient]:
        of_line = {"lines": frozenset({line})}
        return [replace(one, **(of_line if one.role is KeyRole.TRAINING else {})) for one in desk.policy_recipients]

    with pytest.raises(ArchiveError, match="lift_ends_training"):
        holding.lift(desk.archive, hold, "settled", named("another"), AT)
    assert KeyRole.TRAINING in holding.lift(desk.archive, hold, "settled", named("salg"), AT).row.opens_for


@pytest.mark.rule("G10")
def test_a_hold_is_meant_by_its_whole_id_also_where_another_s_begins_so(desk: Scene) -> None:
    one, other = desk.closed(DOCUMENTATION), desk.closed(DOCUMENTATION)
    for hold, recording in (("h1", one), ("h10", other)):
        desk.commit(PlaceHold(hold, recording, HoldBy.PARTY, "mette", AT, None))
    seen(desk, AT).holds.lift("h1", "settled", None)
    assert [row.holds == () for row in map(desk.archive.find, (one, other))] == [True, False]


@pytest.mark.rule("G36")
def test_what_is_past_its_date_when_a_hold_is_lifted_is_sealed_for_nobody_again(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING)
    holding.lift(desk.archive, held(desk, recording), "settled", desk.policy_recipients, LATER)
    assert for_training(desk, recording) == set()
