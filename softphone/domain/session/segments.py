"""From what is wanted to what the recorder does: segments, their transactions, and what happens when one fails.

`settle` runs at the end of every step; the rules elsewhere never touch the recorder themselves.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.changes import AddWraps, Change, CloseRecording, OpenRecording, OpenSegment, Restrict
from softphone.domain.effects import (
    DropFrames,
    EndCall,
    ForgetKeys,
    RecordSignal,
    SignalRecording,
    SoundTone,
    SoundWarningTone,
    StartRecorder,
    StartTimer,
    StopRecorder,
    StopTimer,
    Tone,
)
from softphone.domain.events import CommitFailed, Committed, RecorderFailed, StorageWorks, TimedOut, Timer
from softphone.domain.ids import recording_id
from softphone.domain.purpose import Basis, OnFailure, Reason
from softphone.domain.session.keeping import discard, lifted, ordered, recording_gone, withheld
from softphone.domain.session.reasoning import FAILURES
from softphone.domain.session.state import (
    DOCUMENTATION,
    NONE,
    TRAINING,
    CommitKind,
    PendingCommit,
    Purposes,
    Recording,
    Segment,
    Stage,
    State,
    due,
    no_desk,
    wanted,
)
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedPhase, PurposePhase

RETRY_SECONDS = 1.0


# --- at the end of every step -------------------------------------------------------------------


def settle(turn: Turn) -> None:
    """Stop what is no longer wanted, write what must be written, begin what is wanted."""
    _stop_what_is_not_wanted(turn)
    _mark_what_is_missing(turn)
    _close_what_is_past(turn)
    turn.write()
    _wrap_for_a_late_yes(turn)
    _open_what_is_wanted(turn)
    _forget_keys(turn)
    _run_on_failure(turn)
    _signal_recording(turn)


def current(state: State) -> Recording | None:
    """The recording of the next segment, if there is one already."""
    if state.begin_new or not state.recordings:
        return None
    last = state.recordings[-1]
    return None if last.closed or last.discarded or last.hold_only else last


def _stop_what_is_not_wanted(turn: Turn) -> None:
    state = turn.state
    recorder, want = state.recorder, wanted(state)
    opening = recorder.opening
    if opening is not None and (not opening.purposes <= want or not _belongs(state, opening)):
        opening = None
    holding = recorder.holding
    running = recorder.running
    if holding and opening is None and recorder.opening is not None:
        turn.protect(DropFrames(recorder.opening.recording))
        holding = False
    if running is not None and not running.purposes <= want:
        it = current(state)
        here = it is not None and it.id == running.recording
        holding = here and bool(want) and want < running.purposes and not _waits_for_a_lift(state, want)
        turn.protect(StopRecorder(running.recording, running.number, hold_frames=holding))
        running = None
    ticket = recorder.opening_ticket if opening is not None else None
    settled = replace(recorder, running=running, opening=opening, opening_ticket=ticket, holding=holding)
    if settled != recorder:
        turn.set(recorder=settled)


def _mark_what_is_missing(turn: Turn) -> None:
    if turn.state.recorder.failed is not None and due(turn.state):
        broke_off(turn, current(turn.state))


def broke_off(turn: Turn, it: Recording | None) -> None:
    """Talk that was to be recorded is missing from what is kept: said once for the whole call."""
    if not turn.state.broke_off:
        turn.set(broke_off=True)
        turn.note("recording_broke_off", "G10", it.id if it is not None and it.began else None)


def _waits_for_a_lift(state: State, want: Purposes) -> bool:
    """A hold that keeps training out is being undone: no segment for training begins until the outcome is known."""
    return TRAINING in want and any(hold.lifting is not None for hold in state.holds)


def _belongs(state: State, segment: Segment) -> bool:
    it = current(state)
    return it is not None and it.id == segment.recording


def _close_what_is_past(turn: Turn) -> None:
    """A recording is whole once a newer one has followed, or the call has left it behind."""
    state = turn.state
    over = state.stage in (Stage.ENDED, Stage.OVER)
    running = state.recorder.running
    for index, it in enumerate(state.recordings):
        last = index == len(state.recordings) - 1
        if it.closed or it.discarded or (last and not over) or (running is not None and running.recording == it.id):
            continue
        if it.began:
            turn.set_recording(replace(it, closed=True))
            # A late yes whose wraps are on their way counts: the store takes them in sequence.
            keeps = it.keeps | {TRAINING} if it.late_yes else it.keeps
            turn.change(CloseRecording(it.id, turn.now.utc, ordered(keeps)))
            turn.note("recording_closed", "G10", it.id)
        else:
            discard(turn, it, "empty", "G10")


def _open_what_is_wanted(turn: Turn) -> None:
    state = turn.state
    recorder, want = state.recorder, wanted(state)
    if not want or recorder.opening is not None or _waits_for_a_lift(state, want):
        return
    it = current(state)
    running = recorder.running
    if running is not None and it is not None and running.purposes == want and running.recording == it.id:
        return
    if it is None:
        it = Recording(
            recording_id(state.call, len(state.recordings) + 1),
            undecided=frozenset({DOCUMENTATION}) if state.objected else NONE,
            restricted=state.objected,
        )
        turn.set(recordings=(*state.recordings, it), begin_new=False)
    segment = Segment(it.id, it.next_segment, want)
    changes: list[Change] = []
    if not it.announced:
        changes.append(OpenRecording(it.id, state.call, turn.now.utc))
        if it.undecided:
            changes.append(Restrict(it.id, "objection"))
    out = withheld(turn.state, it, want)
    bases = {purpose: basis for purpose in ordered(want) if (basis := state.purpose(purpose).basis) is not None}
    changes.append(OpenSegment(it.id, segment.number, ordered(want - out), bases, turn.now.utc, withheld=ordered(out)))
    ground = state.purpose(ordered(want)[0]).ground
    names = " ".join(ordered(want))
    entry = turn.entry("segment_opened", ground.rule, it.id, {"segment": segment.number, "purposes": names})
    ticket = turn.commit(CommitKind.OPEN, tuple(changes), (entry,))
    turn.set_recording(replace(it, announced=True, next_segment=it.next_segment + 1, wrapped=it.wrapped | (want - out)))
    turn.set(recorder=replace(turn.state.recorder, opening=segment, opening_ticket=ticket))


def _wrap_for_a_late_yes(turn: Turn) -> None:
    """A yes to use covers the recording from its start, while its keys are in memory (N6)."""
    state = turn.state
    if any(hold.lifting is not None for hold in state.holds):
        return
    for it in state.recordings:
        owed = it.late_yes and not any(pending.kind is CommitKind.WIDEN for pending in state.pending)
        if not owed or state.recorder.failed is not None or not it.segments:
            continue
        out = TRAINING in withheld(state, it, frozenset({TRAINING}))
        entry = turn.entry("wrapped_from_start", "N6", it.id, {"purpose": TRAINING})
        turn.commit(CommitKind.WIDEN, (AddWraps(it.id, TRAINING, it.segments, withheld=out),), (entry,))
        if not out:
            turn.set_recording(replace(it, wrapped=it.wrapped | {TRAINING}))


def _forget_keys(turn: Turn) -> None:
    """Data keys stay in memory only while a question may still be answered yes, or a hold undone."""
    for it in turn.state.recordings:
        if it.keys_kept and not _keys_needed(turn.state, it):
            turn.set_recording(replace(it, keys_kept=False))
            turn.start(ForgetKeys(it.id))


def _keys_needed(state: State, it: Recording) -> bool:
    if it.discarded or state.stage is Stage.OVER:
        return False
    if TRAINING in it.keeps or it.late_yes:
        return True
    training = state.training
    may_be_asked = (
        training.phase is PurposePhase.ENDED and training.reason is Reason.NO_ANSWER and not training.asked_again
    )
    return not it.closed and consent_is_to_use(state) and (training.asked or may_be_asked)


def consent_is_to_use(state: State) -> bool:
    """A yes to training is a yes to *use*, if documentation rests on something else than a yes (N6)."""
    return state.training.needs_yes and state.documentation.basis not in (None, Basis.CONSENT)


def _run_on_failure(turn: Turn) -> None:
    """`on_failure = "end"`: the policy wants the call ended if a failure leaves an obligation unrecorded.

    Not yet if the notice failed, since it can be given again.
    """
    state = turn.state
    lost = silent_on_obligation(state) or (obligation_unrecorded(state) and not notice_failed_on_obligation(state))
    ends = state.terms.on_failure is OnFailure.END and lost
    if ends and not state.recorder.end_sent:
        turn.set(recorder=replace(state.recorder, end_sent=True))
        turn.note("call_ended_by_policy", "G02")
        turn.write()
        turn.start(EndCall())


def obligation_unrecorded(state: State) -> bool:
    """A failure, of the notice too, leaves an obligation unrecorded. A pause, a private call or a notice still to come is no
    failure."""
    if state.stage is not Stage.TALKING:
        return False
    documentation = state.documentation
    if documentation.phase is PurposePhase.OFF:
        return state.terms.obligation and documentation.reason in FAILURES
    failed = (
        documentation.active
        and documentation.basis is Basis.LEGAL_OBLIGATION
        and state.informing.phase is InformedPhase.INFORMED
        and state.recorder.failed is not None
    )
    return ((failed or notice_failed_on_obligation(state)) and not state.pauses.silent) or silent_on_obligation(state)


def notice_failed_on_obligation(state: State) -> bool:
    """Documentation on obligation waits for a notice that failed."""
    documentation = state.documentation
    obliged = documentation.live and documentation.basis is Basis.LEGAL_OBLIGATION
    return obliged and state.informing.phase is InformedPhase.FAILED


def silent_on_obligation(state: State) -> bool:
    """Documentation on obligation waits for a party that has not been heard for long."""
    documentation = state.documentation
    obliged = documentation.live and documentation.basis is Basis.LEGAL_OBLIGATION
    return state.stage is Stage.TALKING and obliged and state.pauses.sound_missing


def can_end_politely(state: State) -> bool:
    """If the policy does not end the call itself, or has not yet; and if nobody is heard any more."""
    if state.stage is Stage.TALKING and state.live and state.pauses.sound_missing:
        return not state.recorder.end_sent
    return (
        state.terms.on_failure is not OnFailure.GO_ON and obligation_unrecorded(state) and not state.recorder.end_sent
    )


def _signal_recording(turn: Turn) -> None:
    """The record-aware peer, and both people's ears, learn that recording begins, pauses or stops."""
    terms, was, now = turn.state.terms, turn.before.recorder.on, turn.state.recorder.on
    if was != now:
        if terms.agent_tones:
            turn.start(SoundTone(Tone.STARTED if now else Tone.STOPPED))
        if terms.warning_tone > 0:
            turn.start(StartTimer(Timer.WARNING_TONE, terms.warning_tone) if now else StopTimer(Timer.WARNING_TONE))
    signal = _signal_for_peer(turn.state)
    if signal is not turn.state.recorder.signalled:
        turn.set(recorder=replace(turn.state.recorder, signalled=signal))
        turn.start(SignalRecording(signal))


