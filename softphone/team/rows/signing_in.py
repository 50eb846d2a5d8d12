"""People, their desks and their sessions. Opening a session takes the login that signs in; all else is the service's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.team.rows import policy_rows
from softphone.team.rows.pool import Row, Rows, Transaction, kept_of

OPEN = "SELECT session_open(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
BY_CODE = "SELECT session_by_code(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
RENEW = "SELECT session_renew(%s, %s, %s, %s, %s, %s, %s)"
PROOF = "SELECT proof_new(%s, %s)"
REQUEST = "SELECT * FROM request_asked(%s, %s, %s, %s, %s)"
END = "SELECT session_end()"
REVOKE = "SELECT desk_revoke(%s)"
LEAVES = "SELECT person_leaves(%s)"
RETURNS = "SELECT person_returns(%s)"
CODE = "SELECT code_make(%s, %s, %s, %s, %s)"
PUBLIC_KEY = "SELECT key_public(%s, %s)"
CHALLENGE = "SELECT key_challenge(%s, %s, %s)"
PROVED = "SELECT key_proved(%s, %s, %s)"
SEEN = "SELECT desk_seen(%s, %s, %s)"
RUNS = "SELECT desk_runs(%s, %s)"
FIGURES = "SELECT * FROM people_figures()"
TAKE_POLICY = "SELECT policy_take(%s, %s, %s, %s, %s, %s, %s)"
TAKE_TERMS = "SELECT policy_terms_take(%s, %s)"
POLICY = "SELECT number, signed, signer, succession FROM policies ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Desk:
    """The machine that signs in. `id`: of its local archive; `thumbprint`: of the key its tokens are bound to (RFC 7638)."""

    id: UUID
    key: bytes
    thumbprint: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Freshly made, for one desk. Only hashes of hashes of them are kept."""

    session: UUID
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lives: timedelta
    refreshes: timedelta


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose token it is. The service checks a proof against `thumbprint` before it answers."""

    person: UUID
    desk: UUID
    thumbprint: str
    roles: frozenset[Role]
    agents: tuple[str, ...]
    expires_at: datetime


async def open_session(
    tx: Transaction, issuer: str, subject: str, roles: Sequence[Role], agents: Sequence[str], desk: Desk, tokens: Tokens
) -> UUID:
    """The person. The issuer has signed them in, and what it claims of them has been checked."""
    return await tx.value(
        OPEN,
        tokens.session,
        kept_of(tokens.access),
        kept_of(tokens.refresh),
        issuer,
        subject,
        list(roles),
        list(agents),
        *_of(desk, tokens),
    )


async def open_by_code(tx: Transaction, code: str, desk: Desk, tokens: Tokens) -> UUID:
    """The person. The code is used up. Raises SignedOutError where there is none."""
    return await tx.value(
        BY_CODE, kept_of(code), tokens.session, kept_of(tokens.access), kept_of(tokens.refresh), *_of(desk, tokens)
    )


async def renew(tx: Transaction, refresh: str, thumbprint: str, tokens: Tokens) -> bool:
    """False: it is used up, ran out, or is another desk's. One whose successors went on ends all of that desk's sessions."""
    kept = kept_of(tokens.access), kept_of(tokens.refresh)
    return await tx.value(RENEW, kept_of(refresh), thumbprint, tokens.session, *kept, tokens.lives, tokens.refreshes)


async def is_new_proof(tx: Transaction, proof: bytes, until: datetime) -> bool:
    """Whether this proof of possession was not shown before; it is noted until then."""
    return await tx.value(PROOF, proof, until)


async def request(
    rows: Rows, token: str, thumbprint: str, proof: bytes, until: datetime, what: str, most: int
) -> tuple[Asker, str] | None:
    """Who asks, and `new`, `used` (this proof was shown before), `many` (their desk has asked for this so often within the
    minute), or `elsewhere` (the token is bound to another key, which is logged). None: nobody whose session lives."""
    row = await rows.once(token, REQUEST, proof, until, what, most, thumbprint)
    if row is None:
        return None
    roles = frozenset(Role(one) for one in row["roles"])
    return Asker(row["person"], row["desk"], row["thumbprint"], roles, tuple(row["agents"]), row["expires_at"]), row[
        "may"
    ]


async def end_session(tx: Transaction) -> None:
    await tx.all(END)


async def revoke_desk(tx: Transaction, desk: UUID) -> bool:
    """By its own person, or by IT. False: there is none, or it was revoked before."""
    return await tx.value(REVOKE, desk)


async def person_leaves(tx: Transaction, person: UUID) -> bool:
    return await tx.value(LEAVES, person)


async def person_returns(tx: Transaction, person: UUID) -> bool:
    """On the server: whom the directory names comes in again. False: there is none who had left."""
    return await tx.value(RETURNS, person)


async def make_code(
    tx: Transaction, code: str, subject: str, roles: Sequence[Role], agents: Sequence[str], lives: timedelta
) -> None:
    """On the server, by the login that migrates."""
    await tx.all(CODE, kept_of(code), subject, list(roles), list(agents), lives)


async def public_key(tx: Transaction, role: KeyRole, key_id: str) -> bytes | None:
    """As the newest policy has it. None: it names no such key."""
    found = await tx.value(PUBLIC_KEY, role.value, key_id)
    return None if found is None else bytes(found)


async def challenge_key(tx: Transaction, role: KeyRole, key_id: str, nonce: bytes) -> None:
    """By the login that signs in, which has sealed the nonce to this key. Good for two minutes, and for one answer."""
    await tx.all(CHALLENGE, role.value, key_id, hashlib.sha256(nonce).digest())


async def key_proved(tx: Transaction, role: KeyRole, key_id: str, nonce: bytes) -> bool:
    """Whether this is what was sealed to the key."""
    return await tx.value(PROVED, role.value, key_id, nonce)


async def desk_seen(tx: Transaction, program: str, waiting: int, failed: str = "") -> None:
    """What a desk says of itself when it asks for news. `failed`: a code of the product's."""
    await tx.all(SEEN, program, waiting, failed)


async def desk_runs(tx: Transaction, thumbprint: str, program: str) -> None:
    """By the login that signs in, with the session that it opens or renews. `program`: empty where the desk does not say."""
    await tx.all(RUNS, thumbprint, program)


async def people(tx: Transaction) -> Sequence[Row]:
    """For IT: each person's desks, what they run, what waits and what failed."""
    return await tx.all(FIGURES)


async def take_policy(
    tx: Transaction, number: int, signed: bytes, signer: str, policy: Policy, *, succession: bytes | None = None
) -> None:
    """Its signature was checked. Refused: a lower number, another signer without the old one's word."""
    keys, teams = Jsonb(policy_rows.keys(policy)), Jsonb(policy_rows.teams(policy))
    await tx.all(TAKE_POLICY, number, signed, signer, succession, policy.own_calls.length(), keys, teams)
    await tx.all(TAKE_TERMS, number, Jsonb(policy_rows.terms(policy)))


def _of(desk: Desk, tokens: Tokens) -> tuple[UUID, bytes, str, timedelta, timedelta]:
    return desk.id, desk.key, desk.thumbprint, tokens.lives, tokens.refreshes
