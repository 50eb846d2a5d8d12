"""The lines between another phone and its session: one JSON object each, read into types and written from them. Pure.

Events have the session's own names (`domain.events`), orders those of its effects (`domain.effects`), in small letters;
presses are the wire's. `docs/embed.md` lists them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, cast, get_args, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from softphone.domain import events as ev
from softphone.domain.changes import AuditEntry, Commit
from softphone.domain.decision import LookupResult, NoticeId
from softphone.domain.effects import Effect
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Direction, Language
from softphone.domain.status import DisputeKind, OptOutKind
from softphone.wire.snapshot import CallState, CodedText, LineState, PolicyState
from softphone.wire.to_engine import Act, Choose, EndWrapUp, OptOut, RaiseDispute, UndoDispute

PROTOCOL = 1
Press = OptOut | RaiseDispute | UndoDispute | Choose | Act | EndWrapUp
Ago = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
"""seconds since it happened, if the line took its time"""
LONGEST_ID = 200
LONGEST_KEY = 80
Agent = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]


class LineError(KlartoneError):
    """A line that cannot be used. `key` is the key at fault; empty: the whole line."""

    def __init__(self, code: str, /, key: str = "", **params: str | int) -> None:
        self.key = key[:LONGEST_KEY]
        super().__init__(code, key=self.key, **params)


# --- from the other phone ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Greeting:
    """`hello`, the first line. `auto_commit`: what the session wants written counts as written at once."""

    protocol: int
    auto_commit: bool = False
    agent: Agent = "agent"
    """the agent, where a call does not say; it goes into the audit log, so never a name"""
    plain: bool = False
    """it keeps plain files and shows its agent nothing: orders are carried out at once, and count as done"""


@dataclass(frozen=True, slots=True)
class Rang:
    """A call rings, here or there. Its line is `line`, or the one that has the number `called`."""

    direction: Direction = Direction.INBOUND
    ours: bool = False
    """an internal call that we make; an outbound one is always ours"""
    number: str = field(default="", repr=False)
    """the other party's; empty if it is withheld"""
    called: str = ""
    line: str | None = None
    agent: Agent | None = None
    """its agent: who presses, and in whose share of the sample it counts"""
    known: LookupResult | None = None
    """what the phone's archive knows of party and sample; None: nothing, and the sample is drawn here"""
    told: str = ""
    """what an exchange has told the party already, as its header says: `N7;language=da;keys=1`"""
    record_aware: bool = False
    """the peer said so (RFC 7866)"""
    passports: Annotated[tuple[str, ...], Field(max_length=8)] = field(default=(), repr=False)
    """headers `Klartone-Passport`, as they came with a call that a colleague transferred"""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The party is about to be transferred: `passport` answers with what goes along."""

    target: Annotated[str, Field(min_length=1, max_length=LONGEST_ID)] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigitPressed:
    digit: Annotated[str, Field(pattern=r"^[0-9*#A-Da-d]$")]
    ago: Ago = 0.0


@dataclass(frozen=True, slots=True)
class NoticeStarted:
    """The first sample of the notice went out. `play`: the number from `play_notice`, so that a late word about a stopped
    one is not taken for another's."""

    play: int
    ago: Ago = 0.0


@dataclass(frozen=True, slots=True)
class NoticeHeard:
    """It has been heard whole."""

    play: int


@dataclass(frozen=True, slots=True)
class NoticeFailed:
    """It could not be played, or broke off."""

    play: int


Signal = (
    ev.Answered
    | ev.PreferenceSignalled
    | ev.HoldSignalled
    | ev.AgentMediaChanged
    | ev.PartySoundChanged
    | ev.SourceChanged
    | ev.SourceReturned
    | ev.IdentityChanged
    | ev.DeskChanged
    | ev.ConsultationChanged
    | ev.Committed
    | ev.CommitFailed
    | ev.FirstSample
    | ev.RecorderFailed
    | ev.StorageWorks
    | ev.HandedOver
    | ev.CallEnded
)
"""passed to the session as they are; it has a clock of its own for time-outs and the notice's marks"""
NoticeWord = NoticeStarted | NoticeHeard | NoticeFailed
Body = Greeting | Rang | Transfer | DigitPressed | NoticeWord | Signal | Press


@dataclass(frozen=True, slots=True)
class Line:
    """One line read. An `id` is answered with `done` or `refused`; only in `hello` is `call` empty."""

    id: str
    call: str
    body: Body


def named(kind: type) -> str:
    """`StopRecorder` is `stop_recorder` on the line."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS: Mapping[str, type] = {
    "hello": Greeting,
    **{named(kind): kind for kind in (Rang, Transfer, DigitPressed, *get_args(NoticeWord | Signal | Press))},
}
_ENVELOPE = frozenset({"type", "id", "call"})
_FAULTS = {"missing": "error.embed.missing", "bool_type": "error.embed.bool"}


def read(line: bytes) -> Line:
    """Raises LineError, which never repeats a value that was sent: it may be a number."""
    raw = _object(line)
    kind = KINDS.get(raw["type"]) if isinstance(raw.get("type"), str) else None
    if kind is None:
        raise LineError("error.embed.type", "type")
    needed = ("call", "id") if kind in get_args(Press) else () if kind is Greeting else ("call",)
    envelope = {key: _text(raw, key, needed=key in needed) for key in ("id", "call")}
    own = {one.name for one in fields(kind)}
    body = {key: value for key, value in raw.items() if key in own or key not in _ENVELOPE}
    if stray := _stray(kind, body):
        raise LineError("error.embed.key", stray)
    try:
        # As JSON: a name is text, but "true" is not a boolean, nor is 1.
        return Line(envelope["id"], envelope["call"], _adapter(kind).validate_json(json.dumps(body), strict=True))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        code = _FAULTS.get(fault["type"], "error.embed.value")
        raise LineError(code, ".".join(str(part) for part in fault["loc"])) from None


def id_of(line: bytes) -> str:
    """The line's id, for a refusal, if it can be read."""
    try:
        return _text(_object(line), "id", needed=False)
    except LineError:
        return ""


