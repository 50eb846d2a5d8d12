"""What the phone reports to the engine: one frozen type for each thing that can happen to it.

Events are plain values without anything of pjsua2. They are handed over on the engine's thread, in the sequence in which
they happened. What they mean for a recording is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from softphone.domain.ending import Ending
from softphone.edge.channel import CallPhase, Sound
from softphone.wire.snapshot import Quality

RegistrationState = Literal["registering", "registered", "refused", "unreachable", "unregistered"]
ProgressState = Literal["calling", "ringing", "early"]
PeerRecordingState = Literal["on", "off", "paused"]
TransferOutcome = Literal["accepted", "ringing", "done", "failed"]
RecordWish = Literal["on", "off", "pause", "nopreference"]


class Headers(Mapping[str, str]):
    """A SIP message's headers: names without regard to case, `all_of` for one that occurs often."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._fields = {name.lower(): values for name, values in fields.items() if values}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._fields)})"

    def all_of(self, name: str) -> tuple[str, ...]:
        return self._fields.get(name.lower(), ())


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """`until` is UTC and only there when registered; `code` is SIP's, 0 without an answer."""

    account: str
    state: RegistrationState
    until: datetime | None
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class NotConnected:
    """An account's server could not be reached: `why` is a code of `edge.tls`, `detail` names machines at most."""

    account: str
    server: str
    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class EncryptionChanged:
    """Whether signalling goes by TLS and sound by SRTP, both ways. A call begins without."""

    call: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class SoundRefused:
    """The account wants encrypted sound and the other phone's is plain, or the other way round (`why`: what the other phone's
    is; or the account itself has no TLS). `phase`: of a call that came, went out, or is answered and ends for it. `call`: ours,
    if it is still there."""

    account: str
    phase: CallPhase
    why: Sound | Literal["no_tls"]
    call: str | None = None


@dataclass(frozen=True, slots=True)
class CallArrived:
    """An INVITE. `number` and `host` are the parts of From as given, the number empty for an anonymous caller. `peer_host`:
    the address that the message came from. `peer_name`: what the server there has proved to be, by TLS; else empty."""

    call: str
    account: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    host: str
    called: str
    headers: Headers
    peer_host: str
    record_aware: bool
    peer_name: str = ""
    replaces: str = ""
    """the call, by its id, in whose place it comes (RFC 3891)"""
    called_as: str = ""
    """the URI of `called` as it came"""


@dataclass(frozen=True, slots=True)
class CallProgress:
    call: str
    state: ProgressState


@dataclass(frozen=True, slots=True)
class CallEstablished:
    """Answered and acknowledged: from here on sound may be sent, and a notice played.

    `keyless`: the peer's SDP names no telephone-event (RFC 4733), so keys pressed there are not heard here.
    """

    call: str
    record_aware: bool
    keyless: bool = False


@dataclass(frozen=True, slots=True)
class CallEnded:
    call: str
    code: int
    reason: str
    by_us: bool
    redirected_to: str = field(default="", repr=False)
    """whom a 3xx named instead; nobody is called for that"""
    ending: Ending | None = None
    """why, as far as the other side says"""
    again: int = 0
    """seconds after which a new try may do better; 0: nobody has said"""


@dataclass(frozen=True, slots=True)
class MailboxChanged:
    """What its exchange says of an account's mailbox. `new`: None if it gives no figure; `target`: whom to call."""

    account: str
    waiting: bool
    new: int | None
    target: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallMissed:
    """A caller who was answered 486 because another call was on; `at` is UTC."""

    account: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    busy: Literal[True]
    at: datetime


@dataclass(frozen=True, slots=True)
class TransferChanged:
    """How our transfer of this call goes. `failed`: the party is still here; `code` is SIP's, 0 if nobody has said."""

    call: str
    state: TransferOutcome
    code: int


@dataclass(frozen=True, slots=True)
class ReferAsked:
    """The party would have us call `target`. Nobody is called before the agent says so (`Phone.dial` with what goes along,
    `Phone.tell_referrer` with how it goes)."""

    call: str
    target: str = field(repr=False)
    replaces: str = field(default="", repr=False)
    passport: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """A key of the party's, once for each press; `at` is monotonic seconds. `in_sound`: only as a tone in what the party
    said, and `sure`, whether there was no speech beside it for 80 ms."""

    call: str
    digit: str
    at: float
    in_sound: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """`by_us`: from our wish on until the peer has agreed that it is over, whatever it says in between."""

    call: str
    by_us: bool
    by_them: bool


