"""N7 through the real processes: documentation and training on interest. What an opt-out ends, what a dispute locks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from softphone.archive.crypto.wraps import unwrap
from softphone.archive.files.reader import MarkKind, read_structure
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Headline, KeyRole, Purpose, Reason
from softphone.domain.status import HoldPhase, PurposePhase
from tests.journeys.listening import jumps, numbers
from tests.journeys.stage import Stage, shared
from tests.journeys.traces import note

pytestmark = pytest.mark.journey

LONG_AFTER = "2041-01-01"

on = shared(lines=("n7",), record_aware=True)


@pytest.mark.rule("G31")
@pytest.mark.rule("G02")
def test_after_an_opt_out_documentation_goes_on_without_a_gap_and_the_training_key_opens_nothing(
    on: Stage,
) -> None:
    call = on.call("n7")
    on.desk.wait_event("first_sample", call=call)
    on.sealed(call, 1)
    recording = str(on.desk.wait_event("recorder_started", call=call).params["recording"])
    traces = note(on, recording)
    assert {role for role, _ in traces.wraps} == set(KeyRole)
    with on.archive() as archive:
        archive.open_recording(recording, datetime.now(UTC), role=KeyRole.TRAINING)
    on.desk.opt_out(call)
    status = on.desk.wait_status(
        lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "training ended", call
    )
    assert (status.headline, status.recording) == (Headline.RECORDING, (Purpose.DOCUMENTATION,))
    assert Reason.ASSESSMENT in [one.reason for one in status.reasons]
    on.sealed(call, 1)
    on.over(call)

    row = on.row(call)
    assert row is not None
    assert set(row.opens_for) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert traces.found_wraps(on, KeyRole.TRAINING) == 0
    assert traces.found_wraps(on, KeyRole.DOCUMENTATION) == 1  # the control: what was not deleted is found
    with on.archive() as archive:
        with pytest.raises(ArchiveError) as refused:
            archive.open_recording(recording, datetime.now(UTC), role=KeyRole.TRAINING)
        assert refused.value.code == "error.archive.closed_to_role"
        # Not only refused: no wrap that is left gives a data key to the training key.
        training_key = on.private_key(archive, KeyRole.TRAINING)
        documentation_key = on.private_key(archive, KeyRole.DOCUMENTATION)
        wraps = archive.wraps_of(recording)
        assert not [wrap for wrap in wraps if unwrap(wrap, training_key)]
        assert len([wrap for wrap in wraps if unwrap(wrap, documentation_key)]) == 2
        structure = read_structure(archive.vault.path(recording))
        assert len({chunk.segment for chunk in structure.chunks}) == 2
        opened = archive.open_recording(recording, datetime.now(UTC), role=KeyRole.DOCUMENTATION)
        assert [mark for mark in opened.marks() if mark.kind is not MarkKind.PAUSE] == []
        first, second = opened.segments
        assert second.origin * 320 == first.origin * 320 + first.samples
    sound = on.exported(recording)
    # The agent's side comes from this very process: not a frame may be missing. The party's has crossed a network, where
    # a busy machine may be late; audio truth looks at that with nothing beside it.
    assert jumps(sound[:, 0].copy()) == []
    party = numbers(sound[:, 1].tobytes())
    again = second.origin - first.origin
    for part in (party[:again], party[again:]):
        assert sum(number is not None for number in part) > len(part) // 2


@pytest.mark.rule("G31")
def test_the_partys_keys_end_training_as_the_notice_said_and_documentation_goes_on_unobjected(on: Stage) -> None:
    call = on.call("n7")
    on.desk.wait_event("first_sample", call=call)
    on.sealed(call, 1)
    on.customer.do("digits", digits="*9")
    status = on.desk.wait_status(
        lambda one: one.recording == (Purpose.DOCUMENTATION,), "training ended, documentation not", call
    )
    assert status.purposes[Purpose.TRAINING].reason is Reason.DECLINED_BY_KEY
    assert status.pauses == ()
    assert "objection_received" not in status.notes
    assert status.opt_out.asks, "an objection would go further"
    on.sealed(call, 1)
    on.over(call)
    row = on.row(call)
    assert row is not None
    assert set(row.opens_for) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert on.verified()["ok"]


@pytest.mark.rule("G31")
def test_a_no_by_the_partys_phone_ends_training_and_opens_a_case_for_documentation(on: Stage) -> None:
    """What is refused is unclear: everything ends that can be ended, and on interest it is an objection (G23)."""
    call = on.call("n7")
    on.desk.wait_event("first_sample", call=call)
    on.sealed(call, 1)
    on.customer.do("prefer", wanted=False)
    status = on.desk.wait_status(
        lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "training ended", call
    )
    assert status.purposes[Purpose.TRAINING].reason is Reason.DECLINED_BY_SIP
    assert status.recording == ()
    assert Reason.OBJECTION in status.pauses
    on.over(call)
    row = on.row(call)
    assert row is not None
    assert row.opens_for == (KeyRole.CUSTODY,)


@pytest.mark.rule("G10")
def test_a_dispute_locks_the_recording_and_a_sweep_past_its_date_leaves_it_alone(on: Stage) -> None:
    calls: dict[bool, str] = {}
    for disputed in (True, False):
        call = calls[disputed] = on.call("n7")
        on.desk.wait_event("first_sample", call=call)
        on.sealed(call, 1)
        if disputed:
            on.desk.dispute(call)
            status = on.desk.wait_status(
                lambda one: one.hold is not None and one.hold.phase is HoldPhase.LOCKED, "locked", call
            )
            assert status.headline is Headline.RECORDING  # recording goes on as before
            on.sealed(call, 1)
        on.over(call)

    held, free = on.row(calls[True]), on.row(calls[False])
    assert held is not None
    assert free is not None
    assert [hold.raised_for for hold in held.holds] == ["controller"]
    # A hold takes the training wraps away; documentation keeps its own.
    assert set(held.opens_for) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert set(free.opens_for) == set(KeyRole)
    before = on.exported(held.recording, KeyRole.CUSTODY)
    on.klartone("sweep", "--now", LONG_AFTER, "--dry-run")
    assert on.row(calls[False]) is not None
    on.klartone("sweep", "--now", LONG_AFTER)
    assert on.row(calls[False]) is None  # the control: without a hold it has gone
    kept = on.row(calls[True])
    assert kept is not None
    assert [hold.hold for hold in kept.holds] == [hold.hold for hold in held.holds]
    (on.folder / f"{held.recording}-{KeyRole.CUSTODY}.wav").unlink()
    assert (on.exported(kept.recording, KeyRole.CUSTODY) == before).all()
