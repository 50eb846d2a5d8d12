"""The policy that the house works under, read from its signed bytes: what its own words decide, no column repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from psycopg.types.json import Jsonb

from softphone.domain.policy import Policy, PolicyError
from softphone.domain.policy.checks import LEAST_AUDIT_RETENTION
from softphone.domain.policy.period import Period
from softphone.domain.retention import CONFIRM_WITHIN, JUDGE_WITHIN, LOG_KEPT, day_begins, last_day_past
from softphone.system.policy_file import policy_in
from softphone.team.rows import policy_rows
from softphone.team.rows.pool import Transaction

NEWEST = "SELECT number, signed, signer FROM newest_signed()"
AFTER = "SELECT * FROM signed_after(%s)"
HOLDS = "SELECT policy_holds(%s, %s, %s, %s, %s)"
TERMS = "SELECT retention FROM terms_standing() AS retention"


async def policy_in_force(tx: Transaction) -> Policy | None:
    """None: there is none, or this version of the program cannot read it."""
    row = await tx.row(NEWEST)
    return _read(bytes(row["signed"])) if row else None


@dataclass(frozen=True, slots=True)
class SignedPolicy:
    """`signature` (base64) of exactly this text; `succession`: the word of the signer before, empty: the same one."""

    number: int
    signature: bytes
    text: bytes
    signer: str
    succession: str


async def signed_after(tx: Transaction, number: int) -> list[SignedPolicy]:
    """The oldest first."""
    found: list[SignedPolicy] = []
    for row in await tx.all(AFTER, number):
        signature, _, text = bytes(row["signed"]).partition(b"\n")
        word = bytes(row["succession"] or b"").decode("ascii", "replace")
        found.append(SignedPolicy(row["number"], signature, text, row["signer"], word))
    return found


async def newest_holds(tx: Transaction) -> bool:
    """Whether keys, teams and terms of the newest policy are what it says. True where there is none, or this version of the
    program cannot read it."""
    row = await tx.row(NEWEST)
    policy = _read(bytes(row["signed"])) if row else None
    if row is None or policy is None:
        return True
    told = [Jsonb(one) for one in (policy_rows.keys(policy), policy_rows.teams(policy), policy_rows.terms(policy))]
    return await tx.value(HOLDS, row["number"], policy.own_calls.length(), *told)


async def confirm_within(tx: Transaction) -> Period:
    """How long data protection has to confirm a hold."""
    policy = await policy_in_force(tx)
    return policy.hold_unconfirmed if policy else CONFIRM_WITHIN


async def judge_within(tx: Transaction) -> Period:
    policy = await policy_in_force(tx)
    return policy.judge_within if policy else JUDGE_WITHIN


async def log_past(tx: Transaction, now: datetime) -> datetime:
    """The moment before which entries of the log, and cases that were over, are past their time: what the policy says, and no
    less than a year, nor than anything here may be kept."""
    policy = await policy_in_force(tx)
    standing = [Period.parse(row["retention"]) for row in await tx.all(TERMS)]
    kept = [policy.audit_retention if policy else LOG_KEPT, LEAST_AUDIT_RETENTION, *standing]
    return day_begins(last_day_past(kept, now.date()), "UTC")


@lru_cache(maxsize=4)
def _read(signed: bytes) -> Policy | None:
    """Its first line is the signature, which desks check."""
    try:
        return policy_in(signed.partition(b"\n")[2], Path("policy.toml")).policy
    except PolicyError:
        return None
