"""`describe`: what the desk may show of a state, as codes. Derived from the state alone; it decides nothing.

Every status has a headline and at least one reason. The rows' own functions say which press is possible.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from softphone.domain.changes import DISPUTED_BY, HoldBy
from softphone.domain.decision import NoticeDelivery
from softphone.domain.events import Now
from softphone.domain.purpose import Purpose, Reason
from softphone.domain.session import asking_anew, consent, disputing, informing, keeping, party, pausing, refusal
from softphone.domain.session.keeping import held_from_training, ordered
from softphone.domain.session.pauses import Sensitive
from softphone.domain.session.reasoning import headline, reasons
from softphone.domain.session.segments import can_end_politely, obligation_unrecorded
from softphone.domain.session.state import Complaint, LegalHold, Stage, State, no_desk
from softphone.domain.session.table import ASKS
from softphone.domain.status import (
    Action,
    Choice,
    DisputeButton,
    DisputeKind,
    HoldPhase,
    HoldStatus,
    InformedBy,
    InformedPhase,
    NoticeStatus,
    OptOutButton,
    OptOutKind,
    PurposeStatus,
    Status,
    Stays,
)


def describe(state: State, now: Now) -> Status:
    """The whole of the call's recording life as of `now`, which only leaves out what has passed."""
    until = _until(state)
    return Status(
        version=state.version,
        headline=headline(state),
        recording=ordered(state.recorder.purposes),
        purposes={p: PurposeStatus(it.phase, it.basis, it.reason, it.at) for p, it in state.purposes},
        reasons=reasons(state),
        since=state.since,
        until=until if until is not None and until > now.utc else None,
        pauses=pauses(state),
        notice=_notice(state),
        opt_out=opt_out_button(state),
        dispute=dispute_button(state),
        hold=_hold(state),
        choices=choices(state),
        actions=actions(state),
        destroys=destroying(state, now),
        kept=bool(state.kept),
        recordings=tuple(it.id for it in state.recordings if it.began),
        notes=notes(state),
        yes_by_agent=ordered(frozenset(one for one in state.asked if consent.may_confirm_yes(state, one))),
        missing_seconds=max(1, round(state.missing)) if state.missing else 0,
        recorded=state.recorded.seconds,
        recorded_from=state.recorded.since.utc if state.recorded.since is not None else None,
    )


def presses(state: State, now: Now) -> tuple[object, ...]:
    """All that a press could mean. When it changes, a press meant for the status before is stale."""
    opt_out, dispute = opt_out_button(state), dispute_button(state)
    one = opt_out.kind, opt_out.enabled, opt_out.stays, opt_out.asks
    return *one, dispute.kind, dispute.enabled, choices(state), actions(state), destroying(state, now)


def pauses(state: State) -> tuple[Reason, ...]:
    desk = no_desk(state) and state.training.active
    return (*state.pauses.for_all, *((Reason.NO_DESK,) if desk else ()))


def notes(state: State) -> tuple[str, ...]:
    """What the agent needs to know to say the right thing, beside the reasons."""
    return tuple(
        note
        for note, stands in (
            ("request_noted", state.request_noted),
            ("objection_received", state.objected),
            ("unclear_key", state.stage is Stage.TALKING and state.unclear is Reason.DECLINED_BY_KEY),
            ("unclear_signal", state.stage is Stage.TALKING and state.unclear is Reason.DECLINED_BY_SIP),
            ("call_back_listed", state.call_back),
            ("ask_for_number", state.call_back and state.withheld and state.stage is Stage.TALKING),
            ("obligation_unrecorded", obligation_unrecorded(state)),
            ("still_no_sound", state.stage is Stage.TALKING and state.pauses.sound_missing),
            ("stood_still", state.stage is Stage.TALKING and state.stood_still),
            ("held_from_training", any(held_from_training(state, it) for it in state.recordings)),
        )
        if stands
    )


def _until(state: State) -> datetime | None:
    if state.stage is not Stage.TALKING:
        return None
    if state.pauses.sensitive in (Sensitive.PAUSED, Sensitive.WARNED):
        ends = state.pauses.sensitive_until
        if ends is None or not state.terms.sensitive_resumes or len(state.pauses.for_all) > 1:
            # It does not resume with that.
            return None
        # The countdown is to the moment when recording resumes, and the warning ends with it.
        warning = pausing.WARNING_SECONDS if state.pauses.sensitive is Sensitive.PAUSED else 0.0
        return ends + timedelta(seconds=warning)
    if state.question.running:
        return state.question.until
    return state.informing.heard_by if state.informing.phase is InformedPhase.PLAYING else None


def _notice(state: State) -> NoticeStatus | None:
    notice = state.decision.notice
    if notice is None or state.decision.how is NoticeDelivery.NONE:
        return None
    progress = state.informing
    asks = tuple(p for p in ordered(ASKS[notice]) if state.purpose(p).needs_yes)
    how = progress.how or InformedBy(state.decision.how.value)
    return NoticeStatus(
        notice,
        state.language,
        progress.phase,
        how,
        progress.started_at,
        progress.heard_at,
        progress.readable_at,
        asks,
        newcomer=state.pauses.newcomer_not_informed,
    )


# --- the two buttons ----------------------------------------------------------------------------------------


def opt_out_button(state: State) -> OptOutButton:
    kind = refusal.opt_out_kind(state)
    if kind is not OptOutKind.NONE:
        return OptOutButton(kind, True, stays=_stays(state, kind), asks=refusal.goes_further(state))
    return OptOutButton(kind, False, _why_no_opt_out(state))


