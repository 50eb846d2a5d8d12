"""What can happen to a call, as the session sees it: signals of the machine, and presses at the desk.

All are plain facts in the past tense. An event that does not fit the state is *not applicable* and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from softphone.domain.changes import HoldBy
from softphone.domain.decision import Decision, NoticeId
from softphone.domain.purpose import Direction, Language, OnFailure, Purpose, Reason
from softphone.domain.status import OptOutKind


@dataclass(frozen=True, slots=True)
class Now:
    """Time, given to everything pure: `utc` for what is stored and shown, `mono` (seconds) for durations."""

    utc: datetime
    mono: float


class Timer(StrEnum):
    ANSWER = "answer"
    """the time to answer a question, and a moment more for a key pressed in time to arrive"""
    KEY_SETTLES = "key_settles"
    """1.5 s in which a further digit would show that the key was not an answer"""
    SENSITIVE = "sensitive"
    SENSITIVE_WARNING = "sensitive_warning"
    UNDO = "undo"
    """60 s in which the agent can undo their own hold"""
    DESK_SILENT = "desk_silent"
    WRAP_UP = "wrap_up"
    READABLE = "readable"
    """60 % of the notice's reading time: from then on it can be confirmed as read"""
    RETRY = "retry"
    """a transaction that must be written has failed and is tried again"""
    NO_SOUND = "no_sound"
    """30 s without the party's sound: the agent is reminded, and may hang up"""
    WARNING_TONE = "warning_tone"
    """the next tone, for both sides, that says that the call is being recorded"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says of this call's line, fixed when it rang. A later change of the policy does not touch it."""

    answer_time: float = 8.0
    repeat: int = 1
    reading_time: float = 12.0
    """seconds that the notice's text takes to read aloud"""
    newcomer_reading_time: float | None = None
    """the same of the short text for a newcomer; None: the whole text is read"""
    other_language: Language | None = None
    """the other language, in which `language_key` begins the notice anew"""
    language_key: str = ""
    consent_keys: tuple[tuple[str, Purpose], ...] = ()
    """which key says yes to which purpose; in the order of the notice"""
    opt_out_key: str = "*9"
    opt_out_calls_back: bool = False
    objection_stops: bool = True
    """`objection_in_call`: stop (pause `objection`) or go_on"""
    on_failure: OnFailure = OnFailure.WARN
    """warn | end | go_on, where a failure leaves an obligation unrecorded"""
    spoken_consent: bool = True
    special_circumstances: bool = False
    """training on interest under G32: an objection with grounds instead of an opt-out"""
    sensitive_pause: float = 60.0
    sensitive_resumes: bool = False
    """the line declares a ground for such data (G09): the pause ends by itself"""
    hold_after_refusal: timedelta = timedelta(days=14)
    hold_unconfirmed: timedelta = timedelta(days=30)
    wrap_up: float = 0.0
    """seconds of wrap-up; 0: until the next call begins"""
    starts_by_itself: bool = False
    """a call of ours whose notice begins without *A person answered*"""
    warning_tone: float = 0.0
    """seconds between two tones, for both sides, that say that the call is being recorded; 0: none"""
    agent_tones: bool = True
    """a short tone for the agent when recording begins and stops"""
    obligation: bool = False
    """the line's documentation rests on obligation, so `on_failure` also runs if policy or rulebook failed"""


@dataclass(frozen=True, slots=True)
class CarriedAnswers:
    """What goes along with a call that was transferred, parked and picked up, or called back.

    Refusals always bind. `informed` and `consented` are filled in only for the same controller, line and purpose; they count
    as far as `notice`, which the party heard `told_at`, says the same as ours.
    """

    refused: tuple[Purpose, ...] = ()
    informed: tuple[Purpose, ...] = ()
    consented: tuple[Purpose, ...] = ()
    notice: NoticeId | None = None
    told_at: datetime | None = None