def _object(line: bytes) -> dict[str, Any]:
    try:
        given: Any = json.loads(line)
        # Half a surrogate pair is not text, and could not be written again.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise LineError("error.embed.not_json") from None
    if not isinstance(given, dict):
        raise LineError("error.embed.not_json")
    return cast("dict[str, Any]", given)


def _text(raw: Mapping[str, Any], key: str, *, needed: bool) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str) or len(value) > LONGEST_ID or (needed and not value):
        raise LineError("error.embed.id", key)
    return value


def _stray(kind: type, given: Mapping[str, Any]) -> str:
    """A key that is not one of the type's: a slip of the pen must not pass for the default."""
    hints = get_type_hints(kind)
    for key, value in given.items():
        if key not in hints:
            return key
        if isinstance(value, dict):
            for part in get_args(hints[key]):
                if is_dataclass(part) and (below := _stray(cast("type", part), cast("dict[str, Any]", value))):
                    return f"{key}.{below}"
    return ""


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


# --- to the other phone -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    version: str
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class PolicyMessage:
    """The policy in force, its lines, and its faults in words. Calls that ring from now on go by it."""

    policy: PolicyState
    lines: tuple[LineState, ...]
    faults: tuple[Mapping[Language, str], ...]
    type: Literal["policy"] = "policy"


@dataclass(frozen=True, slots=True)
class PlayNotice:
    """To party and agent: the sound `wav` (16 kHz, mono, 16 bit). `text` is its words, to be shown meanwhile."""

    call: str
    play: int
    """goes back with `notice_started`, `notice_heard` and `notice_failed`"""
    notice: NoticeId
    language: Language
    question_only: bool
    wav: str
    seconds: float
    text: str
    type: Literal["play_notice"] = "play_notice"


@dataclass(frozen=True, slots=True)
class ButtonWords:
    """`kind` goes back with the press. `sub`: what it does, or why it is off."""

    kind: OptOutKind | DisputeKind
    enabled: bool
    title: str
    sub: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a status says in one language: headline, a sentence for each reason, and the buttons' words."""

    headline: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    lock: str
    """that a dispute keeps it, or will; empty if none does"""
    kept: str
    """of a call that is over: what is kept of it, and until when"""
    opt_out: ButtonWords
    dispute: ButtonWords
    actions: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]]
    """by id: `question`, and each option"""


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """A call as a window would show it, on each change. `state.id` is the call's id in transactions."""

    call: str
    state: CallState
    words: Mapping[Language, Words]
    type: Literal["status"] = "status"


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """A plain phone answers now: what may be recorded has been decided."""

    call: str
    type: Literal["answer_call"] = "answer_call"


@dataclass(frozen=True, slots=True)
class DeleteSegment:
    """A plain phone deletes this file of a recording that is discarded."""

    call: str
    recording: str
    segment: int
    type: Literal["delete_segment"] = "delete_segment"


@dataclass(frozen=True, slots=True)
class PassportMessage:
    """The header `Klartone-Passport` for a transfer to `target`; empty: none goes along."""

    call: str
    target: str
    passport: str = field(repr=False)
    type: Literal["passport"] = "passport"


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more will come of this call; its id is free."""

    call: str
    type: Literal["over"] = "over"


@dataclass(frozen=True, slots=True)
class Noted:
    """For the audit log, of no call: a policy was taken up or refused, a notice confirmed (G11)."""

    entries: tuple[AuditEntry, ...]
    type: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class FaultMessage:
    """Something went wrong that a person should hear of, once. `call` is empty if it is about no single call."""

    call: str
    said: CodedText
    words: Mapping[Language, str]
    type: Literal["fault"] = "fault"


@dataclass(frozen=True, slots=True)
class Done:
    id: str
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Refused:
    """`key` is the key at fault, if there is one."""

    id: str
    code: str
    key: str
    words: Mapping[Language, str]
    type: Literal["refused"] = "refused"


OutgoingMessage = (
    Hello
    | PolicyMessage
    | PlayNotice
    | StatusMessage
    | AnswerCall
    | DeleteSegment
    | PassportMessage
    | Over
    | Noted
    | FaultMessage
    | Done
    | Refused
)


def write(message: OutgoingMessage) -> bytes:
    """One message as one line, newline included; its type first."""
    return _line({"type": message.type} | _plain(message))


def write_effect(call: str, effect: Effect) -> bytes:
    """An effect as one line, under its own name: its fields, and those of a transaction's changes under theirs."""
    values = {"type": named(type(effect)), "call": call, **_plain(effect)}
    if isinstance(effect, Commit):
        values["changes"] = [{"type": named(type(change)), **_plain(change)} for change in effect.changes]
    return _line(values)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> dict[str, Any]:
    return _adapter(type(value)).dump_python(value, mode="json")
