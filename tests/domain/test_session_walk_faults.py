"""Faults planted in `step`, one by one, and the walk that finds every one of them."""

import pytest

from tests.domain import walk, walk_faults_done, walk_faults_kept, walk_faults_told
from tests.domain.walk_bounds import HUNTS
from tests.domain.walk_faults import FAULTS, Fault
from tests.domain.walk_scenes import SCENES

PLANTED = (walk_faults_told, walk_faults_kept, walk_faults_done)


@pytest.mark.parametrize("planted", FAULTS, ids=str)
def test_the_walk_finds_a_planted_fault(planted: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)
    likely = sorted(HUNTS, key=lambda it: (it.states > 1000, it.start is not planted.start, it.states))
    hunts = (walk.walk(SCENES[planted.scene], bounds, walk.real_step) for bounds in likely)
    found = next((walked for walked in hunts if walked.broken is not None), None)
    assert found is not None, f"{planted} survived"
    assert found.broken is not None
    # A patch that no longer fits the program proves nothing.
    assert not isinstance(found.broken.__cause__, AttributeError | NameError | TypeError | LookupError), found.broken
    print(f"{planted}: {found.broken}, after {found.transitions:,} transitions")


def test_there_are_faults_for_every_line_of_the_list() -> None:
    assert all(sum(it.line == line for it in FAULTS) >= 2 for line in range(1, 9))
    assert len(FAULTS) >= 65
    assert len({it.name for it in FAULTS}) == len(FAULTS)
    assert all(module.__doc__ for module in PLANTED)
