"""The policy as a contract: who records which line, for what, on which basis, for how long, and who may open it.

Plain frozen data. `purposes` says why a line records; `reading` makes a policy from a file's contents and finds the faults;
`calls` applies it to a call.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, PrivateAttr, StrictBool, StrictInt

from softphone.domain.decision import NoticeId
from softphone.domain.policy.fields import (
    BothLanguages,
    Day,
    DayLength,
    Hash,
    Host,
    Id,
    Keys,
    Length,
    LineNumber,
    LocalText,
    OneKey,
    Page,
    PolicyPart,
    PublicKey,
    Seconds,
    ShortNumber,
    SigningKey,
    SipAddress,
    Text,
    ZoneName,
)
from softphone.domain.policy.period import Period
from softphone.domain.policy.purposes import Documentation, Sensitive, Training
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, OnFailure, Purpose


class Controller(PolicyPart):
    """Who records. `page` leads directly to the page about recorded calls (G06)."""

    id: Id | None = None
    """needed where the policy has several"""
    name: Text
    page: Page
    contact: Text
    party: BothLanguages = LocalText(da="kunden", en="the caller")
    """what the person at the other end is called: kunden, borgeren, patienten"""
    authority: StrictBool = False
    """a public authority: it alone may record for a task in the public interest (G02)"""


class Recipient(PolicyPart):
    """Somebody who may open recordings of one purpose, or have custody. The private key is not here."""

    id: Id
    purpose: KeyRole
    public_key: PublicKey
    controller: Id | None = None
    """the controllers whose recordings it opens; empty: every controller's"""
    lines: tuple[Id, ...] = ()
    """the lines whose recordings it opens; empty: every line's"""

    def opens(self, line: Line) -> bool:
        return self.controller in (None, line.controller) and (not self.lines or line.id in self.lines)


class Team(PolicyPart):
    """Agents who belong together, the lines they work on, and their leads."""

    id: Id
    name: BothLanguages
    agents: tuple[SipAddress, ...] = ()
    lines: tuple[Id, ...] = ()
    leads: tuple[Id, ...] = ()
    """ids of recipients"""


class ScoreItem(PolicyPart):
    """One question of the card on which a team lead scores a reviewed call."""

    id: Id
    name: BothLanguages
    points: Annotated[StrictInt, Field(ge=2, le=10)] = 5
    """how many there are to give"""
    teams: tuple[Id, ...] = ()
    """the teams whose calls it is asked of; empty: every team's"""


class Upstream(PolicyPart):
    """Exchanges that are believed when they say what they have told the party (G05)."""

    hosts: tuple[Host, ...] = ()


def _one_or_several(value: Any) -> Any:
    """What stands alone is a list of one."""
    return cast("list[Any]", [value]) if isinstance(value, str | dict | PolicyPart) else value


ReceiptKeys = Annotated[
    tuple[SigningKey, ...], BeforeValidator(_one_or_several, json_schema_input_type=SigningKey | list[SigningKey])
]
"""one, or the old and the new beside each other while the service changes its own"""


class House(PolicyPart):
    """Desks that transfer calls to one another: whose word about a transferred call is believed, and who is told."""

    keys: tuple[SigningKey, ...] = ()
    """public keys that certify the house's desks"""
    numbers: tuple[ShortNumber, ...] = ()
    """extensions and numbers of the house, beside the lines' own and the teams' agents"""
    policy_number: Annotated[StrictInt, Field(ge=1)] | None = None
    """goes up with each version that the house's service takes: it takes none with a lower one"""
    receipt_key: ReceiptKeys = ()
    """public keys by which the house's service signs what it has received: desks believe no other"""
    head_key: SigningKey | None = None
    """public key by which the house signs up to where its log cannot be lost: no copy on a desk goes without it"""


class Confirmed(PolicyPart):
    """A person has confirmed a wording of the controller's own, including what the check could not be sure of."""

    hash: Hash
    """of the line, the notice, the language and the text: another text needs another confirmation"""
    on: Day
    by: Text


class Wording(PolicyPart):
    """The controller's own words for one notice. `{page}` and `{keys}` stand for the page and the opt-out keys."""

    essentials: Text
    """that it is recorded, and why"""
    facts: Text | None = None
    question: Text | None = None
    """where the notice asks; it is said last"""


class SoundFile(PolicyPart):
    """A recorded notice. In the file a path alone may stand for it; then nobody has confirmed its words."""

    file: Text
    """relative to the policy's folder"""
    hash: Hash | None = None
    """of the file and the notice's words (`sound_hash`): a person has heard the file say those words"""
    essentials: Seconds | None = None
    """by then it has said that the call is recorded, and why; if left out: at the question, else at the end"""
    question: Seconds | None = None
    """from here a key is an answer; if left out: from the end"""


