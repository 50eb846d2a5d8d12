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
            return person.open_recording(recording, now, role=role).length() == RATE
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
@pytest.mark.parametrize("demo", [True, False])
def test_what_a_demo_s_sweep_of_a_later_day_has_listed_is_judged_as_of_that_day(tmp_path: Path, demo: bool) -> None:
    with scene(tmp_path / "archive", demo=demo) as desk:
        first, second = to_judge(desk, DOCUMENTATION), to_judge(desk, DOCUMENTATION)
        # Today is the day of the call; nothing has come to its own.
        assert list(judging.waiting(desk.archive, AT)) == []
        later = sweep(desk.archive, DAY, clock=AT if demo else DAY, witness=AT if demo else DAY)
        assert {item.recording for item in later} == {first, second}
        if not demo:
            # Elsewhere it is a clock that was set back, and nothing is decided by it.
            assert list(judging.waiting(desk.archive, AT)) == []
            with pytest.raises(ArchiveError):
                judging.let_go(desk.archive, first, AT)
            return
        assert {one.recording for one in judging.waiting(desk.archive, AT)} == {first, second}
        assert judging.outlook(desk.archive, AT) == (2, date(2027, 3, 27))
        until = date(2027, 5, 25)
        assert judging.keep(desk.archive, first, until, "x", desk.policy_recipients, AT).expires == {
            DOCUMENTATION: until
        }
        assert [item.what for item in judging.let_go(desk.archive, second, AT)] == [Swept.DISCARDED]
        assert kept(desk) == [first]
        assert judging.outlook(desk.archive, AT) == (0, None)
        assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_nobody_judged_in_time_is_deleted_and_said_so(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    assert swept(desk, DAY) == [(Swept.TO_JUDGE, DOCUMENTATION)]
    assert [one.recording for one in judging.waiting(desk.archive, LAST)] == [recording]
    assert swept(desk, OVER) == [(Swept.NOT_JUDGED, DOCUMENTATION), (Swept.DISCARDED, None)]
    assert list(judging.waiting(desk.archive, OVER)) == []
    assert kept(desk) == []
    events = [(row.event, row.rule) for row in desk.archive.audit_of(recording)]
    assert events[-3:] == [("sweep_to_judge", "G10"), ("sweep_not_judged", "G10"), ("sweep_discarded", "G10")]
    assert verify(desk.archive).ok


@pytest.mark.rule("G10")
def test_what_nobody_was_told_of_is_listed_first_however_late_and_has_its_days_from_then(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    late = OVER + timedelta(days=200)
    # A machine that was off, a policy that could not be used: nobody has seen it on any list.
    (planned,) = sweep(desk.archive, late, clock=late, dry_run=True)
    assert (planned.what, planned.until) == (Swept.TO_JUDGE, date(2027, 11, 12))
    assert [one.judge_by for one in judging.waiting(desk.archive, late)] == [planned.until]
    assert swept(desk, late) == [(Swept.TO_JUDGE, DOCUMENTATION)]
    assert [(one.recording, one.judge_by) for one in judging.waiting(desk.archive, late)] == [
        (recording, planned.until)
    ]
    assert swept(desk, late + timedelta(days=29)) == []
    assert swept(desk, late + timedelta(days=30)) == [(Swept.NOT_JUDGED, DOCUMENTATION), (Swept.DISCARDED, None)]


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
@pytest.mark.parametrize("until", [ENDED - timedelta(days=1), ENDED, date(2027, 5, 26), date(2037, 1, 1)])
def test_it_is_kept_no_longer_than_its_own_period_again_and_not_until_a_day_that_is_past(
    desk: Scene, until: date
) -> None:
    recording = to_judge(desk, DOCUMENTATION)
    swept(desk, DAY)
    with pytest.raises(ArchiveError) as refused:
        judging.keep(desk.archive, recording, until, "x", desk.policy_recipients, DAY)
    assert (refused.value.code, refused.value.params["last"]) == ("error.archive.keep_until", "2027-05-25")
    assert desk.archive.find(recording, DAY).expires == {DOCUMENTATION: ENDED}
    assert [one.recording for one in judging.waiting(desk.archive, DAY)] == [recording]


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


@pytest.mark.rule("G10")
def test_custody_alone_judges_and_every_refusal_is_in_the_log(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION, TRAINING)
    swept(desk, DAY)
    another = desk.recorded(0.1, DOCUMENTATION, TRAINING, at=DAY)  # what waits for judgement opens for custody alone
    for roles in ((), (KeyRole.DOCUMENTATION,), (KeyRole.TRAINING,), (KeyRole.DOCUMENTATION, KeyRole.TRAINING)):
        person = Archive.open(desk.folder, desk.only(*roles))
        with pytest.raises(ArchiveError) as refused:
            judging.keep(person, recording, date(2027, 4, 1), "x", desk.policy_recipients, DAY)
        assert refused.value.code == "error.archive.only_custody"
        told = {"role": "custody", "why": "no_private_key", "what": "keep", **desk.shown(*roles)}
        assert last(desk, recording) == ("judging_refused", "G11", told)
        with pytest.raises(ArchiveError):
            judging.let_go(person, recording, DAY)
        assert last(desk, recording)[2]["what"] == "delete"
        person.close()
    assert kept(desk) == [another, recording]
    officer = Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))
    judging.let_go(officer, recording, DAY)
    officer.close()
    assert kept(desk) == [another]


