"""The loop, the recorder and the store at work: effects are carried out as they come, and nothing is known of the session.

An effect that cannot be carried out lawfully is `Broken` at once.
"""

from __future__ import annotations

from dataclasses import replace as dataclass_replace

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Headline, OnFailure, Purpose
from softphone.domain.status import Status
from tests.domain.walk_scenes import TRAIN
from tests.domain.walk_world import (
    NONE,
    RULES,
    Broken,
    Kept,
    Sent,
    World,
    replace,
    with_kept,
)


def carry_out(world: World, event: e.Event, effects: tuple[f.Effect, ...]) -> World:
    """The loop, the recorder and the store at work. Raises `Broken` where an effect cannot be carried out lawfully."""
    world = _acknowledge(replace(world, warned=False) if world.warned else world, event)
    for effect in effects:
        world = _effect(world, effect, event)
    if not world.time_up or world.pressed:
        return world
    if world.sound == "question":
        return replace(world, time_up=False)
    return replace(world, time_up=False, unanswered=world.unanswered | world.open, open=NONE)


def _acknowledge(world: World, event: e.Event) -> World:
    match event:
        case e.Committed(ticket=ticket):
            for it in world.sent:
                if it.ticket == ticket:
                    world = replace(world, sent=tuple(other for other in world.sent if other is not it))
                    return _store(world, it, widening=True)
        case e.CommitFailed(ticket=ticket):
            for it in world.sent:
                if it.ticket == ticket:
                    left = tuple(other for other in world.sent if other is not it)
                    owed = world.owed if widens(it.commit) else (*world.owed, it.commit)
                    return replace(world, sent=left, owed=owed, failed=True)
        case _:
            pass
    return world


def widens(commit: c.Commit) -> bool:
    kinds = (c.OpenSegment, c.AddWraps)
    lifts = any(isinstance(it, c.LiftHold) for it in commit.changes)
    takes = any(isinstance(it, c.Discard | c.DropWraps | c.Restrict) for it in commit.changes)
    undone = any(entry.event == "dispute_undone" for entry in commit.entries)
    return any(isinstance(it, kinds) for it in commit.changes) or (lifts and undone and not takes)


def _effect(world: World, effect: f.Effect, event: e.Event) -> World:
    match effect:
        case c.Commit():
            return _send(world, effect)
        case f.StartRecorder(recording=recording, segment=segment):
            return _start(world, recording, segment)
        case f.StopRecorder(hold_frames=hold):
            return replace(world, running=None, holding=effect.recording if hold else None)
        case f.DropFrames():
            return replace(world, holding=None)
        case f.PlayNotice(question_only=question, language=language):
            if language is not world.language:
                raise Broken(1, f"the notice is in {language}, and the party has chosen {world.language}")
            if question:
                return replace(world, sound="question", at_question=True)
            if world.told:
                raise Broken(6, "a notice is played over the talk with a party that has been told")
            return replace(world, sound="notice", half=False, at_question=False, essentials=False, readable=False)
        case f.StopNotice():
            quiet = replace(world, sound="", half=False, at_question=False)
            return quiet if world.told else replace(quiet, pressed=(), remembered=NONE)
        case f.SetMicrophone(open=is_open):
            return replace(world, mic=is_open)
        case f.StartTimer(timer=timer):
            begins = timer is e.Timer.READABLE
            heard = replace(world, essentials=False, readable=False) if begins else world
            again = False if timer is e.Timer.ANSWER else heard.time_up
            return replace(heard, timers=world.timers | {timer}, time_up=again)
        case f.StopTimer(timer=timer):
            return replace(world, timers=world.timers - {timer})
        case f.SignalRecording(state=state):
            return replace(world, signal=state)
        case f.FollowSource():
            if not isinstance(event, e.SameCaller | e.NewPerson):
                raise Broken(1, "a source is followed that nobody has vouched for")
            return world
        case f.SoundWarningTone():
            return replace(world, warned=True)
        case f.EndCall():
            if world.scene.terms.on_failure is not OnFailure.END:
                raise Broken(6, f"the call is ended by {event} though the policy does not say so")
            if not world.told and not world.lost:
                raise Broken(6, f"the call is ended by {event} though the notice can still be given")
            return world
        case _:
            return world


def _send(world: World, commit: c.Commit) -> World:
    if not commit.entries:
        raise Broken(5, f"a transaction without an audit entry: {commit.changes}")
    if commit.ticket <= world.last_ticket:
        raise Broken(5, "a ticket is used twice")
    for entry in commit.entries:
        if entry.rule not in RULES:
            raise Broken(5, f"{entry.event} cites no rule: {entry.rule!r}")
    same = tuple(it for it in world.owed if (it.changes, it.entries) == (commit.changes, commit.entries))
    owed = tuple(it for it in world.owed if it not in same)
    it = Sent(commit.ticket, commit)
    world = replace(world, sent=(*world.sent, it), last_ticket=commit.ticket, owed=owed)
    return world if widens(commit) else _store(world, it, widening=False)


