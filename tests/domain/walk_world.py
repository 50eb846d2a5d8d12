"""What there is while a session is stepped, and what has happened: the walk's own, smaller account of a call. No rule is here.

`walk_account` tells what an event says of the party, `walk_store` carries effects out, `walk_never` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Language, Purpose, Reason
from tests.domain.walk_scenes import BALANCED, CONSENT, TRAIN, Scene

Purposes = frozenset[Purpose]
NONE: Purposes = frozenset()
RULES = frozenset(
    [f"G{n:02}" for n in (*range(1, 12), 13, *range(20, 24), *range(30, 40))]
    + [f"L{n}" for n in range(1, 6)]
    + [f"N{n}" for n in range(1, 9)]
)
REFUSAL, NO_FAULT = "refusal", "no fault of the hold"
REASONS = frozenset(Reason)
T = TypeVar("T")


def replace(it: T, **parts: object) -> T:
    """`dataclasses.replace` for what has a dictionary, several times as fast: the walk does little else."""
    new = object.__new__(type(it))
    new.__dict__.update(it.__dict__)
    new.__dict__.update(parts)
    return new


class Broken(AssertionError):  # noqa: N818
    """A line of the *Never* list is broken: `line`, and how."""

    def __init__(self, line: int, how: str) -> None:
        super().__init__(f"Never {line}: {how}")
        self.line = line


@dataclass(frozen=True)
class Kept:
    """One recording as the store has it, and as it should be."""

    id: str
    sealed: Purposes = NONE
    """what any of its talk was recorded for"""
    taken: Purposes = NONE
    """of these, what was taken back"""
    wraps: Purposes = NONE
    """who can open it now, custody aside"""
    withheld: Purposes = NONE
    holds: frozenset[str] = frozenset()
    undecided: Purposes = NONE
    """what grounds were given against, for custody to decide (G32)"""
    custody_only: bool = False
    last_taken_by: str = ""
    discarded: bool = False
    closed: bool = False
    sampled: bool = False


@dataclass(frozen=True)
class Dispute:
    agent: str
    by: HoldBy
    armed: bool = True
    last: bool = True
    """the last one raised: it alone can be undone"""


@dataclass(frozen=True)
class Sent:
    """A transaction on its way. `overtaken`: wraps that a later one takes away again, since the store keeps their order;
    `ended`: of these, the ones that come not back with a hold lifted.
    """

    ticket: int
    commit: c.Commit
    overtaken: frozenset[tuple[str, Purpose]] = frozenset()
    ended: frozenset[tuple[str, Purpose]] = frozenset()


@dataclass(frozen=True)
class World:
    scene: Scene
    # what is there
    sound: str = ""
    mic: bool | None = None
    running: tuple[str, Purposes] | None = None
    holding: str | None = None
    timers: frozenset[e.Timer] = frozenset()
    kept: tuple[Kept, ...] = ()
    sent: tuple[Sent, ...] = ()
    opened: tuple[tuple[str, int, Purposes, Purposes], ...] = ()
    owed: tuple[c.Commit, ...] = ()
    failed: bool = False
    missing: bool = False
    """a failure kept talk from being recorded that could have been"""
    # what happened
    stage: str = "new"
    person: bool = True
    told: bool = False
    essentials: bool = False
    readable: bool = False
    at_question: bool = False
    vouched: Purposes = NONE
    carried: Purposes = NONE
    """yeses said to an exchange before us"""
    joined: bool = False
    """a newcomer has heard nothing of what an exchange has told"""
    puzzled: bool = False
    """not understood, and not told anew"""
    newcomer: bool = False
    before: tuple[Purposes, Purposes] | None = None
    """yeses and open questions from before somebody joined by phone, who may leave untold"""
    asked_newcomer: bool = False
    open: Purposes = NONE
    time_up: bool = False
    pressed: tuple[Purpose, ...] = ()
    remembered: Purposes = NONE
    yes: Purposes = NONE
    no: Purposes = NONE
    final: Purposes = NONE
    """of `no`, what was not the party's own refusal: it cannot ask for it anew"""
    unanswered: Purposes = NONE
    asked_again: Purposes = NONE
    """once more by the agent, and never again"""
    held_up: bool = False
    """held from the first moment: nobody has been told yet"""
    began: Purposes = NONE
    pauses: frozenset[str] = frozenset()
    unheard: bool = False
    """nothing has come from the party since the answer"""
    lost: bool = False
    """nothing has for long"""
    half: bool = False
    """somebody else has come to the phone while the notice plays, and has not heard its beginning"""
    wanted_digits: bool = False
    tail: str = ""
    objected: bool = False
    unclear: bool = False
    """it objected by a key, and has not said what it meant: recording waits"""
    disputes: tuple[Dispute, ...] = ()
    complaint: str = ""
    last_ticket: int = 0
    language: Language = Language.DA
    signal: f.RecordSignal = f.RecordSignal.OFF
    warned: bool = False
    """a tone has just told both that the call is recorded"""

    # --- what may be ---------------------------------------------------------------------------

    @property
    def planned(self) -> Purposes:
        return frozenset(self.scene.bases) if self.stage != "new" else NONE

    @property
    def live(self) -> Purposes:
        return self.planned - self.no - self.unanswered

    def needs_yes(self, purpose: Purpose) -> bool:
        return self.scene.bases.get(purpose) is CONSENT

    @property
    def silent(self) -> bool:
        gone = {"no_sound"} if not self.unheard else frozenset[str]()
        return bool(self.pauses & {"held", "sensitive", "no_agent", "consulting", "source_changed", *gone})

    @property
    def may(self) -> Purposes:
        """What may be recorded now."""
        if not self.told or self.stage != "talking" or self.pauses - {"no_desk"}:
            return NONE
        out = frozenset(p for p in self.live if not self.needs_yes(p) or p in self.yes)
        if "no_desk" in self.pauses and self.scene.bases.get(TRAIN) in BALANCED:
            out -= {TRAIN}
        return out

    def recording(self, name: str) -> Kept | None:
        return next((it for it in self.kept if it.id == name), None)


def with_kept(world: World, it: Kept) -> World:
    return replace(world, kept=tuple(it if it.id == other.id else other for other in world.kept))
