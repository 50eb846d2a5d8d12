"""What the party heard, said and refused, and what the agent did: from the events alone, and nothing of the session's state.

A separate, smaller statement of the session's rules.
"""

from __future__ import annotations

from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Language, Purpose, Reason
from softphone.domain.status import DisputeKind, Status
from tests.domain.walk_scenes import ASKED, BALANCED, DOC, KEYS_ARE_FOR_TRAINING, OBLIGATION, TELLS, TRAIN
from tests.domain.walk_world import (
    NO_FAULT,
    NONE,
    REFUSAL,
    Dispute,
    Purposes,
    World,
    replace,
    with_kept,
)


def happens(world: World, event: e.Event, before: Status) -> World:
    """The account of what the party heard, said and refused; `before` tells which button the agent saw."""
    scene = world.scene
    match event:
        case e.Rang(carried=said) if world.stage == "new":
            rings = replace(world, stage="ringing", person=scene.direction != "outbound")
            return rings if said is None else _said_before(rings, said)
        case e.Answered() if world.stage == "ringing":
            return _if_vouched(replace(world, stage="talking", held_up=world.silent and world.person))
        case e.PersonAnswered() if world.stage == "talking" and not world.silent and not world.person:
            return _if_vouched(replace(world, person=True))
        case e.UpstreamVouched(notice=notice, keys=keys) if world.stage in ("ringing", "talking"):
            return _vouched(world, notice, keys)
        case e.NoticeReached(mark=mark) if world.sound == "notice":
            return replace(world, essentials=True, at_question=mark is e.Mark.QUESTION or world.at_question)
        case e.NoticeHeard() if world.sound == "notice" and not world.half:
            return _informed(replace(world, sound=""))
        case e.NoticeHeard() | e.NoticeFailed() if world.sound == "question":
            again = replace(world, sound="", yes=world.yes | (world.remembered & world.open), remembered=NONE)
            return replace(again, open=again.open - again.yes)
        case e.NoticeFailed() if world.sound == "notice":
            return replace(world, sound="", pressed=(), remembered=NONE, at_question=False)
        case e.TimedOut(timer=timer):
            return _timer(replace(world, timers=world.timers - {timer}), timer, timer in world.timers)
        case e.NoticeRead(said_yes=said) if (
            world.readable and world.live and not world.silent and world.stage == "talking"
        ):
            told = _informed(world)
            return replace(told, yes=told.yes | (frozenset(said) & told.open), open=told.open - frozenset(said))
        case e.NoticeAgain(language=language, read=read) if language is not None:
            action = "read_instead" if read else "play_again"
            return _in_language(world, language) if action in before.actions else world
        case e.FinishedOrally() if (
            world.essentials and not world.sound and not world.silent and world.stage == "talking"
        ):
            asks = any(world.needs_yes(p) for p in world.live)
            return world if asks or world.told or not world.live else _informed(world)
        case e.SpokenAnswer(purpose=purpose, yes=True) if purpose in world.open and not world.silent:
            pressed = tuple(it for it in world.pressed if it is not purpose)
            return replace(world, yes=world.yes | {purpose}, open=world.open - {purpose}, pressed=pressed)
        case e.SpokenAnswer(purpose=purpose, yes=False) if purpose in world.open and not world.silent:
            return _refused(world, purpose, from_now_on=world.asked_newcomer)
        case e.AskedAgain() if (
            world.stage == "talking" and world.told and not world.pauses - {"no_desk"} and not world.open
        ):
            asks = world.unanswered - world.asked_again
            newcomer = any(_kept_for(world, purpose) for purpose in asks)
            again = replace(world, open=asks, unanswered=world.unanswered - asks, asked_newcomer=newcomer)
            return replace(again, asked_again=world.asked_again | asks)
        case e.DigitPressed(digit=digit) if world.stage == "talking":
            return _digit(world, digit)
        case e.DigitsWanted(on=on) if world.stage == "talking":
            return replace(world, wanted_digits=on, pressed=() if on else world.pressed)
        case _:
            return _no_or_pause(world, event, before)