def _file_or_table(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


Recorded = Annotated[SoundFile, BeforeValidator(_file_or_table, json_schema_input_type=str | SoundFile)]


class Outbound(PolicyPart):
    """Calls that the agent makes. By default the agent reads the notice aloud after *A person answered*."""

    notice: Literal["play", "read"] = "read"
    starts_by_itself: StrictBool = False


class Line(PolicyPart):
    """One line: its numbers, its notice, its purposes. Without a purpose it is not recorded."""

    id: Id
    name: BothLanguages
    controller: Id | None = None
    """needed where the policy has several"""
    party: BothLanguages | None = None
    """what the person at the other end is called on this line; else the controller's word"""
    numbers: tuple[LineNumber, ...] = ()
    """numbers, extensions, and users at an exchange that mean this line and no other"""
    calls: Annotated[tuple[Direction, ...], Field(min_length=1)] = (Direction.INBOUND, Direction.OUTBOUND)
    """which of its calls it records"""
    notice: Literal["play", "read", "upstream"] = "play"
    language: Language | None = None
    """of its notices; if left out: the policy's `notice_language`"""
    language_by_country: StrictBool = False
    """the notice begins in the language of the other number's country"""
    language_key: OneKey = ""
    """pressed while the notice plays: it begins anew in the other language"""
    answer_time: DayLength = Period(seconds=8)
    repeat: Annotated[StrictInt, Field(ge=0, le=1)] = 1
    sound: Mapping[NoticeId, Mapping[Language, Recorded]] = Field(
        default_factory=dict[NoticeId, Mapping[Language, SoundFile]]
    )
    """a recorded notice instead of a spoken one, for as long as it says that notice's words"""
    wording: Mapping[NoticeId, Mapping[Language, Wording]] = Field(
        default_factory=dict[NoticeId, Mapping[Language, Wording]]
    )
    """the controller's own words instead of the rulebook's"""
    opt_out_key: Keys = "*9"
    objection_in_call: Literal["stop", "go_on"] = "stop"
    on_failure: OnFailure = OnFailure.WARN
    spoken_consent: StrictBool = True
    sensitive: Sensitive = Sensitive()
    wrap_up: DayLength = Period()
    warning_tone: DayLength | None = None
    """between two tones, for both sides, that say that the call is being recorded"""
    agent_tones: StrictBool = True
    """a short tone for the agent when recording begins and stops"""
    never_record: tuple[ShortNumber, ...] = ()
    outbound: Outbound = Outbound()
    employees_informed_on: Day | None = None
    """when the agents of this line were told that they are recorded (L1); else the policy's date"""
    whistle_blower: StrictBool = False
    emergency_service: StrictBool = False
    documentation: Documentation | None = None
    training: Training | None = None

    def basis(self, purpose: Purpose) -> Basis | None:
        """The basis on which this purpose is really recorded, None where the line does not have it."""
        part = self.documentation if purpose is Purpose.DOCUMENTATION else self.training
        return part.effective_basis if part else None

    def why(self, purpose: Purpose, day: date) -> LocalText | None:
        """The controller's one sentence for the status card on `day`, if there is one."""
        if purpose is Purpose.TRAINING:
            if self.training is None:
                return None
            special = self.training.special_circumstances
            return special.why if special and special.hold_on(day) else self.training.why
        assessment = self.documentation.assessment if self.documentation else None
        return assessment.why if assessment else None

    def retention(self, purpose: Purpose) -> Period | None:
        if purpose is Purpose.TRAINING:
            return self.training.retention if self.training else None
        return self.documentation.keeps if self.documentation else None

    def special_circumstances_on(self, day: date) -> bool:
        """G32: training on interest, with a written reason that has not expired. `day`: in the policy's time zone."""
        special = self.training.special_circumstances if self.training else None
        return special is not None and special.hold_on(day)


class Policy(PolicyPart):
    """The whole file."""

    version: Literal[1]
    time_zone: ZoneName = "Europe/Copenhagen"
    notice_language: Language = Language.DA
    hold_after_refusal: DayLength = Period(days=14)
    hold_unconfirmed: DayLength = Period(days=30)
    judge_within: DayLength = Period(days=30)
    """how long custody has to judge a recording at its date where it is not simply deleted"""
    audit_retention: Length = Period(months=60)
    own_calls: DayLength = Period(days=7)
    """how far back an agent finds own calls"""
    never_record: tuple[ShortNumber, ...] = ()
    emergency: tuple[ShortNumber, ...] = ("112",)
    """called numbers whose calls are never recorded and never delayed"""
    employees_informed_on: Day | None = None
    """when the agents were told that they are recorded (L1)"""
    controller: Annotated[
        tuple[Controller, ...],
        Field(min_length=1),
        BeforeValidator(_one_or_several, json_schema_input_type=Controller | tuple[Controller, ...]),
    ]
    upstream: Upstream = Upstream()
    house: House = House()
    recipient: tuple[Recipient, ...]
    team: tuple[Team, ...] = ()
    score: tuple[ScoreItem, ...] = ()
    line: tuple[Line, ...]
    confirmed: tuple[Confirmed, ...] = ()

    _signed_by: Container[str] = PrivateAttr(default=frozenset[str]())

    @property
    def signed_by(self) -> Container[str]:
        """Public keys (base64) whose signature the file had when it was read. The file itself cannot say so."""
        return self._signed_by

    def as_signed(self, by: Container[str]) -> Policy:
        signed = self.model_copy()
        signed._signed_by = by
        return signed

    def line_named(self, line: str | None) -> Line | None:
        return next((one for one in self.line if one.id == line), None)

    def controller_of(self, line: Line) -> Controller:
        """Who records on this line. In a policy without faults every line has one."""
        return next((one for one in self.controller if one.id == line.controller), self.controller[0])

    def party_of(self, line: Line) -> LocalText:
        """What the person at the other end is called."""
        return line.party or self.controller_of(line).party

    def informed_on(self, line: Line) -> date | None:
        """When the line's agents were told that they are recorded (L1)."""
        return line.employees_informed_on or self.employees_informed_on

    def language_of(self, line: Line) -> Language:
        return line.language or self.notice_language

    def recipients(self, role: KeyRole, line: Line | None = None) -> tuple[Recipient, ...]:
        """Who may open recordings for it: of this line, or of any."""
        return tuple(one for one in self.recipient if one.purpose is role and (line is None or one.opens(line)))
