"""What the session wants done. The engine's loop does it, and nothing else acts on a recording during a call.

Effects are carried out in the order given. What stops or narrows (`StopRecorder`, `DropFrames`, `StopNotice`) comes before
its `Commit`. What starts or widens comes after the `Committed` of its transaction.

**Changing segments without a gap.** The key of a new segment comes with its `Committed`, which takes some milliseconds:

- *wider* (a yes is added): the old, narrower segment runs on until the `Committed`. Then `StopRecorder(old)` and
  `StartRecorder(new)` come together; the few frames between them are held for the new one.
- *narrower, and something is left* (an opt-out while documentation goes on): `StopRecorder(old, hold_frames=True)` at once.
  From that frame on nothing is sealed under the old key; frames go into memory, unsealed, for the narrower segment alone.
  The recording's next `StartRecorder` seals them as its first frames, or a `DropFrames` forgets them.
- *nothing is left*, or the very first start: no frame is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from softphone.domain.changes import Commit
from softphone.domain.decision import NoticeId
from softphone.domain.events import Timer
from softphone.domain.purpose import Language


@dataclass(frozen=True, slots=True)
class PlayNotice:
    """To the party and to the agent. `question_only` repeats the question alone; `newcomer`: the short text, if there is one."""

    notice: NoticeId
    language: Language
    question_only: bool = False
    newcomer: bool = False


@dataclass(frozen=True, slots=True)
class StopNotice:
    pass


@dataclass(frozen=True, slots=True)
class SetMicrophone:
    """Whether the agent's voice reaches the party. Closed from answer until the first of these, which comes with `Answered`."""

    open: bool


@dataclass(frozen=True, slots=True)
class StartRecorder:
    """Frames from now on go into this segment, held frames of this recording (if any) before them.

    Its key has come with the `Committed` before.
    """

    recording: str
    segment: int


@dataclass(frozen=True, slots=True)
class StopRecorder:
    """The segment ends with the frame before this one: it is flushed, and gets its final chunk.

    `hold_frames`: frames from now on stay in memory, under no key and never on disk, until the recording's next
    `StartRecorder` or `DropFrames`. After `HOLD_SECONDS` the recorder forgets them and reports
    `RecorderFailed(RECORDER_FAILED)`. Otherwise no frame from now on is stored or held.
    """

    recording: str
    segment: int
    hold_frames: bool = False


HOLD_SECONDS = 30.0
"""how much sound a recorder may hold for a narrower segment whose key is on its way"""


@dataclass(frozen=True, slots=True)
class DropFrames:
    """Frames held for a narrower segment are forgotten: it will not begin, or not as a continuation."""

    recording: str


@dataclass(frozen=True, slots=True)
class ForgetKeys:
    """The data keys that were kept in memory for an open question, or for an undo, are no longer needed."""

    recording: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    timer: Timer


class RecordSignal(StrEnum):
    """RFC 7866: `paused` goes on later, `off` does not."""

    ON = "on"
    OFF = "off"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class SignalRecording:
    """`a=record` to a record-aware peer (RFC 7866), on every change."""

    state: RecordSignal


class Tone(StrEnum):
    STARTED = "started"
    STOPPED = "stopped"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class SoundTone:
    """A short tone for the agent alone."""

    tone: Tone


@dataclass(frozen=True, slots=True)
class SoundWarningTone:
    """A short tone for both sides: the call is being recorded (`Terms.warning_tone`)."""


@dataclass(frozen=True, slots=True)
class FollowSource:
    """The agent has said whose sound the new source is: from now on it is the party's."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """`on_failure = "end"`: the policy wants the call ended."""


Effect = (
    PlayNotice
    | StopNotice
    | SetMicrophone
    | StartRecorder
    | StopRecorder
    | DropFrames
    | ForgetKeys
    | Commit
    | StartTimer
    | StopTimer
    | SignalRecording
    | SoundTone
    | SoundWarningTone
    | FollowSource
    | EndCall
)