def _stays(state: State, kind: OptOutKind) -> Stays | None:
    """*Stop and delete* must not say so if a hold keeps it all the same."""
    if kind not in (OptOutKind.STOP_AND_DELETE, OptOutKind.CALL_BACK, OptOutKind.SAID_NO):
        return None
    left = [keeping.what_stays(state, it) for it in state.kept if not it.hold_only]
    return next((one for one in Stays if one in left), None)


def _why_no_opt_out(state: State) -> str:
    if state.stage in (Stage.NEW, Stage.RINGING):
        return "not_answered"
    if state.stage is Stage.OVER:
        return "over"
    if state.documentation.live:
        return "objection_received" if state.objected else "request_noted"
    return "nothing_recorded"


def dispute_button(state: State) -> DisputeButton:
    hold = _shown(state)
    if hold is not None:
        until = hold.undo_until
        if disputing.can_undo(state, hold):
            return DisputeButton(DisputeKind.UNDO, True, until=until)
        why = "locking" if disputing.locking(state, hold) or hold.lifting is not None else "already_locked"
        return DisputeButton(DisputeKind.NONE, False, why)
    if not disputing.can_raise(state):
        over = state.stage is Stage.OVER
        return DisputeButton(DisputeKind.NONE, False, "over" if over else _why_no_opt_out_or_kept(state))
    return DisputeButton(DisputeKind.LOCK if disputing.holdable(state) else DisputeKind.ARM, True)


def _why_no_opt_out_or_kept(state: State) -> str:
    return "not_answered" if state.stage in (Stage.NEW, Stage.RINGING) else "nothing_kept"


def _shown(state: State) -> LegalHold | None:
    """The hold that the desk shows: a party's before ours, the newest of a kind."""
    by_party = [hold for hold in state.disputes if hold.by is HoldBy.PARTY]
    return (by_party or list(state.disputes) or [None])[-1]


def _hold(state: State) -> HoldStatus | None:
    hold = _shown(state)
    if hold is None:
        void = [it for it in state.holds if it.void]
        if not void or void[-1].at is None:
            return None
        return HoldStatus(HoldPhase.VOID, void[-1].by, void[-1].at, None)
    if hold.at is None:
        return None
    phase = HoldPhase.LOCKED
    if not hold.placed:
        phase = HoldPhase.ARMED
    elif disputing.locking(state, hold):
        phase = HoldPhase.LOCKING
    undo_until = hold.undo_until if disputing.can_undo(state, hold) else None
    return HoldStatus(phase, hold.by, hold.at, undo_until)


# --- choices and further commands ------------------------------------------------------------------------------


def choices(state: State) -> tuple[Choice, ...]:
    out: list[Choice] = []
    if disputing.can_change_raiser(state):
        by = state.standing[-1].by
        out.append(Choice(disputing.DISPUTE_BY, DISPUTED_BY, HoldBy.CONTROLLER, by))
    if state.complaint is Complaint.OPEN:
        out.append(
            Choice(
                disputing.KEPT_FOR_COMPLAINT, (disputing.KEEP, disputing.DELETE), disputing.KEEP, None, disputing.DELETE
            )
        )
    return tuple(out)


def destroying(state: State, now: Now) -> tuple[Action, ...]:
    """Of the further commands, those that the window asks about first."""
    recorded = any(it.began for it in state.kept)
    return tuple(it for it in actions(state) if refusal.destroys(state, it, now)) if recorded else ()


def actions(state: State) -> tuple[Action, ...]:
    """Further commands possible now."""
    progress, talking, free = state.informing, state.stage is Stage.TALKING, not state.pauses.silent
    live = bool(state.live)
    possible: dict[Action, bool] = {
        Action.PERSON_ANSWERED: talking and not progress.person_answered and live and free,
        Action.VOICEMAIL: talking and state.ours and live,
        Action.NOTICE_READ: informing.can_confirm_reading(state),
        Action.STOP_NOTICE: talking and progress.phase is InformedPhase.PLAYING,
        Action.PLAY_AGAIN: informing.can_repeat_notice(state, read=False),
        Action.READ_INSTEAD: informing.can_repeat_notice(state, read=True),
        Action.FINISH_ORALLY: informing.can_finish_orally(state),
        Action.ASK_AGAIN: bool(consent.can_be_asked_again(state)),
        Action.SAID_YES: talking and free and any(consent.may_confirm_yes(state, one) for one in state.asked),
        Action.SAID_NO: talking and free and bool(state.asked),
        Action.DIGITS_WANTED: talking and not state.digits_wanted,
        Action.DIGITS_OVER: talking and state.digits_wanted,
        Action.PAUSE_SENSITIVE: pausing.can_pause_sensitive(state),
        Action.RESUME: pausing.can_resume(state),
        Action.MORE_TIME: talking and state.pauses.sensitive is Sensitive.WARNED,
        Action.SAME_CALLER: party.can_be_same_caller(state),
        Action.NEW_PERSON: party.can_add_person(state),
        Action.NOT_UNDERSTOOD: talking and progress.phase is not InformedPhase.NOTHING and live,
        Action.KEEP_OUT_OF_TRAINING: state.stage in refusal.IN_REACH and refusal.can_be_ended(state, Purpose.TRAINING),
        Action.PRIVATE_CALL: refusal.can_be_private(state),
        Action.WITHDRAW_DOCUMENTATION: refusal.can_be_withdrawn(state, Purpose.DOCUMENTATION),
        Action.WITHDRAW_TRAINING: refusal.can_be_withdrawn(state, Purpose.TRAINING),
        Action.OBJECT: refusal.can_object(state),
        Action.NOTE_REQUEST: refusal.opt_out_kind(state) is OptOutKind.GROUNDS and not state.request_noted,
        Action.PARTY_ASKS_FOR_RECORDING: asking_anew.may_ask_for_recording(state),
        Action.END_POLITELY: can_end_politely(state),
    }
    return tuple(action for action, can in possible.items() if can)
