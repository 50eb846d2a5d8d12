"""The session's rules once more, as a short statement for somebody who knows the guideline: what may be recorded, and what
must not be.

It is written against `machine_account`, which notes what happened, and knows nothing of how the session comes to what it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.purpose import Headline, OnFailure, Purpose, Reason
from softphone.domain.status import PurposePhase, Status
from tests.domain.machine_account import Account
from tests.domain.walk_scenes import BALANCED, DOC, TRAIN

DECLINED = (Reason.DECLINED_BY_KEY, Reason.DECLINED_BY_VOICE, Reason.DECLINED_BY_SIP)


def may(call: Account) -> set[Purpose]:
    """What may be recorded now: in a call, to a party that has been told, for what is agreed, while nothing pauses."""
    if call.stage != "talking" or not call.informed or call.pauses - {"no_desk"}:
        return set()
    unreachable = {TRAIN} if "no_desk" in call.pauses and call.scene.bases.get(TRAIN) in BALANCED else set[Purpose]()
    return call.agreed - unreachable


# --- what must not be -------------------------------------------------------------------------------


def wrong(call: Account, event: e.Event, effects: tuple[f.Effect, ...], status: Status) -> Iterator[str]:
    """Each sentence is one rule broken; none, if all is well."""
    yield from _recorded_wrongly(call, status)
    yield from _told_wrongly(call, effects)
    yield from _written_wrongly(call, event, effects)
    yield from _shown_wrongly(call, status)
    if not call.on_the_way and not call.owed:
        yield from _kept_wrongly(call)


def _recorded_wrongly(call: Account, status: Status) -> Iterator[str]:
    recorded = call.recording or set()
    if call.on and not may(call):
        yield "recorded though nothing may be"
    if not recorded <= may(call):
        yield f"recorded for {sorted(recorded - may(call))}"
    if call.recording == set():
        yield "recorded for no purpose"
    for purpose, it in status.purposes.items():
        if it.phase is PurposePhase.ACTIVE and purpose not in (call.agreed if call.stage != "over" else call.began):
            yield f"{purpose} is active without a plan, without its yes or after its no"
    calm = not call.on_the_way and not call.owed and not call.failing and call.stage == "talking"
    if calm and recorded != may(call):
        yield f"recorded for {sorted(recorded)}, and nothing is in the way of {sorted(may(call))}"


def _kept_wrongly(call: Account) -> Iterator[str]:
    """Kept exactly while a purpose, a case or a hold that may keep it does (G10), and opened by nobody else."""
    for name, it in call.kept.items():
        if not it.sealed:
            continue
        if it.gone is call.keeps(it):
            yield f"{name} is gone though something keeps it" if it.gone else f"{name} is kept by nothing"
        mine = it.left - ({TRAIN} if it.holds else set()) if not it.custody_only else set()
        mine -= it.shut
        if it.opens != mine:
            yield f"{name} is opened by {sorted(it.opens)}, and not by {sorted(mine)}"


def _told_wrongly(call: Account, effects: tuple[f.Effect, ...]) -> Iterator[str]:
    """What both hear, and the other phone, is what is so; the call itself is left alone."""
    for it in effects:
        if isinstance(it, f.PlayNotice) and (
            it.language is not call.language or (call.informed and not it.question_only)
        ):
            yield "the notice is played again, or in a language that was left"
        lost = bool(call.pauses & {"gone", "unheard"})
        if isinstance(it, f.EndCall) and not (call.terms.on_failure is OnFailure.END and (call.informed or lost)):
            yield "the call is ended"
        if isinstance(it, f.SoundWarningTone) and not call.on:
            yield "a tone says that the call is recorded"
    if call.stage == "talking" and call.microphone is bool(call.sound):
        yield "the agent is heard over the notice, or not heard at all"
    if call.stage == "talking" and (call.signal is f.RecordSignal.ON) is not call.on:
        yield f"the other phone is told {call.signal}"
    waits = call.pauses or call.on_the_way or call.owed
    if call.stage == "talking" and call.signal is f.RecordSignal.PAUSED and not waits:
        yield "the other phone is told of a pause that nobody keeps"
    if (e.Timer.WARNING_TONE in call.timers) is not (call.on and call.terms.warning_tone > 0):
        yield "the warning tone does not go with the recording"


def _written_wrongly(call: Account, event: e.Event, effects: tuple[f.Effect, ...]) -> Iterator[str]:
    """What stops comes first, what starts is written before, and each entry has its rule."""
    kinds = [type(it) for it in effects]
    if f.StopRecorder in kinds[kinds.index(c.Commit) :] if c.Commit in kinds else False:
        yield "what stops waits behind a transaction"
    for it in effects:
        if isinstance(it, f.FollowSource) and not isinstance(event, e.SameCaller | e.NewPerson):
            yield "a source is followed that nobody has vouched for"
        if isinstance(it, f.StartRecorder) and (it.recording, it.segment) not in call.opened:
            yield "started before it was written"
        if isinstance(it, c.Commit) and any(isinstance(one, c.AddWraps) for one in it.changes) and not call.scene.use:
            yield "a yes to record opens what was said before it (N2, N3)"
        if isinstance(it, c.Commit) and not (it.entries and all(entry.rule for entry in it.entries)):
            yield "a change without an entry, or an entry without a rule"
    if isinstance(event, e.Answered) and not call.owed:
        commits = [it for it in effects if isinstance(it, c.Commit)]
        used = any(isinstance(change, c.UseDraw) for it in commits for change in it.changes)
        said = any(entry.event == "draw_used" for it in commits for entry in it.entries)
        if not used is said is (TRAIN in call.scene.bases):
            yield "the draw is used up with the answer, and the log says so (G34)"
    if call.declines and not call.no_remembered:
        yield "a no to training is not remembered (G31)"
    if call.owed and e.Timer.RETRY not in call.timers:
        yield "what could not be written is forgotten"


def _shown_wrongly(call: Account, status: Status) -> Iterator[str]:
    """Red exactly while something is recorded, and always a reason with its rule."""
    if (status.headline is Headline.RECORDING) is not call.on or (status.headline is Headline.RECORDING) is not bool(
        status.recording
    ):
        yield f"the headline says {status.headline}"
    if not status.reasons:
        yield "no reason"
    for it in status.reasons:
        rule = it.reason.rule
        if it.reason in DECLINED and it.purpose is not None and call.needs_yes(it.purpose):
            rule = "G03"
            if it.purpose in call.withdrawn:
                yield "a yes that was taken back is told as a no"
        if it.reason is Reason.DECLINED_EARLIER and it.purpose is DOC:
            rule = "G23"
        if it.rule != rule:
            yield f"{it.reason} cites {it.rule}, and not {rule}"
    call.missing |= status.headline is Headline.FAILED and bool(may(call))
    made = [it for it in call.kept.values() if it.sealed]
    call.missing &= not made or not all(it.gone for it in made)
    whole = all(it.reason is not Reason.BROKE_OFF for it in status.reasons)
    if call.missing and call.stage in ("ended", "over") and status.kept and whole:
        yield "talk is missing, and no reason says so"
