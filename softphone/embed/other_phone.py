"""The other phone as the engine's rules need one: notices, recorder and archive are orders to it.

It keeps no sound and no key. The other phone says what is written and when, or its `auto_commit` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from softphone.calls.live import LiveCall
from softphone.calls.ports import RecordState
from softphone.domain import effects as do
from softphone.domain.changes import AuditEntry, Commit, Discard, OpenSegment
from softphone.domain.decision import Decision, LookupResult, NoticeId, not_recorded
from softphone.domain.notice import NoticeFile, asks
from softphone.domain.purpose import Reason
from softphone.embed.draws import Draws
from softphone.embed.messages import (
    AnswerCall,
    DeleteSegment,
    Noted,
    PlayNotice,
    write,
    write_effect,
)

Keys = Mapping[tuple[str, int], bytes]
WHOLE = frozenset({NoticeId.N2, NoticeId.N3, NoticeId.N4})
"""notices for one purpose that a no, a withdrawal or an opt-out ends. All is deleted then, so a plain file never
has to be narrowed to fewer people"""


class PhoneListener(Protocol):
    """What the other phone's archive knows and has written, and what a plain phone need not say, in a later turn."""

    def looked_up(self, call: str, known: LookupResult) -> None: ...
    def committed(self, call: str, ticket: int) -> bool: ...
    def plays(self, call: str, play: int, seconds: float) -> None: ...