def _signal_for_peer(state: State) -> RecordSignal:
    """What a record-aware peer should know (RFC 7866). After the call there is nobody to tell."""
    recorder = state.recorder
    if state.stage is not Stage.TALKING:
        return recorder.signalled
    if recorder.on:
        return RecordSignal.ON
    it = current(state)
    if it is None or not it.began or recorder.failed is not None or not state.live:
        return RecordSignal.OFF
    if wanted(state):
        # It goes on as soon as its transaction is written; the peer that heard *off* gets nothing in between.
        return RecordSignal.OFF if recorder.signalled is RecordSignal.OFF else RecordSignal.PAUSED
    goes_on = bool(state.active) or state.pauses.newcomer_not_informed
    return RecordSignal.PAUSED if goes_on and (state.pauses.for_all or no_desk(state)) else RecordSignal.OFF


def warn_by_tone(turn: Turn, _: TimedOut) -> None:
    """Another tone, for both sides, that says that the call is being recorded; and the time to the next."""
    terms = turn.state.terms
    if turn.state.recorder.on and terms.warning_tone > 0:
        turn.start(SoundWarningTone())
        turn.start(StartTimer(Timer.WARNING_TONE, terms.warning_tone))


# --- rows: the recorder, key or store ------------------------------------------------------------