def _said_before(world: World, said: e.CarriedAnswers) -> World:
    """At another desk: a no binds but against an obligation. What was told there counts if ours tells of it in the same way."""
    bound = frozenset(p for p in said.refused if p in world.live and world.scene.bases[p] is not OBLIGATION)
    world = replace(world, no=world.no | bound)
    if said.notice is None or world.scene.notice is None:
        return world
    ours, theirs = TELLS[world.scene.notice], TELLS[said.notice]
    told = frozenset(p for p in said.informed if p in theirs and ours.get(p) == theirs[p]) & world.live
    return replace(world, vouched=told, carried=frozenset(said.consented) & told)


def _vouched(world: World, notice: NoticeId, keys: str) -> World:
    """It has told of what ours tells of in the same way; a key answers its own question, and opt-out keys bind in any case."""
    opt_out, covered = world.scene.terms.opt_out_key, NONE
    if world.scene.notice is not None and not (world.told or world.newcomer or world.puzzled or world.joined):
        ours = TELLS[world.scene.notice]
        covered = frozenset(p for p, way in TELLS[notice].items() if ours.get(p) == way) & world.live
    asked = [p for p, way in TELLS[notice].items() if way == ASKED]
    answers = keys.replace(opt_out, "") if opt_out else keys
    said = {asked[int(key) - 1] if key in "12"[: len(asked)] else None for key in answers}
    yes = NONE if None in said else frozenset(p for p in said if p is not None) & covered
    world = replace(world, vouched=world.vouched | covered, carried=world.carried | yes)
    if opt_out and opt_out in keys:
        world = _by_keys(world, notice)
    return _if_vouched(world) if covered else world


def _in_language(world: World, language: Language) -> World:
    """The notice begins anew, and keys pressed in it are forgotten."""
    return replace(world, language=language, pressed=(), remembered=NONE)


def _if_vouched(world: World) -> World:
    vouched = bool(world.live) and world.live <= world.vouched
    return _informed(world) if vouched and world.stage == "talking" and world.person and not world.silent else world


def _informed(world: World) -> World:
    asks = frozenset(p for p in world.live - world.yes if world.needs_yes(p))
    yes = world.yes | (asks & (world.remembered | world.carried))
    now = replace(
        world,
        told=True,
        newcomer=False,
        before=None,
        puzzled=False,
        pauses=world.pauses - {"not_told"},
        yes=yes,
        open=asks - yes,
    )
    now = replace(now, asked_newcomer=world.newcomer, remembered=NONE, readable=False, essentials=False)
    return replace(now, vouched=NONE, carried=NONE, joined=False, at_question=False)


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
    if timer is e.Timer.NO_SOUND and ran:
        return replace(world, lost=True)
    if timer is e.Timer.DESK_SILENT and world.stage in ("ringing", "talking"):
        return replace(world, pauses=world.pauses | {"no_desk"})
    if timer is e.Timer.SENSITIVE_WARNING and ran and world.scene.terms.sensitive_resumes:
        return replace(world, pauses=world.pauses - {"sensitive"})
    if timer is e.Timer.WRAP_UP and ran:
        return _over(world)
    return world


