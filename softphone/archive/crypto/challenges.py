"""That somebody has a key, proved without showing it: a nonce is sealed to its public half, and who opens it tells the nonce.

HPKE's `info` names the desk that asked. So a challenge that somebody else passes on is opened by nobody: the holder of the key
opens those of the own desk alone.
"""

from __future__ import annotations

import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from softphone.archive.crypto.wraps import SUITE, SUITES, Recipient
from softphone.domain.purpose import KeyRole

NONCE_BYTES = 32


def new_nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


def seal_challenge(nonce: bytes, recipient: Recipient, desk: str) -> bytes:
    """`desk`: the id of the one that asked to prove this key."""
    public = X25519PublicKey.from_public_bytes(recipient.public_key)
    return SUITES[SUITE].encrypt(nonce, public, _info(recipient.role, recipient.key_id, desk))


def open_challenge(sealed: bytes, private_key: bytes, role: KeyRole, key_id: str, desk: str) -> bytes | None:
    """The nonce; None if it is not for this key in this role, or another desk asked."""
    try:
        return SUITES[SUITE].decrypt(
            sealed, X25519PrivateKey.from_private_bytes(private_key), _info(role, key_id, desk)
        )
    except (InvalidTag, ValueError):
        return None


def _info(role: KeyRole, key_id: str, desk: str) -> bytes:
    bound = {"role": role.value, "key_id": key_id, "desk": desk, "suite": SUITE}
    return b"klartone challenge 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")