@dataclass(frozen=True, slots=True)
class HoldFailed:
    """The peer refused our hold, or its end (SIP's `code`), or has not answered for a while (0). Nothing is heard meanwhile."""

    call: str
    held: bool
    """what we wanted"""
    code: int


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """Whether the call has a working audio stream; a held call still has one."""

    call: str
    active: bool


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """The peer says in mid-call that somebody else is there (RFC 4916), or its network vouches for somebody else (RFC 3325)."""

    call: str


@dataclass(frozen=True, slots=True)
class PartySound:
    """Whether the party's sound comes, as the edge counts it. Before CallEstablished: none has come yet.

    Without an edge it is never reported, and counts as there.
    """

    call: str
    there: bool
    silent: float = 0.0
    """if it has gone: seconds since its last sign of life"""


@dataclass(frozen=True, slots=True)
class SoundLost:
    """The party's packets of the last `seconds` were lost on the way, and now they come again."""

    call: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SourceDoubted:
    """Somebody else sends in the party's place, or no longer does."""

    call: str
    doubted: bool


@dataclass(frozen=True, slots=True)
class RecordPreference:
    """RFC 7866 `a=recordpref`: what the peer would like to happen with recording."""

    call: str
    wish: RecordWish


@dataclass(frozen=True, slots=True)
class PeerBecameAware:
    """RFC 7866: the peer says in mid-call that it is record-aware."""

    call: str


@dataclass(frozen=True, slots=True)
class PeerRecording:
    """RFC 7866 `a=record`: what the peer says that it does with this call."""

    call: str
    state: PeerRecordingState


@dataclass(frozen=True, slots=True)
class NoticeStarted:
    """The notice's first sample went out, after the silence before it; `at` is monotonic seconds."""

    call: str
    at: float


@dataclass(frozen=True, slots=True)
class NoticePlayed:
    """Heard whole: its last sample and a margin of 0.2 s (rule G05)."""

    call: str


@dataclass(frozen=True, slots=True)
class NoticeCut:
    """Not heard whole. `reason`: stopped, held, media, ended, replaced; `file`: no sound, or not the decided one; `late`:
    the disk did not give it in time."""

    call: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallStalled:
    """For so long no frame of a call came, because the process was stopped or the machine slept; the frames' index has gone
    on. Or no packet of the party's came, because the edge hung."""

    call: str
    seconds: float


@dataclass(frozen=True, slots=True)
class QualityMeasured:
    """How the connection was in the last seconds."""

    call: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class StrangerRefused:
    """INVITEs from an address that may not call here: `count` since the last report."""

    host: str
    count: int


@dataclass(frozen=True, slots=True)
class EdgeChanged:
    """Whether the edge is there; without it nothing comes or goes."""

    present: bool


@dataclass(frozen=True, slots=True)
class FrameFault:
    """The sound of a call could not be passed on; the call itself goes on."""

    call: str
    detail: str


@dataclass(frozen=True, slots=True)
class PhoneFault:
    """`code`: bug, callback, offer_refused, answer_failed, digits, media. `detail` names no person."""

    code: str
    detail: str
    call: str | None = None


PhoneEvent = (
    RegistrationChanged
    | NotConnected
    | MailboxChanged
    | EncryptionChanged
    | SoundRefused
    | CallArrived
    | CallProgress
    | CallEstablished
    | CallEnded
    | CallMissed
    | TransferChanged
    | ReferAsked
    | DigitReceived
    | HoldChanged
    | HoldFailed
    | MediaChanged
    | IdentityChanged
    | PartySound
    | SoundLost
    | SourceDoubted
    | RecordPreference
    | PeerBecameAware
    | PeerRecording
    | NoticeStarted
    | NoticePlayed
    | NoticeCut
    | CallStalled
    | QualityMeasured
    | StrangerRefused
    | EdgeChanged
    | FrameFault
    | PhoneFault
)