def _digit(world: World, digit: str) -> World:
    keys, tail = world.scene.terms.opt_out_key, world.tail + digit
    while tail and not keys.startswith(tail):
        tail = tail[1:]
    if not world.wanted_digits or not keys[:1].isdecimal():
        if tail == keys:
            return _by_keys(replace(world, tail=""), world.scene.notice)
        world = replace(world, tail=tail)
    if world.wanted_digits:
        return world
    if world.sound == "notice" and digit == world.scene.terms.language_key:
        return _in_language(world, Language.EN if world.language is Language.DA else Language.DA)
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
            return _objected(replace(world, unclear=False))
        case e.Withdrawn(purpose=purpose) if world.stage in ("talking", "ended") and world.needs_yes(purpose):
            given = purpose in world.yes or any(
                purpose in it.sealed - it.taken for it in world.kept if not it.discarded
            )
            return _refused(world, purpose) if given else world
        case e.KeptOutOfTraining() if world.stage in ("talking", "ended"):
            return _refused(world, TRAIN, final=True)
        case e.RefusedBefore(purposes=purposes, reason=reason) if world.stage in ("ringing", "talking", "ended"):
            for purpose in purposes:
                said_yes = world.needs_yes(purpose) and (purpose in world.yes or _kept_for(world, purpose))
                if world.scene.bases.get(purpose) is not OBLIGATION and not said_yes:
                    world = _refused(world, purpose, final=reason is Reason.CALL_BACK)
            return world
        case e.PrivateCall() if world.stage == "talking" and world.live:
            if DOC in world.live and world.scene.bases[DOC] is OBLIGATION:
                return world
            world = _refused(_refused(world, TRAIN, NO_FAULT, final=True), DOC, NO_FAULT, final=True)
            return replace(world, kept=tuple(replace(it, undecided=NONE) for it in world.kept))
        case e.VoicemailAnswered() if world.stage == "talking" and world.scene.direction == "outbound":
            for purpose in world.live:
                keep = world.scene.bases[purpose] is OBLIGATION
                world = _refused(world, purpose, NO_FAULT, from_now_on=keep, final=True)
            return world
        case e.NotUnderstood() if world.stage == "talking" and "not_understood" in before.actions:
            return _not_understood(world)
        case e.NewPerson(by_phone=True) if _takes_by_phone(world):
            said = (world.yes, world.open) if world.told else None
            return replace(_new_person(world), before=said)
        case e.NewPerson(by_phone=False) if "new_person" in before.actions:
            return _new_person(_pause(world, "source_changed", on=False))
        case e.PersonLeft() if world.stage == "talking" and world.before and "not_told" in world.pauses:
            return _left(world, *world.before)
        case e.IdentityChanged() if world.stage == "talking" and (world.live or _could_come_back(world)):
            return _new_person(replace(world, half=world.sound == "notice"))
        case e.PartyAsksForRecording() if "party_asks_for_recording" in before.actions and (
            not world.live or world.unclear
        ):
            # A key that was meant for training alone: that stays refused.
            meant = {"objected": False, "pauses": world.pauses - {"objection"}} if world.unclear else {}
            clean = replace(
                world,
                told=False,
                yes=NONE,
                unclear=False,
                no=world.no | {TRAIN} if world.live else world.no & world.final,
                **meant,
                unanswered=NONE,
                open=NONE,
                essentials=False,
                readable=False,
            )
            return replace(
                clean,
                vouched=NONE,
                carried=NONE,
                joined=False,
                pauses=clean.pauses - {"not_told"},
                asked_again=NONE,
                puzzled=False,
                began=NONE,
                remembered=NONE,
                pressed=(),
                asked_newcomer=False,
                newcomer=False,
                held_up=False,
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
        case e.PartySoundChanged(present=present) if world.stage in ("ringing", "talking"):
            return _party_sound(world, present)
        case e.SourceChanged():
            return _pause(world, "source_changed", on=True)
        case e.SourceReturned() | e.SameCaller():
            return _pause(world, "source_changed", on=False)
        case e.StoodStill() if world.stage == "talking" and (world.running or world.holding):
            return replace(world, missing=True)
        case e.SensitivePaused() if "pause_sensitive" in before.actions:
            return _pause(world, "sensitive", on=True)
        case e.Resumed() if not world.pauses & {"held", "consulting", "no_agent"}:
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
            before_it = tuple(replace(it, last=False) for it in world.disputes)
            raised = replace(world, disputes=(*before_it, Dispute(agent, by)))
            return _place(raised, agent)
        case e.DisputeUndone(agent=agent) if world.stage in ("talking", "ended") and e.Timer.UNDO in world.timers:
            if world.owed:
                return world
            return replace(world, disputes=tuple(it for it in world.disputes if not _can_be_undone(it, agent)))
        case e.FirstSample(recording=recording) if world.stage == "talking":
            it = world.recording(recording)
            if it is None or it.discarded or not it.sealed:
                return world
            sampled = with_kept(world, replace(it, sampled=True))
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
            ended = replace(world, stage="ended", open=NONE, pressed=(), pauses=frozenset(), unclear=False)
            ended = replace(ended, unanswered=NONE, unheard=False, lost=False, half=False)
            ended = replace(ended, no=ended.no | frozenset(p for p in ended.live if not _began(ended, p)))
            for it in ended.kept:
                if not it.discarded and it.sealed:
                    ended = with_kept(ended, replace(it, sampled=True))
            for dispute in world.disputes:
                ended = _place(ended, dispute.agent)
            return replace(ended, disputes=tuple(it for it in ended.disputes if not it.armed))
        case e.CallEnded() if world.stage == "ringing":
            return replace(world, stage="over")
        case e.WrapUpEnded() if world.stage == "ended":
            return _over(world)
        case _:
            return world


def _over(world: World) -> World:
    """Where nobody has chosen, it is kept for the complaint."""
    return replace(world, stage="over", complaint="kept" if world.complaint == "open" else world.complaint)


def _can_be_undone(it: Dispute, agent: str) -> bool:
    """One that has taken effect is lifted by a transaction, and `walk_store` sees to it."""
    return it.armed and it.last and it.agent == agent and it.by is HoldBy.CONTROLLER


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
            world, placed = with_kept(world, replace(it, holds=it.holds | {agent})), True
    if not placed:
        return world
    disputes = tuple(replace(it, armed=False) if it.agent == agent else it for it in world.disputes)
    return replace(world, disputes=disputes)


def _pause(world: World, which: str, on: bool) -> World:
    if world.stage != "talking" and not (which in ("held", "no_agent") and world.stage == "ringing"):
        return world
    pauses = world.pauses | {which} if on else world.pauses - {which}
    now = replace(world, pauses=pauses)
    if not now.silent:
        return _if_vouched(replace(now, held_up=False)) if now.held_up else now
    remembered = NONE if now.told else now.remembered
    return replace(now, pressed=(), time_up=False, readable=False, remembered=remembered)


def _party_sound(world: World, present: bool) -> World:
    if world.stage == "ringing":
        pauses = world.pauses - {"no_sound"} if present else world.pauses | {"no_sound"}
        return replace(world, pauses=pauses, unheard=not present)
    # Not to be heard yet is one thing; that the way to it broke is another.
    world = replace(world, unheard=False)
    return replace(_pause(world, "no_sound", on=not present), lost=world.lost and not present)


def _could_come_back(world: World) -> bool:
    """By the question alone, which tells nobody of anything."""
    return world.told and bool(world.unanswered - world.asked_again)


def _takes_by_phone(world: World) -> bool:
    """Not beside a newcomer who is still to be told: the next one's notice comes after."""
    if not world.live:
        return world.stage == "talking" and _could_come_back(world) and "not_told" not in world.pauses
    return world.stage == "talking" and not (world.newcomer or world.joined)


def _left(world: World, yes: Purposes, asked: Purposes) -> World:
    """All is as before; what was refused meanwhile stays refused."""
    live = world.live
    now = replace(world, told=True, newcomer=False, before=None, pauses=world.pauses - {"not_told"}, half=False)
    now = replace(now, essentials=False, readable=False, pressed=(), remembered=NONE, time_up=False)
    return replace(now, yes=yes & live, open=asked & live, asked_newcomer=False)


def _new_person(world: World) -> World:
    world = replace(world, before=None)
    if not world.live:
        return replace(world, half=False, pauses=world.pauses | {"not_told"})
    again = replace(world, essentials=False, readable=False, pressed=(), remembered=NONE)
    if not world.told:
        return replace(again, vouched=NONE, carried=NONE, joined=True)
    return replace(
        again, told=False, newcomer=True, yes=NONE, open=NONE, pauses=world.pauses | {"not_told"}, vouched=NONE
    )


def _not_understood(world: World) -> World:
    kept = world.scene.bases.get(DOC) is OBLIGATION
    world = _taken(world, TRAIN, NO_FAULT)
    if not kept:
        world = _taken(world, DOC, NO_FAULT)
    clean = replace(world, told=False, essentials=False, readable=False, yes=NONE, open=NONE, pressed=(), vouched=NONE)
    clean = replace(clean, puzzled=True, began=NONE, carried=NONE, joined=False)
    return replace(clean, remembered=NONE, newcomer=False, pauses=clean.pauses - {"not_told"}, asked_newcomer=False)


# --- refusals ---------------------------------------------------------------------------------------


def _refused(
    world: World, purpose: Purpose, cause: str = REFUSAL, *, from_now_on: bool = False, final: bool = False
) -> World:
    """`final`: not by the party's own word, so that it cannot ask for it anew."""
    if purpose in world.live or purpose in world.unanswered or _kept_for(world, purpose):
        world = replace(world, final=world.final | {purpose} if final else world.final - {purpose})
    pressed = tuple(it for it in world.pressed if it is not purpose)
    world = replace(world, no=world.no | {purpose}, open=world.open - {purpose}, pressed=pressed)
    world = replace(world, remembered=world.remembered - {purpose}, unanswered=world.unanswered - {purpose})
    if world.told and not world.live and not _could_come_back(world):
        world = replace(world, pauses=world.pauses - {"not_told"})
    if world.before and not world.told and not world.live:
        world = replace(world, before=None)  # nobody is to be told of anything any more
    return world if from_now_on else _taken(world, purpose, cause)


def _taken(world: World, purpose: Purpose, cause: str) -> World:
    for it in world.kept:
        to_end = it.sealed - it.taken | (it.undecided if cause == NO_FAULT else NONE)
        if it.discarded or purpose not in to_end:
            continue
        now = replace(it, taken=it.taken | {purpose}, undecided=it.undecided - {purpose}, last_taken_by=cause)
        world = with_kept(world, now)
        by_party = any(d.by is HoldBy.PARTY and d.agent in it.holds for d in world.disputes)
        if cause == REFUSAL and by_party and not (now.sealed - now.taken) and not now.undecided:
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
                    case = replace(it, undecided=it.undecided | {TRAIN}, taken=it.taken | {TRAIN})
                    case = replace(case, custody_only=it.custody_only or not left)
                    world = with_kept(world, case)
            world = _refused(world, TRAIN, from_now_on=True, final=True)
        case "objection":
            world = _objected(world)
        case _:
            pass
    return world


def _kept_for(world: World, purpose: Purpose) -> bool:
    return any(purpose in it.sealed - it.taken for it in world.kept if not it.discarded)


def _by_keys(world: World, heard: NoticeId | None) -> World:
    """What the notice ties the keys to; where none does, nobody knows what they refuse."""
    return _refused(world, TRAIN) if heard in KEYS_ARE_FOR_TRAINING else _unclear(world)


def _unclear(world: World) -> World:
    if not world.scene.special or world.needs_yes(TRAIN):
        world = _refused(world, TRAIN)
    if world.needs_yes(DOC):
        return _refused(world, DOC)
    before, world = world.pauses, _objected(world)
    return replace(world, unclear=True) if "objection" in world.pauses - before else world


def _objected(world: World) -> World:
    if world.scene.bases.get(DOC) not in BALANCED or world.objected or world.stage == "new":
        return world
    if DOC not in world.live and not _kept_for(world, DOC):
        return world
    world = _refused(replace(world, objected=True), TRAIN, final=True)
    for it in world.kept:
        if not it.discarded and (it.sealed - it.taken or it.undecided or not it.sealed):
            world = with_kept(world, replace(it, custody_only=True))
    stops = world.scene.terms.objection_stops and world.stage != "ended"
    return replace(world, pauses=world.pauses | {"objection"}) if stops else world
