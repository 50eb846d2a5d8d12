"""The exhaustive walk: every event in every reachable state, and the list of what must never happen proved in each
(`walk_never`).

*In every run*: every call to its end in three near walks, and the first states around each stage of it with everything at
once. *Behind `make torture`*: every call within nine sets of bounds, each to its end, and hundreds of states around each
stage. `walk_bounds` says what they are.

How the states are made fewer, and why that loses nothing:

- Times, versions and tickets are no part of a state: `step` compares them only for what a timer's event says.
- Recordings that are discarded, or were opened for and never began, are left out and the others counted anew. So are they in
  a transaction on its way: nothing of the call reaches them again.
- Reasons that do the same (declined by key, by voice, withdrawn …) count as one. So does what the party was told, once
  nothing can be recorded any more. Each such state is stepped into, described and checked all the same (lines 1 to 8); only
  what comes after it is taken from the other. A fault that tells equal states apart could hide there, in what comes next.
- The store answers at once, except in the *late* walks, which have what can go wrong between (line 5, *starts or widens
  waits*).
- Digits wanted do not count where no key can be an answer, nor an absent desk where training rests on no balance of
  interests.

The planted faults are in `test_session_walk_faults`.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.domain import walk
from tests.domain.walk import Bounds, Walked
from tests.domain.walk_bounds import AROUND, FAMILIES, FAR_AROUND, WALKED_ALWAYS, stages
from tests.domain.walk_scenes import SCENES, Start

Property = Callable[[str, object], None]


def proved(walked: Walked, record_property: Property) -> None:
    print(walked)
    record_property("states", walked.states)
    record_property("transitions", walked.transitions)
    record_property("whole", int(walked.whole))
    assert walked.broken is None, f"{walked.broken}\n" + "\n".join(map(str, walked.path))
    assert walked.transitions > walked.states > 1


@pytest.mark.parametrize(("name", "bounds"), WALKED_ALWAYS, ids=[f"{name}, {it.name}" for name, it in WALKED_ALWAYS])
def test_no_way_through_a_call_does_what_must_never_happen(
    name: str, bounds: Bounds, record_property: Property
) -> None:
    walked = walk.walk(SCENES[name], bounds, walk.real_step)
    proved(walked, record_property)
    assert walked.whole


@pytest.mark.parametrize(("name", "start"), stages(), ids=str)
def test_no_event_around_a_stage_of_the_call_does_what_must_never_happen(
    name: str, start: Start, record_property: Property
) -> None:
    proved(walk.walk(SCENES[name], replace(AROUND, start=start), walk.real_step), record_property)


@pytest.mark.torture
@pytest.mark.parametrize(("name", "start"), stages(), ids=str)
def test_nothing_farther_around_a_stage_does_what_must_never_happen(
    name: str, start: Start, record_property: Property
) -> None:
    proved(walk.walk(SCENES[name], replace(FAR_AROUND, start=start), walk.real_step), record_property)


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("bounds", FAMILIES, ids=lambda it: it.name)
@pytest.mark.parametrize("name", SCENES)
def test_nothing_within_the_bounds_does_what_must_never_happen(
    name: str, bounds: Bounds, record_property: Property
) -> None:
    walked = walk.walk(SCENES[name], bounds, walk.real_step)
    proved(walked, record_property)
    assert walked.whole
