"""An end that was asked for: a request that stands is not weakened, and an hour is an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from softphone.engine.leaving import LONGEST, Leaving
from softphone.wire.snapshot import QuitAsked, QuitPhase


def test_a_request_that_stands_is_not_weakened_and_an_hour_is_an_hour() -> None:
    at = [0.0]
    leaving = Leaving(lambda: at[0])

    def phase() -> QuitPhase | None:
        shown: QuitAsked | None = leaving.shown(idle=True, calls=False)
        return shown.phase if shown else None

    assert not leaving.postpone()
    leaving.ask(5)
    at[0] = 4.9
    assert phase() is QuitPhase.DUE
    at[0] = 5.0
    assert phase() is None
    leaving.ask(0)
    leaving.ask(5)
    at[0] = 100.0
    assert phase() is QuitPhase.DUE
    assert leaving.postpone()
    leaving.ask(0)
    at[0] = 100.0 + 3599
    assert phase() is QuitPhase.POSTPONED
    at[0] = 100.0 + 3601
    assert phase() is QuitPhase.DUE


def test_a_request_with_a_time_cannot_be_put_off_beyond_it_and_then_waits_for_calls_alone() -> None:
    began = datetime(2026, 11, 30, 2, tzinfo=UTC)
    at = [0.0]
    leaving = Leaving(lambda: at[0], lambda: began + timedelta(seconds=at[0]))

    def shown(*, idle: bool = True, calls: bool = False) -> QuitAsked | None:
        return leaving.shown(idle=idle, calls=calls)

    half_past = began + timedelta(minutes=30)
    leaving.ask(0, half_past)
    leaving.ask(0, half_past + timedelta(hours=5))
    leaving.ask(0)
    assert shown(idle=False) == QuitAsked(QuitPhase.WAITS, latest=half_past)
    assert leaving.postpone()
    assert shown() == QuitAsked(QuitPhase.POSTPONED, half_past, half_past)
    at[0] = 1799
    assert shown() == QuitAsked(QuitPhase.POSTPONED, half_past, half_past)
    at[0] = 1800
    assert not leaving.postpone()
    assert shown(idle=False) == QuitAsked(QuitPhase.NOW, latest=half_past)
    assert shown(calls=True) == QuitAsked(QuitPhase.WAITS, latest=half_past)
    # A time before or far beyond is no fault, and none that a clock could not show.
    for year, taken in ((1, began), (9999, began + LONGEST)):
        leaving = Leaving(lambda: at[0], lambda: began)
        leaving.ask(5, datetime(year, 1, 1, tzinfo=timezone(timedelta(hours=14))))
        asked = shown()
        assert asked is not None
        assert (asked.latest, asked.stands) == (taken, False)
