"""An exhaustive walk through a session: every event in every reachable state, each step held against `walk_never`.

Time stands still (a timer is stopped, running, or run out by its event). `Bounds` says how far states are expanded; what lies
beyond is stepped into and checked, and not left again. When two states are the same is said in `walk_keys`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace

from softphone.domain import changes as c
from softphone.domain import events as e
from softphone.domain.effects import Effect
from softphone.domain.purpose import Reason
from softphone.domain.session import State, describe
from softphone.domain.session import step as real_step
from softphone.domain.session.pauses import PartySound, Sensitive
from softphone.domain.session.state import CommitKind, InformedPhase, Stage
from softphone.domain.status import Status
from tests.domain.walk_account import happens
from tests.domain.walk_fast import fast, fast_replace
from tests.domain.walk_keys import Key, Keys, shown
from tests.domain.walk_never import asked_first, check
from tests.domain.walk_scenes import BY_PHONE, NOW, Scene, Start, alphabet, way_to
from tests.domain.walk_store import buried, carry_out, settled
from tests.domain.walk_world import Broken, World, replace

Step = Callable[[State, e.Event, e.Now], tuple[State, tuple[Effect, ...]]]


@dataclass(frozen=True)
class Bounds:
    """How far a state is expanded. `pauses`: which ones, and `together` how many that silence the call."""

    name: str = ""
    pauses: frozenset[str] = frozenset()
    together: int = 1
    recordings: int = 1
    holds: int = 0
    digits: bool = False
    """also while the agent wants digits"""
    late: bool = False
    """transactions are on their way for a while, or fail, and so does the recorder; else the store answers at once"""
    told: bool = False
    """only while the party has been told"""
    conference: bool = False
    """somebody joins by phone too, and leaves"""
    without: frozenset[type[e.Event]] = frozenset()
    """events that are not stepped: another set of bounds has them"""
    on_the_way: int = 1
    waiting: int = 1
    states: int = 10_000_000
    opt_out_key: str = "*"
    start: Start = Start.RINGS
    terms: dict[str, object] = field(default_factory=dict[str, object])

    def holds_within(self, state: State) -> bool:
        pauses = state.pauses
        silent = {
            "held": pauses.held,
            "consulting": pauses.consulting,
            "agent_gone": pauses.agent_gone,
            "sensitive": pauses.sensitive is not Sensitive.OFF,
            "no_sound": pauses.sound is not PartySound.THERE,
            "source_changed": pauses.source_changed,
        }
        standing = {name for name, stands in silent.items() if stands}
        kept = sum(not it.discarded for it in state.recordings)
        return (
            standing <= self.pauses
            and len(standing) <= self.together
            and (not pauses.desk_gone or "desk_gone" in self.pauses)
            and kept <= self.recordings
            and sum(not it.void for it in state.holds) <= self.holds
            and (self.digits or not state.digits_wanted)
            and (self.late or state.recorder.failed is None)
            and not (self.told and state.stage is Stage.TALKING and state.informing.phase is not InformedPhase.INFORMED)
            and len(state.unwritten) <= self.waiting
            and sum(it.kind is CommitKind.OPEN for it in state.pending) <= self.on_the_way
        )


@dataclass(frozen=True)
class Node:
    state: State
    world: World
    status: Status
    came: tuple[Node, e.Event] | None = None

    @property
    def path(self) -> list[e.Event]:
        out: list[e.Event] = []
        node: Node = self
        while node.came is not None:
            node, event = node.came
            out.append(event)
        return out[::-1]


@dataclass
class Walked:
    scene: str
    bounds: str
    states: int = 0
    transitions: int = 0
    whole: bool = False
    """nothing within the bounds was left out"""
    broken: Broken | None = None
    path: tuple[e.Event, ...] = ()

    def __str__(self) -> str:
        rest = "" if self.whole else ", not to the end"
        return f"{self.scene:18} {self.bounds:9} {self.states:8,} states {self.transitions:10,} transitions{rest}"


def acknowledgements(state: State) -> Iterator[e.Event]:
    """What the store and the recorder can say in this state. The store keeps the order of what starts or widens."""
    on_the_way = [it for it in state.pending if not it.waiting]
    tells = [it for it in on_the_way if it.kind is CommitKind.MUST]
    for it in (*tells, *[it for it in on_the_way if it not in tells][:1]):
        yield e.Committed(it.ticket)
        yield e.CommitFailed(it.ticket, Reason.STORAGE_FAILED)
    for it in state.recordings:
        yield e.FirstSample(it.id, 0)
    yield e.Committed(0)
    yield e.CommitFailed(0, Reason.STORAGE_FAILED)


def quiet(state: State) -> int | None:
    """A ticket whose acknowledgement changes nothing that anybody waits for."""
    for it in state.pending:
        locks = any(isinstance(change, c.PlaceHold) for change in it.commit.changes)
        if it.kind is CommitKind.MUST and not it.waiting and not it.retried and not locks:
            return it.ticket
    return None


class Walk:
    """One walk. What was computed for a state is kept, since most steps lead where another has led before."""

    def __init__(self, scene: Scene, bounds: Bounds, step: Step) -> None:
        terms = dataclass_replace(scene.terms, **{"opt_out_key": bounds.opt_out_key, **bounds.terms})
        self.scene = dataclass_replace(scene, terms=terms)
        self.bounds = bounds
        self.step = step
        self.keys = Keys(self.scene)
        self.out = Walked(scene.name, bounds.name)
        self.statuses: dict[Key, Status] = {}
        self.told: set[int] = set()
        steps = (*alphabet(self.scene), *(BY_PHONE if bounds.conference else ()))
        self.events = tuple(it for it in steps if type(it) not in bounds.without)

    def through(self) -> Walked:
        with fast():
            self._through()
        return self.out

    def _through(self) -> None:
        out, bounds = self.out, self.bounds
        state = State()
        start = Node(state, World(self.scene), self.status(state))
        try:
            for event in way_to(self.scene, bounds.start):
                start = self.written(self.one(start, event))
            seen = {hash(self.key(start))}
            queue = deque([start])
            while queue and out.states < bounds.states:
                node = queue.popleft()
                out.states += 1
                for event in (*self.events, *acknowledgements(node.state)):
                    for after in self.reached(node, event):
                        if (k := hash(self.key(after))) not in seen:
                            seen.add(k)
                            if bounds.holds_within(after.state):
                                queue.append(after)
            out.whole = not queue
        except Broken as broken:
            out.broken = broken

    def key(self, node: Node) -> Key:
        return self.keys.key(node.state, node.world)

    def status(self, state: State) -> Status:
        """As of a state that will do the same: times and the version may differ."""
        it = shown(state)
        if (status := self.statuses.get(it)) is None:
            status = self.statuses[it] = describe(state, NOW)
        return status

    def reached(self, node: Node, event: e.Event) -> Iterator[Node]:
        """Where the event leads: with all of it written at once, or (late) with each that merely tells written, or failing."""
        after = self.one(node, event)
        if after is node:
            return
        if not self.bounds.late:
            yield self.written(after)
            return
        while (ticket := quiet(after.state)) is not None:
            if (k := hash(self.key(after))) in self.told:
                return
            self.told.add(k)
            if after.state.recorder.failed is None:
                yield self.one(after, e.CommitFailed(ticket, Reason.STORAGE_FAILED))
            after = self.one(after, e.Committed(ticket))
        yield after

    def written(self, node: Node) -> Node:
        """The store has answered all, and what starts has its first sample. What merely tells is only taken off the list,
        which is all that its acknowledgement does: the late walks step it."""
        while True:
            pending = node.state.pending
            waits = next((it for it in pending if it.kind is not CommitKind.MUST), None)
            if waits is not None:
                node = self.one(node, e.Committed(waits.ticket))
                continue
            if pending:
                state = fast_replace(node.state, pending=())
                node = Node(state, replace(node.world, sent=()), self.status(state), node.came)
            new = (it.id for it in node.state.recordings if it.kept and not it.sampled and not it.closed)
            if (name := next(new, None)) is None or (sampled := self.one(node, e.FirstSample(name, 0))) is node:
                return node
            node = sampled

    def one(self, node: Node, event: e.Event) -> Node:
        out = self.out
        out.transitions += 1
        try:
            state, effects = self.step(node.state, event, NOW)
        except Exception as raised:
            out.path = (*node.path, event)
            raise Broken(6, f"the session raised {raised!r}") from raised
        world = happens(node.world, event, node.status)
        if state is node.state and not effects and (world is node.world or world == node.world):
            return node
        status = node.status if state is node.state else self.status(state)
        try:
            world = settled(carry_out(world, event, effects), status)
            for broken in check(node.world, world, event, effects, status):
                raise broken
            for broken in asked_first(node.state, state, event, node.status):
                raise broken
        except Broken:
            out.path = (*node.path, event)
            raise
        return Node(state, buried(world), status, (node, event))


def walk(scene: Scene, bounds: Bounds, step: Step = real_step) -> Walked:
    """Breadth first, so that what breaks is shown by a shortest path. Stops at the first break."""
    return Walk(scene, bounds, step).through()
