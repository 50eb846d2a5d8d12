"""The exhaustive walk: every event in every reachable state, the *Never* list proved, and planted faults found.

Three circles. *Around*: the first states of every call, with every event. *Through*: to the end of what the commonest events
reach, one thing out of the ordinary at a time. *Whole* (only behind `make torture`): every event, to the page's bounds.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.domain import walk
from tests.domain.walk import Bounds, Walked
from tests.domain.walk_faults import FAULTS, Fault
from tests.domain.walk_scenes import SCENES

NEAR = Bounds(pauses=1, recordings=1, holds=1, waiting=0, together=False, opt_out_key="*")
AROUND = replace(NEAR, states=200)
THROUGH = replace(NEAR, few=True)
FAILING = replace(THROUGH, waiting=2, states=2500)
WHOLE = Bounds(pauses=2, recordings=2, holds=2, waiting=1)

Property = Callable[[str, object], None]


def proved(walked: Walked, record_property: Property) -> None:
    print(walked)
    record_property("states", walked.states)
    record_property("transitions", walked.transitions)
    assert walked.broken is None, f"{walked.broken}\n" + "\n".join(map(str, walked.path))
    assert walked.transitions > walked.states > 1


@pytest.mark.parametrize("name", SCENES)
def test_no_event_in_the_first_states_does_what_must_never_happen(name: str, record_property: Property) -> None:
    proved(walk.walk(SCENES[name], AROUND, walk.real_step), record_property)


@pytest.mark.parametrize("name", ["N2", "N3", "N4", "N6", "N7"])
def test_no_way_through_a_call_does_what_must_never_happen(name: str, record_property: Property) -> None:
    proved(walk.walk(SCENES[name], THROUGH, walk.real_step), record_property)


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("bounds", [THROUGH, NEAR, WHOLE], ids=["through", "near", "whole"])
@pytest.mark.parametrize("name", SCENES)
def test_no_event_in_any_reachable_state_does_what_must_never_happen(
    name: str, bounds: Bounds, record_property: Property
) -> None:
    proved(walk.walk(SCENES[name], bounds, walk.real_step), record_property)


@pytest.mark.parametrize("planted", FAULTS, ids=str)
def test_the_walk_finds_a_planted_fault(planted: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)
    hunts = (walk.walk(SCENES[planted.scene], bounds, walk.real_step) for bounds in (AROUND, FAILING, THROUGH))
    found = next((walked for walked in hunts if walked.broken is not None), None)
    assert found is not None, f"{planted} survived"
    print(f"{planted}: {found.broken}, after {found.transitions:,} transitions")


def test_there_are_faults_for_every_line_of_the_list() -> None:
    assert {it.line for it in FAULTS} == set(range(1, 8))
    assert len(FAULTS) >= 20
    assert len({it.name for it in FAULTS}) == len(FAULTS)
