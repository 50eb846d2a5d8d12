"""The messages between engine and desk: frozen types, one JSON object a line, versioned.

Nothing here decides or draws. Times are UTC, lengths seconds, ids UUIDv7 as text; no message carries a secret but
`Attach`, whose throw-away secret comes from a file that only the user can read. `docs/wire.md` shows it by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from softphone.domain.errors import KlartoneError
from softphone.domain.notice import SpokenWord
from softphone.domain.purpose import Direction, Language, Purpose
from softphone.domain.quality import QualityWord
from softphone.domain.status import Action, InformedBy, OptOutKind, ReasonStatus, Status, Stays

PROTOCOL = 1
LINE_LIMIT = 1_000_000
"""bytes in one line; a longer one is refused"""

Params = Mapping[str, str | int | float]
Bilingual = Mapping[Language, str]
Transport = Literal["udp", "tcp", "tls"]
Srtp = Literal["off", "optional", "required"]


# --- what a snapshot is made of -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodedText:
    """A code with parameters, for `texts`."""

    code: str
    params: Params = field(default_factory=dict[str, "str | int | float"])
    line: int | None = None
    key: str = ""


class Registration(StrEnum):
    REGISTERING = "registering"
    REGISTERED = "registered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNREGISTERED = "unregistered"
    """not registering: calls come directly"""
    NO_PASSWORD = "no_password"  # noqa: S105 - a state, not a secret
    """the keyring is missing, locked, or holds none for this account"""


@dataclass(frozen=True, slots=True)
class Account:
    """A SIP account as settings hold it. The password lies in the keyring under its id."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    address: str
    """user@domain, or user@host:port"""
    user: str = ""
    """for digest authentication, if it differs from the address's"""
    transport: Transport = "udp"
    register: bool = True
    display_name: str = ""
    accept_from: tuple[str, ...] = ()
    """addresses and networks whose calls are taken, beside its own server"""
    outbound_proxy: str = ""
    """`host[:port]` to which all its requests go first; empty: to the server that its address names"""
    srtp: Srtp = "optional"
    """whether its calls' sound is encrypted. It counts by TLS alone: elsewhere anybody could read the keys"""
    certificate_authority: str = ""
    """file (PEM) of the only authorities that may have signed its server's certificate; empty: the system's"""


@dataclass(frozen=True, slots=True)
class AccountState:
    account: Account
    registration: Registration
    until: datetime | None = None
    code: int = 0
    reason: str = ""
    trouble: CodedText | None = None
    """why its server could not be reached, since it last was"""


@dataclass(frozen=True, slots=True)
class LineState:
    """A line of the policy, in its own words."""

    id: str
    name: Bilingual
    numbers: tuple[str, ...]
    party: Bilingual
    """what the party is called: the caller, the citizen, the patient"""
    why: Mapping[Purpose, Bilingual]
    """the assessment's one sentence for each purpose"""
    sample: str = ""


@dataclass(frozen=True, slots=True)
class NoticeText:
    language: Language
    text: str
    """as it is shown"""
    seconds: float
    """as it is played, or read aloud"""
    question_at: int | None
    """where in the text the question begins"""
    words: tuple[SpokenWord, ...] = ()


class CallPhase(StrEnum):
    INCOMING = "incoming"
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"
    """wrap-up"""


class CallRole(StrEnum):
    PARTY = "party"
    CONSULTATION = "consultation"
    """with a colleague, while a party waits: never recorded"""


class ConsultEnd(StrEnum):
    """How a consultation ended that the agent did not end."""

    OVER = "over"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Quality:
    """How the connection is, over the last seconds. Shares are of 1, times seconds. `…_there` is what the other end reports
    of our sound; None: it reports nothing."""

    word: QualityWord
    r: float
    """E-model (ITU-T G.107), 0 to 100, of the worse direction"""
    mos: float
    """what people would give it, 1 to 4.5"""
    loss: float
    """packets that were lost or came too late"""
    jitter: float
    round_trip: float | None = None
    loss_there: float | None = None
    jitter_there: float | None = None
    buffer: float = 0.0
    """how long packets wait here so that late ones are still heard"""
    codec: str = ""


