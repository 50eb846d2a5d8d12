"""What must never happen, by number: what is done held against what may be done."""

from __future__ import annotations

from collections.abc import Iterator

from softphone.calls.commands import ACTIONS
from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Headline, Reason
from softphone.domain.session.state import Recording, State
from softphone.domain.status import Action, PurposePhase, Status
from tests.domain.walk_scenes import DOC, TRAIN
from tests.domain.walk_store import widens
from tests.domain.walk_world import (
    NO_FAULT,
    NONE,
    REASONS,
    RULES,
    Broken,
    Kept,
    World,
)

PRESSES: dict[e.Event, Action] = {event: action for action, event in ACTIONS.items()}


def check(
    before: World, world: World, event: e.Event, effects: tuple[f.Effect, ...], status: Status
) -> Iterator[Broken]:
    yield from _never_1_and_7(world)
    yield from _never_2(world, status)
    yield from _never_3(world)
    yield from _never_4(world)
    yield from _never_5(before, world, effects, status)
    yield from _never_5_draw(before, world, effects)
    yield from _never_5_stood_still(before, event, effects)
    yield from _never_6(before, world, effects, status)
    yield from _never_6_told(world, status)


def _never_1_and_7(world: World) -> Iterator[Broken]:
    if world.sound and world.silent:
        yield Broken(1, "a notice is played to nobody")
    may = world.may
    stored = world.running[1] if world.running is not None else NONE
    if world.running is None and world.holding is None:
        return
    out = world.pauses & {"held", "no_agent", "consulting"} or world.stage != "talking"
    if out:
        yield Broken(7, f"recorded while the agent takes no part: {sorted(world.pauses)}, {world.stage}")
    if not may:
        yield Broken(1, "recorded while not told, paused, or for no purpose")
    if not stored <= may:
        yield Broken(2, f"recorded for {sorted(stored - may)}, which may not be")
    if world.running is not None and not stored:
        yield Broken(1, "recorded for no purpose")


def _never_2(world: World, status: Status) -> Iterator[Broken]:
    for purpose, it in status.purposes.items():
        if it.phase is not PurposePhase.ACTIVE:
            continue
        if purpose not in world.planned:
            yield Broken(2, f"{purpose} is active and was not planned")
        if purpose in world.no:
            yield Broken(2, f"{purpose} is active after its refusal")
        if world.needs_yes(purpose) and purpose not in world.yes:
            yield Broken(2, f"{purpose} is active without a yes")


def _never_3(world: World) -> Iterator[Broken]:
    if world.owed:
        return
    for it in world.kept:
        if it.discarded or TRAIN not in it.wraps:
            continue
        if TRAIN in it.taken:
            yield Broken(3, f"{it.id}: training opens what was taken back")
        if it.holds:
            yield Broken(3, f"{it.id}: training opens what is held")


def _hold_allowed(world: World, it: Kept) -> bool:
    if it.last_taken_by == NO_FAULT:
        return bool(it.holds)
    by_party = any(d.by is HoldBy.PARTY and d.agent in it.holds for d in world.disputes)
    return by_party or (bool(it.holds) and DOC in it.sealed)


def _never_4(world: World) -> Iterator[Broken]:
    if world.owed:
        return
    for it in world.kept:
        if not it.sealed:
            continue
        for_a_purpose = bool(it.sealed - it.taken)
        should = for_a_purpose or bool(it.undecided) or _hold_allowed(world, it)
        if it.discarded and should:
            yield Broken(4, f"{it.id} is discarded, though a purpose or a hold keeps it")
        if not it.discarded and not should:
            yield Broken(4, f"{it.id} is kept, and nothing keeps it")
        if not it.discarded and it.wraps and (it.custody_only or not for_a_purpose):
            yield Broken(4, f"{it.id} is opened by more than custody")


def _never_5(before: World, world: World, effects: tuple[f.Effect, ...], status: Status) -> Iterator[Broken]:
    if not status.reasons:
        yield Broken(5, "a status without a reason")
    for reason in status.reasons:
        if reason.reason not in REASONS or reason.rule not in RULES:
            yield Broken(5, f"a reason without a rule: {reason}")
    over = world.missing and world.stage in ("ended", "over")
    if over and status.kept and all(it.reason is not Reason.BROKE_OFF for it in status.reasons):
        yield Broken(5, "what is kept of the call is not whole, and no reason says so")
    if world.owed and e.Timer.RETRY not in world.timers:
        yield Broken(5, "what must be written is not tried again")
    wrote = any(isinstance(it, c.Commit) for it in effects)
    acts = any(isinstance(it, f.StopRecorder | f.StopNotice | f.PlayNotice | f.EndCall) for it in effects)
    started = any(isinstance(it, f.StartRecorder) for it in effects)
    if acts and not wrote and not started and not world.owed and not before.owed:
        yield Broken(5, "a change without an audit entry")
    commits = [i for i, it in enumerate(effects) if isinstance(it, c.Commit)]
    stops = [i for i, it in enumerate(effects) if isinstance(it, f.StopRecorder)]
    if commits and stops and max(stops) > min(commits):
        yield Broken(5, "what stops recording waits behind a transaction")


