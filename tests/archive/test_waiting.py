"""What waits for data protection, told in counts and days to whoever looks after the machine: `archive health` and `doctor`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.examine.health import waiting
from softphone.archive.retention import holding, judging
from softphone.archive.retention.sweep import sweep
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from tests.archive.holds import raise_hold
from tests.archive.judged import to_judge
from tests.archive.people import House
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING
from tests.days import house_day

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.rule("G10")
def test_health_and_doctor_tell_how_much_waits_and_since_when_and_nothing_of_a_call(home: House) -> None:
    archive, now = home.desk.archive, datetime.now(UTC)
    it = home.person("it")
    assert {name: json.loads(it.does("archive", "health", "--json").out)[name] for name in WAITS} == {
        "to_judge": 0,
        "judge_before": None,
        "holds_overdue": 0,
        "holds_due": None,
    }
    # Three months ago and some days: both purposes of the one, one of the other.
    first = to_judge(home.desk, DOCUMENTATION, TRAINING, at=now - timedelta(days=110))
    second = to_judge(home.desk, DOCUMENTATION, at=now - timedelta(days=100))
    sweep(archive, now - timedelta(days=5), clock=now - timedelta(days=5), witness=now - timedelta(days=5))
    late, in_time = (home.recorded(DOCUMENTATION) for _ in range(2))
    for recording, days in ((late, 40), (late, 35), (in_time, 20)):
        at = now - timedelta(days=days)
        raise_hold(archive, recording, HoldBy.PARTY, f"{days} days ago", "mette", at)

    listed = list(judging.waiting(archive, now))
    assert {one.recording for one in listed} == {first, second}
    assert len(listed) == 3
    due = min(one.judge_by for one in listed).isoformat()
    overdue = house_day(now - timedelta(days=10)).isoformat()
    told = json.loads(it.does("archive", "health", "--json").out)
    assert {name: told[name] for name in WAITS} == {
        "to_judge": 3,
        "judge_before": due,
        "holds_overdue": 2,
        "holds_due": overdue,
    }
    shown = it.does("archive", "health").out
    assert "Waiting to be judged" in shown
    doctor = it.does("doctor").out
    assert f"· 3 decisions are due from data protection, the first by {due};" in doctor
    assert (
        f"· 2 holds and requests for access should have been decided by data protection, the first by {overdue}"
        in doctor
    )
    for text in (shown, doctor, json.dumps(told)):
        assert not [one for one in (first, second, late, in_time, NUMBER, "salg", "mette", "ago") if one in text]

    # What is decided waits no longer.
    archive.store = home.desk.only(KeyRole.CUSTODY)
    for recording in (first, second):
        judging.let_go(archive, recording, now)
    for one in holding.standing(archive, now):
        holding.confirm(archive, one.hold.hold, house_day(now + timedelta(days=90)), now)
    left = waiting(archive, now)
    assert (left.to_judge, left.judge_before, left.holds_overdue, left.holds_due) == (0, None, 0, None)


WAITS = ("to_judge", "judge_before", "holds_overdue", "holds_due")