class TransferPhase(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    RINGING = "ringing"
    """it rings at the target"""
    FAILED = "failed"
    """the party is still here"""


@dataclass(frozen=True, slots=True)
class TransferState:
    """How the transfer of a call goes. One that succeeds ends the call."""

    phase: TransferPhase
    target: str
    """the number, or the user part of the address"""
    code: int = 0
    """SIP status, if it failed; 0: no answer"""
    consultation: str | None = None
    """of an attended one: the call with the colleague"""


@dataclass(frozen=True, slots=True)
class ToldBy:
    """Who told the party before the call came here, and when (a colleague's desk), or that it had been told (an exchange)."""

    by: InformedBy
    at: datetime


@dataclass(frozen=True, slots=True)
class CallState:
    id: str
    account: str
    line: str | None
    direction: Direction
    name: str
    number: str
    phase: CallPhase
    arrived_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    line_words: LineState | None = None
    """the line as it was when the call rang; a later policy says nothing of this call"""
    reopened: bool = False
    """an earlier call that was taken up again: it takes what wrap-up takes"""
    muted: bool = False
    held_by_us: bool = False
    held_by_them: bool = False
    microphone_open: bool = True
    record_aware: bool = False
    end_code: int = 0
    """SIP status, if the call came to nothing"""
    status: Status | None = None
    """None until the rulebook has answered"""
    notice: NoticeText | None = None
    expires: Mapping[Purpose, date] = field(default_factory=dict[Purpose, date])
    objection_answer: str = ""
    """what to say if an objection meets an obligation, in the call's language"""
    other_languages: tuple[Language, ...] = ()
    """languages in which the notice can be given too, for a party that did not understand it"""
    quality: Quality | None = None
    """None until the call has been listened to for some seconds"""
    active: bool = True
    """its sound is the agent's now; of all calls none, one, or those of a conference"""
    role: CallRole = CallRole.PARTY
    consults_for: str | None = None
    """of a consultation: the id of the party's call"""
    conference: bool = False
    """it is mixed with the others that say so"""
    consult_ended: ConsultEnd | None = None
    """of a party's call: how the last consultation ended, until the agent has gone back to the party"""
    encrypted: bool = False
    """signalling and media both"""
    told_by: ToldBy | None = None
    """None: it is told here"""
    transfer: TransferState | None = None
    asked_to_call: str = ""
    """whom the party would have us call in its place (`FollowTransfer`, `DeclineTransfer`); nobody is called without a
    press"""
    redirected_to: str = ""
    """of a call of ours that came to nothing: where its server says that the called person is; nobody is called for that"""
    note: str = ""
    """the agent's own"""
    earlier: tuple[PastCall, ...] = ()
    """calls with the same number, newest first"""


@dataclass(frozen=True, slots=True)
class PastCall:
    """One row of the agent's own calls, today's and as far back as `own_calls` says.

    `outcome`: documentation, training, both, locked, not_recorded, deleted, missed, declined, unanswered, call_back. `kept`:
    something of it is kept, so rights can be exercised (`Reopen`). `why`: the reason that nothing of an answered call was
    recorded or is kept; None if that is no longer known.
    """

    id: str
    direction: Direction
    name: str
    number: str
    line: str | None
    at: datetime
    seconds: float
    outcome: str
    kept: bool = False
    why: ReasonStatus | None = None


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody who declined and is to be called back without recording (N4)."""

    id: str
    number: str
    line: str | None
    at: datetime


class PolicyPhase(StrEnum):
    LOADING = "loading"
    READY = "ready"
    MISSING = "missing"
    FAULTY = "faulty"
    """refused; a good one that was in force before stays, and `controller` names it"""
    UNSIGNED = "unsigned"
    """a signature is required, and is missing or no longer fits: nothing is recorded"""


@dataclass(frozen=True, slots=True)
class PolicyState:
    phase: PolicyPhase
    path: str = ""
    controller: str = ""
    time_zone: str = "UTC"
    faults: tuple[CodedText, ...] = ()


@dataclass(frozen=True, slots=True)
class SoundDevice:
    id: str
    name: str
    microphone: bool
    speaker: bool


@dataclass(frozen=True, slots=True)
class SoundState:
    devices: tuple[SoundDevice, ...] = ()
    microphone: str | None = None
    """the device in use; None: *No microphone*"""
    speaker: str | None = None
    fault: CodedText | None = None
    own_call: Literal["", "notice", "speak", "listen"] = ""
    """how far a test call to oneself is: the notice is heard, the agent speaks, hears it"""


@dataclass(frozen=True, slots=True)
class StoreState:
    """The archive: whether recordings can be written, and if not, why."""

    works: bool
    fault: CodedText | None = None
    demo: bool = False


class Look(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class TextSize(StrEnum):
    NORMAL = "normal"
    LARGE = "large"
    LARGER = "larger"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user has set. None of it is secret."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    accounts: tuple[Account, ...] = ()
    policy: str = ""
    """path of the policy file"""
    policy_signer: str = ""
    """public key (Ed25519, 32 bytes in base64) that must have signed the policy; empty: no signature is needed"""
    desk_certificate: str = ""
    """a house's word that this desk is its own, for call passports (`klartone keys certify`)"""
    archive: str = ""
    """folder; empty: the user's own"""
    backup: str = ""
    """folder of the automatic backup; empty: none"""
    backup_every: str = "P1D"
    """how often (ISO 8601)"""
    microphone: str = ""
    """device id; empty: the system's default"""
    speaker: str = ""
    microphone_volume: int = 100
    """per cent, up to 200, of what the party hears and a recording has"""
    speaker_volume: int = 100
    echo: bool = False
    """take the loudspeaker's echo out of the microphone's sound"""
    noise: bool = False
    """take noise out of it"""
    ring_device: str = ""
    """device id; empty: where speech is heard"""
    notice_device: str = ""
    """device id: where the agent hears the notice; empty: where speech is heard"""
    ring_sound: str = "classic"
    """classic, chime, bell, rise, low, or `file:` and the path of a WAV file"""
    ring_volume: int = 100
    """0: a call that comes in is seen alone"""
    language: Language | None = None
    """None: the system's"""
    look: Look = Look.SYSTEM
    text_size: TextSize = TextSize.NORMAL
    bind: str = "0.0.0.0"  # noqa: S104 - a phone is reached from outside
    port: int = 0
    """SIP port; 0: a free one"""
    keep_alive: int = 15
    """seconds between two signs of life to each account's server; 0: none"""
    accept_from: tuple[str, ...] = ()
    """addresses and networks whose calls are taken, beside the accounts' own servers"""
    line: str = ""
    """the policy's line, by its id, that was last chosen to call out on; empty: none yet"""


# --- engine to client ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    version: str
    pid: int
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state. Snapshots coalesce: the latest wins."""

    version: int
    at: datetime
    accounts: tuple[AccountState, ...]
    lines: tuple[LineState, ...]
    calls: tuple[CallState, ...]
    history: tuple[PastCall, ...]
    policy: PolicyState
    sound: SoundState
    store: StoreState
    settings: Settings
    call_backs: tuple[CallBack, ...] = ()
    """oldest first"""
    sip_port: int = 0
    """where the phone listens (UDP and TCP)"""
    faults: tuple[CodedText, ...] = ()
    """faults that stand: a plugin left out, a keyring locked"""
    longest_turn: float = 0.0
    """the longest turn of the engine's loop in seconds, without the time it waits to be woken"""
    type: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True)