def _never_5_draw(before: World, world: World, effects: tuple[f.Effect, ...]) -> Iterator[Broken]:
    """The draw is used up when the call is answered, once, in the transaction that says so (G34)."""
    commits = [it for it in effects if isinstance(it, c.Commit)]
    used = [it for it in commits if any(isinstance(change, c.UseDraw) for change in it.changes)]
    answered = (before.stage, world.stage) == ("ringing", "talking")
    if len(used) != int(answered and TRAIN in world.planned) and not before.owed:
        yield Broken(5, f"a draw is used up {len(used)} times")
    if any(all(entry.event != "draw_used" for entry in it.entries) for it in used):
        yield Broken(5, "a draw is used up and the audit log does not say so")


def _never_5_stood_still(before: World, event: e.Event, effects: tuple[f.Effect, ...]) -> Iterator[Broken]:
    """Talk is missing, and its gap is written with its length."""
    recorded = before.stage == "talking" and (before.running is not None or before.holding is not None)
    if not isinstance(event, e.StoodStill) or not recorded or before.owed:
        return
    told = {entry.event for it in effects if isinstance(it, c.Commit) for entry in it.entries}
    if not told >= {"stood_still"}:
        yield Broken(5, "the process stood still, and the audit log does not say so")


def _never_6_told(world: World, status: Status) -> Iterator[Broken]:
    """What both ears and the other phone are told is what is so."""
    on = world.running is not None or world.holding is not None
    if world.warned and not on:
        yield Broken(6, "a tone says that the call is recorded, and it is not")
    if (e.Timer.WARNING_TONE in world.timers) is not (on and world.scene.terms.warning_tone > 0):
        yield Broken(6, "the warning tone does not follow the recording")
    if world.stage != "talking":
        return
    if (world.signal is f.RecordSignal.ON) is not on:
        yield Broken(6, f"the other phone is told {world.signal}, and the recorder is {'on' if on else 'off'}")
    if world.signal is f.RecordSignal.PAUSED and not status.pauses and not world.sent and not world.owed:
        yield Broken(6, "the other phone is told of a pause that nobody keeps")


def _never_6(before: World, world: World, effects: tuple[f.Effect, ...], status: Status) -> Iterator[Broken]:
    if world.stage == "talking" and not world.sound and world.mic is not True:
        yield Broken(6, "the agent's microphone is closed and nothing plays")
    if world.sound and world.mic is not False:
        yield Broken(6, "the agent is heard over the notice")
    on = world.running is not None or world.holding is not None
    if (status.headline is Headline.RECORDING) is not on:
        yield Broken(6, f"the headline says {status.headline}, and the recorder is {'on' if on else 'off'}")
    started = {it.recording for it in effects if isinstance(it, f.StartRecorder)}
    if any(isinstance(it, f.StopRecorder) and it.recording in started and not it.hold_frames for it in effects):
        yield Broken(6, "talk between two segments is lost")
    if world.failed or world.owed:
        return
    waits = any(widens(it.commit) for it in world.sent)
    stored = world.running[1] if world.running is not None else NONE
    if stored != world.may and not waits and world.stage == "talking":
        yield Broken(6, f"recorded for {sorted(stored)} and could be for {sorted(world.may)}")
    was = before.running[1] if before.running is not None else NONE
    narrower = DOC in world.may and world.may < was
    if narrower and not on:
        yield Broken(6, "documentation has a gap")


def asked_first(before: State, after: State, event: e.Event, shown: Status) -> Iterator[Broken]:
    """8: a press that destroys, and was not asked about. The opt-out and a no are the party's own word, and stop at once. That
    the store does what the session decides is held by 3 and 4."""
    action = PRESSES.get(event)
    if action is None or action not in shown.actions:
        return
    lost = [it.id for it, now in zip(before.recordings, after.recordings, strict=False) if destroyed(it, now)]
    if bool(lost) is not (action in shown.destroys):
        yield Broken(8, f"{action} destroys {lost}, and the desk asks about {shown.destroys}")


def destroyed(it: Recording, now: Recording) -> bool:
    undocumented = DOC in it.keeps - now.keeps and not now.restricted
    return it.kept and (now.discarded or undocumented)
