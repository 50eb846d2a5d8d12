"""What a policy's own words are in rows: keys, teams, and how long its lines keep each purpose."""

from __future__ import annotations

import base64
from typing import Any

from softphone.archive.crypto.wraps import fingerprint
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole, Purpose


def keys(policy: Policy) -> list[dict[str, Any]]:
    """Public ones, with their roles."""
    them = [(role, base64.b64decode(one.public_key)) for role in KeyRole for one in policy.recipients(role)]
    return [{"role": role.value, "key_id": fingerprint(key), "public_key": key.hex()} for role, key in them]


def teams(policy: Policy) -> list[dict[str, Any]]:
    led = {one.id: fingerprint(base64.b64decode(one.public_key)) for one in policy.recipients(KeyRole.TRAINING)}
    return [
        {
            "team": one.id,
            "agents": list(one.agents),
            "lines": list(one.lines),
            "leads": [led[lead] for lead in one.leads if lead in led],
        }
        for one in policy.team
    ]


def terms(policy: Policy) -> list[dict[str, Any]]:
    kept = {(one.value, str(period)) for line in policy.line for one in Purpose if (period := line.retention(one))}
    return [{"purpose": purpose, "retention": period} for purpose, period in sorted(kept)]
