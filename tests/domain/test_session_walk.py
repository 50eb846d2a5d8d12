"""The exhaustive walk: every event in every reachable state, the *Never* list proved, and planted faults found.

*Around*: the first states after each stage of every call, with every event. *Through*: what the commonest events reach, one
thing out of the ordinary at a time, to the last state. Behind `make torture`: the same with every event, and *whole*: all the
page's bounds together, which no machine comes to the end of, so for so many states around each stage.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from softphone.domain.purpose import Basis
from tests.domain import walk
from tests.domain.walk import Bounds, Walked
from tests.domain.walk_faults import FAULTS, Fault
from tests.domain.walk_scenes import SCENES, Start

QUICK = ["none", "N1", "N3", "N7 obligation"]

WHOLE = Bounds(pauses=2, recordings=2, holds=2, waiting=1, states=20_000)
AROUND = replace(WHOLE, waiting=2, opt_out_key="*", states=100)
NEAR = Bounds(pauses=1, recordings=1, holds=1, waiting=0, on_the_way=1, together=False, opt_out_key="*")
THROUGH = replace(NEAR, few=True)
CLOSE = replace(THROUGH, together=True, states=400)
HUNTS = (
    replace(AROUND, start=Start.RECORDED),
    replace(NEAR, states=300),
    replace(AROUND, start=Start.HELD),
    replace(AROUND, start=Start.ENDED),
    *(replace(CLOSE, start=start) for start in (Start.HELD, Start.HALF, Start.TOLD, Start.RECORDED)),
)

Property = Callable[[str, object], None]


def proved(walked: Walked, record_property: Property) -> None:
    print(walked)
    record_property("states", walked.states)
    record_property("transitions", walked.transitions)
    assert walked.broken is None, f"{walked.broken}\n" + "\n".join(map(str, walked.path))
    assert walked.transitions > walked.states > 1


def stages() -> list[tuple[str, Start]]:
    """Every stage that a call comes to: what rests on no yes is not asked, and only two yeses can come one by one."""
    out: list[tuple[str, Start]] = []
    for name, scene in SCENES.items():
        yeses = sum(basis is Basis.CONSENT for basis in scene.bases.values())
        needs = {Start.RINGS: True, Start.TOLD: yeses > 0, Start.HALF: yeses > 1}
        out.extend((name, it) for it in Start if needs.get(it, bool(scene.bases)))
    return out


@pytest.mark.parametrize("name", QUICK)
def test_no_way_through_a_call_does_what_must_never_happen(name: str, record_property: Property) -> None:
    walked = walk.walk(SCENES[name], THROUGH, walk.real_step)
    proved(walked, record_property)
    assert walked.whole


@pytest.mark.parametrize(("name", "start"), stages(), ids=lambda it: it)
def test_no_event_around_a_stage_of_the_call_does_what_must_never_happen(
    name: str, start: Start, record_property: Property
) -> None:
    proved(walk.walk(SCENES[name], replace(AROUND, start=start), walk.real_step), record_property)


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("bounds", [THROUGH, NEAR], ids=["few events", "every event"])
@pytest.mark.parametrize("name", SCENES)
def test_nothing_one_thing_beside_the_ordinary_does_what_must_never_happen(
    name: str, bounds: Bounds, record_property: Property
) -> None:
    walked = walk.walk(SCENES[name], bounds, walk.real_step)
    proved(walked, record_property)
    assert walked.whole


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("name", "start"), stages(), ids=lambda it: it)
def test_no_event_in_any_state_far_around_does_what_must_never_happen(
    name: str, start: Start, record_property: Property
) -> None:
    proved(walk.walk(SCENES[name], replace(WHOLE, start=start), walk.real_step), record_property)


@pytest.mark.parametrize("planted", FAULTS, ids=str)
def test_the_walk_finds_a_planted_fault(planted: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)
    likely = sorted(HUNTS, key=lambda bounds: bounds.start is not planted.start)
    hunts = (walk.walk(SCENES[planted.scene], bounds, walk.real_step) for bounds in likely)
    found = next((walked for walked in hunts if walked.broken is not None), None)
    assert found is not None, f"{planted} survived"
    print(f"{planted}: {found.broken}, after {found.transitions:,} transitions")


def test_there_are_faults_for_every_line_of_the_list() -> None:
    assert all(sum(it.line == line for it in FAULTS) >= 2 for line in range(1, 8))
    assert len(FAULTS) >= 20
    assert len({it.name for it in FAULTS}) == len(FAULTS)
