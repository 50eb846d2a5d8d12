"""`step`: one event, one row. The table below lists them; each row is a function in the module of its subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softphone.domain import events as e
from softphone.domain.effects import Effect
from softphone.domain.events import Event, Now, TimedOut, Timer
from softphone.domain.session import (
    asking_anew,
    consent,
    disputing,
    ending,
    informing,
    keys,
    party,
    pausing,
    planning,
    refusal,
    segments,
)
from softphone.domain.session.describing import presses
from softphone.domain.session.following import follow
from softphone.domain.session.reasoning import headline
from softphone.domain.session.state import State
from softphone.domain.session.turn import Turn

Row = Callable[[Turn, Any], None]

ROWS: dict[type[Event], Row] = {
    e.Rang: planning.rang,
    e.Answered: informing.answered,
    e.PersonAnswered: informing.person_answered,
    e.VoicemailAnswered: refusal.voicemail,
    e.UpstreamVouched: informing.upstream_vouched,
    e.UpstreamIgnored: informing.upstream_ignored,
    e.NoticeStarted: informing.notice_started,
    e.NoticeReached: informing.notice_reached,
    e.NoticeHeard: informing.notice_heard,
    e.NoticeFailed: informing.notice_failed,
    e.NoticeStopped: informing.notice_stopped,
    e.NoticeAgain: informing.notice_again,
    e.FinishedOrally: informing.finished_orally,
    e.NoticeRead: informing.notice_read,
    e.NotUnderstood: refusal.not_understood,
    e.DigitPressed: keys.digit_pressed,
    e.DigitsWanted: keys.digits_wanted,
    e.SpokenAnswer: consent.spoken_answer,
    e.AskedAgain: consent.asked_again,
    e.OptedOut: refusal.opted_out,
    e.PreferenceSignalled: refusal.preference_signalled,
    e.Objected: refusal.objected,
    e.Withdrawn: refusal.withdrawn,
    e.KeptOutOfTraining: refusal.kept_out,
    e.RefusedBefore: refusal.refused_before,
    e.PartyAsksForRecording: asking_anew.asks_for_recording,
    e.DisputeRaised: disputing.dispute_raised,
    e.DisputeUndone: disputing.dispute_undone,
    e.Chosen: disputing.chosen,
    e.FirstSample: disputing.first_sample,
    e.SensitivePaused: pausing.sensitive_paused,
    e.MoreTime: pausing.more_time,
    e.Resumed: pausing.resumed,
    e.HoldSignalled: pausing.hold_signalled,
    e.AgentMediaChanged: pausing.agent_media_changed,
    e.DeskChanged: pausing.desk_changed,
    e.ConsultationChanged: pausing.consultation_changed,
    e.PartySoundChanged: party.sound_changed,
    e.SourceChanged: party.source_changed,
    e.SourceReturned: party.source_returned,
    e.SameCaller: party.same_caller,
    e.IdentityChanged: party.identity_changed,
    e.StoodStill: party.stood_still,
    e.NewPerson: party.new_person,
    e.PersonLeft: party.person_left,
    e.PrivateCall: refusal.private_call,
    e.Committed: segments.committed,
    e.CommitFailed: segments.commit_failed,
    e.RecorderFailed: segments.recorder_failed,
    e.StorageWorks: segments.storage_works,
    e.HandedOver: ending.handed_over,
    e.CallEnded: ending.call_ended,
    e.WrapUpEnded: ending.wrap_up_ended,
}

TIME_OUTS: dict[Timer, Row] = {
    Timer.ANSWER: consent.answer_time_up,
    Timer.KEY_SETTLES: keys.key_settled,
    Timer.READABLE: informing.readable,
    Timer.SENSITIVE: pausing.sensitive_time_up,
    Timer.SENSITIVE_WARNING: pausing.sensitive_warning_up,
    Timer.UNDO: disputing.undo_time_up,
    Timer.DESK_SILENT: pausing.desk_silent,
    Timer.WRAP_UP: ending.wrap_up_time_up,
    Timer.RETRY: segments.retry,
    Timer.NO_SOUND: party.sound_missing,
    Timer.WARNING_TONE: segments.warn_by_tone,
}


def step(state: State, event: Event, now: Now) -> tuple[State, tuple[Effect, ...]]:
    """The state after `event`, and what is to be done about it, in that order.

    Pure and total; it never raises. An event that does not fit the state (a stale time-out, a second answer, anything after
    the end) is not applicable: it gives the same state and no effect.
    """
    turn = Turn(state, now)
    row = TIME_OUTS.get(event.timer) if isinstance(event, TimedOut) else ROWS.get(type(event))
    if row is None:
        return state, ()
    row(turn, event)
    informing.tidy_notice(turn)
    consent.tidy_question(turn)
    if turn.idle:
        return state, ()
    follow(turn, event)
    segments.settle(turn)
    turn.set(recorded=turn.state.recorded.after(turn.state.recorder, now))
    if headline(turn.state) is not headline(state):
        turn.set(since=now.utc)
    shown = presses(turn.state, now)
    if shown != (state.shown or presses(state, now)):
        turn.set(version=state.version + 1)
    turn.set(shown=shown)
    return turn.state, turn.effects
