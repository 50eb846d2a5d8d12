"""Review mode: on its day a recording is listed for custody, who keeps it on or lets it go; else it goes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.examine.verify import verify
from softphone.archive.log.audit import HOLD
from softphone.archive.retention import holding, judging
from softphone.archive.retention.sweep import SweepTerms, Swept, sweep
from softphone.domain.changes import HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.holds import raise_hold
from tests.archive.judged import to_judge
from tests.archive.scene import AT, DOCUMENTATION, RATE, TRAINING, Scene, scene

ENDED = date(2027, 2, 25)
BEFORE = datetime(2027, 2, 24, 22, 59, tzinfo=UTC)
DAY = datetime(2027, 2, 24, 23, 0, tzinfo=UTC)  # midnight in Copenhagen
LAST = datetime(2027, 3, 26, 22, 59, tzinfo=UTC)
OVER = datetime(2027, 3, 26, 23, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        made.archive.clock = lambda: datetime(2028, 1, 1, tzinfo=UTC)
        yield made


def swept(desk: Scene, now: datetime, terms: SweepTerms | None = SweepTerms()) -> list[tuple[Swept, Purpose | None]]:  # noqa: B008
    done = sweep(desk.archive, now, clock=now, witness=now, terms=terms)
    return [(item.what, item.purpose) for item in done]


def kept(desk: Scene) -> list[str]:
    return [row.recording for row in desk.archive.list(AT)]


def last(desk: Scene, recording: str) -> tuple[str, str, dict[str, object]]:
    row = desk.archive.audit_of(recording)[-1]
    return row.event, row.rule, {name: what for name, what in row.params.items() if name != HOLD}


def opens(desk: Scene, recording: str, role: KeyRole, now: datetime) -> bool:
    with closing(Archive.open(desk.folder, desk.only(role))) as person:
        if role in person.find(recording, now).opens_for:
            return person.open_recording(recording, now, role=role).length == RATE
        with pytest.raises(ArchiveError) as refused:
            person.open_recording(recording, now, role=role)
        assert refused.value.code == "error.archive.closed_to_role"
        return False


@pytest.mark.rule("G10")
def test_on_its_day_it_is_listed_and_not_deleted_and_custody_alone_opens_it(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    assert swept(desk, BEFORE) == []
    assert list(judging.waiting(desk.archive, BEFORE)) == []
    assert opens(desk, recording, KeyRole.DOCUMENTATION, BEFORE)

    assert swept(desk, DAY) == [(Swept.TO_JUDGE, DOCUMENTATION)]

    assert last(desk, recording) == (
        "sweep_to_judge",
        "G10",
        {"purpose": "documentation", "since": "2027-02-25", "judge_by": "2027-03-27"},
    )
    (one,) = judging.waiting(desk.archive, DAY)
    assert (one.recording, one.purpose, one.ended_on, one.held) == (recording, DOCUMENTATION, ENDED, False)
    assert (one.judge_by, one.keep_at_most) == (date(2027, 3, 27), date(2027, 5, 25))
    assert not opens(desk, recording, KeyRole.DOCUMENTATION, DAY)
    assert opens(desk, recording, KeyRole.CUSTODY, DAY)
    assert swept(desk, LAST) == []
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_custody_keeps_it_with_a_reason_and_who_could_open_it_can_again_until_it_is_judged_anew(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION, TRAINING)
    assert len(swept(desk, DAY)) == 2
    until = date(2027, 5, 25)

    row = judging.keep(desk.archive, recording, until, "a complaint is expected", desk.policy_recipients, DAY)

    assert row.expires == {DOCUMENTATION: until, TRAINING: until}
    key = {"key": desk.recipients[KeyRole.CUSTODY].key_id[:16]}
    assert last(desk, recording) == (
        "judged_kept",
        "G36",
        {"purpose": "training", "until": "2027-05-25", "why": "a complaint is expected", **key},
    )
    for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING):
        assert opens(desk, recording, role, DAY)
    assert swept(desk, OVER) == []
    again = datetime(2027, 5, 24, 22, 0, tzinfo=UTC)
    assert not opens(desk, recording, KeyRole.TRAINING, again)
    assert swept(desk, again) == [(Swept.TO_JUDGE, DOCUMENTATION), (Swept.TO_JUDGE, TRAINING)]
    judging.keep(
        desk.archive, recording, date(2027, 8, 1), "it came", desk.policy_recipients, again, purpose=DOCUMENTATION
    )
    assert [one.purpose for one in judging.waiting(desk.archive, again)] == [TRAINING]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_nobody_judged_in_time_goes_also_from_under_a_hold_once_that_is_lifted(desk: Scene) -> None:
    held, recording = to_judge(desk, DOCUMENTATION, TRAINING), to_judge(desk, DOCUMENTATION, at=AT - timedelta(days=3))
    hold = raise_hold(desk.archive, held, HoldBy.PARTY, "price", "mette", AT)
    holding.confirm(desk.archive, hold, date(2027, 11, 1), AT)
    assert {what for what, _ in swept(desk, DAY)} == {Swept.TO_JUDGE}
    # Oldest first.
    assert [(one.recording, one.purpose, one.held) for one in judging.waiting(desk.archive, DAY)] == [
        (recording, DOCUMENTATION, False),
        (held, DOCUMENTATION, True),
        (held, TRAINING, True),
    ]
    assert Swept.DISCARDED in {what for what, _ in swept(desk, OVER)}
    assert kept(desk) == [held]
    events = [(row.event, row.rule) for row in desk.archive.audit_of(recording)]
    assert events[-3:] == [("sweep_to_judge", "G10"), ("sweep_not_judged", "G10"), ("sweep_discarded", "G10")]
    assert opens(desk, held, KeyRole.CUSTODY, OVER)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, OVER)
    assert swept(desk, OVER) == [(Swept.DISCARDED, None)]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_nobody_was_told_of_is_listed_first_however_late_and_has_its_days_from_then(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    late = OVER + timedelta(days=200)
    # A machine that was off, a policy that could not be used: nobody has seen it on any list.
    (planned,) = sweep(desk.archive, late, clock=late, dry_run=True)
    assert (planned.what, planned.until) == (Swept.TO_JUDGE, date(2027, 11, 12))
    assert swept(desk, late) == [(Swept.TO_JUDGE, DOCUMENTATION)]
    listed = [(one.recording, one.judge_by) for one in judging.waiting(desk.archive, late)]
    assert listed == [(recording, planned.until)]
    assert swept(desk, late + timedelta(days=29)) == []
    assert swept(desk, late + timedelta(days=30)) == [(Swept.NOT_JUDGED, DOCUMENTATION), (Swept.DISCARDED, None)]


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_it_is_kept_by_its_original_day_no_longer_than_its_own_period_again_and_sealed_anew(desk: Scene) -> None:
    recording = to_judge(desk, TRAINING)
    hold = raise_hold(desk.archive, recording, HoldBy.PARTY, "price", "mette", AT)
    swept(desk, DAY)
    # A hold that is lifted while it waits changes none of its days.
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, DAY)
    (one,) = judging.waiting(desk.archive, DAY)
    assert (one.ended_on, one.judge_by, one.held) == (ENDED, date(2027, 3, 27), False)
    assert {one.role for one in desk.archive.wraps_of(recording)} == {KeyRole.CUSTODY}
    for until, to, code in (
        (ENDED, desk.policy_recipients, "keep_until"),
        (date(2027, 5, 26), desk.policy_recipients, "keep_until"),
        (date(2027, 4, 1), [], "no_key_of_purpose"),
    ):
        with pytest.raises(ArchiveError) as refused:
            judging.keep(desk.archive, recording, until, "x", to, DAY)
        assert refused.value.code == f"error.archive.{code}"
    assert len(list(judging.waiting(desk.archive, DAY))) == 1
    judging.keep(desk.archive, recording, date(2027, 4, 1), "a course in March", desk.policy_recipients, DAY)
    assert opens(desk, recording, KeyRole.TRAINING, DAY)
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_custody_lets_go_is_gone_at_once_and_what_another_purpose_keeps_stays_for_that(desk: Scene) -> None:
    whole, shared = to_judge(desk, DOCUMENTATION), to_judge(desk, DOCUMENTATION, TRAINING)
    wraps = [one.sealed for one in desk.archive.wraps_of(whole)]
    # No sweep has listed them yet: what waits is known by its day.
    judging.let_go(desk.archive, whole, DAY, reason="not needed")
    judging.let_go(desk.archive, shared, DAY, purpose=TRAINING)
    assert kept(desk) == [shared]
    assert not desk.archive.vault.path(whole).exists()
    assert not any(one in desk.pages() for one in wraps)
    assert [row.event for row in desk.archive.audit_of(whole)][-2:] == ["judged_ended", "sweep_discarded"]
    assert [one.purpose for one in judging.waiting(desk.archive, DAY)] == [DOCUMENTATION]
    assert verify(desk.archive).ok


@pytest.mark.rule("G23")
def test_what_a_case_restricts_ends_on_its_day_and_is_not_judged_for_longer(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    desk.commit(Restrict(recording, "objection"))
    assert list(judging.waiting(desk.archive, DAY)) == []
    with pytest.raises(ArchiveError) as refused:
        judging.keep(desk.archive, recording, date(2027, 4, 1), "x", desk.policy_recipients, DAY)
    assert refused.value.code in ("error.archive.nothing_to_judge", "error.archive.closed_to_role")
    assert swept(desk, DAY) == [(Swept.PURPOSE_EXPIRED, DOCUMENTATION), (Swept.DISCARDED, None)]
    assert verify(desk.archive).ok
