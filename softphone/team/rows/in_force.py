"""The policy that the house works under, read from its signed bytes: what its own words decide, no column repeats."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from softphone.domain.policy import Policy, PolicyError
from softphone.domain.policy.period import Period
from softphone.domain.retention import CONFIRM_WITHIN, JUDGE_WITHIN
from softphone.system.policy_file import policy_in
from softphone.team.rows.pool import Transaction

NEWEST = "SELECT * FROM newest_signed()"


async def policy_in_force(tx: Transaction) -> Policy | None:
    """None: there is none, or this version of the program cannot read it."""
    row = await tx.row(NEWEST)
    return _read(bytes(row["signed"])) if row else None


async def confirm_within(tx: Transaction) -> Period:
    """How long data protection has to confirm a hold."""
    policy = await policy_in_force(tx)
    return policy.hold_unconfirmed if policy else CONFIRM_WITHIN


async def judge_within(tx: Transaction) -> Period:
    policy = await policy_in_force(tx)
    return policy.judge_within if policy else JUDGE_WITHIN


@lru_cache(maxsize=4)
def _read(signed: bytes) -> Policy | None:
    """Its first line is the signature, which desks check."""
    try:
        return policy_in(signed.partition(b"\n")[2], Path("policy.toml")).policy
    except PolicyError:
        return None
