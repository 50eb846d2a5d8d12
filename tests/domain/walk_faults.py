"""Faults to plant in `step`, each a small patch with a name and the line of the *Never* list that it breaks.

A walk that does not find one of them is worth nothing; `test_session_walk_faults` plants them one by one. They are in
`walk_faults_told`, `walk_faults_kept` and `walk_faults_done`, by line.
"""

# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Purpose
from softphone.domain.session import segments, stepping
from softphone.domain.session import state as st
from softphone.domain.session.state import State
from softphone.domain.session.turn import Turn
from tests.domain import walk
from tests.domain.walk_scenes import Start

Patch = Callable[[pytest.MonkeyPatch], None]
DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING


@dataclass(frozen=True)
class Fault:
    line: int
    name: str
    scene: str
    plant: Patch
    start: Start = Start.RECORDED
    """where to look first"""

    def __str__(self) -> str:
        return f"{self.line}: {self.name}"


FAULTS: list[Fault] = []


def fault(line: int, name: str, scene: str, start: Start = Start.RECORDED) -> Callable[[Patch], Patch]:
    def add(plant: Patch) -> Patch:
        FAULTS.append(Fault(line, name, scene, plant, start))
        return plant

    return add


def ignored(line: int, name: str, scene: str, event: type[e.Event]) -> None:
    """The event is ignored altogether."""
    FAULTS.append(Fault(line, name, scene, lambda mp: mp.setitem(stepping.ROWS, event, lambda turn, event: None)))


def effects_as(mp: pytest.MonkeyPatch, change: Callable[[f.Effect, e.Event], list[f.Effect]]) -> None:
    """Every effect goes through `change` on its way out."""

    def corrupted(state: State, event: e.Event, now: e.Now) -> tuple[State, tuple[f.Effect, ...]]:
        after, effects = stepping.step(state, event, now)
        return after, tuple(it for effect in effects for it in change(effect, event))

    mp.setattr(walk, "real_step", corrupted)


def changes_without(mp: pytest.MonkeyPatch, drop: Callable[[c.Change], bool]) -> None:
    """The session forgets to ask the store for some changes."""
    change = Turn.change
    mp.setattr(Turn, "change", lambda self, *them: change(self, *(it for it in them if not drop(it))))


def wanted_without(mp: pytest.MonkeyPatch, **pauses: object) -> None:
    """A pause stands, and recording does not heed it."""
    wanted = st.wanted
    mp.setattr(segments, "wanted", lambda state: wanted(replace(state, pauses=replace(state.pauses, **pauses))))
