"""An exhaustive walk through a session: every event in every reachable state, each step held against `walk_world`.

States are made canonical (tickets by their order), time stands still (a timer is stopped, running, or run out by its event), and
what only tells is acknowledged at once, after its failure has been tried too. `Bounds` says how far states are expanded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from softphone.domain import changes as c
from softphone.domain import events as e
from softphone.domain.effects import Effect
from softphone.domain.purpose import Reason
from softphone.domain.session import State, describe
from softphone.domain.session import step as real_step
from softphone.domain.session.state import Hold, Kind, Recorder, Sensitive
from softphone.domain.status import Status, Told
from tests.domain.walk_scenes import FEW, NOW, Scene, Start, alphabet, way_to
from tests.domain.walk_world import Broken, World, buried, carry_out, check, happens, settled

Step = Callable[[State, e.Event, e.Now], tuple[State, tuple[Effect, ...]]]
Key = tuple[object, ...]


@dataclass(frozen=True)
class Bounds:
    """How far a state is expanded; what lies beyond is stepped into and checked, and not left again."""

    pauses: int = 1
    recordings: int = 2
    holds: int = 2
    waiting: int = 1
    on_the_way: int = 2
    """segments whose transactions are neither written nor failed"""
    states: int = 10_000_000
    together: bool = True
    """what is out of the ordinary (a pause, a failure, a dispute, digits wanted) is also combined with more of it"""
    few: bool = False
    """a short alphabet, `walk_scenes.FEW`, to get further in the same time"""
    opt_out_key: str = "*9"
    start: Start = Start.RINGS


@dataclass(frozen=True)
class Node:
    state: State
    world: World
    status: Status
    bare: Key
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
    states: int = 0
    transitions: int = 0
    whole: bool = False
    """nothing within the bounds was left out"""
    broken: Broken | None = None
    path: tuple[e.Event, ...] = ()

    def __str__(self) -> str:
        rest = "" if self.whole else ", not to the end"
        return f"{self.scene:18} {self.states:8,} states {self.transitions:10,} transitions{rest}"


_STATE = attrgetter(
    *(it.name for it in fields(State) if it.compare and it.name not in ("terms", "pending", "recorder", "holds"))
)
_RECORDER = attrgetter(*(it.name for it in fields(Recorder) if it.compare and it.name != "opening_ticket"))
_HOLD = attrgetter(*(it.name for it in fields(Hold) if it.compare and it.name != "lifting"))
_HAPPENED = attrgetter(
    *("sound", "mic", "running", "holding", "kept", "stage", "person", "told", "essentials", "readable", "at_question"),
    *("vouched", "puzzled", "newcomer", "asked_newcomer", "open", "time_up", "pressed", "remembered", "yes", "no"),
    *("unanswered", "began", "pauses", "wanted_digits", "tail", "objected", "disputes", "complaint"),
)


def bare(state: State) -> Key:
    """The state without its tickets, which count up for ever: their order is what matters."""
    if not state.pending:
        order: dict[int, int] = {}
    else:
        order = {it.ticket: index for index, it in enumerate(state.pending)}
    recorder = state.recorder
    ticket = order.get(recorder.opening_ticket, -1) if recorder.opening_ticket is not None else None
    pending = tuple((it.kind, it.label, it.waiting, it.retried) for it in state.pending)
    holds = tuple((_HOLD(it), None if it.lifting is None else order.get(it.lifting, -1)) for it in state.holds)
    return _STATE(state), pending, _RECORDER(recorder), ticket, holds


def key(node: Node) -> Key:
    """The part of a node that decides what can happen next."""
    world = node.world
    return node.bare, _HAPPENED(world), len(world.owed), tuple((it.overtaken, it.ended) for it in world.sent)


def acknowledgements(state: State) -> Iterator[e.Event]:
    """What the store and the recorder can say in this state. The store keeps the order of what starts or widens."""
    on_the_way = [it for it in state.pending if not it.waiting]
    tells = [it for it in on_the_way if it.kind is Kind.MUST]
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
        if it.kind is Kind.MUST and not it.waiting and not it.retried and not locks:
            return it.ticket
    return None


def within(state: State, bounds: Bounds) -> bool:
    pauses = state.pauses
    flags = (pauses.held, pauses.consulting, pauses.agent_gone, pauses.desk_gone, pauses.sensitive is not Sensitive.OFF)
    paused, failed, disputed = sum(flags), state.recorder.failed is not None, bool(state.holds)
    if not bounds.together and not _near(state, paused + failed + disputed + state.digits_wanted):
        return False
    return (
        paused <= bounds.pauses
        and len(state.recordings) <= bounds.recordings
        and len(state.holds) <= bounds.holds
        and len(state.unwritten) <= bounds.waiting
        and sum(it.kind is Kind.OPEN for it in state.pending) <= bounds.on_the_way
    )


def _near(state: State, unusual: int) -> bool:
    """One thing out of the ordinary at a time; of what does the same, one in one scene."""
    pauses, notice = state.pauses, state.decision.notice
    same = (pauses.consulting and notice != "N1") or (pauses.agent_gone and notice != "N4")
    no_matter = pauses.desk_gone and state.training.basis != "legitimate_interest"
    told = state.told
    more = (
        pauses.not_told,
        told.phase is Told.FAILED,
        told.not_understood,
        bool(told.vouched),
        state.noted,
        state.begin_new,
    )
    return unusual + sum(more) <= 1 and not same and not no_matter


class Walk:
    """One walk. What was computed for a state is kept, since most steps lead where another has led before."""

    def __init__(self, scene: Scene, bounds: Bounds, step: Step) -> None:
        self.scene = replace(scene, terms=replace(scene.terms, opt_out_key=bounds.opt_out_key))
        self.bounds = bounds
        self.step = step
        self.out = Walked(scene.name)
        self.statuses: dict[Key, Status] = {}
        self.told: set[int] = set()
        keys = set(bounds.opt_out_key)
        few = [it for it in alphabet(self.scene) if not bounds.few or isinstance(it, FEW)]
        self.events = [
            it for it in few if not (isinstance(it, e.DigitPressed) and it.digit in "*9" and it.digit not in keys)
        ]

    def through(self) -> Walked:
        out, bounds = self.out, self.bounds
        state = State()
        start = Node(state, World(self.scene), self.status(state, bare(state)), bare(state))
        try:
            for event in way_to(self.scene, bounds.start):
                start = self.plainly(start, event)
        except Broken as broken:
            out.broken = broken
            return out
        seen = {hash(key(start))}
        queue = deque([start])
        try:
            while queue and out.states < bounds.states:
                node = queue.popleft()
                out.states += 1
                for event in (*self.events, *acknowledgements(node.state)):
                    for after in self.reached(node, event):
                        if (k := hash(key(after))) not in seen:
                            seen.add(k)
                            if within(after.state, bounds):
                                queue.append(after)
        except Broken as broken:
            out.broken = broken
        out.whole = not queue and out.broken is None
        return out

    def status(self, state: State, bare: Key) -> Status:
        """As of a state that will do the same: times and the version may differ."""
        if (status := self.statuses.get(bare)) is None:
            status = self.statuses[bare] = describe(state, NOW)
        return status

    def reached(self, node: Node, event: e.Event) -> Iterator[Node]:
        """Where the event leads; with what merely tells acknowledged, and with each of it failing."""
        after = self.one(node, event)
        if after is node:
            return
        while (ticket := quiet(after.state)) is not None:
            if (k := hash(key(after))) in self.told:
                return
            self.told.add(k)
            if after.state.recorder.failed is None:
                yield self.one(after, e.CommitFailed(ticket, Reason.STORAGE_FAILED))
            after = self.one(after, e.Committed(ticket))
        yield after

    def plainly(self, node: Node, event: e.Event) -> Node:
        """On the way to the start: all is written, and what starts has its first sample."""
        node = self.one(node, event)
        while node.state.pending:
            node = self.one(node, e.Committed(node.state.pending[0].ticket))
            for it in node.state.kept:
                node = self.one(node, e.FirstSample(it.id, 0))
        return node

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
        it = node.bare if state is node.state else bare(state)
        status = self.status(state, it)
        try:
            world = settled(carry_out(world, event, effects))
            for broken in check(node.world, world, event, effects, status):
                raise broken
        except Broken:
            out.path = (*node.path, event)
            raise
        return Node(state, buried(world), status, it, (node, event))


def walk(scene: Scene, bounds: Bounds, step: Step = real_step) -> Walked:
    """Breadth first, so that what breaks is shown by a shortest path. Stops at the first break."""
    return Walk(scene, bounds, step).through()
