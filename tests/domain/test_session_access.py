"""A request for access that is open when a call of earlier is taken up again: what it keeps against a withdrawal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from softphone.domain import changes as c
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason
from softphone.domain.session import State, describe, step
from softphone.domain.session.reopening import KeptCall, KeptHold, KeptPurpose, KeptRecording, reopened
from softphone.domain.status import DisputeKind, Stays
from tests.domain.walk_scenes import NOW

AT = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
DAY = date(2027, 2, 25)


def withdrawn(*holds: HoldBy, of: Purpose = Purpose.TRAINING) -> list[object]:
    """The changes that follow when the consent to the one purpose of a held recording is taken back."""
    kept = KeptRecording(
        "c-1",
        {of: KeptPurpose(Basis.CONSENT, True, of is Purpose.DOCUMENTATION, expires_on=DAY)},
        tuple(KeptHold(f"hold-{n}", by, "mette", AT) for n, by in enumerate(holds)),
    )
    notice = NoticeId.N3 if of is Purpose.TRAINING else NoticeId.N2
    call = KeptCall("c", Direction.INBOUND, Language.DA, notice, (kept,))
    terms = e.Terms(hold_after_refusal=timedelta(days=14))
    _, effects = step(reopened(call, terms), e.Withdrawn(of), NOW)
    return [change for effect in effects if isinstance(effect, c.Commit) for change in effect.changes]


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("withdrawn", Reason.WITHDRAWN),
        ("kept_out_of_training", Reason.KEPT_OUT_OF_TRAINING),
        ("expired", Reason.PAST_ITS_DATE),
        ("reviewed", Reason.PAST_ITS_DATE),
        ("upheld", Reason.OBJECTION),
    ],
)
def test_a_purpose_that_ended_in_the_archive_says_why(why: str, reason: Reason) -> None:
    kept = KeptRecording(
        "c-1",
        {
            Purpose.DOCUMENTATION: KeptPurpose(Basis.LEGITIMATE_INTEREST, True, True, expires_on=DAY),
            Purpose.TRAINING: KeptPurpose(Basis.LEGITIMATE_INTEREST, False, False, why, DAY),
        },
    )
    status = describe(reopened(KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N1, (kept,)), e.Terms()), NOW)
    assert status.purposes[Purpose.TRAINING].reason is reason
    assert {one.reason for one in status.reasons} >= {reason}


def of_kind(changes: list[object], *kinds: type) -> list[object]:
    return [one for one in changes if isinstance(one, kinds)]


@pytest.mark.rule("G04")
@pytest.mark.rule("G08")
@pytest.mark.parametrize("of", list(Purpose))
def test_what_the_party_has_asked_for_is_kept_for_its_copy_and_for_custody_alone(of: Purpose) -> None:
    changes = withdrawn(HoldBy.ACCESS, of=of)
    assert of_kind(changes, c.Restrict) == [c.Restrict("c-1", "hold_only", "withdrawn")]
    assert not of_kind(changes, c.Discard, c.LiftHold, c.ChangeHold)
    assert of_kind(withdrawn(of=of), c.Discard)


@pytest.mark.rule("G04")
@pytest.mark.rule("G08")
def test_a_hold_of_ours_beside_it_outlives_the_request_by_its_own_days_and_no_longer() -> None:
    changes = withdrawn(HoldBy.ACCESS, HoldBy.CONTROLLER)
    assert of_kind(changes, c.Restrict) == [c.Restrict("c-1", "hold_only", "withdrawn")]
    until = NOW.utc + timedelta(days=14)
    assert of_kind(changes, c.ChangeHold) == [c.ChangeHold("hold-1", HoldBy.CONTROLLER, until)]


def again(hold: KeptHold, basis: Basis = Basis.CONSENT) -> State:
    kept = KeptRecording("c-1", {Purpose.TRAINING: KeptPurpose(basis, True, False, expires_on=DAY)}, (hold,))
    call = KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N3, (kept,))
    return reopened(call, e.Terms(hold_after_refusal=timedelta(days=14)))


def done(effects: tuple[object, ...]) -> list[object]:
    return [change for effect in effects if isinstance(effect, c.Commit) for change in effect.changes]


@pytest.mark.rule("G04")
@pytest.mark.rule("G10")
@pytest.mark.parametrize("by", c.DISPUTED_BY)
@pytest.mark.parametrize(("id", "confirmed"), [("elsewhere", False), ("c-1-h1", True), ("elsewhere", True)])
def test_only_custody_lifts_what_was_raised_elsewhere_or_it_has_confirmed(by: HoldBy, id: str, confirmed: bool) -> None:
    state = again(KeptHold(id, by, "mette", AT, confirmed=confirmed))
    assert describe(state, NOW).opt_out.stays is Stays.FOR_CUSTODY
    state, effects = step(state, e.Withdrawn(Purpose.TRAINING), NOW)
    changes = done(effects)
    assert of_kind(changes, c.Restrict) == [c.Restrict("c-1", "hold_only", "withdrawn")]
    assert not of_kind(changes, c.Discard, c.LiftHold)
    # A hold of ours that nobody has judged stands no longer than the terms allow; one that custody has judged is left alone.
    assert bool(of_kind(changes, c.ChangeHold)) is (by is HoldBy.CONTROLLER and not confirmed)
    assert not describe(state, NOW).choices
    for event in (e.Chosen("kept_for_complaint", "delete"), e.DisputeUndone("mette"), e.WrapUpEnded()):
        state, effects = step(state, event, NOW)
        assert not of_kind(done(effects), c.Discard, c.LiftHold)


@pytest.mark.rule("G10")
def test_what_its_own_party_had_locked_is_still_its_own_to_delete() -> None:
    state, _ = step(again(KeptHold("c-1-h1", HoldBy.PARTY, "anna", AT)), e.Withdrawn(Purpose.TRAINING), NOW)
    _, effects = step(state, e.Chosen("kept_for_complaint", "delete"), NOW)
    assert of_kind(done(effects), c.Discard)


@pytest.mark.rule("G10")
def test_what_is_gone_is_not_said_to_be_locked_and_is_not_tried_again() -> None:
    kept = [
        KeptRecording(id, {Purpose.DOCUMENTATION: KeptPurpose(Basis.LEGITIMATE_INTEREST, True, True, expires_on=DAY)})
        for id in ("c-1", "c-2")
    ]
    state = reopened(KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N1, tuple(kept)), e.Terms())
    state, effects = step(state, e.DisputeRaised(HoldBy.CONTROLLER, "anna"), NOW)
    commit = next(effect for effect in effects if isinstance(effect, c.Commit))
    state, effects = step(state, e.CommitFailed(commit.ticket, Reason.STORAGE_FAILED, "c-1"), NOW)
    assert [one.recording for one in of_kind(done(effects), c.PlaceHold) if isinstance(one, c.PlaceHold)] == ["c-2"]
    assert [it.id for it in state.kept] == ["c-2"]
    second = next(effect for effect in effects if isinstance(effect, c.Commit))
    state, _ = step(state, e.CommitFailed(second.ticket, Reason.STORAGE_FAILED, "c-2"), NOW)
    assert describe(state, NOW).hold is None
    assert not describe(state, NOW).kept


@pytest.mark.rule("G10")
def test_a_recording_that_broke_off_is_told_of_as_long_as_any_of_it_is_kept() -> None:
    purposes = {Purpose.DOCUMENTATION: KeptPurpose(Basis.CONSENT, True, True, expires_on=DAY)}
    for broke_off in (True, False):
        kept = (KeptRecording("c-1", purposes, broke_off=broke_off),)
        state = reopened(KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N2, kept), e.Terms())
        told = [one.reason for one in describe(state, NOW).reasons]
        assert (told[0] is Reason.BROKE_OFF) is (Reason.BROKE_OFF in told) is broke_off
        gone, _ = step(state, e.Withdrawn(Purpose.DOCUMENTATION), NOW)
        assert Reason.BROKE_OFF not in [one.reason for one in describe(gone, NOW).reasons]


@pytest.mark.rule("G10")
def test_an_undo_that_custody_was_before_leaves_the_lock_and_takes_the_undo_away() -> None:
    purposes = {Purpose.DOCUMENTATION: KeptPurpose(Basis.LEGITIMATE_INTEREST, True, True, expires_on=DAY)}
    call = KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N1, (KeptRecording("c-1", purposes),))
    state, effects = step(reopened(call, e.Terms()), e.DisputeRaised(HoldBy.CONTROLLER, "anna"), NOW)
    commit = next(effect for effect in effects if isinstance(effect, c.Commit))
    state, _ = step(state, e.Committed(commit.ticket), NOW)
    state, effects = step(state, e.DisputeUndone("anna"), NOW)
    lift = next(effect for effect in effects if isinstance(effect, c.Commit))
    state, _ = step(state, e.CommitFailed(lift.ticket, Reason.STORAGE_FAILED, "c-1"), NOW)
    status = describe(state, NOW)
    assert status.hold is not None
    assert status.dispute.kind is DisputeKind.NONE