class Occurred:
    """An event of a call: queued, never coalesced. `since_answer` is seconds, None before it."""

    call: str
    event: str
    at: datetime
    since_answer: float | None
    params: Mapping[str, str | int | float | bool | None] = field(
        default_factory=dict[str, "str | int | float | bool | None"]
    )
    type: Literal["occurred"] = "occurred"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong that a person should hear of, once."""

    said: CodedText
    call: str | None = None
    type: Literal["fault"] = "fault"


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a command. `result` holds new ids (`call` of a `Dial`), and of a `LockEarlier` how many calls it locked
    and how many recordings it could not (`unreadable`)."""

    id: str
    result: Mapping[str, str] = field(default_factory=dict[str, str])
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Refused:
    id: str
    said: CodedText
    type: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Levels:
    """Loudness in dBFS, about ten a second while watched; the latest wins."""

    microphone: float
    speaker: float
    type: Literal["levels"] = "levels"


@dataclass(frozen=True, slots=True)
class Tone:
    """The agent's short tone: recording started, stopped, or is about to go on."""

    call: str
    tone: Literal["started", "stopped", "warning"]
    type: Literal["tone"] = "tone"


FromEngine = Annotated[
    Hello | Snapshot | Occurred | Fault | Done | Refused | Levels | Tone,
    Discriminator("type"),
]


# --- client to engine ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attach:
    """A client's first line. A `desk` is somebody who can press opt-out; an `observer` only looks on."""

    secret: str
    role: Literal["desk", "observer"] = "desk"
    type: Literal["attach"] = "attach"


@dataclass(frozen=True, slots=True)
class Ping:
    """A desk says every second that it lives; after five silent seconds it counts as gone."""

    type: Literal["ping"] = "ping"


