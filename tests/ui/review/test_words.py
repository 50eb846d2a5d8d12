"""How a recording is told of, and what somebody means who types a name or a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from softphone.archive.review.sample import SampleRow
from softphone.domain.purpose import Language
from softphone.texts import Texts
from softphone.ui.review import words
from tests.ui.review.team import RESOURCES, ZONE

NOW = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
DANISH, ENGLISH = (Texts(RESOURCES / "translations", language, ZONE) for language in Language)
ROW = SampleRow("r", "anna.l@x", "salg", NOW, 372, ZONE, date(2027, 1, 25), None, 0)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("anna.larsen@nordlys.example", "Anna Larsen"),
        ("anna.l@nordlys.example", "Anna L."),
        ("søren-æble@x", "Søren Æble"),
        ("204@pbx.nordlys.example", "204"),
        ("line3@x", "line3"),
        ("+4570102037@pbx.example", "+45 70 10 20 37"),
    ],
)
def test_an_address_is_read_as_a_name_where_it_is_one(address: str, name: str) -> None:
    assert words.agent_name(address) == name


def test_only_a_name_has_a_first_name() -> None:
    assert [words.first_name(one) for one in ("anna.larsen@x", "204@x", "")] == ["Anna", "", ""]


def test_when_a_call_was_is_told_as_one_would_in_the_zone_of_its_policy() -> None:
    def told(back: timedelta, texts: Texts = DANISH) -> str:
        return words.when(texts, replace(ROW, opened_at=NOW - back), NOW)

    assert told(timedelta()) == "I dag 11.41"
    assert told(timedelta(hours=11, minutes=42)) == "I går 23.59"
    assert told(timedelta(days=5)) == "20. nov. 11.41"
    assert told(timedelta(days=400)) == "21. okt. 2025 12.41"
    assert told(timedelta(days=1), ENGLISH) == "Yesterday 11:41"


def test_the_days_that_are_left_are_counted_to_the_day_it_goes() -> None:
    assert words.left(DANISH, ROW, NOW) == "61 dage"
    assert words.left(DANISH, replace(ROW, expires_on=date(2026, 11, 26)), NOW) == "1 dag"
    assert words.left(DANISH, replace(ROW, expires_on=date(2026, 11, 25)), NOW) == "udløber i dag"
    assert words.left(DANISH, replace(ROW, expires_on=None), NOW) == ""


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("i dag", date(2026, 11, 25)),
        ("I går", date(2026, 11, 24)),
        ("yesterday", date(2026, 11, 24)),
        ("20. nov.", date(2026, 11, 20)),
        ("20 november", date(2026, 11, 20)),
        ("20/11", date(2026, 11, 20)),
        ("20.11.26", date(2026, 11, 20)),
        ("20-11-2025", date(2025, 11, 20)),
        ("2026-11-20", date(2026, 11, 20)),
        ("24. dec", date(2025, 12, 24)),
    ],
)
def test_a_day_is_understood_as_people_write_it_and_is_one_of_the_past(typed: str, day: date) -> None:
    found = words.searched(typed, DANISH, NOW, ZONE)
    assert found.since is not None
    assert found.until is not None
    assert found.agent == ""
    assert (found.since.date(), found.since.hour, found.until - found.since) == (day, 0, timedelta(days=1))


@pytest.mark.parametrize("typed", ["anna", "204", "31/2", "anna 20"])
def test_anything_else_is_a_part_of_an_agent(typed: str) -> None:
    found = words.searched(f"  {typed.upper()} ", DANISH, NOW, ZONE)
    assert (found.agent, found.since) == (typed, None)


def test_a_length_is_told_shortly_and_to_a_screen_reader_in_words() -> None:
    assert [words.length(seconds) for seconds in (5, 125, 3725)] == ["0:05", "2:05", "1:02:05"]
    assert words.spoken_length(DANISH, 372) == "6 minutter 12 sekunder"
    assert words.spoken_length(ENGLISH, 61) == "1 minute 1 second"
