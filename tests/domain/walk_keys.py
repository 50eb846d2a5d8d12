"""When two moments of a call are the same to the walk: what cannot matter any more is left out, and recordings are counted
anew.

Each place says what it leaves out, and why that loses nothing. Every moment is still stepped into, described and checked.
Only what comes *after* it is taken from another that is like it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter

from softphone.domain.purpose import Reason
from softphone.domain.session.pauses import Pauses
from softphone.domain.session.state import (
    LegalHold,
    PurposeState,
    Question,
    RecorderState,
    Recording,
    Segment,
    Stage,
    State,
)
from softphone.domain.status import PurposePhase
from tests.domain.walk_scenes import BALANCED, CONSENT, TRAIN, Scene
from tests.domain.walk_world import Kept, World

Key = tuple[object, ...]

_NAMED = re.compile(r"\b(?P<recording>c-\d+)(?:-h(?P<hold>\d+))?\b")

NO = (Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_SIP, Reason.WITHDRAWN)
ASKS_ANEW = (*NO, Reason.DECLINED_BY_VOICE, Reason.DECLINED_EARLIER, Reason.NO_ANSWER)
"""after these the party may still ask to be recorded"""


def _but(of: type, *names: str) -> Callable[[object], Key]:
    return attrgetter(*(it.name for it in fields(of) if it.compare and it.name not in names))  # type: ignore[arg-type]


_WHOLE = _but(State, "terms", "pending", "recorder", "holds")
_RECORDER = _but(RecorderState, "opening_ticket")
_RECORDER_BUT = _but(RecorderState, "opening_ticket", "running", "opening")
_QUESTION = _but(Question, "pending")
_HOLD = _but(LegalHold, "lifting")
_HOLD_BUT = _but(LegalHold, "lifting", "number", "placed", "void")
_RECORDING = _but(Recording, "id")
_KEPT = attrgetter(*(it.name for it in fields(Kept) if it.name != "id"))
_TELLING = attrgetter(
    *("told", "essentials", "readable", "at_question", "vouched", "carried", "joined", "puzzled", "newcomer"),
    *(
        "asked_newcomer",
        "open",
        "time_up",
        "remembered",
        "began",
        "tail",
        "person",
        "unclear",
        "unheard",
        "lost",
        "half",
    ),
)


def shown(state: State) -> Key:
    """All of the state that can be shown: transactions on their way but for the holds that they place."""
    recorder = state.recorder
    locks = tuple(label for it in state.pending for label in it.label if label.startswith("PlaceHold"))
    holds = tuple((_HOLD(it), it.lifting is None) for it in state.holds)
    return _WHOLE(state), locks, bool(state.unwritten), _RECORDER(recorder), holds


def _purpose(it: PurposeState) -> Key:
    """Which of several reasons that do the same ended it, or keeps it waiting, is for the desk alone."""
    if it.phase is PurposePhase.ENDED:
        if it.reason is Reason.NO_ANSWER:
            return it.phase, it.reason, it.asked_again
        return it.phase, it.reason in NO or it.reason is Reason.DECLINED_BY_VOICE, it.reason in ASKS_ANEW
    return it.phase, it.basis, it.ground, it.asked_again


class Keys:
    """Of one scene: where nothing is asked, digits wanted or not is all the same; so is the desk without training on interest."""

    def __init__(self, scene: Scene) -> None:
        self.digits = CONSENT in scene.bases.values() or bool(scene.terms.language_key)
        self.desk = scene.bases.get(TRAIN) in BALANCED

    def key(self, state: State, world: World) -> Key:
        """Discarded recordings are gone, and so are those that never began: what is left is counted anew, holds too."""
        left = {it.id: index for index, it in enumerate(it for it in state.recordings if not it.discarded)}
        return self._state(state, left), self._world(state, world, left)

    def _state(self, state: State, left: dict[str, int]) -> Key:
        order = {it.ticket: index for index, it in enumerate(state.pending)}
        recorder = state.recorder
        ticket = order.get(recorder.opening_ticket, -1) if recorder.opening_ticket is not None else None
        holds = {it.number: index for index, it in enumerate(it for it in state.holds if not it.void)}
        purposes = _purpose(state.documentation), _purpose(state.training)
        return (
            state.stage,
            purposes,
            self._telling(state),
            tuple(_RECORDING(it) for it in state.recordings if not it.discarded),
            bool(left) and state.begin_new,
            tuple((_HOLD_BUT(it), _in(it.placed, left), it.lifting is not None) for it in state.holds if not it.void),
            (state.complaint, state.objected, state.request_noted, state.call_back, state.language),
            (_RECORDER_BUT(recorder), _segment(recorder.running, left), _segment(recorder.opening, left), ticket),
            tuple((it.kind, _counted(it.label, left, holds), it.waiting, it.retried) for it in state.pending),
        )

    def _telling(self, state: State) -> Key:
        """With nothing live, and nothing that may be asked again, it no longer matters what the party was told.

        If the party cannot ask for a recording either, the pauses do not matter. After the call none of it does.
        """
        over = state.stage in (Stage.ENDED, Stage.OVER)
        ended = [it for _, it in state.purposes if not it.live]
        again = any(it.reason is Reason.NO_ANSWER and not it.asked_again for it in ended)
        if over:
            return ()
        if not state.live and not again and state.stage is Stage.TALKING:
            return (state.pauses.silent,) if any(it.reason in ASKS_ANEW for it in ended) else ()
        digits = (state.digits, state.digits_wanted) if self.digits else (state.digits,)
        question = _QUESTION(state.question), frozenset(it.purpose for it in state.question.pending)
        return state.informing, question, self._pauses(state.pauses), digits

    def _pauses(self, it: Pauses) -> Key:
        return (
            it.held,
            it.consulting,
            it.sensitive,
            it.newcomer_not_informed,
            it.agent_gone,
            it.sound,
            it.sound_missing,
            it.source_changed,
            it.objection,
            it.unclear,
            self.desk and it.desk_gone,
        )

    def _world(self, state: State, world: World, left: dict[str, int]) -> Key:
        kept = tuple(
            (left.get(it.id, -1), _KEPT(it))
            for it in world.kept
            if not it.discarded and (it.sealed or it.holds or it.id in left)
        )
        running = None if world.running is None else (left.get(world.running[0], -1), world.running[1])
        no, holding = world.no & world.planned, world.holding is not None
        if world.live or world.unanswered or world.open or state.live:
            pauses = world.pauses if self.desk else world.pauses - {"no_desk"}
            telling = _TELLING(world), frozenset(world.pressed), pauses, self.digits and world.wanted_digits
        else:
            telling = (world.silent if self._telling(state) else None,)
        return (
            (
                world.stage,
                world.sound,
                running,
                holding,
                world.failed,
                len(world.owed),
                kept,
                no,
                world.final & no,
                world.yes - no,
            ),
            (
                world.unanswered - world.asked_again,
                world.asked_again - no,
                world.objected,
                world.disputes,
                world.complaint,
                world.language,
                world.signal,
                telling,
            ),
            tuple((it.overtaken, it.ended) for it in world.sent),
        )


def _counted(label: tuple[str, ...], left: dict[str, int], holds: dict[int, int]) -> tuple[str, ...]:
    """The recordings and holds that a transaction names, counted as the rest of the key counts them."""

    def anew(name: re.Match[str]) -> str:
        recording, hold = name["recording"], name["hold"]
        return f"{left.get(recording, -1)}" + ("" if hold is None else f"-{holds.get(int(hold), -1)}")

    return tuple(_NAMED.sub(anew, part) for part in label)


def _in(placed: frozenset[str], left: dict[str, int]) -> frozenset[int]:
    return frozenset(left.get(it, -1) for it in placed)


def _segment(it: Segment | None, left: dict[str, int]) -> Key | None:
    return None if it is None else (left.get(it.recording, -1), it.purposes)
