"""A year of calls on six lines: what holds for one call holds for ten thousand, and what holds on a day for every day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from plugins.datatilsynet.rules import decision_for
from softphone.domain.decision import Decision, Facts
from softphone.domain.policy import Line, Period
from softphone.domain.retention import expires_on, has_expired, is_kept
from softphone.domain.sampling import SampleRun, free_place, is_drawn
from tests.domain import year
from tests.domain.year import Told, Year
from tests.domain.year_call import Behaviour


def holds(told: Told) -> None:
    """The year itself checks every call and every day; this is that there was something to check."""
    assert set(told.kinds) == set(Behaviour)
    assert told.answered > told.calls * 0.8
    assert told.blocks > told.calls / 30
    assert told.stopped > told.calls / 100
    assert told.reviewed > told.unseen > 0
    assert max(told.fullest.values()) == 1
    assert told.gone > told.left > told.kept_by_hold > 0


@pytest.mark.rule("G10")
@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
@pytest.mark.rule("G36")
def test_a_year_of_ten_thousand_calls_keeps_every_rule() -> None:
    holds(Year(10_000, seed=27).run())


@pytest.mark.rule("G34")
def test_calls_of_one_kind_go_one_way_whichever_of_them_it_is() -> None:
    each = Year(600, seed=4, every=True).run()
    assert each == Year(600, seed=4).run()
    assert each.recordings > 200


@pytest.mark.torture
def test_a_year_of_twenty_thousand_calls_each_stepped_by_itself_keeps_every_rule() -> None:
    holds(Year(20_000, seed=0, every=True).run())


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(1, 5))
def test_a_year_of_a_hundred_thousand_calls_keeps_every_rule(seed: int) -> None:
    holds(Year(100_000, seed=seed).run())


FAULTS: dict[str, tuple[str, str, Callable[..., Any]]] = {}


def fault(what: str, name: str, found: str) -> Callable[[Callable[..., Any]], None]:
    """Instead of `name` as the year knows it; `found` is what it is then found by."""

    def plant(wrong: Callable[..., Any]) -> None:
        FAULTS[what] = name, found, wrong

    return plant


@fault("reviewers never have enough", "reviewers_have_enough", "more waits than")
def _(_waiting: Any, _new: int, _capacity: int) -> bool:
    return False


@fault("training for calls that were not drawn", "decision_for", "more waits than")
def _(facts: Facts, line: Line, *, drawn: bool) -> Decision:
    return decision_for(facts, line, drawn=True)


@fault("a day too long", "has_expired", "gone too early, or kept too long")
def _(on: date, now: datetime, zone: str) -> bool:
    return has_expired(on + timedelta(days=1), now, zone)


@fault("a day too short", "expires_on", "gone too early, or kept too long")
def _(at: datetime, period: Period, zone: str) -> date:
    return expires_on(at, period, zone) - timedelta(days=1)


@fault("holds do not keep", "is_kept", "gone too early, or kept too long")
def _(stand: Any, _holds: Any, *, now: datetime) -> bool:
    return is_kept(stand, (), now=now)


@fault("a hold of ours never lapses", "is_kept", "gone too early, or kept too long")
def _(stand: Any, holds: Any, *, now: datetime) -> bool:
    return bool(holds) or is_kept(stand, holds, now=now)


@fault("a coin for each call", "is_drawn", "the share of a block")
def _(run: SampleRun, place: int) -> bool:
    return (run.seed[place % 32] + place) % 10 == 0


@fault("one too many in a thousand", "is_drawn", "the share of a block")
def _(run: SampleRun, place: int) -> bool:
    return is_drawn(run, place) or place == 20


@fault("one place for two calls", "free_place", "one place for two calls")
def _(run: SampleRun, _held: Any = ()) -> int:
    return free_place(run)


@fault("a place that came to nothing is lost", "free_place", "one place for two calls")
def _(run: SampleRun, held: Any = ()) -> int:
    return free_place(run, held) + bool(held)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, found, wrong = FAULTS[fault]
    monkeypatch.setattr(year, name, wrong)
    with pytest.raises(AssertionError, match=found):
        Year(6_000, seed=3).run()