def _store(world: World, sent: Sent, *, widening: bool) -> World:
    """Narrowing counts from when it is sent, widening from when it is written."""
    if widening is not widens(sent.commit):
        return world
    for change in sent.commit.changes:
        match change:
            case c.RememberLanguage(language=language) if language is not world.language:
                raise Broken(5, f"{language} is remembered, and {world.language} was chosen")
            case c.OpenSegment(recording=recording, segment=segment, purposes=purposes, withheld=out):
                if world.recording(recording) is None:
                    world = replace(world, kept=(*world.kept, Kept(recording, custody_only=world.objected)))
                left = frozenset(p for p in purposes if (recording, p) not in sent.overtaken)
                it = (recording, segment, left, frozenset(purposes) | frozenset(out))
                world = replace(world, opened=(it,))
            case c.AddWraps(recording=recording, purpose=purpose, withheld=out):
                it = world.recording(recording)
                if it is None or it.discarded or (recording, purpose) in sent.ended:
                    continue
                if not (world.scene.use and purpose is TRAIN):
                    raise Broken(3, "talk from before a yes to record is opened to it")
                sealed = it.sealed | {purpose}
                wraps = it.wraps if out or (recording, purpose) in sent.overtaken else it.wraps | {purpose}
                world = with_kept(world, replace(it, sealed=sealed, wraps=wraps))
            case c.LiftHold(restore_training=True):
                name = change.hold.rsplit("-h", 1)[0]
                restores = (name, TRAIN) not in sent.overtaken
                world = _change(world, dataclass_replace(change, restore_training=restores))
            case _:
                world = _change(_overtake(world, change), change)
    return world


def _overtake(world: World, change: c.Change) -> World:
    match change:
        case c.DropWraps(recording=recording, role=role):
            gone = frozenset((recording, p) for p in Purpose if p.value == role.value)
        case c.Restrict(recording=recording) | c.Discard(recording=recording):
            gone = frozenset((recording, p) for p in Purpose)
        case _:
            return world
    ended = frozenset[tuple[str, Purpose]]() if getattr(change, "reason", "") == "hold" else gone
    sent = (replace(it, overtaken=it.overtaken | gone, ended=it.ended | ended) for it in world.sent)
    return replace(world, sent=tuple(sent))


def _change(world: World, change: c.Change) -> World:
    name = getattr(change, "recording", None) or getattr(change, "hold", "").rsplit("-h", 1)[0]
    it = world.recording(name)
    if it is None or it.discarded:
        return world
    match change:
        case c.DropWraps(role=role):
            return with_kept(world, replace(it, wraps=frozenset(p for p in it.wraps if p.value != role.value)))
        case c.Restrict():
            return with_kept(world, replace(it, wraps=NONE))
        case c.Discard():
            return with_kept(world, replace(it, wraps=NONE, discarded=True))
        case c.CloseRecording():
            return with_kept(world, replace(it, closed=True))
        case c.LiftHold(reason="undone", restore_training=restore):
            agent = "anna"
            left = tuple(d for d in world.disputes if d.agent != agent)
            kept = tuple(replace(other, holds=other.holds - {agent}) for other in world.kept)
            world = replace(world, disputes=left, kept=kept)
            now = world.recording(it.id)
            return with_kept(world, replace(now or it, wraps=it.wraps | {TRAIN})) if restore else world
        case _:
            return world


def _start(world: World, recording: str, segment: int) -> World:
    for name, number, wraps, all_of_it in world.opened:
        if (name, number) == (recording, segment):
            it = world.recording(recording)
            if it is None or it.discarded:
                raise Broken(5, "a recorder starts into a recording that is not there")
            world = with_kept(world, replace(it, sealed=it.sealed | all_of_it, wraps=it.wraps | wraps))
            return replace(world, running=(recording, all_of_it), holding=None, opened=())
    raise Broken(5, "a recorder starts before its transaction was written")


def settled(world: World, status: Status) -> World:
    """At the end of a step. A segment whose moment has passed will not start any more. What is told of and agreed has begun.

    What a failure keeps from being recorded is missing from what is kept of the call.
    """
    agreed = frozenset(p for p in world.live if not world.needs_yes(p) or p in world.yes)
    newcomer = world.asked_newcomer and bool(world.open)
    began = world.began | agreed if world.told else world.began
    missing = world.missing or (status.headline is Headline.FAILED and bool(world.may))
    if missing and (made := [it for it in world.kept if it.sealed]):
        missing = not all(it.discarded for it in made)
    return replace(world, opened=(), began=began, asked_newcomer=newcomer, missing=missing)


def buried(world: World) -> World:
    """After a step was judged: a hold is gone with what was discarded, and with the last of it the dispute."""
    if not any(it.discarded and it.holds for it in world.kept):
        return world
    kept = tuple(replace(it, holds=frozenset()) if it.discarded else it for it in world.kept)
    standing = {agent for it in kept for agent in it.holds}
    return replace(world, kept=kept, disputes=tuple(it for it in world.disputes if it.armed or it.agent in standing))
