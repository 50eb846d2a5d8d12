"""Review mode in calendar days: when a purpose is to be judged, until when, and how long it may be kept again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from softphone.domain.changes import DISPUTED_BY, HoldBy
from softphone.domain.policy.period import Period
from softphone.domain.retention import Due, answer_by, due, expires_on, judge_by, keep_at_most, local_day

DAY = date(2027, 2, 28)
days = st.dates(date(2020, 1, 1), date(2060, 1, 1))
lengths = st.builds(Period, months=st.integers(0, 24), days=st.integers(1, 400))
zones = st.sampled_from(
    ["Europe/Copenhagen", "UTC", "America/Nuuk", "Pacific/Auckland", "Pacific/Kiritimati", "Atlantic/Faroe"]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("today", "by", "found"),
    [
        (DAY - timedelta(days=1), None, Due.NOT_YET),
        (DAY - timedelta(days=1), DAY + timedelta(days=30), Due.NOT_YET),
        (DAY, None, Due.ENDS),
        (DAY, DAY + timedelta(days=30), Due.TO_JUDGE),
        (DAY + timedelta(days=29), DAY + timedelta(days=30), Due.TO_JUDGE),
        (DAY + timedelta(days=30), DAY + timedelta(days=30), Due.NOT_JUDGED),
        (DAY + timedelta(days=900), DAY + timedelta(days=30), Due.NOT_JUDGED),
    ],
)
def test_a_purpose_ends_on_its_day_or_is_judged_from_then_on_until_another(
    today: date, by: date | None, found: Due
) -> None:
    assert due(DAY, today, judge_by=by) is found
    assert due(None, today, judge_by=by) is Due.NOT_YET


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("recorded", "retention", "within", "ends", "unjudged"),
    [
        # A leap year's last of February, and a month after it.
        ("2027-11-30T10:00:00+00:00", "P3M", "P30D", date(2028, 2, 29), date(2028, 3, 30)),
        ("2026-11-30T10:00:00+00:00", "P3M", "P30D", date(2027, 2, 28), date(2027, 3, 30)),
        # Five years from a 29th of February.
        ("2028-02-29T12:00:00+00:00", "P5Y", "P14D", date(2033, 2, 28), date(2033, 3, 14)),
        # Half an hour before midnight in UTC is the next day in Copenhagen.
        ("2026-12-31T23:30:00+00:00", "P1M", "P7D", date(2027, 2, 1), date(2027, 2, 8)),
        # The weeks in which summer time begins and ends.
        ("2027-02-28T12:00:00+00:00", "P1M", "P1D", date(2027, 3, 28), date(2027, 3, 29)),
        ("2027-09-30T21:30:00+00:00", "P1M", "P1D", date(2027, 10, 30), date(2027, 10, 31)),
    ],
)
def test_the_days_to_judge_count_from_the_purpose_s_own_day_or_the_later_one_of_its_listing(
    recorded: str, retention: str, within: str, ends: date, unjudged: date
) -> None:
    day = expires_on(datetime.fromisoformat(recorded), Period.parse(retention), "Europe/Copenhagen")
    assert day == ends
    assert judge_by(day, Period.parse(within), listed_on=day) == unjudged
    assert judge_by(day, Period.parse(within), listed_on=datetime.fromisoformat(recorded).date()) == unjudged
    late = unjudged + timedelta(days=100)
    assert judge_by(day, Period.parse(within), listed_on=late) == Period.parse(within).after(late)


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("judged", "retention", "last"),
    [
        (date(2027, 11, 30), "P3M", date(2028, 2, 29)),
        (date(2028, 2, 29), "P1Y", date(2029, 2, 28)),
        (date(2027, 1, 31), "P1M", date(2027, 2, 28)),
        (date(2027, 2, 28), "P90D", date(2027, 5, 29)),
    ],
)
def test_it_may_be_kept_as_long_as_its_own_period_again(judged: date, retention: str, last: date) -> None:
    assert keep_at_most(judged, Period.parse(retention)) == last


@pytest.mark.rule("G10")
@given(ends=days, within=lengths, kept=lengths, after=st.integers(0, 800))
def test_a_purpose_passes_through_its_states_once_and_every_judgement_brings_another(
    ends: date, within: Period, kept: Period, after: int
) -> None:
    by, today = judge_by(ends, within, listed_on=ends), ends + timedelta(days=after)
    order = [Due.NOT_YET, Due.TO_JUDGE, Due.NOT_JUDGED]
    assert order.index(due(ends, today, judge_by=by)) <= order.index(due(ends, today + timedelta(days=1), judge_by=by))
    assert due(ends, today, judge_by=by) is not Due.ENDS
    again = keep_at_most(today, kept)
    assert again > today
    assert due(again, again, judge_by=judge_by(again, within, listed_on=again)) is Due.TO_JUDGE


@pytest.mark.rule("G08")
@example(asked=datetime(2028, 9, 28, 1, tzinfo=UTC), zone="America/Nuuk")  # its last hour comes twice
@given(asked=moments, zone=zones)
def test_a_request_for_access_is_answered_within_a_calendar_month_and_its_last_day_counts(
    asked: datetime, zone: str
) -> None:
    by = answer_by(asked, zone)
    assert by > asked
    assert local_day(by, zone) == Period(months=1).after(local_day(asked, zone))
    assert local_day(by + timedelta(seconds=1), zone) > local_day(by, zone)


@pytest.mark.rule("G08")
@pytest.mark.parametrize(
    ("asked", "by"),
    [
        ("2027-01-31T10:00:00+00:00", "2027-02-28T23:59:59+01:00"),
        ("2027-02-28T22:59:00+00:00", "2027-03-28T23:59:59+02:00"),
        ("2027-09-30T10:00:00+00:00", "2027-10-30T23:59:59+02:00"),
    ],
)
def test_the_month_to_answer_in_ends_with_its_day_where_the_line_is(asked: str, by: str) -> None:
    found = answer_by(datetime.fromisoformat(asked), "Europe/Copenhagen")
    assert found == datetime.fromisoformat(by)
    assert found.astimezone(ZoneInfo("Europe/Copenhagen")).time().hour == 23


def test_a_request_for_access_is_the_party_s_and_no_dispute() -> None:
    assert [one.by_party for one in HoldBy] == [True, False, True]
    assert HoldBy.ACCESS not in DISPUTED_BY
