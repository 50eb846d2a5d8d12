"""An open request for access holds a recording until the copy is given, whatever else ends meanwhile (G08)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.archive.log.audit import HOLD
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import Swept, sweep
from softphone.domain.changes import DropWraps, HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import HoldState
from tests.archive.holds import raise_hold
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, TRAINING, Scene

LATER = datetime(2027, 3, 1, tzinfo=UTC)
LAST = datetime(2026, 12, 25, 22, 59, 59, tzinfo=UTC)  # of Christmas Day in Copenhagen, a month after the request


def asked(desk: Scene, recording: str, now: datetime = AT) -> str:
    return raise_hold(desk.archive, recording, HoldBy.ACCESS, "by letter", "mette", now)


def swept(desk: Scene, now: datetime) -> list[Swept]:
    return [item.what for item in sweep(desk.archive, now, clock=now, witness=now)]


def last(desk: Scene, recording: str) -> tuple[str, str, dict[str, object]]:
    row = desk.archive.audit_of(recording)[-1]
    return row.event, row.rule, {name: what for name, what in row.params.items() if name != HOLD}


@pytest.mark.rule("G08")
def test_whoever_takes_the_request_locks_what_they_cannot_open(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING)
    with closing(Archive.open(desk.folder, desk.only())) as person:
        (row,) = holding.with_number(person, NUMBER, AT)
        raise_hold(person, row.recording, HoldBy.ACCESS, "by letter", "mette", AT)
    assert last(desk, recording) == ("hold_placed", "G08", {"by": "access"})
    (one,) = holding.standing(desk.archive, AT)
    assert (one.hold.raised_by, one.hold.why, one.state) == ("mette", "by letter", HoldState.UNCONFIRMED)
    assert (one.decide_by, one.hold.confirm_by) == (date(2026, 12, 25), LAST)
    assert desk.archive.find(recording).purposes == (DOCUMENTATION,)
    assert verify(desk.archive).ok


@pytest.mark.rule("G08")
def test_it_is_kept_past_its_day_and_reported_once_a_month_has_passed_without_an_answer(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION)
    hold = asked(desk, recording)
    assert swept(desk, LAST - timedelta(seconds=1)) == []
    assert swept(desk, LAST) == [Swept.ACCESS_OVERDUE]
    assert [one.state for one in holding.standing(desk.archive, LAST)] == [HoldState.OVERDUE]
    # The month is extended (art. 12(3)): custody says until when.
    holding.confirm(desk.archive, hold, date(2027, 2, 25), LAST)
    assert swept(desk, LAST) == []
    assert swept(desk, LATER) == [Swept.PURPOSE_EXPIRED, Swept.ACCESS_OVERDUE]
    with closing(Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))) as officer:
        assert officer.open_recording(recording, LATER).length == RATE
        row = holding.close(officer, hold, [], LATER, answered=date(2027, 3, 1)).row
    assert row.holds == ()
    key = {"key": desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert last(desk, recording) == ("access_answered", "G08", {"answered": "2027-03-01", **key})
    assert swept(desk, LATER) == [Swept.DISCARDED]
    assert verify(desk.archive).ok


@pytest.mark.rule("G04")
@pytest.mark.rule("G08")
def test_a_withdrawal_ends_the_use_for_training_at_once_and_leaves_the_recording_for_its_copy(desk: Scene) -> None:
    recording = desk.closed(TRAINING)
    hold = asked(desk, recording)
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "withdrawn"), Restrict(recording, "hold_only"))
    assert swept(desk, LATER - timedelta(days=70)) == []
    assert desk.archive.find(recording, AT).opens_for == (KeyRole.CUSTODY,)
    row = holding.close(desk.archive, hold, desk.policy_recipients, AT, answered=AT.date()).row
    assert row.opens_for == (KeyRole.CUSTODY,)
    assert Swept.DISCARDED in swept(desk, AT + timedelta(days=1))
    assert [one.recording for one in desk.archive.list(AT)] == []


@pytest.mark.rule("G08")
def test_once_closed_the_original_dates_count_and_training_that_still_stands_comes_back(desk: Scene) -> None:
    recording = desk.closed(DOCUMENTATION, TRAINING)
    hold, dispute = asked(desk, recording), raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "mette", AT)
    for act, code in (
        (lambda: holding.lift(desk.archive, hold, "x", [], AT), "hold_is_access"),
        (lambda: holding.close(desk.archive, dispute, [], AT, answered=AT.date()), "hold_is_dispute"),
        (lambda: holding.close(desk.archive, hold, [], AT, answered=date(2026, 11, 26)), "answered_when"),
        (lambda: holding.close(desk.archive, hold, [], AT, answered=date(2026, 11, 24)), "answered_when"),
    ):
        with pytest.raises(ArchiveError) as refused:
            act()
        assert refused.value.code == f"error.archive.{code}"
    row = holding.close(desk.archive, hold, desk.policy_recipients, AT, reason="withdrawn by the party").row
    key = {"key": desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert last(desk, recording) == ("access_not_answered", "G08", {"why": "withdrawn by the party", **key})
    assert [one.hold for one in row.holds] == [dispute]
    assert row.purposes == (DOCUMENTATION,)
    row = holding.lift(desk.archive, dispute, "settled", desk.policy_recipients, AT).row
    assert row.purposes == (DOCUMENTATION, TRAINING)
    assert row.expires == {DOCUMENTATION: date(2027, 2, 25), TRAINING: date(2027, 2, 25)}
