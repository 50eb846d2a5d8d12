"""What the session wants done, done: notices, microphone, recorder, store, clocks. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from softphone.archive.finding.own_calls import OwnCall
from softphone.domain import effects as do
from softphone.domain import events as ev
from softphone.domain.changes import AuditEntry, Commit, OpenSegment
from softphone.domain.decision import Facts
from softphone.domain.errors import KlartoneError
from softphone.domain.notice import NoticeFile
from softphone.domain.policy import Policy
from softphone.domain.purpose import Reason
from softphone.engine.call.live import LiveCall
from softphone.engine.earlier import Answer, LockRequest
from softphone.engine.sip.events import PeerRecordingState
from softphone.plugin.notices import NoticeBook
from softphone.wire import CallPhase, Occurred, Tone

Params = Mapping[str, str | int | float | bool | None]

NOTICE_GRACE = 3.0
"""seconds past a notice's length after which it has failed, whatever the media say: nobody is kept waiting"""

OPENS_WITHIN = 4.0
"""seconds in which a segment must have begun: longer than a disk that is merely slow takes"""


class PhonePort(Protocol):
    """What the session's effects need of a phone."""

    def hang_up(self, call: str) -> None: ...
    def open_microphone(self, call: str, opened: bool) -> None: ...
    def play_notice(self, call: str, file: NoticeFile, lead_in_seconds: float) -> None: ...
    def stop_notice(self, call: str) -> None: ...
    def set_recording(self, call: str, state: PeerRecordingState) -> None: ...
    def sound_warning(self, call: str) -> None: ...
    def follow_source(self, call: str) -> None: ...


class CallPhonePort(PhonePort, Protocol):
    """What is used of `engine.sip.Phone`."""

    def dial(self, account: str, target: str) -> str: ...
    def ring(self, call: str) -> None: ...
    def answer(self, call: str) -> None: ...
    def decline(self, call: str, code: int = ..., /) -> None: ...
    def hold(self, call: str) -> None: ...
    def resume(self, call: str) -> None: ...
    def send_digits(self, call: str, digits: str) -> None: ...
    def set_muted(self, call: str, muted: bool) -> None: ...


class RecorderPort(Protocol):
    """What is used of `engine.recorder.Recorder`."""

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None: ...
    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None: ...
    def drop_frames(self, recording: str) -> None: ...


class StorePort(Protocol):
    """The archive as one call needs it. Nothing here blocks; answers come in a later turn."""

    @property
    def unopened(self) -> bool: ...
    def look_up(self, call: LiveCall) -> None:
        """The answer is what the archive knows of party and sample."""
        ...

    def answered(self, call: str) -> None:
        """Its place in the sample is used up."""
        ...

    def note(self, entries: Sequence[AuditEntry]) -> None:
        """Audit entries beside those that the session asks for."""
        ...

    def ring(self, call: LiveCall, policy: Policy | None) -> None:
        """The call's facts are known to the store before its first commit; told again, the later ones hold."""
        ...

    def commit(self, call: str, commit: Commit) -> None: ...
    def forget_keys(self, recording: str) -> None: ...
    def unrecorded_call(self, call: str, why: Reason) -> None:
        """It was to be recorded, and cannot be: whoever starts the engine next is told, unless the audit log has it by then."""
        ...


class CallStorePort(StorePort, Protocol):
    """The archive as the engine needs it: its answers come to `Calls.looked_up` and the like, in the loop's inbox."""

    def over(self, call: str) -> None:
        """Nothing more comes of it: its place, where it was not answered, is another's."""
        ...

    def look_back(self, agents: Sequence[str], since: datetime, now: datetime) -> None:
        """The answer, the last calls of these accounts, comes to `Calls.remembered`."""
        ...

    def list_own(self, call: OwnCall) -> None:
        """A row of the agent's own calls, for after a restart."""
        ...

    def take_up(self, call: str, now: datetime) -> bool:
        """The answer comes to `Calls.taken_up`. False where no archive is open."""
        ...

    def lock_earlier(self, asked: LockRequest, answer: Answer) -> None:
        """`answer` hears of it on the loop's thread."""
        ...

    def cause(self) -> str | None:
        """Why writing fails: disk_full, unwritable, or None where the disk tells of nothing."""
        ...


class RulesPort(Protocol):
    """The policy in force, its notices and its rulebook."""

    @property
    def policy(self) -> Policy | None: ...
    @property
    def book(self) -> NoticeBook:
        """Its notices. Policy and book go together: a call keeps both of when it rang."""
        ...

    @property
    def trouble(self) -> Reason:
        """Why no call can be recorded while there is no policy: policy_missing, policy_faulty, policy_unsigned."""
        ...

    @property
    def exchanges(self) -> frozenset[str]:
        """Addresses of those whose word is believed that a party has been told already."""
        ...

    def make_anew(self) -> None:
        """A notice's sound was not what was made: they are all looked at again, for the next call and the next try."""
        ...

    def ask(self, call: str, policy: Policy, facts: Facts, *, drawn: bool) -> None:
        """The answer, or `not_recorded` where it failed, comes to `Calls.decided`."""
        ...


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
        """After a step: whether talk that is to be recorded is not, by a failure; once a call."""
        failed = call.state.recorder.failed
        if failed is not None and call.state.active and not call.unrecorded and call.phase is CallPhase.CONNECTED:
            call.unrecorded = True
            self._store.unrecorded_call(call.id, failed)

    def carry_out(self, call: LiveCall, effect: do.Effect) -> ev.Event | None:
        """Does it at once; an event that follows is returned. Raises KlartoneError where SIP has no such call any more."""
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
