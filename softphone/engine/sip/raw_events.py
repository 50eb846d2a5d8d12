"""What a pjsua2 callback leaves behind, and the wrapper that keeps its exceptions away from C++.

A callback runs inside PJSIP, sometimes on pjmedia's thread. It may only copy a few plain values and append them to one
queue, which the phone reads after each poll. An exception that reached C++ would be swallowed there and abort the process at
its exit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from softphone.domain.ending import Said
from softphone.edge.channel import FromEdge
from softphone.engine.sip.message import Identity


@dataclass(frozen=True, slots=True)
class RegistrationStarted:
    account: str
    renew: bool


@dataclass(frozen=True, slots=True)
class RegistrationAnswered:
    """`code` is 0 if the answer was a transport error; `seconds` as granted by the registrar, `retry_after` as it asked."""

    account: str
    code: int
    reason: str
    seconds: int
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class InviteRejected:
    """Turned away by PJSIP itself because all of its calls were taken. Who called, as From says."""

    name: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StateReached:
    call: str
    state: int
    code: int
    reason: str
    media: MediaState | None


@dataclass(frozen=True, slots=True)
class MediaState:
    status: int
    direction: int


@dataclass(frozen=True, slots=True)
class MediaReached:
    call: str
    media: MediaState | None


@dataclass(frozen=True, slots=True)
class SipMessageReceived:
    """A message of this call: whether the peer is record-aware, what its SDP says about recording, and who sent it."""

    call: str
    record_aware: bool | None
    sdp: str
    identity: Identity = field(default=Identity(), repr=False)
    said: Said | None = None
    """of a message that ends the call: why"""


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    call: str
    method: str
    code: int


@dataclass(frozen=True, slots=True)
class RawDigit:
    """`at`: when it began. `sure`: of a tone in the sound, whether there was no speech beside it; `lasted`: its seconds."""

    call: str
    digit: str
    at: float
    form: Literal["rtp", "info", "sound"] = "rtp"
    sure: bool = True
    lasted: float = 0.0
    goes_on: bool = False
    """no press: the one before in this form is still down"""


@dataclass(frozen=True, slots=True)
class NoticeRead:
    """Its sound; empty if its file is not a sound, or not the decided one."""

    call: str
    serial: int
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoticeEnded:
    call: str
    serial: int


@dataclass(frozen=True, slots=True)
class ProcessStalled:
    call: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EdgeMessageReceived:
    message: FromEdge


@dataclass(frozen=True, slots=True)
class EdgeGone:
    """No sound passes until the next edge reports it, and none has passed for so many seconds already."""

    seconds: float


@dataclass(frozen=True, slots=True)
class EdgeMissing:
    """There has been no edge for a while (`missing`), or there is one again."""

    missing: bool


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class FrameFailed:
    call: str
    what: str


RawEvent = (
    RegistrationStarted
    | RegistrationAnswered
    | InviteRejected
    | StateReached
    | MediaReached
    | SipMessageReceived
    | OfferAnswered
    | RawDigit
    | NoticeRead
    | NoticeEnded
    | ProcessStalled
    | EdgeMessageReceived
    | EdgeGone
    | EdgeMissing
    | CallbackFailed
    | FrameFailed
)
Post = Callable[[RawEvent], None]


class Posting(Protocol):
    @property
    def post(self) -> Post: ...


S = TypeVar("S", bound=Posting)
P = ParamSpec("P")


def guarded(callback: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """A callback that posts its own failure and returns. The exception is not kept: its traceback would hold pjsua2 objects
    past the library's end, and its text could name a person."""

    @functools.wraps(callback)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - nothing may pass into C++
            self.post(CallbackFailed(callback.__qualname__, type(error).__name__))

    return wrapped