class OtherPhone:
    """`names` are the other phone's own ids of the calls, by ours; `out` takes a line; `later` runs something in the next
    turn."""

    unopened = False
    """its archive is its own affair: what cannot be written comes as `commit_failed`"""

    def __init__(
        self,
        names: Mapping[str, str],
        out: Callable[[bytes], None],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self.calls: Mapping[str, LiveCall] = {}
        self._names = names
        self._out = out
        self._later = later
        self._draws = Draws()
        self._keys: dict[tuple[str, int], Keys] = {}
        self.answers: PhoneListener | None = None
        self.auto_commit = False
        self.plain = False
        self._closed: set[str] = set()
        """calls whose microphone a plain phone was told to close"""
        self._begun: dict[str, list[tuple[str, int]]] = {}
        """recordings and segments of each call that have a file"""
        self._known: dict[str, LookupResult] = {}
        self._plays: dict[str, int] = {}
        """how often a notice of each call has been played"""
        self._playing: dict[str, int] = {}

    def rang(self, call: str, known: LookupResult | None) -> None:
        """What its archive knows of this call, if it has one."""
        if known is not None:
            self._known[call] = known

    def written(self, call: str, ticket: int) -> Keys | None:
        """The keys that this transaction would have made, all of them empty; None if it is not waited for."""
        return self._keys.pop((call, ticket), None)

    def failed(self, call: str, ticket: int) -> bool:
        """Whether that transaction was waited for."""
        return self._keys.pop((call, ticket), None) is not None

    def plays(self, call: str, play: int, *, on: bool) -> bool:
        """Whether that notice is being played; `on`: it goes on."""
        if self._playing.get(call) != play:
            return False
        if not on:
            del self._playing[call]
        return True

    def forget(self, call: str) -> None:
        self.over(call)
        self._closed.discard(call)
        for kept in (self._known, self._plays, self._playing, self._begun):
            kept.pop(call, None)
        for waited in [one for one in self._keys if one[0] == call]:
            del self._keys[waited]

    def keeps(self, call: LiveCall, decision: Decision) -> Decision:
        """The rulebook's choice, if a plain phone can keep what the notice promises.

        It has no window: a spoken opt-out reaches nobody (G31), and only keys can take a yes back (G04).
        """
        if not self.plain or decision.notice is None:
            return decision
        if decision.notice not in WHOLE:
            return not_recorded(Reason.NOTICE_FAILED)
        by_keys = call.line is not None and call.line.opt_out_key
        return decision if asks(decision.notice) and by_keys else not_recorded(Reason.NO_DESK)

    # --- its mouth -------------------------------------------------------------------------------

    def hang_up(self, call: str) -> None:
        self._effect(call, do.EndCall())

    def decided(self, call: str) -> None:
        """A plain phone answers now, and its agent is not heard from the first moment on. Once."""
        if self.plain and call not in self._closed:
            self.open_microphone(call, opened=False)
            self._out(write(AnswerCall(self._names[call])))

    def open_microphone(self, call: str, opened: bool) -> None:
        """A plain phone hears of changes alone, beginning from open, so a switch will do."""
        if self.plain and opened != (call in self._closed):
            return
        if opened:
            self._closed.discard(call)
        else:
            self._closed.add(call)
        self._effect(call, do.SetMicrophone(opened))

    def play_notice(self, call: str, file: NoticeFile, lead_in_seconds: float) -> None:  # noqa: ARG002
        """The sound has its own silence before it; the call's notice is the one that is meant."""
        live = self.calls[call]
        sound, notice = live.notice, live.notice_id
        if sound is None or notice is None:
            return
        play = self._plays[call] = self._playing[call] = self._plays.get(call, 0) + 1
        again = file.path == sound.question_path
        seconds = sound.question_seconds if again else sound.seconds
        text = sound.text
        if self.plain:
            self._later(lambda: self._tell_plays(call, play, seconds))
        self._out(
            write(
                PlayNotice(
                    call=self._names[call],
                    play=play,
                    notice=notice,
                    language=text.language,
                    question_only=again,
                    wav=str(Path(file.path).resolve()),
                    seconds=seconds,
                    text=text.shown[text.question :] if again else text.shown,
                )
            )
        )

    def stop_notice(self, call: str) -> None:
        self._playing.pop(call, None)
        self._effect(call, do.StopNotice())

    def set_recording(self, call: str, state: RecordState) -> None:
        self._effect(call, do.SignalRecording(do.RecordSignal(state)))

    def sound_tone(self, call: str, tone: str) -> None:
        self._effect(call, do.SoundTone(do.Tone(tone)))

    def sound_warning(self, call: str) -> None:
        self._effect(call, do.SoundWarningTone())

    def follow_source(self, call: str) -> None:
        self._effect(call, do.FollowSource())

    # --- its recorder ----------------------------------------------------------------------------

    def start(self, call: str, recording: str, segment: int, key: bytes) -> None:  # noqa: ARG002 - all are empty
        self._effect(call, do.StartRecorder(recording, segment))
        self._begun.setdefault(call, []).append((recording, segment))

    def stop(self, call: str, recording: str, segment: int, *, hold_frames: bool = False) -> None:
        self._effect(call, do.StopRecorder(recording, segment, hold_frames))

    def drop_frames(self, recording: str) -> None:
        self._effect(self._call_of(recording), do.DropFrames(recording))

    # --- its archive -----------------------------------------------------------------------------

    def look_up(self, call: LiveCall) -> None:
        """What the archive knows came with the call. Without one the sample is drawn here, for as long as this process
        lives."""
        known = self._known.get(call.id)
        if known is None:
            known = LookupResult(drawn=call.line is not None and self._draws.draw(call.line, call.account, call.id))
        self._later(lambda: self._tell_known(call.id, known))

    def ring(self, call: LiveCall) -> None:
        pass

    def answered(self, call: str) -> None:
        self._draws.use(call)

    def over(self, call: str) -> None:
        self._draws.forget(call)

    def note(self, entries: Sequence[AuditEntry]) -> None:
        self._out(write(Noted(tuple(entries))))

    def commit(self, call: str, commit: Commit) -> None:
        self._keys[call, commit.ticket] = {
            (change.recording, change.segment): b"" for change in commit.changes if isinstance(change, OpenSegment)
        }
        self._effect(call, commit)
        if self.plain:
            gone = {change.recording for change in commit.changes if isinstance(change, Discard)}
            for recording, segment in self._begun.get(call, ()):
                if recording in gone:
                    self._out(write(DeleteSegment(self._names[call], recording, segment)))
        if self.auto_commit or self.plain:
            self._later(lambda: self._tell_committed(call, commit.ticket))

    def unrecorded_call(self, call: str, why: Reason) -> None:
        """The other phone keeps what is recorded, and hears of it as it happens."""

    def forget_keys(self, recording: str) -> None:
        self._effect(self._call_of(recording), do.ForgetKeys(recording))

    # --- inside ----------------------------------------------------------------------------------

    def _effect(self, call: str, effect: do.Effect) -> None:
        self._out(write_effect(self._names.get(call, ""), effect))

    def _call_of(self, recording: str) -> str:
        for call in self.calls.values():
            if any(one.id == recording for one in call.state.recordings):
                return call.id
        return ""

    def _tell_known(self, call: str, known: LookupResult) -> None:
        if self.answers:
            self.answers.looked_up(call, known)

    def _tell_committed(self, call: str, ticket: int) -> None:
        if self.answers:
            self.answers.committed(call, ticket)

    def _tell_plays(self, call: str, play: int, seconds: float) -> None:
        if self.answers:
            self.answers.plays(call, play, seconds)
