"""The day a purpose ends, in calendars with short months and summer time, and the one rule of what is kept."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.policy.period import Period
from softphone.domain.retention import (
    Ended,
    HoldStanding,
    expires_on,
    has_expired,
    hold_is_void,
    is_kept,
    local_day,
)

ZONE = "Europe/Copenhagen"
moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from([ZONE, "UTC", "America/Nuuk", "Pacific/Auckland", "America/New_York", "Atlantic/Faroe"])
months = st.integers(1, 120)


@pytest.mark.rule("G36")
@pytest.mark.parametrize(
    ("recorded", "end"),
    [
        ("2026-11-25T10:00:00+00:00", date(2027, 2, 25)),
        ("2026-11-30T10:00:00+00:00", date(2027, 2, 28)),
        ("2027-11-30T10:00:00+00:00", date(2028, 2, 29)),
        ("2026-11-28T23:30:00+00:00", date(2027, 2, 28)),
        ("2026-05-31T21:59:00+00:00", date(2026, 8, 31)),
        ("2026-05-31T22:01:00+00:00", date(2026, 9, 1)),
    ],
)
def test_three_months_are_counted_from_the_day_of_recording_where_the_line_is(recorded: str, end: date) -> None:
    assert expires_on(datetime.fromisoformat(recorded), Period.parse("P3M"), ZONE) == end


@pytest.mark.rule("G36")
@given(at=moments, count=months, zone=zones)
def test_a_period_of_months_ends_on_the_same_day_of_its_month_or_on_that_month_s_last(
    at: datetime, count: int, zone: str
) -> None:
    day = local_day(at, zone)
    end = expires_on(at, Period(months=count), zone)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == count
    assert end.day == min(day.day, calendar.monthrange(end.year, end.month)[1])


@given(at=moments, one=months, more=st.integers(0, 60), zone=zones)
def test_a_longer_period_never_ends_earlier(at: datetime, one: int, more: int, zone: str) -> None:
    assert expires_on(at, Period(months=one), zone) <= expires_on(at, Period(months=one + more), zone)


@given(at=moments, later=st.timedeltas(timedelta(), timedelta(days=400)), count=months, zone=zones)
def test_what_was_recorded_later_never_ends_earlier(at: datetime, later: timedelta, count: int, zone: str) -> None:
    period = Period(months=count)
    assert expires_on(at, period, zone) <= expires_on(at + later, period, zone)


@given(at=moments, days=st.integers(1, 4000), zone=zones)
def test_it_has_expired_from_the_first_moment_of_its_day_and_not_before(at: datetime, days: int, zone: str) -> None:
    end = expires_on(at, Period(days=days), zone)
    noon = datetime(end.year, end.month, end.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert has_expired(end, noon, zone)
    assert not has_expired(end, noon - timedelta(hours=25), zone)
    first = datetime(end.year, end.month, end.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert has_expired(end, first, zone)
    assert not has_expired(end, first - timedelta(seconds=1), zone)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_day_on_which_the_clocks_change_is_one_day(day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    recorded = start - timedelta(days=1)
    assert expires_on(recorded + timedelta(hours=1), Period(days=1), ZONE) == day
    assert not has_expired(day, start - timedelta(minutes=1), ZONE)
    assert has_expired(day, start, ZONE)


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ends = st.lists(st.sampled_from(list(Ended)), max_size=2)
until = st.none() | st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])
hold_lists = st.lists(st.builds(HoldStanding, by_party=st.booleans(), provisional_until=until), max_size=2)


@pytest.mark.rule("G10")
@given(purposes=ends, holds=hold_lists)
def test_a_recording_is_kept_exactly_when_a_purpose_or_a_hold_keeps_it(
    purposes: list[Ended], holds: list[HoldStanding]
) -> None:
    by_purpose = Ended.KEEPS in purposes
    by_hold = any(hold.by_party or hold.provisional_until is None or hold.provisional_until > NOW for hold in holds)
    assert is_kept(purposes, holds, now=NOW) == (by_purpose or by_hold)


def test_the_party_s_hold_is_never_void() -> None:
    assert not hold_is_void(HoldStanding(by_party=True, provisional_until=NOW - timedelta(days=900)), NOW)
    assert hold_is_void(HoldStanding(by_party=False, provisional_until=NOW), NOW)
