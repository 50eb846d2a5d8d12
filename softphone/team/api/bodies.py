"""What comes in and goes out, beside a recording's own rows (`upload/told.py`). OpenAPI is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from softphone.domain.purpose import Purpose
from softphone.team.rows import arriving as rows_of
from softphone.team.upload.told import HoldRow, Id, Moment, Number, Told, Word

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, Field(max_length=200, pattern=_PLAIN)]
Token = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$", repr=False)]


class ByInvitation(Told):
    """`desk`: the id of its archive. The proof beside it names the key that its tokens are bound to."""

    grant: Literal["invitation"]
    code: Token
    desk: Id


class ByIdToken(Told):
    """Its `nonce` is the thumbprint (RFC 7638) of the key that the proof beside it names."""

    grant: Literal["id_token"]
    id_token: Annotated[str, Field(min_length=1, max_length=20_000, repr=False)]
    desk: Id


class SignInTold(Told):
    """How one signs in. `issuer` empty: by a one-time code alone."""

    issuer: str = ""
    client: str = ""
    scopes: str = ""


class ByRefresh(Told):
    grant: Literal["refresh"]
    refresh_token: Token


class Tokens(Told):
    access_token: str = Field(repr=False)
    token_type: Literal["DPoP"] = "DPoP"  # noqa: S105 - its kind
    expires_in: int
    """seconds"""
    refresh_token: str = Field(repr=False)


class Me(Told):
    person: UUID
    desk: UUID
    roles: list[str]
    agents: list[str]
    expires_at: datetime


class Seen(Told):
    """For IT's list: which version a desk runs, what it has not shipped, what failed (a code of the product)."""

    program: Annotated[str, Field(max_length=40, pattern=r"^[0-9A-Za-z.+-]*$")]
    waiting: Annotated[int, Field(ge=0, le=1_000_000)]
    failed: Annotated[str, Field(max_length=80, pattern=r"^[a-z_.]*$")] = ""


class UploadState(Told):
    """`missing`: the numbers of the parts to be sent, each 5 MiB but the last. `receipt` is a JWS: stored, or erased.
    `ended` is one that names purposes for which it is stored no more."""

    state: rows_of.UploadState
    missing: list[int] = Field(default_factory=list[int])
    receipt: str = ""
    ended: str = ""


class Withdrawal(Told):
    """An opt-out, or a consent taken back: of one call's group, or of a number. Its id makes it the same when it comes again.
    `call`: an agent's own mark, which no party asked for. Of the group it reaches this call alone."""

    withdrawal: Id
    call_group: Id | None = None
    call: Id | None = None
    number: Number | None = Field(None, repr=False)
    purposes: Annotated[list[Purpose], Field(min_length=1, max_length=2)]
    reason: Literal["withdrawn", "declined_earlier", "kept_out_of_training"]


class LateCase(Told):
    """`case`: an id that makes it the same when it comes again. `whole`: only custody opens it until it is decided; otherwise
    training is out."""

    case: Id
    kind: Literal["objection", "grounds_given"]
    whole: bool
    at: Moment


class Reached(Told):
    recordings: int


class HoldTold(HoldRow):
    recording: Id


class Holds(Told):
    holds: Annotated[list[HoldTold], Field(min_length=1, max_length=100)]


class Held(Told):
    """Those that are held now. A recording that is not here yet is not among them: its desk asks again once it is."""

    held: list[str]


class Undone(Told):
    undone: bool


class Remembered(Told):
    number: Number = Field(repr=False)
    what: Literal["refused", "do_not_sample", "language", "call_back"]
    line: Line = ""
    purpose: Purpose | None = None
    value: Annotated[str, Field(max_length=40, pattern=r"^[0-9A-Za-z_-]*$")] = ""
    at: Moment
    until: Moment


class Asked(Told):
    number: Number = Field(repr=False)
    line: Line = ""


class KnownOne(Told):
    what: str
    purpose: str
    value: str
    until: datetime


class Known(Told):
    known: list[KnownOne]


class Entry(Told):
    """Of a desk's log, as it stands there. `told` is what its hash is of."""

    number: Annotated[int, Field(ge=1)]
    event: Word
    rule: Word
    call: Annotated[str, Field(max_length=100, pattern=_PLAIN)]
    recording: Annotated[str, Field(max_length=100, pattern=_PLAIN)] | None = None
    told: Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]
    previous: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Entries(Told):
    entries: Annotated[list[Entry], Field(min_length=1, max_length=100)]


class Shipped(Told):
    """`countersigned`: a JWS by the service's key, of this log as far as it has come and of the entry that names it."""

    number: int
    countersigned: str = ""


class Problem(Told):
    """RFC 9457. `code` is the product's; the desk says its sentence with `params`."""

    type: str
    title: str
    status: int
    code: str
    params: dict[str, str | int | float]