def committed(turn: Turn, event: Committed) -> None:
    """What starts or widens recording waited for this."""
    it = _acknowledged(turn, event.ticket)
    if it is None:
        return
    match it.kind:
        case CommitKind.OPEN:
            _segment_written(turn, it)
        case CommitKind.WIDEN:
            _widened(turn)
        case CommitKind.LIFT:
            lifted(turn, it.ticket)
        case CommitKind.MUST:
            if it.retried and not turn.state.unwritten and turn.state.recorder.failed_in_store:
                _works(turn)


def commit_failed(turn: Turn, event: CommitFailed) -> None:
    """What must be written is tried again. What would have started does not start, and the reason is shown."""
    it = _acknowledged(turn, event.ticket)
    if it is None:
        return
    if event.overtaken:
        _overtaken(turn, it, event.overtaken)
        return
    state = turn.state
    if it.kind is CommitKind.MUST:
        if not state.unwritten:
            turn.timer(Timer.RETRY, RETRY_SECONDS)
        pending = sorted((*state.pending, replace(it, waiting=True)), key=lambda other: other.ticket)
        turn.set(pending=tuple(pending))
    elif it.kind is CommitKind.OPEN:
        for change in it.commit.changes:
            if isinstance(change, OpenRecording):
                _not_announced(turn, change.recording)
    elif it.kind is CommitKind.LIFT:
        for hold in state.holds:
            if hold.lifting == it.ticket:
                turn.set_hold(replace(hold, lifting=None))
    _fail(turn, event.reason, in_store=it.kind is CommitKind.MUST)


