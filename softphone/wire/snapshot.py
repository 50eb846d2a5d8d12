"""What the engine's state is made of, as a client gets it. No message is defined here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict

from softphone.domain.notice import SpokenWord
from softphone.domain.purpose import Direction, Language, Purpose
from softphone.domain.quality import QualityWord
from softphone.domain.status import InformedBy, ReasonStatus, Status

Params = Mapping[str, str | int | float]
Bilingual = Mapping[Language, str]
Transport = Literal["udp", "tcp", "tls"]
Srtp = Literal["off", "optional", "required"]


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
    ice: bool = False
    """its sound takes a way that this phone and the other side have both checked (RFC 8445)"""
    mailbox: str = ""
    """number or address of its mailbox; empty: the one that its exchange names"""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """As its exchange says. `new` voice messages, None if it says no figure; `target`: whom to call, empty if it names nobody."""

    waiting: bool
    new: int | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class AccountState:
    account: Account
    registration: Registration
    until: datetime | None = None
    code: int = 0
    reason: str = ""
    trouble: CodedText | None = None
    """why its server could not be reached, since it last was"""
    mailbox: Mailbox | None = None
    """None: nothing is known of one"""


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


NOTE_LENGTH = 500
EARLIER = 5


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
    MOVED = "moved"
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
    taken_back: bool = False
    """the agent is back with the party, though it may still succeed"""


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
    """whom the party would have us call in its place (`FollowTransfer`, `DeclineTransfer`), with the host if it is
    not the account's own server; nobody is called without a press"""
    redirected_to: str = ""
    """of a call of ours that came to nothing: where its server says that the called person is; nobody is called for that.
    While `consult_ended` is `moved`: the same of the colleague"""
    note: str = ""
    """the agent's own, of at most `NOTE_LENGTH` characters"""
    earlier: tuple[PastCall, ...] = ()
    """this desk's calls with the same number before it, newest first, as many as `EARLIER`; none of a withheld number"""
    recorded_before: bool = True
    """there may be recordings of earlier calls with the number, a colleague's too: a dispute about them can lock them"""


@dataclass(frozen=True, slots=True)
class PastCall:
    """One row of the agent's own calls, today's and as far back as `own_calls` says.

    `outcome`: documentation, training, both, locked, not_recorded, deleted, call_back; of a call that was not answered missed,
    declined or elsewhere (another phone has answered), of one of ours unanswered, busy, turned_down, not_there, no_such_number
    or failed. `kept`: something of it is kept, so rights can be exercised (`Reopen`). `why`: the reason that nothing of an
    answered call was recorded or is kept; None if that is no longer known.
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
    note: str = ""
    """the agent's own"""
    group: str = ""
    """the first of the calls that belong together; empty for one that is alone"""
    refused: frozenset[Purpose] = frozenset()
    """what its party has refused: it binds a call back"""
    broke_off: bool = False
    """the engine ended in the middle of it: the party lost the agent, and nobody said so"""
    unseen: bool = False
    """it was missed or broke off, and the agent has not looked since (`Seen`), nor talked to its number"""


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


@dataclass(frozen=True, slots=True)
class ShippingState:
    """What waits for the house that this desk belongs to. `since`: the oldest of it. `failed`: how many of it the house has
    refused, and `refusal` why, for the newest. `trouble`: why nothing goes now. `told`: refusals, withdrawals, locks."""

    told: int = 0
    recordings: int = 0
    since: datetime | None = None
    failed: int = 0
    refusal: CodedText | None = None
    trouble: CodedText | None = None
    signed_in: bool = True

    @property
    def count(self) -> int:
        return self.told + self.recordings


@dataclass(frozen=True, slots=True)
class HouseState:
    """The house that this desk belongs to. `heard`: when it last answered; `policy`: the number of its policy here; `shared`: how
    many own reviews are shared that nobody has opened here."""

    address: str
    since: datetime
    heard: datetime | None = None
    policy: int = 0
    trouble: CodedText | None = None
    shared: int = 0


class QuitPhase(StrEnum):
    WAITS = "waits"
    """for a call, a wrap-up, or something that is still being written"""
    DUE = "due"
    """nothing goes on; the desk says when nothing is typed there either"""
    POSTPONED = "postponed"
    NOW = "now"
    """the time that was given is over, and no call is on: what is typed is kept, and a wrap-up ends"""


@dataclass(frozen=True, slots=True)
class QuitAsked:
    """The phone has been asked to end once it is idle, for an update. `until`: when a postponed one is asked for again.

    From `latest` on it waits for calls alone, and for what must be written. `stands` is false of one that is forgotten soon.
    """

    phase: QuitPhase
    until: datetime | None = None
    latest: datetime | None = None
    stands: bool = True


SYSTEM = "system"


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
    language: Annotated[Language | None, BeforeValidator(lambda said: None if said == SYSTEM else said)] = None
    """None: the system's, which a file calls `system`: TOML has no word for none"""
    look: Look = Look.SYSTEM
    text_size: TextSize = TextSize.NORMAL
    bind: str = "0.0.0.0"  # noqa: S104 - a phone is reached from outside
    port: int = 0
    """SIP port; 0: a free one"""
    rtp_ports: str = ""
    """`first-last`: UDP ports that calls' sound may use; empty: 16384 to 32767"""
    keep_alive: int = 15
    """seconds between two signs of life to each account's server; 0: none"""
    stun: str = ""
    """`host[:port]` of the server that says how others see this phone behind a NAT; empty: none"""
    accept_from: tuple[str, ...] = ()
    """addresses and networks whose calls are taken, beside the accounts' own servers"""
    line: str = ""
    """the policy's line, by its id, that was last chosen to call out on; empty: none yet"""
    policy_guarded: bool = False
    """the policy counts only where nobody but administrators can write"""
    plugins: tuple[str, ...] = ()
    """plugins that are allowed beside the program's own, by id"""
    plugin_folder: str = ""
    """where they lie: a folder that nobody but administrators can write; empty: there are none"""
    house_signer: str = ""
    """public key (Ed25519, base64) that signs the policies of any house this machine joins; empty: the link names it"""
    house_policy_number: int = 0
    """the least number that a house's policy must have when this machine joins; 0: the link names it"""
    house_authority: str = ""
    """file (PEM) with the only authorities to trust for the house's service; empty: the system's"""
