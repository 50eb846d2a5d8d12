"""Lengths of time as a policy writes them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softphone.domain.policy import Period


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P3M", Period(months=3)),
        ("P1Y6M", Period(months=18)),
        ("P2W", Period(days=14)),
        ("P14D", Period(days=14)),
        ("PT8S", Period(seconds=8)),
        ("P1DT1H1M1S", Period(days=1, seconds=3661)),
        ("P0D", Period()),
    ],
)
def test_a_period_is_read_as_iso_8601_writes_it(text: str, period: Period) -> None:
    assert Period.parse(text) == period


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "3M", "P3", "P-3M", "p3m", "P3M ", "P1.5D", "PT8", "P1M2Y", "P101Y", "P٣M", "P3M\n"]
)
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(ValueError):
        Period.parse(text)


@given(st.builds(Period, st.integers(0, 1200), st.integers(0, 9999), st.integers(0, 86_399)))
def test_a_written_period_reads_back_as_itself(period: Period) -> None:
    try:
        assert Period.parse(str(period)) == period
    except ValueError:
        assert period.months / 12 + period.days / 365 > 99


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("start", "text", "end"),
    [
        (date(2026, 11, 25), "P3M", date(2027, 2, 25)),
        (date(2026, 11, 30), "P3M", date(2027, 2, 28)),
        (date(2027, 11, 30), "P3M", date(2028, 2, 29)),
        (date(2026, 12, 31), "P1M", date(2027, 1, 31)),
        (date(2028, 2, 29), "P1Y", date(2029, 2, 28)),
        (date(2026, 1, 31), "P1M1D", date(2026, 3, 1)),
    ],
)
def test_months_are_calendar_months_and_end_on_a_day_that_exists(start: date, text: str, end: date) -> None:
    assert Period.parse(text).after(start) == end


def test_a_length_with_months_is_not_a_fixed_length() -> None:
    assert Period.parse("P1DT2S").length() == timedelta(days=1, seconds=2)
    with pytest.raises(ValueError):
        Period.parse("P1M").length()


@pytest.mark.rule("G36")
@pytest.mark.parametrize(
    ("text", "within"), [("P3M", True), ("P89D", True), ("P90D", False), ("P3M1D", False), ("P2M", True)]
)
def test_three_months_are_never_exceeded_whatever_the_day(text: str, within: bool) -> None:
    assert Period.parse(text).never_longer_than(Period(months=3)) is within


LENGTHS = st.builds(Period, st.integers(0, 13), st.integers(0, 70), st.integers(0, 172_800))


@given(LENGTHS, LENGTHS)
@settings(max_examples=25)
def test_a_period_is_never_longer_than_another_if_it_ends_no_later_from_any_day(one: Period, other: Period) -> None:
    days = [date(2027, 1, 1) + timedelta(days=n) for n in range(731)]
    assert one.never_longer_than(other) is all(one.after(day) <= other.after(day) for day in days)
