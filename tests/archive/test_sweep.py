"""What the sweep takes at its day, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.examine.health import health, waiting
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.archive.retention.holding import standing
from softphone.archive.retention.sweep import Swept, SweptItem, sweep
from softphone.domain.changes import (
    ChangeHold,
    DropWraps,
    HoldBy,
    OpenSegment,
    PlaceHold,
    RememberRefusal,
    Restrict,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.scene import AT, BASES, DOCUMENTATION, TRAINING, Scene, scene

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def kept(desk: Scene) -> list[str]:
    return [row.recording for row in desk.archive.list()]


def swept(
    desk: Scene, now: datetime, *, dry_run: bool = False, unwitnessed: bool = False
) -> list[tuple[Swept, Purpose | None]]:
    """Time passes as the test says, and somebody agrees with the clock."""
    done = sweep(desk.archive, now, clock=now, witness=None if unwitnessed else now, dry_run=dry_run)
    return [(item.what, item.purpose) for item in done]


@pytest.mark.rule("G10")
def test_a_recording_is_kept_to_its_last_day_and_gone_on_its_day(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION)
    assert desk.archive.find(recording).expires == {DOCUMENTATION: date(2027, 2, 25)}
    chunks = [chunk.sealed for chunk in read_structure(desk.archive.vault.path(recording)).chunks]

    assert swept(desk, datetime(2027, 2, 24, 22, 59, tzinfo=UTC)) == []
    assert kept(desk) == [recording]
    assert swept(desk, datetime(2027, 2, 24, 23, 0, tzinfo=UTC)) == [
        (Swept.PURPOSE_EXPIRED, DOCUMENTATION),
        (Swept.DISCARDED, None),
    ]
    assert kept(desk) == []
    assert not any(chunk in desk.files() for chunk in chunks)
    events = [(entry.event, entry.rule) for entry in desk.archive.audit_of(recording)]
    assert events[-2:] == [("sweep_purpose_expired", "G10"), ("sweep_discarded", "G10")]
    assert verify(desk.archive).ok


@pytest.mark.rule("G36")
def test_training_ends_on_its_own_day_in_the_call_s_zone_also_before_a_sweep_and_documentation_goes_on(
    desk: Scene,
) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING, retention={DOCUMENTATION: "P5Y", TRAINING: "P3M"})
    wraps = [wrap.sealed for wrap in desk.archive.wraps_of(recording) if wrap.role is KeyRole.TRAINING]
    last, over = datetime(2027, 2, 24, 22, 59, tzinfo=UTC), datetime(2027, 2, 24, 23, 0, tzinfo=UTC)
    assert desk.archive.find(recording, last).purposes == (DOCUMENTATION, TRAINING)
    desk.archive.open_recording(recording, last, role=KeyRole.TRAINING)
    assert desk.archive.find(recording, over).purposes == (DOCUMENTATION,)
    with pytest.raises(ArchiveError) as refused:
        desk.archive.open_recording(recording, over, role=KeyRole.TRAINING)
    assert refused.value.code == "error.archive.closed_to_role"
    desk.archive.open_recording(recording, over)

    assert swept(desk, over) == [(Swept.PURPOSE_EXPIRED, TRAINING)]
    assert desk.archive.find(recording).expires == {DOCUMENTATION: date(2031, 11, 25)}
    assert not any(wrap in desk.pages() for wrap in wraps)
    assert [entry.rule for entry in desk.archive.audit_of(recording)][-1] == "G36"
    assert swept(desk, over) == []


@pytest.mark.rule("G04")
def test_our_hold_against_a_refusal_lapses_after_its_days_and_the_party_s_never(desk: Scene) -> None:
    ours, party = desk.closed(DOCUMENTATION), desk.closed(DOCUMENTATION)
    until = AT + timedelta(days=14)
    for recording, by in ((ours, HoldBy.CONTROLLER), (party, HoldBy.PARTY)):
        desk.commit(
            PlaceHold(f"{recording}-h", recording, by, "desk-3", AT, None, confirm_by=AT + timedelta(days=30)),
            Restrict(recording, "hold_only"),
        )
    desk.commit(ChangeHold(f"{ours}-h", HoldBy.CONTROLLER, until))

    assert swept(desk, until - timedelta(seconds=1)) == []
    assert swept(desk, until) == [(Swept.HOLD_VOID, None), (Swept.DISCARDED, None)]
    assert kept(desk) == [party]
    assert "sweep_hold_void" in [entry.event for entry in desk.archive.audit_of(ours)]
    assert swept(desk, LATER) == [(Swept.HOLD_OVERDUE, None)]
    assert kept(desk) == [party]


@pytest.mark.rule("G32")
def test_what_grounds_took_out_of_training_stays_for_custody_alone_until_training_s_own_day(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING, retention={DOCUMENTATION: "P1M", TRAINING: "P3M"})
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "grounds_given"), recording=recording)
    between = AT + timedelta(days=40)
    assert swept(desk, between) == [(Swept.PURPOSE_EXPIRED, DOCUMENTATION), (Swept.CASE_OVERDUE, TRAINING)]
    assert verify(desk.archive)
    (row,) = desk.archive.list()
    assert (row.recording, row.opens_for) == (recording, (KeyRole.CUSTODY,))
    assert (Swept.DISCARDED, None) in swept(desk, LATER)


@pytest.mark.rule("G23")
def test_an_open_case_prolongs_nothing_and_what_ends_undecided_says_so(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION)
    desk.commit(Restrict(recording, "objection"))
    assert swept(desk, LATER) == [(Swept.PURPOSE_EXPIRED, DOCUMENTATION), (Swept.DISCARDED, None)]
    assert kept(desk) == []
    assert desk.archive.audit_of(recording)[-1].params == {"undecided": True}


def test_a_dry_run_says_the_same_and_changes_nothing(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING)
    desk.commit(RememberRefusal(recording.removesuffix("-1"), AT))
    before = [*desk.archive.audit_of()]
    planned = sweep(desk.archive, LATER, clock=AT, dry_run=True)
    assert kept(desk) == [recording]
    assert [*desk.archive.audit_of()] == before

    done = sweep(desk.archive, LATER, clock=LATER)

    # What the sweep itself counts of so old a month, it forgets again at once.
    assert planned[:-1] == done[:-1]
    assert planned[-1].what is done[-1].what is Swept.TALLIES_FORGOTTEN
    assert kept(desk) == []
    assert SweptItem(Swept.REFUSALS_FORGOTTEN, None, "G10") in done
    with desk.archive.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM refusals").scalar_one() == 0
    assert [(one.event, one.params) for one in desk.archive.audit_of()][-2] == (
        "sweep_refusals_forgotten",
        {"count": 1},
    )


def test_a_date_to_come_is_for_a_dry_run_or_a_demo_alone(desk: Scene, tmp_path: Path) -> None:
    recording = desk.closed(DOCUMENTATION)
    with pytest.raises(ArchiveError) as refused:
        sweep(desk.archive, LATER, clock=AT)
    assert refused.value.code == "error.archive.sweep_in_future"
    assert kept(desk) == [recording]

    with scene(tmp_path / "demo", demo=True) as demo:
        demo.closed(DOCUMENTATION)
        sweep(demo.archive, LATER, clock=AT)
        assert kept(demo) == []


def test_when_a_sweep_last_came_to_its_end_is_known_and_one_that_was_broken_off_does_not_count(desk: Scene) -> None:
    desk.closed(DOCUMENTATION)
    assert health(desk.archive, AT).last_swept is None
    swept(desk, AT, dry_run=True)
    sweep(desk.archive, LATER, clock=LATER, witness=LATER, go_on=lambda: False)
    assert health(desk.archive, AT).last_swept is None
    swept(desk, LATER)
    assert health(desk.archive, LATER).last_swept == LATER


def test_a_file_that_cannot_go_keeps_those_behind_it_for_the_next_sweep_and_none_is_forgotten(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = {desk.closed(DOCUMENTATION) for _ in range(3)}
    unlink, refused = Path.unlink, sorted(recordings)[1]

    def stubborn(path: Path, missing_ok: bool = False) -> None:
        if path.stem == refused:
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    with monkeypatch.context() as held:
        held.setattr(Path, "unlink", stubborn)
        with pytest.raises(ArchiveError):
            swept(desk, LATER)
    assert health(desk.archive, LATER).to_delete == 3
    assert desk.archive.vault.path(refused).exists()
    swept(desk, LATER)
    assert health(desk.archive, LATER).to_delete == 0
    assert desk.archive.vault.recordings() == []


@pytest.mark.rule("G10")
def test_a_purpose_that_ended_while_the_call_goes_on_is_not_brought_back_by_its_next_part(desk: Scene) -> None:
    call = desk.call(retention={DOCUMENTATION: "P1D", TRAINING: "P3M"})
    recording = desk.open(call, DOCUMENTATION)
    over = AT + timedelta(hours=20)
    assert [one.what for one in sweep(desk.archive, over, clock=over)] == [Swept.PURPOSE_EXPIRED]
    desk.commit(OpenSegment(recording, 1, (DOCUMENTATION, TRAINING), BASES, over), recording=recording, call=call)
    assert {one.role for one in desk.archive.wraps_of(recording) if one.segment == 1} == {
        KeyRole.TRAINING, KeyRole.CUSTODY,
    }  # fmt: skip
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
@pytest.mark.expected_log("unreadable rows", reason="somebody has written them past the program")
@pytest.mark.parametrize(
    "change",
    [
        "holds SET confirm_by = '2026-12-01T00:00:00'",
        "holds SET provisional_until = '2026-12-01T00:00:00'",
        "recordings SET opened_at = '2026-11-25T10:41:00'",
        "purposes SET expires_on = '9999-12-31', at_end = 'review'",
    ],
)
def test_one_row_that_nobody_can_read_is_told_and_keeps_no_other_from_its_day(desk: Scene, change: str) -> None:
    bad, *others = (desk.closed(DOCUMENTATION, TRAINING) for _ in range(3))
    desk.commit(PlaceHold("h", bad, HoldBy.PARTY, "mette", AT, None, "x"), recording=bad)
    with desk.archive.catalog.writing() as tx:
        # One purpose is due as before, so that the sweep comes to it.
        tx.connection.exec_driver_sql(
            f"UPDATE {change} WHERE recording = ?" + " AND purpose = 'training'" * ("purposes" in change), (bad,)
        )
    for dry_run in (True, False):
        done = sweep(desk.archive, LATER, clock=LATER, witness=LATER, dry_run=dry_run)
        assert {one.recording for one in done if one.what is Swept.DISCARDED} == {*others}
        assert [one.what for one in done if one.recording == bad] == [Swept.UNREADABLE]
    assert desk.archive.vault.recordings() == [bad]
    assert waiting(desk.archive, LATER).holds_overdue == 0
    assert standing(desk.archive, LATER) == []
