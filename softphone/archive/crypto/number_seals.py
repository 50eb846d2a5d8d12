"""A party's number, sealed for the keys that may read it in a house: those of documentation and of custody.

HPKE binds it to its call, role and key, so that it opens in the place of no other. All are as long as the longest of E.164.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from softphone.archive.crypto.wraps import SUITE, SUITES, Recipient
from softphone.domain.purpose import KeyRole

READ_BY = (KeyRole.DOCUMENTATION, KeyRole.CUSTODY)
_LONGEST = 16


@dataclass(frozen=True, slots=True)
class NumberSeal:
    role: KeyRole
    key_id: str
    suite: str
    sealed: bytes = field(repr=False)


def seal_number(number: str, recipient: Recipient, call: str) -> NumberSeal:
    """`number` in E.164; `recipient`: of a role in `READ_BY`."""
    public = X25519PublicKey.from_public_bytes(recipient.public_key)
    info = _info(call, recipient.role, recipient.key_id, SUITE)
    return NumberSeal(
        recipient.role,
        recipient.key_id,
        SUITE,
        SUITES[SUITE].encrypt(number.ljust(_LONGEST).encode("ascii"), public, info),
    )


def open_number(seal: NumberSeal, call: str, private_key: bytes) -> str | None:
    """None where it is not what was sealed for this key and this call."""
    suite = SUITES.get(seal.suite)
    if suite is None:
        return None
    info = _info(call, seal.role, seal.key_id, seal.suite)
    try:
        opened = suite.decrypt(seal.sealed, X25519PrivateKey.from_private_bytes(private_key), info)
        return opened.decode("ascii").rstrip()
    except (InvalidTag, ValueError):
        return None


def _info(call: str, role: KeyRole, key_id: str, suite: str) -> bytes:
    bound = {"call": call, "role": role.value, "key_id": key_id, "suite": suite}
    return b"klartone number 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")
