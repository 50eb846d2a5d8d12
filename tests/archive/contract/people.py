"""Who works in the house of the contract. Not a test."""

from __future__ import annotations

from collections.abc import Mapping

from softphone.domain.purpose import KeyRole
from tests.archive.people import ANNA

PEOPLE: Mapping[str, tuple[KeyRole | None, str]] = {
    "it": (None, ""),
    "agent": (None, ANNA),
    "case handler": (KeyRole.DOCUMENTATION, ""),
    "lead": (KeyRole.TRAINING, ""),
    "custody": (KeyRole.CUSTODY, ""),
}
"""the key that each holds, and the account of their phone"""
