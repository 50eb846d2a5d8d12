"""What really happens while a session is stepped, and what may: a separate, smaller statement of `session.md`.

`World` plays the loop, the recorder and the store: it carries out effects and knows nothing of the session's state. Beside that
it keeps its own account of what the party heard, said and refused, from the events alone. `check` holds the one against the
other: the *Never* list, by number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from typing import TypeVar

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import Headline, Purpose, Reason
from softphone.domain.status import DisputeKind, PurposePhase, Status
from tests.domain.walk_scenes import CONSENT, DOC, INTEREST, OBLIGATION, TRAIN, Scene

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
    case: bool = False
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
    # what happened
    stage: str = "new"
    person: bool = True
    told: bool = False
    essentials: bool = False
    readable: bool = False
    at_question: bool = False
    vouched: Purposes = NONE
    puzzled: bool = False
    """not understood, and not told anew"""
    newcomer: bool = False
    asked_newcomer: bool = False
    open: Purposes = NONE
    time_up: bool = False
    pressed: tuple[Purpose, ...] = ()
    remembered: Purposes = NONE
    yes: Purposes = NONE
    no: Purposes = NONE
    unanswered: Purposes = NONE
    began: Purposes = NONE
    pauses: frozenset[str] = frozenset()
    wanted_digits: bool = False
    tail: str = ""
    objected: bool = False
    disputes: tuple[Dispute, ...] = ()
    complaint: str = ""
    last_ticket: int = 0

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
        return bool(self.pauses & {"held", "sensitive", "no_agent", "consulting"})

    @property
    def may(self) -> Purposes:
        """What may be recorded now."""
        if not self.told or self.stage != "talking" or self.pauses - {"no_desk"}:
            return NONE
        out = frozenset(p for p in self.live if not self.needs_yes(p) or p in self.yes)
        if "no_desk" in self.pauses and self.scene.bases.get(TRAIN) is INTEREST:
            out -= {TRAIN}
        return out

    def recording(self, name: str) -> Kept | None:
        return next((it for it in self.kept if it.id == name), None)


def _with(world: World, it: Kept) -> World:
    return replace(world, kept=tuple(it if it.id == other.id else other for other in world.kept))


# --- what the event itself says ------------------------------------------------------------------------


def happens(world: World, event: e.Event, before: Status) -> World:
    """The account of what the party heard, said and refused; `before` tells which button the agent saw."""
    scene = world.scene
    match event:
        case e.Rang() if world.stage == "new":
            return replace(world, stage="ringing", person=scene.direction != "outbound")
        case e.Answered() if world.stage == "ringing":
            return _if_vouched(replace(world, stage="talking"))
        case e.PersonAnswered() if world.stage == "talking" and not world.silent and not world.person:
            return _if_vouched(replace(world, person=True))
        case e.UpstreamVouched(purposes=purposes, keys=keys) if world.stage in ("ringing", "talking"):
            if world.told or world.newcomer or world.puzzled:
                return world
            said = frozenset(p for key, p in scene.terms.consent_keys if key in keys)
            told = replace(world, vouched=world.vouched | frozenset(purposes), remembered=world.remembered | said)
            return _if_vouched(told)
        case e.NoticeReached(mark=mark) if world.sound == "notice":
            return replace(world, essentials=True, at_question=mark is e.Mark.QUESTION or world.at_question)
        case e.NoticeHeard() if world.sound == "notice":
            return _informed(replace(world, sound=""))
        case e.NoticeHeard() | e.NoticeFailed() if world.sound == "question":
            again = replace(world, sound="", yes=world.yes | (world.remembered & world.open), remembered=NONE)
            return replace(again, open=again.open - again.yes)
        case e.NoticeFailed() if world.sound == "notice":
            return replace(world, sound="", pressed=(), remembered=NONE, at_question=False)
        case e.TimedOut(timer=timer):
            return _timer(replace(world, timers=world.timers - {timer}), timer, timer in world.timers)
        case e.NoticeRead(said_yes=said) if world.readable and not world.silent and world.stage == "talking":
            told = _informed(world)
            return replace(told, yes=told.yes | (frozenset(said) & told.open), open=told.open - frozenset(said))
        case e.FinishedOrally() if (
            world.essentials and not world.sound and not world.silent and world.stage == "talking"
        ):
            return world if any(world.needs_yes(p) for p in world.live) or world.told else _informed(world)
        case e.SpokenAnswer(purpose=purpose, yes=True) if purpose in world.open and not world.silent:
            pressed = tuple(it for it in world.pressed if it is not purpose)
            return replace(world, yes=world.yes | {purpose}, open=world.open - {purpose}, pressed=pressed)
        case e.SpokenAnswer(purpose=purpose, yes=False) if purpose in world.open and not world.silent:
            return _refused(world, purpose, from_now_on=world.asked_newcomer)
        case e.AskedAgain() if (
            world.stage == "talking" and world.told and not world.pauses - {"no_desk"} and not world.open
        ):
            newcomer = any(_kept_for(world, purpose) for purpose in world.unanswered)
            return replace(world, open=world.unanswered, unanswered=NONE, asked_newcomer=newcomer)
        case e.DigitPressed(digit=digit) if world.stage == "talking":
            return _digit(world, digit)
        case e.DigitsWanted(on=on) if world.stage == "talking":
            return replace(world, wanted_digits=on, pressed=() if on else world.pressed)
        case _:
            return _no_or_pause(world, event, before)


def _if_vouched(world: World) -> World:
    vouched = bool(world.live) and world.live <= world.vouched
    return _informed(world) if vouched and world.stage == "talking" and world.person and not world.silent else world


def _informed(world: World) -> World:
    asks = frozenset(p for p in world.live - world.yes if world.needs_yes(p))
    yes = world.yes | (asks & world.remembered)
    now = replace(
        world, told=True, newcomer=False, puzzled=False, pauses=world.pauses - {"not_told"}, yes=yes, open=asks - yes
    )
    now = replace(now, asked_newcomer=world.newcomer, remembered=NONE, readable=False, essentials=False)
    return replace(now, vouched=NONE, at_question=False)


def _timer(world: World, timer: e.Timer, ran: bool) -> World:
    if timer is e.Timer.ANSWER and ran:
        return replace(world, time_up=True)
    if timer is e.Timer.READABLE and ran:
        return replace(world, readable=True)
    if timer is e.Timer.KEY_SETTLES and world.pressed:
        settled = frozenset(world.pressed)
        if world.told and world.sound != "question":
            return replace(world, pressed=(), yes=world.yes | (settled & world.live), open=world.open - settled)
        return replace(world, pressed=(), remembered=world.remembered | settled)
    if timer is e.Timer.DESK_SILENT and world.stage in ("ringing", "talking"):
        return replace(world, pauses=world.pauses | {"no_desk"})
    if timer is e.Timer.SENSITIVE_WARNING and ran and world.scene.terms.sensitive_resumes:
        return replace(world, pauses=world.pauses - {"sensitive"})
    if timer is e.Timer.WRAP_UP and ran:
        return replace(world, stage="over")
    return world


def _digit(world: World, digit: str) -> World:
    keys, tail = world.scene.terms.opt_out_key, world.tail + digit
    while tail and not keys.startswith(tail):
        tail = tail[1:]
    if tail == keys:
        return _unclear(replace(world, tail=""))
    world = replace(world, tail=tail)
    if world.wanted_digits:
        return world
    purpose = dict(world.scene.terms.consent_keys).get(digit)
    might = purpose in world.open or (
        world.sound == "notice" and purpose in world.live and world.needs_yes(purpose or DOC)
    )
    if purpose is None or not might:
        return replace(world, pressed=())
    counts = not world.silent and not world.time_up and (world.told or world.at_question)
    return (
        replace(world, pressed=(*world.pressed, purpose))
        if counts and purpose not in {*world.pressed, *world.remembered}
        else world
    )


def _no_or_pause(world: World, event: e.Event, before: Status) -> World:
    match event:
        case e.PreferenceSignalled(recording=False) if world.stage in ("ringing", "talking"):
            return _unclear(world)
        case e.OptedOut(kind=kind) if world.stage in ("talking", "ended") and before.opt_out.kind == kind:
            return _opted_out(world, kind)
        case e.Objected() if world.stage in ("talking", "ended"):
            return _objected(world)
        case e.Withdrawn(purpose=purpose) if world.stage in ("talking", "ended") and world.needs_yes(purpose):
            given = purpose in world.yes or any(
                purpose in it.sealed - it.taken for it in world.kept if not it.discarded
            )
            return _refused(world, purpose) if given else world
        case e.KeptOutOfTraining() if world.stage in ("talking", "ended"):
            return _refused(world, TRAIN)
        case e.PrivateCall() if world.stage == "talking" and world.live:
            if DOC in world.live and world.scene.bases[DOC] is OBLIGATION:
                return world
            return _refused(_refused(world, TRAIN, NO_FAULT), DOC, NO_FAULT)
        case e.VoicemailAnswered() if world.stage == "talking" and world.scene.direction == "outbound":
            for purpose in world.live:
                keep = world.scene.bases[purpose] is OBLIGATION
                world = _refused(world, purpose, NO_FAULT, from_now_on=keep)
            return world
        case e.NotUnderstood() if world.stage == "talking" and "not_understood" in before.actions:
            return _not_understood(world)
        case e.NewPerson() if world.stage == "talking" and world.live:
            return _new_person(world)
        case e.PartyAsksForRecording() if "party_asks_for_recording" in before.actions and not world.live:
            clean = replace(
                world, told=False, yes=NONE, no=NONE, unanswered=NONE, open=NONE, essentials=False, readable=False
            )
            return replace(
                clean,
                vouched=NONE,
                puzzled=False,
                began=NONE,
                remembered=NONE,
                pressed=(),
                asked_newcomer=False,
                newcomer=False,
            )
        case e.HoldSignalled(held=on):
            return _pause(world, "held", on)
        case e.ConsultationChanged(running=on):
            return _pause(world, "consulting", on)
        case e.AgentMediaChanged(present=present):
            return _pause(world, "no_agent", not present)
        case e.DeskChanged(present=present) if world.stage in ("ringing", "talking"):
            pauses = world.pauses - {"no_desk"} if present else world.pauses | {"no_desk"}
            return replace(world, pauses=pauses)
        case e.SensitivePaused() if "pause_sensitive" in before.actions:
            return _pause(world, "sensitive", on=True)
        case e.Resumed():
            return _pause(world, "sensitive", on=False)
        case e.RecorderFailed() if world.stage in ("ringing", "talking"):
            return replace(world, failed=True)
        case e.StorageWorks():
            return replace(world, failed=False)
        case _:
            return _disputes_and_ends(world, event, before)


def _disputes_and_ends(world: World, event: e.Event, before: Status) -> World:
    match event:
        case e.DisputeRaised(by=by, agent=agent) if world.stage in ("talking", "ended"):
            mine = any(it.agent == agent for it in world.disputes)
            if mine or not (world.disputes or before.dispute.kind in (DisputeKind.LOCK, DisputeKind.ARM)):
                return world
            if not _anything(world):
                return world
            raised = replace(world, disputes=(*world.disputes, Dispute(agent, by)))
            return _place(raised, agent)
        case e.DisputeUndone(agent=agent) if world.stage in ("talking", "ended") and e.Timer.UNDO in world.timers:
            if world.owed:
                return world
            left = [it for it in world.disputes if not (it.armed and it.agent == agent and it.by is HoldBy.CONTROLLER)]
            return replace(world, disputes=tuple(left))
        case e.FirstSample(recording=recording) if world.stage == "talking":
            it = world.recording(recording)
            if it is None or it.discarded or not it.sealed:
                return world
            sampled = _with(world, replace(it, sampled=True))
            for dispute in world.disputes:
                sampled = _place(sampled, dispute.agent)
            return sampled
        case e.Chosen(choice="dispute_by", option=option) if world.disputes and _offered(before, "dispute_by"):
            *others, last = world.disputes
            return replace(world, disputes=(*others, replace(last, by=HoldBy(option))))
        case e.Chosen(choice="kept_for_complaint", option=option) if world.complaint == "open":
            if option == "keep":
                return replace(world, complaint="kept")
            left = tuple(it for it in world.disputes if it.by is not HoldBy.PARTY)
            gone = {it.agent for it in world.disputes} - {it.agent for it in left}
            kept = tuple(replace(it, holds=it.holds - gone) for it in world.kept)
            return replace(world, complaint="deleted", disputes=left, kept=kept)
        case e.HandedOver() | e.CallEnded() if world.stage == "talking":
            ended = replace(world, stage="ended", open=NONE, pressed=(), pauses=frozenset())
            ended = replace(ended, unanswered=NONE)
            ended = replace(ended, no=ended.no | frozenset(p for p in ended.live if not _began(ended, p)))
            for it in ended.kept:
                if not it.discarded and it.sealed:
                    ended = _with(ended, replace(it, sampled=True))
            for dispute in world.disputes:
                ended = _place(ended, dispute.agent)
            return replace(ended, disputes=tuple(it for it in ended.disputes if not it.armed))
        case e.CallEnded() if world.stage == "ringing":
            return replace(world, stage="over")
        case e.WrapUpEnded() if world.stage == "ended":
            return replace(world, stage="over", complaint="kept" if world.complaint == "open" else world.complaint)
        case _:
            return world


def _offered(before: Status, choice: str) -> bool:
    return any(it.id == choice for it in before.choices)


def _began(world: World, purpose: Purpose) -> bool:
    """It is active: told of once, and said yes to by everybody where it needs one."""
    return purpose in world.began and (not world.needs_yes(purpose) or purpose in world.yes)


def _anything(world: World) -> bool:
    sampled = any(it.sealed and it.sampled and not it.discarded for it in world.kept)
    return sampled or (world.stage == "talking" and bool(world.live))


def _place(world: World, agent: str) -> World:
    placed = False
    for it in world.kept:
        if it.sealed and it.sampled and not it.discarded:
            world, placed = _with(world, replace(it, holds=it.holds | {agent})), True
    if not placed:
        return world
    disputes = tuple(replace(it, armed=False) if it.agent == agent else it for it in world.disputes)
    return replace(world, disputes=disputes)


def _pause(world: World, which: str, on: bool) -> World:
    if world.stage != "talking":
        return world
    pauses = world.pauses | {which} if on else world.pauses - {which}
    now = replace(world, pauses=pauses)
    if not now.silent:
        return now
    remembered = NONE if now.told else now.remembered
    return replace(now, pressed=(), time_up=False, readable=False, remembered=remembered)


def _new_person(world: World) -> World:
    again = replace(world, essentials=False, readable=False, pressed=(), remembered=NONE)
    if not world.told:
        return again
    return replace(
        again, told=False, newcomer=True, yes=NONE, open=NONE, pauses=world.pauses | {"not_told"}, vouched=NONE
    )


def _not_understood(world: World) -> World:
    kept = world.scene.bases.get(DOC) is OBLIGATION
    world = _taken(world, TRAIN, NO_FAULT)
    if not kept:
        world = _taken(world, DOC, NO_FAULT)
    clean = replace(world, told=False, essentials=False, readable=False, yes=NONE, open=NONE, pressed=(), vouched=NONE)
    clean = replace(clean, puzzled=True, began=NONE)
    return replace(clean, remembered=NONE, newcomer=False, pauses=clean.pauses - {"not_told"}, asked_newcomer=False)


# --- refusals ---------------------------------------------------------------------------------------


def _refused(world: World, purpose: Purpose, cause: str = REFUSAL, *, from_now_on: bool = False) -> World:
    pressed = tuple(it for it in world.pressed if it is not purpose)
    world = replace(world, no=world.no | {purpose}, open=world.open - {purpose}, pressed=pressed)
    world = replace(world, remembered=world.remembered - {purpose}, unanswered=world.unanswered - {purpose})
    return world if from_now_on else _taken(world, purpose, cause)


def _taken(world: World, purpose: Purpose, cause: str) -> World:
    for it in world.kept:
        if it.discarded or purpose not in it.sealed - it.taken:
            continue
        now = replace(it, taken=it.taken | {purpose}, last_taken_by=cause)
        world = _with(world, now)
        by_party = any(d.by is HoldBy.PARTY and d.agent in it.holds for d in world.disputes)
        if cause == REFUSAL and by_party and not (now.sealed - now.taken) and not now.case:
            world = replace(world, complaint="open")
    return world


def _opted_out(world: World, kind: str) -> World:
    match kind:
        case "said_no":
            for purpose in world.open:
                world = _refused(world, purpose, from_now_on=world.asked_newcomer)
        case "training_ends" | "stop_and_delete" | "call_back":
            world = _refused(world, TRAIN if TRAIN in world.live else DOC)
        case "grounds":
            for it in world.kept:
                if not it.discarded and TRAIN in it.sealed - it.taken:
                    left = it.sealed - it.taken - {TRAIN}
                    case = replace(it, case=True, taken=it.taken | {TRAIN}, custody_only=it.custody_only or not left)
                    world = _with(world, case)
            world = _refused(world, TRAIN, from_now_on=True)
        case "objection":
            world = _objected(world)
        case _:
            pass
    return world


def _kept_for(world: World, purpose: Purpose) -> bool:
    return any(purpose in it.sealed - it.taken for it in world.kept if not it.discarded)


def _unclear(world: World) -> World:
    if not world.scene.special or world.needs_yes(TRAIN):
        world = _refused(world, TRAIN)
    if world.needs_yes(DOC):
        return _refused(world, DOC)
    return _objected(world)


def _objected(world: World) -> World:
    if world.scene.bases.get(DOC) is not INTEREST or world.objected or world.stage == "new":
        return world
    if DOC not in world.live and not _kept_for(world, DOC):
        return world
    world = _refused(replace(world, objected=True), TRAIN)
    for it in world.kept:
        if not it.discarded and (it.sealed - it.taken or not it.sealed):
            world = _with(world, replace(it, case=True, custody_only=True))
    stops = world.scene.terms.objection_stops and world.stage != "ended"
    return replace(world, pauses=world.pauses | {"objection"}) if stops else world


# --- what the effects do ------------------------------------------------------------------------------


def carry_out(world: World, event: e.Event, effects: tuple[f.Effect, ...]) -> World:
    """The loop, the recorder and the store at work. Raises `Broken` where an effect cannot be carried out lawfully."""
    world = _acknowledge(world, event)
    for effect in effects:
        world = _effect(world, effect, event)
    if not world.time_up or world.pressed:
        return world
    if world.sound == "question":
        return replace(world, time_up=False)
    return replace(world, time_up=False, unanswered=world.unanswered | world.open, open=NONE)


class Broken(AssertionError):  # noqa: N818
    """A line of the *Never* list is broken: `line`, and how."""

    def __init__(self, line: int, how: str) -> None:
        super().__init__(f"Never {line}: {how}")
        self.line = line


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
                    owed = world.owed if _widens(it.commit) else (*world.owed, it.commit)
                    return replace(world, sent=left, owed=owed, failed=True)
        case _:
            pass
    return world


def _widens(commit: c.Commit) -> bool:
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
        case f.PlayNotice(question_only=question):
            if question:
                return replace(world, sound="question", at_question=True)
            return replace(world, sound="notice", at_question=False, essentials=False, readable=False)
        case f.StopNotice():
            quiet = replace(world, sound="", at_question=False)
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
        case f.EndCall():
            if world.scene.terms.on_failure != "end":
                raise Broken(6, f"the call is ended by {event} though the policy does not say so")
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
    return world if _widens(commit) else _store(world, it, widening=False)


def _store(world: World, sent: Sent, *, widening: bool) -> World:
    """Narrowing counts from when it is sent, widening from when it is written."""
    if widening is not _widens(sent.commit):
        return world
    for change in sent.commit.changes:
        match change:
            case c.OpenSegment(recording=recording, segment=segment, purposes=purposes, withheld=out):
                if world.recording(recording) is None:
                    case = world.objected
                    world = replace(world, kept=(*world.kept, Kept(recording, case=case, custody_only=case)))
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
                world = _with(world, replace(it, sealed=sealed, wraps=wraps))
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
            return _with(world, replace(it, wraps=frozenset(p for p in it.wraps if p.value != role.value)))
        case c.Restrict():
            return _with(world, replace(it, wraps=NONE))
        case c.Discard():
            return _with(world, replace(it, wraps=NONE, discarded=True))
        case c.CloseRecording():
            return _with(world, replace(it, closed=True))
        case c.LiftHold(reason="undone", restore_training=restore):
            agent = "anna"
            left = tuple(d for d in world.disputes if d.agent != agent)
            kept = tuple(replace(other, holds=other.holds - {agent}) for other in world.kept)
            world = replace(world, disputes=left, kept=kept)
            now = world.recording(it.id)
            return _with(world, replace(now or it, wraps=it.wraps | {TRAIN})) if restore else world
        case _:
            return world


def _start(world: World, recording: str, segment: int) -> World:
    for name, number, wraps, all_of_it in world.opened:
        if (name, number) == (recording, segment):
            it = world.recording(recording)
            if it is None or it.discarded:
                raise Broken(5, "a recorder starts into a recording that is not there")
            world = _with(world, replace(it, sealed=it.sealed | all_of_it, wraps=it.wraps | wraps))
            return replace(world, running=(recording, all_of_it), holding=None, opened=())
    raise Broken(5, "a recorder starts before its transaction was written")


def settled(world: World) -> World:
    """At the end of a step: a segment whose moment has passed will not start any more; what is told of and agreed has begun."""
    agreed = frozenset(p for p in world.live if not world.needs_yes(p) or p in world.yes)
    newcomer = world.asked_newcomer and bool(world.open)
    began = world.began | agreed if world.told else world.began
    return replace(world, opened=(), began=began, asked_newcomer=newcomer)


def buried(world: World) -> World:
    """After a step was judged: a hold is gone with what was discarded, and with the last of it the dispute."""
    if not any(it.discarded and it.holds for it in world.kept):
        return world
    kept = tuple(replace(it, holds=frozenset()) if it.discarded else it for it in world.kept)
    standing = {agent for it in kept for agent in it.holds}
    return replace(world, kept=kept, disputes=tuple(it for it in world.disputes if it.armed or it.agent in standing))


# --- the Never list -----------------------------------------------------------------------------------


def check(
    before: World, world: World, event: e.Event, effects: tuple[f.Effect, ...], status: Status
) -> Iterator[Broken]:
    yield from _never_1_and_7(world)
    yield from _never_2(world, status)
    yield from _never_3(world)
    yield from _never_4(world)
    yield from _never_5(before, world, effects, status)
    yield from _never_6(before, world, effects, status)


def _never_1_and_7(world: World) -> Iterator[Broken]:
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
        should = for_a_purpose or it.case or _hold_allowed(world, it)
        if it.discarded and should:
            yield Broken(4, f"{it.id} is discarded, though a purpose, a case or a hold keeps it")
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
    waits = any(_widens(it.commit) for it in world.sent)
    stored = world.running[1] if world.running is not None else NONE
    if stored != world.may and not waits and world.stage == "talking":
        yield Broken(6, f"recorded for {sorted(stored)} and could be for {sorted(world.may)}")
    was = before.running[1] if before.running is not None else NONE
    narrower = DOC in world.may and world.may < was
    if narrower and not on:
        yield Broken(6, "documentation has a gap")
