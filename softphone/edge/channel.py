"""The messages between engine and edge: frozen types, one JSON object a line, over the edge's stdin and stdout.

The engine hands over its sockets at the start (`Sockets`), so that they outlive an edge that dies. Nothing here acts.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

Srtp = Literal["off", "optional", "required"]
CallPhase = Literal["incoming", "outgoing", "answered"]
Sound = Literal["plain", "encrypted"]

LINE_LIMIT = 1_000_000
"""bytes in one line; a longer one ends the process that sent it"""
ACCOUNT = "x-account"
"""the parameter of the edge's own Route that names the account, which pjsua2 hands back in each request"""


NAMESERVER = "KLARTONE_NAMESERVER"
"""variable of the environment: `address[:port]` of the one name server to ask, in place of the system's"""
MISLEADING = (NAMESERVER, "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""variables by which a user could have a name lead elsewhere, and whoever answers there be trusted: three of the C library's
(resolv.conf(5)), and OpenSSL's for the authorities"""


def account_param(account: str) -> str:
    return f"{ACCOUNT}={account.encode().hex()}"


# --- engine to edge -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sockets:
    """The first line. Each is a descriptor's number on POSIX, or what `socket.share` gave (base64) on Windows.

    `inner` is on loopback and connected to pjsua2's; `udp` and `tcp` (listening) face the network, `udp6` and `tcp6` that of
    IPv6, where there is one.
    """

    inner: str
    udp: str
    tcp: str
    udp6: str = ""
    tcp6: str = ""


@dataclass(frozen=True, slots=True)
class EdgeAccount:
    """`address` is `user@host[:port]`. `server`, `host[:port]`, gets the account's requests outside a dialog; empty:
    straight to the address they name. `outbound_proxy`, written likewise, gets them in its place.

    By TLS there is always one of them, and its certificate must be for that host. `authority`: a file with the only
    authorities that may have signed it; empty: the system's."""

    id: str
    address: str
    server: str
    transport: str = "udp"
    register: bool = True
    accept_from: tuple[str, ...] = ()
    outbound_proxy: str = ""
    authority: str = ""
    srtp: Srtp = "off"
    """`required`: a description of sound without keys of SRTP is refused, whoever sends it. `off`: keys are left out of what
    comes, and an offer that needs them is refused"""
    ice: bool = False
    """its calls' sound takes the way that both sides have checked (RFC 8445)"""

    @property
    def next_server(self) -> str:
        return self.outbound_proxy or self.server


@dataclass(frozen=True, slots=True)
class Configure:
    """Sent at the start and whenever something of it changes. `remembered` is the last one of an earlier edge."""

    accounts: tuple[EdgeAccount, ...] = ()
    accept_from: tuple[str, ...] = ()
    """addresses and networks that may call every account"""
    remembered: str = ""
    keep_alive: int = 15
    """seconds between two signs of life to each registrar; 0: none"""
    stun: str = ""
    """`host[:port]` of the server that says how others see this phone's sockets; empty: none"""
    rtp_first: int = 0
    rtp_last: int = 0
    """the ports that calls' sound may use; 0: those below the system's own"""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The engine's loop turns. `busy`: it has all the calls that it can have, so a new INVITE is answered 486. `ends`: it takes
    no call any more, and soon turns no longer, so a new INVITE is answered 480."""

    busy: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class SameSource:
    """The agent's press *Same caller*: the new source of this call's sound is the party's."""

    call_id: str


@dataclass(frozen=True, slots=True)
class CallOver:
    """The engine has let go of a call, whatever SIP says."""

    call_id: str


# --- edge to engine -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The edge reads from its sockets."""

    pid: int


@dataclass(frozen=True, slots=True)
class PeerKnown:
    """Who is at the other end of a dialog: the true source of its last message. Sent before pjsua2 gets the message.

    `replaces`: the call, by its Call-ID, in whose place this one comes (RFC 3891); it stands, and the INVITE knew its tags.

    `name`: what the server has proved by its certificate; empty without TLS.
    """

    call_id: str
    host: str
    port: int
    transport: str
    name: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class ReferAsked:
    """The party of this call would have us call `target` (REFER, answered 202). Nobody is called for that: the agent decides.

    `number` is its CSeq, by which its NOTIFYs name it. `replaces` and `passport` would go along. `told`: the party wants to hear
    what becomes of it.
    """

    call_id: str
    number: int
    target: str = field(repr=False)
    replaces: str = field(default="", repr=False)
    passport: str = field(default="", repr=False)
    told: bool = True


@dataclass(frozen=True, slots=True)
class ReferProgress:
    """What became of our REFER in this call so far: SIP's code, 0 if it does not say; `over`: it was the last word."""

    call_id: str
    code: int
    over: bool


@dataclass(frozen=True, slots=True)
class FlowLost:
    """The connection that registered this account has gone. The registrar cannot reach the account until it registers anew."""

    account: str


@dataclass(frozen=True, slots=True)
class NotConnected:
    """An account's server could not be reached. `why` is a code of `edge.tls`, `detail` names machines at most."""

    account: str
    server: str
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallMoved:
    """This machine has another address now, and the other side of this call does not know it yet. The way is there."""

    call_id: str


@dataclass(frozen=True, slots=True)
class SoundRefused:
    """A description of sound that the account's `srtp` does not allow. `why`: it is `plain`, or takes nothing but `encrypted`
    sound. `phase`: it is of a call that comes or goes out, and there is none now; or of one that is `answered`, which the
    engine ends."""

    account: str
    call_id: str
    phase: CallPhase
    why: Sound
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailboxTold:
    """What its exchange says of this account's mailbox. None: it gives no figures. `target`: whom to call; may be empty."""

    account: str
    waiting: bool
    new: int | None
    old: int | None
    target: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CancelTold:
    """Why the caller takes this call back: causes of its CANCEL's `Reason` (RFC 3326), by SIP and by Q.850; 0: none."""

    call_id: str
    sip: int
    q850: int


@dataclass(frozen=True, slots=True)
class StrangerRefused:
    """INVITEs from an address that may not call here; `count` since the last report. At most one report a minute and
    address."""

    host: str
    count: int


@dataclass(frozen=True, slots=True)
class MissedWhileBusy:
    """A caller who was answered 486 here. At most one report a minute and caller."""

    account: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    at: float
    """UTC, as seconds since 1970"""


@dataclass(frozen=True, slots=True)
class DigitByInfo:
    """A digit in an INFO of this call (`application/dtmf-relay` or `application/dtmf`); `at` is monotonic seconds."""

    call_id: str
    digit: str
    at: float


@dataclass(frozen=True, slots=True)
class PartySoundGone:
    """Neither RTP nor RTCP has come for a while, and the call is not held. `silent`: seconds since its last sign of life."""

    call_id: str
    silent: float = 0.0


@dataclass(frozen=True, slots=True)
class PartySoundBack:
    call_id: str


@dataclass(frozen=True, slots=True)
class SoundLost:
    """The party is heard again after `seconds` in which its packets were lost on the way: too short to count as gone."""

    call_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class NoSoundYet:
    """The call is answered, and the party has sent nothing so far. `PartySoundBack` follows its first packet."""

    call_id: str


@dataclass(frozen=True, slots=True)
class SoundWay:
    """Whether our sound can leave for the party. By ICE it cannot until a pair is nominated, nor once that has gone."""

    call_id: str
    open: bool


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """Somebody else sends in the party's place, or it sounds like another machine.

    The agent hears it, to say whether it is the same caller (`SameSource`). Until then a key in it counts for nothing.
    """

    call_id: str


@dataclass(frozen=True, slots=True)
class SourceReturned:
    call_id: str


@dataclass(frozen=True, slots=True)
class PartyHears:
    """What the party says of our sound (RTCP-XR): shares of 1 that were lost on the way, and that came too late."""

    call_id: str
    loss: float
    discarded: float


@dataclass(frozen=True, slots=True)
class Remember:
    """What the next edge has to know if this one dies. The engine does not read it, and hands it back in `Configure`."""

    state: str


@dataclass(frozen=True, slots=True)
class EdgeState:
    """About once a second; also the sign that the edge lives. `counters` name no person."""

    counters: dict[str, int]


RelayEvent = (
    PartySoundGone | PartySoundBack | SoundLost | NoSoundYet | SoundWay | SourceChanged | SourceReturned | PartyHears
)
ToEdge = Sockets | Configure | Heartbeat | SameSource | CallOver
FromEdge = (
    Ready
    | PeerKnown
    | ReferAsked
    | ReferProgress
    | FlowLost
    | NotConnected
    | CallMoved
    | CancelTold
    | SoundRefused
    | MailboxTold
    | StrangerRefused
    | MissedWhileBusy
    | DigitByInfo
    | RelayEvent
    | Remember
    | EdgeState
)

_TO_EDGE = {kind.__name__: kind for kind in (Sockets, Configure, Heartbeat, SameSource, CallOver)}
_FROM_EDGE = {
    kind.__name__: kind
    for kind in (
        Ready,
        PeerKnown,
        ReferAsked,
        ReferProgress,
        FlowLost,
        NotConnected,
        CallMoved,
        CancelTold,
        SoundRefused,
        MailboxTold,
        StrangerRefused,
        MissedWhileBusy,
        DigitByInfo,
        PartySoundGone,
        PartySoundBack,
        SoundLost,
        NoSoundYet,
        SoundWay,
        SourceChanged,
        SourceReturned,
        PartyHears,
        Remember,
        EdgeState,
    )
}


def encode(message: ToEdge | FromEdge) -> bytes:
    return json.dumps({"type": type(message).__name__, **asdict(message)}).encode() + b"\n"


def to_edge(line: bytes) -> ToEdge:
    """Raises ValueError for anything that this version's engine does not say."""
    fields = _fields(line)
    try:
        kind = _TO_EDGE[fields.pop("type")]
        if kind is Configure:
            accounts: list[dict[str, Any]] = fields["accounts"]
            fields["accounts"] = tuple(_account(one) for one in accounts)
            fields["accept_from"] = tuple(fields["accept_from"])
        return kind(**fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no message to an edge: {type(error).__name__}") from None


def from_edge(line: bytes) -> FromEdge:
    """Raises ValueError for anything that this version's edge does not say."""
    fields = _fields(line)
    try:
        return _FROM_EDGE[fields.pop("type")](**fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no message from an edge: {type(error).__name__}") from None


def _account(fields: dict[str, Any]) -> EdgeAccount:
    fields["accept_from"] = tuple(fields["accept_from"])
    return EdgeAccount(**fields)


def _fields(line: bytes) -> dict[str, Any]:
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("no object")
    return cast("dict[str, Any]", fields)