# --- signals ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rang:
    """The call exists and the rulebook has answered. If it failed, `decision` is `not_recorded(...)`."""

    call: str
    direction: Direction
    language: Language
    decision: Decision
    terms: Terms
    carried: CarriedAnswers | None = None
    """of a call from another desk"""
    ours: bool = False
    """we called; an outbound call is always ours"""
    withheld: bool = False
    """the number to call back is unknown"""


@dataclass(frozen=True, slots=True)
class Answered:
    """The dialog is confirmed: after answer and the ACK, never early media."""


@dataclass(frozen=True, slots=True)
class NoticeStarted:
    """The first word goes out; `seconds` is the notice's length."""

    seconds: float


class Mark(StrEnum):
    ESSENTIALS = "essentials"
    """recorded, and why"""
    QUESTION = "question"
    """from here a key is an answer"""


@dataclass(frozen=True, slots=True)
class NoticeReached:
    mark: Mark


@dataclass(frozen=True, slots=True)
class NoticeHeard:
    """Heard whole: last sample and a margin."""


@dataclass(frozen=True, slots=True)
class NoticeFailed:
    """It could not be played, or broke off (lost media, or its sound is missing)."""


@dataclass(frozen=True, slots=True)
class UpstreamVouched:
    """A listed exchange has given the party `notice` already. It covers what our own notice would say in the same way.

    `keys`: what the party pressed there, as at that notice's question (1 for the first purpose that it asks for, 2 for the
    second), or the opt-out keys.
    """

    notice: NoticeId
    keys: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamIgnored:
    """An exchange that is not listed claims to have told the party. That changes nothing, and is noted (G05)."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """By the party. `since` is the monotonic time of the press itself.

    `in_sound`: a tone in what the party said. Speech can sound so, and `sure` is whether it was 80 ms without any.
    """

    digit: str
    since: float
    in_sound: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True)
class PreferenceSignalled:
    """RFC 7866 `a=recordpref`; `recording` false is a refusal of unclear scope."""

    recording: bool


@dataclass(frozen=True, slots=True)
class HoldSignalled:
    """The call is held by either side (or parked)."""

    held: bool


@dataclass(frozen=True, slots=True)
class AgentMediaChanged:
    present: bool


@dataclass(frozen=True, slots=True)
class PartySoundChanged:
    """The party's sound has gone, or is back.

    Before `Answered` it means that none has come yet. Then the notice plays all the same, and nothing is recorded until
    sound comes.

    `silent`: if it has gone, the seconds since the last sign of it. The gap begins there.
    """

    present: bool
    silent: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """The party's sound comes from a source that nothing in the signalling explains."""


@dataclass(frozen=True, slots=True)
class SourceReturned:
    """It comes from its earlier source again, or the new one has been explained."""


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """Somebody else is at the other end, as the signalling says (RFC 4916, P-Asserted-Identity, Replaces). A changed address
    alone is not that."""


@dataclass(frozen=True, slots=True)
class StoodStill:
    """The process was frozen, or the machine slept: what was said meanwhile is missing."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DeskChanged:
    present: bool


@dataclass(frozen=True, slots=True)
class ConsultationChanged:
    running: bool


@dataclass(frozen=True, slots=True)
class Committed:
    ticket: int


@dataclass(frozen=True, slots=True)
class CommitFailed:
    ticket: int
    reason: Reason
    overtaken: str = ""
    """the recording in the way, if the catalog has changed meanwhile: nothing to hold is left, or custody has confirmed the
    hold to be undone. Trying again would not help"""


@dataclass(frozen=True, slots=True)
class FirstSample:
    """The first sample of a recording's segment has been sealed."""

    recording: str
    segment: int


@dataclass(frozen=True, slots=True)
class RecorderFailed:
    reason: Reason


@dataclass(frozen=True, slots=True)
class StorageWorks:
    """What failed works again: a new segment may begin."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    timer: Timer


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Transferred, parked and picked up, or called back: this recording ends and is kept as it is."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    pass


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    """The next call begins, or wrap-up's time is over: defaults of open choices take effect."""


