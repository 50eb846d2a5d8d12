"""An exhaustive walk through a session: every event in every reachable state, each step held against `walk_world`.

States are made canonical (tickets by their order), time stands still (a timer is stopped, running, or run out by its event), and
what only tells is acknowledged at once, after its failure has been tried too. `Bounds` says how far states are expanded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from softphone.domain import changes as c
from softphone.domain import events as e
from softphone.domain.effects import Effect
from softphone.domain.purpose import Reason
from softphone.domain.session import State, describe
from softphone.domain.session import step as real_step
from softphone.domain.session.state import Kind, Sensitive
from softphone.domain.status import Status, Told
from tests.domain.walk_scenes import FEW, NOW, Scene, alphabet
from tests.domain.walk_world import Broken, World, carry_out, check, happens, settled

Step = Callable[[State, e.Event, e.Now], tuple[State, tuple[Effect, ...]]]
Key = tuple[object, ...]


@dataclass(frozen=True)
class Bounds:
    """How far a state is expanded; what lies beyond is stepped into and checked, and not left again."""

    pauses: int = 1
    recordings: int = 2
    holds: int = 2
    waiting: int = 1
    states: int = 10_000_000
    together: bool = True
    """what is out of the ordinary (a pause, a failure, a dispute, digits wanted) is also combined with more of it"""
    few: bool = False
    """a short alphabet, `walk_scenes.FEW`, to get further in the same time"""
    opt_out_key: str = "*9"


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
    states: int = 0
    transitions: int = 0
    broken: Broken | None = None
    path: tuple[e.Event, ...] = ()

    def __str__(self) -> str:
        return f"{self.scene:18} {self.states:8,} states {self.transitions:10,} transitions"


def key(node: Node) -> Key:
    """The part of a node that decides what can happen next."""
    state, world = node.state, node.world
    order = {it.ticket: index for index, it in enumerate(state.pending)}
    recorder = state.recorder
    ticket = order.get(recorder.opening_ticket, -1) if recorder.opening_ticket is not None else None
    bare = replace(
        state,
        pending=tuple(replace(it, ticket=order[it.ticket]) for it in state.pending),
        recorder=replace(recorder, opening_ticket=ticket),
        holds=tuple(
            replace(it, lifting=None if it.lifting is None else order.get(it.lifting, -1)) for it in state.holds
        ),
    )
    account = (world.sound, world.mic, world.running, world.holding, world.kept)
    heard = (world.stage, world.person, world.told, world.essentials, world.readable, world.at_question, world.vouched)
    said = (
        world.newcomer,
        world.asked_newcomer,
        world.open,
        world.pressed,
        world.remembered,
        world.yes,
        world.no,
        world.puzzled,
        world.began,
        world.time_up,
    )
    rest = (
        world.unanswered,
        world.pauses,
        world.wanted_digits,
        world.tail,
        world.objected,
        world.disputes,
        world.complaint,
    )
    overtaken = tuple(it.overtaken for it in world.sent)
    return bare, account, heard, said, rest, len(world.owed), overtaken


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


def walk(scene: Scene, bounds: Bounds, step: Step = real_step) -> Walked:
    """Breadth first, so that what breaks is shown by a shortest path. Stops at the first break."""
    out = Walked(scene.name)
    scene = replace(scene, terms=replace(scene.terms, opt_out_key=bounds.opt_out_key))
    start = Node(State(), World(scene), describe(State(), NOW))
    seen: set[Key] = {key(start)}
    queue = deque([start])
    keys = set(bounds.opt_out_key)
    events = [it for it in alphabet(scene) if not bounds.few or isinstance(it, FEW)]
    events = [it for it in events if not (isinstance(it, e.DigitPressed) and it.digit in "*9" and it.digit not in keys)]
    while queue:
        node = queue.popleft()
        out.states += 1
        try:
            for event in (*events, *acknowledgements(node.state)):
                for after in _reached(node, event, step, out):
                    if after is not node and (k := key(after)) not in seen:
                        seen.add(k)
                        if within(after.state, bounds) and len(seen) < bounds.states:
                            queue.append(after)
        except Broken as broken:
            out.broken = broken
            return out
    return out


def _reached(node: Node, event: e.Event, step: Step, out: Walked) -> Iterator[Node]:
    """Where the event leads; with what merely tells acknowledged, and with each of it failing."""
    after = _one(node, event, step, out)
    while (ticket := quiet(after.state)) is not None:
        if after.state.recorder.failed is None:
            yield _one(after, e.CommitFailed(ticket, Reason.STORAGE_FAILED), step, out)
        after = _one(after, e.Committed(ticket), step, out)
    yield after


def _one(node: Node, event: e.Event, step: Step, out: Walked) -> Node:
    out.transitions += 1
    try:
        state, effects = step(node.state, event, NOW)
    except Exception as raised:
        out.path = (*node.path, event)
        raise Broken(6, f"the session raised {raised!r}") from raised
    world = happens(node.world, event, node.status)
    if state is node.state and not effects and world == node.world:
        return node
    status = node.status if state is node.state else describe(state, NOW)
    try:
        world = settled(carry_out(world, event, effects))
        for broken in check(node.world, world, event, effects, status):
            raise broken
    except Broken:
        out.path = (*node.path, event)
        raise
    return Node(state, world, status, (node, event))
