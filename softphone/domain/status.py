"""What the desk may show of a call's recording: codes with parameters, derived from the session's state.

`session.describe` makes it, the wire carries it, the desk draws it. It holds no sentence and decides nothing. Times are UTC;
lengths are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis, Headline, Language, Purpose, Reason


class InformedPhase(StrEnum):
    """How far the party has been informed (G05)."""

    NOTHING = "nothing"
    PLAYING = "playing"
    READING = "reading"
    INFORMED = "informed"
    FAILED = "failed"


class InformedBy(StrEnum):
    """How a notice reaches the party, or reached it."""

    PLAY = "play"
    READ = "read"
    UPSTREAM = "upstream"
    """an exchange gave it"""
    COLLEAGUE = "colleague"
    """another desk gave it, before the call was transferred"""
    FINISHED_ORALLY = "finished_orally"


class PurposePhase(StrEnum):
    OFF = "off"
    PLANNED = "planned"
    ASKED = "asked"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PurposeStatus:
    phase: PurposePhase
    basis: Basis | None
    reason: Reason
    at: datetime | None = None
    """when it became active or ended"""


@dataclass(frozen=True, slots=True)
class ReasonStatus:
    """One reason with its rule, when it came to be, and parameters for its sentence."""

    reason: Reason
    rule: str
    purpose: Purpose | None = None
    at: datetime | None = None
    params: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])


@dataclass(frozen=True, slots=True)
class NoticeStatus:
    """Where this call's notice stands. Its text is `NoticeText` on the wire."""

    notice: NoticeId
    language: Language
    told: InformedPhase
    how: InformedBy
    started_at: datetime | None
    heard_at: datetime | None
    readable_at: datetime | None
    """from when *I have read it* may be pressed (60 % of the reading time)"""
    asks: tuple[Purpose, ...]
    """which purposes it asks a yes for"""
    newcomer: bool = False
    """it is given to a newcomer"""


class OptOutKind(StrEnum):
    """What the opt-out button would do to *this* call, now."""

    STOP_AND_DELETE = "stop_and_delete"
    TRAINING_ENDS = "training_ends"
    """documentation goes on"""
    SAID_NO = "said_no"
    """a question is open: the party said no"""
    OBJECTION = "objection"
    CALL_BACK = "call_back"
    GROUNDS = "grounds"
    """special circumstances: the party gave grounds (G32)"""
    NOTE_REQUEST = "note_request"
    """documentation on obligation alone: noted, goes on"""
    NONE = "none"


class DisputeKind(StrEnum):
    LOCK = "lock"
    ARM = "arm"
    """nothing recorded yet: takes effect with the first sample"""
    UNDO = "undo"
    NONE = "none"


class Stays(StrEnum):
    """What a hold leaves of a recording that the press would otherwise delete."""

    FOR_THE_COMPLAINT = "complaint"
    """the party raised it, and then chooses whether it stands"""
    FOR_CUSTODY = "custody"
    """custody decides on it"""


@dataclass(frozen=True, slots=True)
class OptOutButton:
    """`kind` is what a press would do. It goes back with the command, so that a stale press is refused."""

    kind: OptOutKind
    enabled: bool
    why_not: str | None = None
    """a code, if it is not enabled"""
    stays: Stays | None = None
    """if it ends the last purpose"""
    asks: bool = False
    """it goes further than the press before it on the same spot: the window asks before it sends it"""


@dataclass(frozen=True, slots=True)
class DisputeButton:
    """`kind` is what a press would do."""

    kind: DisputeKind
    enabled: bool
    why_not: str | None = None
    """a code, if it is not enabled"""
    until: datetime | None = None
    """until when *Undo* is possible"""