def _overtaken(turn: Turn, it: PendingCommit, recording: str) -> None:
    """The store works, but cannot do what was asked. A hold that custody confirmed stands; what is gone cannot be held.

    The rest of the transaction is written without it.
    """
    if it.kind is CommitKind.LIFT:
        for hold in turn.state.holds:
            if hold.lifting == it.ticket:
                turn.set_hold(replace(hold, lifting=None, undoable=False, undo_until=None, confirmed=True))
        return
    recording_gone(turn, recording)
    changes = tuple(one for one in it.commit.changes if getattr(one, "recording", None) != recording)
    entries = tuple(one for one in it.commit.entries if one.recording != recording)
    if changes or entries:
        turn.commit(it.kind, changes, entries)


def recorder_failed(turn: Turn, event: RecorderFailed) -> None:
    """Not recorded, with the reason; purposes stay active. What was on its way to the disk is lost, even after the end."""
    stage, kept = turn.state.stage, turn.state.kept
    if stage in (Stage.RINGING, Stage.TALKING):
        _fail(turn, event.reason, in_store=False)
    if stage in (Stage.TALKING, Stage.ENDED) and kept:
        broke_off(turn, kept[-1])


def storage_works(turn: Turn, _: StorageWorks) -> None:
    """A new segment may begin, and what waits to be written is tried again at once."""
    _try_again(turn)
    if turn.state.recorder.failed is not None:
        _works(turn)


def retry(turn: Turn, _: TimedOut) -> None:
    _try_again(turn)


def _try_again(turn: Turn) -> None:
    waiting = turn.state.unwritten
    for it in waiting:
        turn.again(it)


def _fail(turn: Turn, reason: Reason, *, in_store: bool) -> None:
    recorder = turn.state.recorder
    if recorder.failed is None:
        turn.note("recorder_failed", reason.rule, reason=reason)
        turn.set(recorder=replace(recorder, failed=reason, failed_in_store=in_store))
    elif in_store and not recorder.failed_in_store and recorder.failed is reason:
        turn.set(recorder=replace(recorder, failed_in_store=True))


def _works(turn: Turn) -> None:
    turn.set(recorder=replace(turn.state.recorder, failed=None, failed_in_store=False))
    turn.note("storage_works", "G10")


def _acknowledged(turn: Turn, ticket: int) -> PendingCommit | None:
    """Take the transaction out of those under way; None: a stale acknowledgement."""
    for it in turn.state.pending:
        if it.ticket == ticket and not it.waiting:
            others = tuple(other for other in turn.state.pending if other.ticket != ticket)
            turn.set(pending=others)
            return it
    return None


def _not_announced(turn: Turn, recording: str) -> None:
    for it in turn.state.recordings:
        if it.id == recording and not it.segments:
            turn.set_recording(replace(it, announced=False, wrapped=NONE))


def _segment_written(turn: Turn, it: PendingCommit) -> None:
    """Its key is there. It starts if it is still wanted, in place of what runs."""
    for change in it.commit.changes:
        if isinstance(change, OpenSegment):
            _has_segment(turn, change.recording, change.segment)
    recorder = turn.state.recorder
    segment = recorder.opening
    if segment is None or recorder.opening_ticket != it.ticket:
        return
    if recorder.running is not None:
        same = recorder.running.recording == segment.recording
        turn.protect(StopRecorder(recorder.running.recording, recorder.running.number, hold_frames=same))
    turn.start(StartRecorder(segment.recording, segment.number))
    turn.set(recorder=replace(recorder, running=segment, opening=None, opening_ticket=None, holding=False))
    for recording in turn.state.recordings:
        if recording.id == segment.recording:
            made_for, keeps = recording.made_for | segment.purposes, recording.keeps | segment.purposes
            turn.set_recording(replace(recording, began=True, keys_kept=True, made_for=made_for, keeps=keeps))


def _has_segment(turn: Turn, recording: str, segment: int) -> None:
    for it in turn.state.recordings:
        if it.id == recording:
            turn.set_recording(replace(it, segments=(*it.segments, segment)))


def _widened(turn: Turn) -> None:
    for it in turn.state.recordings:
        if it.late_yes:
            turn.set_recording(
                replace(it, late_yes=False, keeps=it.keeps | {TRAINING}, made_for=it.made_for | {TRAINING})
            )