@dataclass(frozen=True, slots=True)
class Dial:
    id: str
    account: str
    target: str
    line: str | None = None
    """the agent's choice, if the account's number does not decide"""
    type: Literal["dial"] = "dial"


@dataclass(frozen=True, slots=True)
class Answer:
    id: str
    call: str
    type: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class Decline:
    id: str
    call: str
    type: Literal["decline"] = "decline"


@dataclass(frozen=True, slots=True)
class HangUp:
    id: str
    call: str
    type: Literal["hang_up"] = "hang_up"


@dataclass(frozen=True, slots=True)
class Mute:
    id: str
    call: str
    on: bool
    type: Literal["mute"] = "mute"


@dataclass(frozen=True, slots=True)
class HoldCall:
    id: str
    call: str
    on: bool
    type: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True)
class SendDigits:
    id: str
    call: str
    digits: str
    type: Literal["send_digits"] = "send_digits"


@dataclass(frozen=True, slots=True)
class OptOut:
    """`version`, `kind` and `stays` are those of the button as shown. A press that would by now do something else is
    refused."""

    id: str
    call: str
    version: int
    kind: OptOutKind
    stays: Stays | None = None
    type: Literal["opt_out"] = "opt_out"


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    id: str
    call: str
    version: int
    by: Literal["party", "controller"] = "controller"
    why: str = ""
    type: Literal["raise_dispute"] = "raise_dispute"


@dataclass(frozen=True, slots=True)
class UndoDispute:
    id: str
    call: str
    version: int
    type: Literal["undo_dispute"] = "undo_dispute"


@dataclass(frozen=True, slots=True)
class LockEarlier:
    """A dispute about the earlier calls with the number of `call`, which itself stays as it is. `result.locked`: how many."""

    id: str
    call: str
    by: Literal["party", "controller"] = "controller"
    why: str = ""
    type: Literal["lock_earlier"] = "lock_earlier"


@dataclass(frozen=True, slots=True)
class Choose:
    id: str
    call: str
    version: int
    choice: str
    option: str
    type: Literal["choose"] = "choose"


@dataclass(frozen=True, slots=True)
class Act:
    """One of the status's `actions`, by its name; `purpose` where it concerns one."""

    id: str
    call: str
    version: int
    action: Action
    purpose: Purpose | None = None
    language: Language | None = None
    """of `play_again` and `read_instead`: the notice in another language"""
    type: Literal["act"] = "act"


@dataclass(frozen=True, slots=True)
class Reopen:
    """One of today's calls of which something is kept. It stands among the snapshot's calls until `EndWrapUp`, or until the
    next one begins or is taken up."""

    id: str
    call: str
    type: Literal["reopen"] = "reopen"


@dataclass(frozen=True, slots=True)
class Activate:
    """The agent talks on this call now; the one before is held."""

    id: str
    call: str
    type: Literal["activate"] = "activate"


@dataclass(frozen=True, slots=True)
class Consult:
    """Hold `call` and call a colleague. `result.call` is the consultation."""

    id: str
    call: str
    target: str
    type: Literal["consult"] = "consult"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Blind: the party calls `target`, and this phone is out of it."""

    id: str
    call: str
    target: str
    type: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    """Attended: `call` is the consultation; its party and the colleague talk to each other."""

    id: str
    call: str
    type: Literal["complete_transfer"] = "complete_transfer"


@dataclass(frozen=True, slots=True)
class FollowTransfer:
    """Call whom the party of `call` names (`asked_to_call`); once that stands, `call` ends. `result.call` is the new one."""

    id: str
    call: str
    type: Literal["follow_transfer"] = "follow_transfer"


@dataclass(frozen=True, slots=True)
class DeclineTransfer:
    id: str
    call: str
    type: Literal["decline_transfer"] = "decline_transfer"


@dataclass(frozen=True, slots=True)
class Join:
    """A conference of three: `call` is the consultation, which is joined with its party; else a call that waits, joined with
    the active one."""

    id: str
    call: str
    type: Literal["join"] = "join"


@dataclass(frozen=True, slots=True)
class BackToParty:
    """The consultation `call` ends, and its party is on the line again. Where it has ended by itself, `call` is the party's."""

    id: str
    call: str
    type: Literal["back_to_party"] = "back_to_party"


@dataclass(frozen=True, slots=True)
class SaveNote:
    id: str
    call: str
    text: str
    type: Literal["save_note"] = "save_note"


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    id: str
    call: str
    type: Literal["end_wrap_up"] = "end_wrap_up"


