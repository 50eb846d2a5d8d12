"""Does what the session wants: notices, microphone, recorder, store, clocks. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softphone.calls.live import LiveCall
from softphone.calls.ports import PhonePort, RecorderPort, StorePort
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.changes import OpenSegment
from softphone.domain.errors import KlartoneError
from softphone.wire.from_engine import Occurred, Tone
from softphone.wire.snapshot import CallPhase

Params = Mapping[str, str | int | float | bool | None]

NOTICE_GRACE = 3.0
"""seconds past a notice's length after which it has failed, whatever the media say"""

OPENS_WITHIN = 4.0
"""seconds in which a segment must have begun: longer than a merely slow disk takes"""


class EffectRunner:
    """One for all calls. `tell` reaches every client, `tone` sounds for the agent alone."""

    def __init__(
        self,
        phone: PhonePort,
        recorder: RecorderPort,
        store: StorePort,
        clock: Callable[[], ev.Now],
        tell: Callable[[object], None],
        tone: Callable[[do.Tone], None],
        microphone_opened: Callable[[], None],
    ) -> None:
        self._phone = phone
        self._recorder = recorder
        self._store = store
        self._clock = clock
        self._tell = tell
        self._tone = tone
        self._microphone_opened = microphone_opened

    def occurred(self, call: LiveCall, event: str, params: Params | None = None) -> None:
        """Tells every client."""
        now = self._clock()
        self._tell(Occurred(call.id, event, now.utc, call.since_answer(now), params or {}))

    def look_at(self, call: LiveCall) -> None:
        """After a step: whether a failure keeps talk from being recorded; once a call."""
        failed = call.state.recorder.failed
        if failed is not None and call.state.active and not call.unrecorded and call.phase is CallPhase.CONNECTED:
            call.unrecorded = True
            self._store.unrecorded_call(call.id, failed)

    def carry_out(self, call: LiveCall, effect: do.Effect) -> ev.Event | None:
        """Do it at once; returns an event that follows. Raises KlartoneError if SIP no longer has the call."""
        match effect:
            case do.Commit():
                call.entries[effect.ticket] = effect.entries
                call.note_dates(effect)
                if any(isinstance(change, OpenSegment) for change in effect.changes):
                    call.opening[effect.ticket] = self._clock().mono + OPENS_WITHIN
                self._store.commit(call.id, effect)
            case do.StartRecorder(recording=recording, segment=segment):
                key = call.keys.pop((recording, segment))
                self._recorder.start(call.id, recording, segment, key)
                call.running = (recording, segment)
                self.occurred(call, "recorder_started", {"recording": recording, "segment": segment})
            case do.StopRecorder(recording=recording, segment=segment, hold_frames=hold):
                self._recorder.stop(call.id, recording, segment, hold_frames=hold)
                call.keys.pop((recording, segment), None)
                call.running = None
                self.occurred(call, "recorder_stopped", {"recording": recording, "segment": segment})
            case do.DropFrames(recording=recording):
                self._recorder.drop_frames(recording)
            case do.ForgetKeys(recording=recording):
                self._store.forget_keys(recording)
            case do.PlayNotice():
                return self._play_notice(call, effect)
            case do.StopNotice():
                call.marks.clear()
                call.notice_by = None
                self._phone.stop_notice(call.id)
            case do.SetMicrophone(open=opened):
                call.microphone_open = opened
                self._phone.open_microphone(call.id, opened)
                if opened:
                    self._microphone_opened()
            case do.StartTimer(timer=timer, seconds=seconds):
                call.timers[timer] = self._clock().mono + seconds
            case do.StopTimer(timer=timer):
                call.timers.pop(timer, None)
            case do.SignalRecording(state=state):
                self._phone.set_recording(call.id, state.value)
            case do.SoundTone(tone=tone):
                self._tone(tone)
                self._tell(Tone(call.id, tone.value))
            case do.SoundWarningTone():
                self._phone.sound_warning(call.id)
            case do.FollowSource():
                self._phone.follow_source(call.id)
            case do.EndCall():
                self._phone.hang_up(call.id)
        return None

    def _play_notice(self, call: LiveCall, effect: do.PlayNotice) -> ev.Event | None:
        sound = call.sound_of(effect.notice, effect.language, newcomer=effect.newcomer)
        file = sound.file(question_only=effect.question_only) if sound else None
        call.notice_by = None
        if sound is None or file is None:
            self.occurred(call, "notice_missing")
            return ev.NoticeFailed()
        call.notice = sound
        try:
            self._phone.play_notice(call.id, file, 0.0)
        except KlartoneError as error:
            self.occurred(call, "notice_cut", {"reason": error.code})
            return ev.NoticeFailed()
        call.notice_by = self._clock().mono + (file.seconds or sound.seconds) + NOTICE_GRACE
        return None
