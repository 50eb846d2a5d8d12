"""A message as a line of JSON, and a line as a message."""

from __future__ import annotations

import json
from functools import cache

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from softphone.domain.errors import KlartoneError
from softphone.wire.from_engine import (
    Done,
    Fault,
    FromEngine,
    Hello,
    Levels,
    Occurred,
    Refused,
    Snapshot,
    Tone,
)
from softphone.wire.to_engine import (
    Act,
    Activate,
    Answer,
    Attach,
    BackToParty,
    Choose,
    Command,
    CompleteTransfer,
    Consult,
    Decline,
    DeclineTransfer,
    Dial,
    EndCallBack,
    EndWrapUp,
    FollowTransfer,
    HangUp,
    HoldCall,
    Join,
    LockEarlier,
    Mute,
    OptOut,
    Ping,
    PostponeQuit,
    Quit,
    QuitWhenIdle,
    RaiseDispute,
    ReadSettings,
    Reopen,
    SaveNote,
    SaveSettings,
    Seen,
    SendDigits,
    TestCall,
    TestTone,
    ToEngine,
    Transfer,
    UndoDispute,
    WatchLevels,
)

PROTOCOL = 1
LINE_LIMIT = 1_000_000
"""bytes in one line; a longer one is refused"""
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
    | {
        LockEarlier,
        Choose,
        Act,
        Reopen,
        EndWrapUp,
        Seen,
        SaveNote,
        EndCallBack,
        SaveSettings,
        WatchLevels,
        TestTone,
        TestCall,
        Quit,
        QuitWhenIdle,
        PostponeQuit,
        ReadSettings,
    }
    | {Activate, Consult, Transfer, CompleteTransfer, FollowTransfer, DeclineTransfer, Join, BackToParty}
)