@dataclass(frozen=True, slots=True)
class EndCallBack:
    """The party has been called back, or no longer needs to be."""

    id: str
    call_back: str
    type: Literal["end_call_back"] = "end_call_back"


@dataclass(frozen=True, slots=True)
class SaveSettings:
    """The engine validates, stores and applies them. The desk puts a password into the keyring first."""

    id: str
    settings: Settings
    type: Literal["save_settings"] = "save_settings"


@dataclass(frozen=True, slots=True)
class WatchLevels:
    id: str
    on: bool
    type: Literal["watch_levels"] = "watch_levels"


@dataclass(frozen=True, slots=True)
class TestTone:
    id: str
    type: Literal["test_tone"] = "test_tone"


@dataclass(frozen=True, slots=True)
class TestCall:
    """To oneself: the notice of this account's line, and oneself, as callers hear them. Nothing of it is recorded. `on`
    false ends it."""

    id: str
    account: str
    on: bool = True
    type: Literal["test_call"] = "test_call"


@dataclass(frozen=True, slots=True)
class Quit:
    """The engine ends; a call in progress is hung up."""

    id: str
    type: Literal["quit"] = "quit"


CallCommand = (
    Answer
    | Decline
    | HangUp
    | Mute
    | HoldCall
    | SendDigits
    | OptOut
    | RaiseDispute
    | UndoDispute
    | Choose
    | Act
    | Reopen
    | EndWrapUp
    | Activate
    | Consult
    | Transfer
    | CompleteTransfer
    | FollowTransfer
    | DeclineTransfer
    | Join
    | BackToParty
    | SaveNote
)
AnsweredAtOnce = CallCommand | Dial | EndCallBack | WatchLevels | TestTone | TestCall | Quit
Command = AnsweredAtOnce | LockEarlier | SaveSettings
ToEngine = Annotated[Attach | Ping | Command, Discriminator("type")]

MOST_ID = 64
"""characters of an id that an answer names if the rest is not a message"""


class WireError(KlartoneError):
    """A line that is not a message of this protocol."""


def encode(message: object) -> bytes:
    """One message as one line of JSON, newline included. What UTF-8 cannot hold (a lone surrogate) becomes `?`."""
    adapter = _to_engine() if type(message) in _TO_ENGINE else _from_engine()
    try:
        line = adapter.dump_json(message)  # pyright: ignore[reportArgumentType] - the adapter checks it
    except PydanticSerializationError:
        plain = adapter.dump_python(message, mode="json")  # pyright: ignore[reportArgumentType]
        line = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return line + b"\n"


def decode_from_engine(line: bytes) -> Hello | Snapshot | Occurred | Fault | Done | Refused | Levels | Tone:
    """Raises WireError."""
    try:
        return _from_engine().validate_json(line)
    except ValidationError as error:
        raise WireError("error.wire.not_understood", detail=_first(error)) from None


def decode_to_engine(line: bytes) -> Attach | Ping | Command:
    """Raises WireError. The message never repeats what was sent: it may be a secret."""
    try:
        return _to_engine().validate_json(line)
    except ValidationError as error:
        raise WireError("error.wire.not_understood", detail=_first(error)) from None


def id_of(line: bytes) -> str:
    """The id of a line that is not a message, for the answer to it; "" if it has none."""
    try:
        id = _any_object().validate_json(line).get("id")
    except ValidationError:
        return ""
    return id if isinstance(id, str) and len(id) <= MOST_ID else ""


# Made when first used: a command without an engine has no message to read.


@cache
def _from_engine() -> TypeAdapter[Hello | Snapshot | Occurred | Fault | Done | Refused | Levels | Tone]:
    return TypeAdapter(FromEngine)


@cache
def _to_engine() -> TypeAdapter[Attach | Ping | Command]:
    return TypeAdapter(ToEngine)


@cache
def _any_object() -> TypeAdapter[dict[str, object]]:
    return TypeAdapter(dict[str, object])


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if fault["type"] == "union_tag_invalid":
        return "type: not one of the messages"  # pydantic's own words repeat what was sent
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]


_TO_ENGINE: frozenset[type] = frozenset(
    {Attach, Ping, Dial, Answer, Decline, HangUp, Mute, HoldCall, SendDigits, OptOut, RaiseDispute, UndoDispute}
    | {LockEarlier, Choose, Act, Reopen, EndWrapUp, EndCallBack, SaveSettings, WatchLevels, TestTone, TestCall, Quit}
    | {Activate, Consult, Transfer, CompleteTransfer, FollowTransfer, DeclineTransfer, Join, BackToParty, SaveNote}
)