class Action(StrEnum):
    """A further command that the session offers now. The engine carries out the last two (`BEYOND_THE_SESSION`)."""

    PERSON_ANSWERED = "person_answered"
    VOICEMAIL = "voicemail"
    NOTICE_READ = "notice_read"
    STOP_NOTICE = "stop_notice"
    PLAY_AGAIN = "play_again"
    READ_INSTEAD = "read_instead"
    FINISH_ORALLY = "finish_orally"
    ASK_AGAIN = "ask_again"
    SAID_YES = "said_yes"
    SAID_NO = "said_no"
    DIGITS_WANTED = "digits_wanted"
    DIGITS_OVER = "digits_over"
    PAUSE_SENSITIVE = "pause_sensitive"
    RESUME = "resume"
    MORE_TIME = "more_time"
    SAME_CALLER = "same_caller"
    NEW_PERSON = "new_person"
    NOT_UNDERSTOOD = "not_understood"
    KEEP_OUT_OF_TRAINING = "keep_out_of_training"
    PRIVATE_CALL = "private_call"
    WITHDRAW_DOCUMENTATION = "withdraw_documentation"
    WITHDRAW_TRAINING = "withdraw_training"
    OBJECT = "object"
    NOTE_REQUEST = "note_request"
    PARTY_ASKS_FOR_RECORDING = "party_asks_for_recording"
    END_POLITELY = "end_politely"


class HoldPhase(StrEnum):
    ARMED = "armed"
    LOCKING = "locking"
    LOCKED = "locked"
    """said only once the store has confirmed it"""
    VOID = "void"


@dataclass(frozen=True, slots=True)
class HoldStatus:
    phase: HoldPhase
    raised_by: str
    """party | controller"""
    since: datetime
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A remaining choice of two or three buttons, with the default that holds if nobody presses."""

    id: str
    """dispute_by | kept_for_complaint"""
    options: tuple[str, ...]
    default: str
    chosen: str | None = None
    destroys: str = ""
    """of the options, the one that deletes what is recorded: the window asks before it sends it"""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole of one call's recording life, as the desk draws it."""

    version: int
    headline: Headline
    recording: tuple[Purpose, ...]
    """what is being recorded right now; empty when nothing is"""
    purposes: Mapping[Purpose, PurposeStatus]
    reasons: tuple[ReasonStatus, ...]
    """at least one; the first is the headline's"""
    since: datetime | None
    """since when the headline holds"""
    until: datetime | None
    """when it changes by itself: the time to answer is over, a pause ends, a notice has been heard"""
    pauses: tuple[Reason, ...]
    notice: NoticeStatus | None
    opt_out: OptOutButton
    dispute: DisputeButton
    hold: HoldStatus | None
    choices: tuple[Choice, ...]
    actions: tuple[Action, ...]
    kept: bool
    """whether anything of the call's recordings is kept"""
    recordings: tuple[str, ...]
    """ids of the call's recordings, newest last"""
    notes: tuple[str, ...] = ()
    """what the agent should know to say the right thing:

    - `request_noted`: an objection that could not be met (obligation, or no grounds)
    - `objection_received`
    - `unclear_key`, `unclear_signal`: a no by keys or SIP, of unknown scope: ask
    - `call_back_listed`; `ask_for_number`: the number to call back is unknown
    - `obligation_unrecorded`: the recorder, the rules or the notice failed
    - `still_no_sound`: the party has not been heard for long: hang up?
    - `stood_still`: some talk is missing
    - `held_from_training`: training cannot use the recording while the lock stands
    """
    destroys: tuple[Action, ...] = ()
    """of `actions`, what would delete something recorded, or take the documentation from it: the window asks before it sends
    one"""
    yes_by_agent: tuple[Purpose, ...] = ()
    """purposes to which the agent may say that the party said yes: all that are asked, or those whose key was heard as a
    tone. Empty: as `actions` say"""
    missing_seconds: int = 0
    """seconds of talk missing from the recording because the process stood still"""
    recorded: float = 0.0
    """seconds of the newest recording before the stretch that runs now, or in all"""
    recorded_from: datetime | None = None
    """when that stretch began; None while nothing is recorded"""