# --- presses at the desk ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """Outgoing: a person, not a machine."""


@dataclass(frozen=True, slots=True)
class VoicemailAnswered:
    pass


@dataclass(frozen=True, slots=True)
class NoticeRead:
    """The whole text has been read aloud. `said` is the party's spoken answer, where asked and allowed."""

    said_yes: tuple[Purpose, ...] = ()
    said_no: tuple[Purpose, ...] = ()


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """After a played notice: the party answered aloud."""

    purpose: Purpose
    yes: bool


@dataclass(frozen=True, slots=True)
class NoticeStopped:
    pass


@dataclass(frozen=True, slots=True)
class NoticeAgain:
    """Play it again, or read it instead; `language` None: the language it had. Another is remembered for the party."""

    read: bool = False
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class FinishedOrally:
    pass


@dataclass(frozen=True, slots=True)
class AskedAgain:
    pass


@dataclass(frozen=True, slots=True)
class DigitsWanted:
    """The agent asks for digits (a customer number): none of them is an answer."""

    on: bool


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The opt-out button, with the kind that it showed."""

    kind: OptOutKind


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A consent is taken back, in the call or at wrap-up (G04)."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Objected:
    """To documentation on interest or public task (G23)."""


@dataclass(frozen=True, slots=True)
class KeptOutOfTraining:
    pass


@dataclass(frozen=True, slots=True)
class RefusedBefore:
    """The house says so only now, when the call's decision stands: an upheld objection (G23), or a promise (N4)."""

    purposes: tuple[Purpose, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class DisputeRaised:
    by: HoldBy
    agent: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class DisputeUndone:
    agent: str


@dataclass(frozen=True, slots=True)
class Chosen:
    choice: str
    option: str


@dataclass(frozen=True, slots=True)
class SensitivePaused:
    pass


@dataclass(frozen=True, slots=True)
class MoreTime:
    pass


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class SameCaller:
    """The agent hears the same party from the new source."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    by_phone: bool = False
    """by another call of this phone: a conference, whose end `PersonLeft` tells"""


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """Who had joined by phone neither hears nor is heard any more."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    pass


@dataclass(frozen=True, slots=True)
class PrivateCall:
    pass


@dataclass(frozen=True, slots=True)
class PartyAsksForRecording:
    """After a no the party wants it after all: a new notice and a new recording, under `decision`.

    `terms`: if the new notice has other keys and another reading time; None: they stay.
    """

    decision: Decision
    terms: Terms | None = None


Event = (
    Rang
    | Answered
    | NoticeStarted
    | NoticeReached
    | NoticeHeard
    | NoticeFailed
    | UpstreamVouched
    | UpstreamIgnored
    | DigitPressed
    | PreferenceSignalled
    | HoldSignalled
    | AgentMediaChanged
    | PartySoundChanged
    | SourceChanged
    | SourceReturned
    | IdentityChanged
    | StoodStill
    | DeskChanged
    | ConsultationChanged
    | Committed
    | CommitFailed
    | FirstSample
    | RecorderFailed
    | StorageWorks
    | TimedOut
    | HandedOver
    | CallEnded
    | WrapUpEnded
    | PersonAnswered
    | VoicemailAnswered
    | NoticeRead
    | SpokenAnswer
    | NoticeStopped
    | NoticeAgain
    | FinishedOrally
    | AskedAgain
    | DigitsWanted
    | OptedOut
    | Withdrawn
    | Objected
    | KeptOutOfTraining
    | RefusedBefore
    | DisputeRaised
    | DisputeUndone
    | Chosen
    | SensitivePaused
    | MoreTime
    | Resumed
    | SameCaller
    | NewPerson
    | PersonLeft
    | NotUnderstood
    | PrivateCall
    | PartyAsksForRecording
)
