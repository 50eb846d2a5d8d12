"""The figures of the sample, and what they say of its size."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from softphone.archive.retention.sweep import sweep
from softphone.archive.review.panel import Figures, Verdict, figures
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import Reason
from tests.archive.review.calls import JONAS, answered, reviewable
from tests.archive.scene import AT, TRAINING, Scene


def of_sales(desk: Scene, days: int = 0, capacity: int | None = None) -> Figures:
    return figures(desk.archive, ("salg",), (), AT + timedelta(days=days), capacity=capacity)


@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
@pytest.mark.rule("G35")
def test_the_panel_tells_what_became_of_the_sample_and_whether_its_size_fits(desk: Scene) -> None:
    call, *_ = [answered(desk) for _ in range(4)]
    declined = {"purpose": TRAINING, "reason": Reason.DECLINED_BY_VOICE}
    desk.commit(entries=(AuditEntry("purpose_ended", "G31", AT, call, params=declined),))
    seen, *_ = [reviewable(desk) for _ in range(2)] + [reviewable(desk, at=AT + timedelta(days=1))]
    reviewable(desk, of="support", agent=JONAS)
    mark_reviewed(desk.archive, seen, "lead-1", AT)
    assert of_sales(desk) == Figures(
        drawn=4,
        recorded=3,
        declined=1,
        waiting=2,
        reviewed=1,
        expired_unseen=0,
        reviewed_a_week=1.0,
        oldest_expires=date(2027, 2, 25),
        verdict=Verdict.FITS,
    )
    assert figures(desk.archive, (), (JONAS,), AT).waiting == 1
    assert figures(desk.archive, ("support", "salg"), (JONAS,), AT).recorded == 1
    assert figures(desk.archive, (), (), AT).verdict is Verdict.NONE


@pytest.mark.rule("G33")
def test_more_than_can_be_reviewed_in_time_is_too_many(desk: Scene) -> None:
    for _ in range(3):
        reviewable(desk)
    assert of_sales(desk, 85, capacity=3).verdict is Verdict.FITS
    assert of_sales(desk, 85, capacity=2).verdict is Verdict.TOO_MANY
    # Nobody has said how many, and nobody has reviewed any yet.
    assert (of_sales(desk, 85).verdict, of_sales(desk, 85).waiting) == (Verdict.UNREVIEWED, 3)


@pytest.mark.rule("G33")
def test_what_expired_unseen_says_that_the_sample_is_larger_than_what_is_used(desk: Scene) -> None:
    reviewable(desk)
    over = AT + timedelta(days=92)
    sweep(desk.archive, over, clock=over, witness=over)
    told = of_sales(desk, 92, capacity=50)
    assert (told.verdict, told.expired_unseen, told.waiting, told.recorded) == (Verdict.UNSEEN, 1, 0, 0)
    # By the month in which it expired: it is spoken of for as long as the months are looked at.
    assert of_sales(desk, 150).verdict is Verdict.UNSEEN
    assert of_sales(desk, 200).verdict is Verdict.NONE


def test_the_pace_is_that_of_four_weeks_or_of_those_since_the_first_review(desk: Scene) -> None:
    def review(count: int, day: int) -> None:
        for _ in range(count):
            mark_reviewed(desk.archive, reviewable(desk, of="salg"), "lead-1", AT + timedelta(days=day))

    review(3, 0)
    assert of_sales(desk, 0).reviewed_a_week == 3.0
    assert of_sales(desk, 13).reviewed_a_week == 1.5
    review(1, 20)
    assert of_sales(desk, 27).reviewed_a_week == 1.0
    assert of_sales(desk, 28).reviewed_a_week == 0.25
    assert of_sales(desk, 80).reviewed_a_week == 0.0
