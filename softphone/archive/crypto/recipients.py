"""Whom a policy lets open recordings: its public keys, as wraps are made for them."""

from __future__ import annotations

from dataclasses import replace

from softphone.archive.crypto.wraps import Recipient
from softphone.domain.policy import Policy


def policy_recipients(policy: Policy | None) -> list[Recipient]:
    """Each with the lines whose recordings it may open."""
    found: list[Recipient] = []
    for one in policy.recipient if policy else ():
        recipient = Recipient.from_policy(one.id, one.purpose, one.public_key)
        if policy and (one.controller is not None or one.lines):
            recipient = replace(recipient, lines=frozenset(line.id for line in policy.line if one.opens(line)))
        found.append(recipient)
    return found