@pytest.mark.rule("G10")
def test_a_hold_keeps_what_nobody_judged_and_once_lifted_it_goes_at_the_next_sweep(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION, TRAINING)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "price", "mette", AT)
    holding.confirm(desk.archive, hold, date(2027, 11, 1), AT)
    assert swept(desk, DAY) == [(Swept.TO_JUDGE, DOCUMENTATION), (Swept.TO_JUDGE, TRAINING)]
    assert [one.held for one in judging.waiting(desk.archive, DAY)] == [True, True]
    assert swept(desk, OVER) == [(Swept.NOT_JUDGED, DOCUMENTATION), (Swept.NOT_JUDGED, TRAINING)]
    assert kept(desk) == [recording]
    assert opens(desk, recording, KeyRole.CUSTODY, OVER)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, OVER)
    assert swept(desk, OVER) == [(Swept.DISCARDED, None)]


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_a_hold_that_is_lifted_while_it_waits_leaves_it_to_be_judged_by_its_original_day(desk: Scene) -> None:
    recording = to_judge(desk, TRAINING)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "price", "mette", AT)
    swept(desk, DAY)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, DAY)
    (one,) = judging.waiting(desk.archive, DAY)
    assert (one.ended_on, one.judge_by, one.held) == (ENDED, date(2027, 3, 27), False)
    assert not opens(desk, recording, KeyRole.TRAINING, DAY)
    judging.keep(desk.archive, recording, date(2027, 4, 1), "a course in March", desk.policy_recipients, DAY)
    assert opens(desk, recording, KeyRole.TRAINING, DAY)
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


def test_the_list_is_read_in_pages_oldest_first_and_leaves_nothing_out(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "_PAGE", 1)
    newer = to_judge(desk, DOCUMENTATION, TRAINING)
    older = to_judge(desk, DOCUMENTATION, at=AT - timedelta(days=3))
    found = [(one.recording, one.purpose) for one in judging.waiting(desk.archive, DAY)]
    assert found == [(older, DOCUMENTATION), (newer, DOCUMENTATION), (newer, TRAINING)]


@pytest.mark.rule("G10")
@pytest.mark.rule("G36")
def test_while_it_waits_no_key_but_custody_s_unlocks_it_and_what_is_kept_is_sealed_anew(desk: Scene) -> None:
    recording = to_judge(desk, DOCUMENTATION, TRAINING)
    swept(desk, DAY)
    assert {one.role for one in desk.archive.wraps_of(recording)} == {KeyRole.CUSTODY}
    assert verify(desk.archive).ok
    with pytest.raises(ArchiveError) as refused:
        judging.keep(desk.archive, recording, date(2027, 4, 1), "x", [], DAY)
    assert refused.value.code == "error.archive.no_key_of_purpose"
    assert len(list(judging.waiting(desk.archive, DAY))) == 2
    judging.keep(desk.archive, recording, date(2027, 4, 1), "x", desk.policy_recipients, DAY)
    assert {one.role for one in desk.archive.wraps_of(recording)} == set(KeyRole)
    assert verify(desk.archive).ok
