"""An agent's note about a call, sealed for the keys of custody: data protection reads it in a house, and nobody else does.

HPKE binds it to its call and key. It hides the note's length up to 64 bytes.
"""

from __future__ import annotations

import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from softphone.archive.crypto.wraps import SUITE, SUITES, Recipient, fingerprint


def seal_note(text: str, recipient: Recipient, call: str) -> bytes:
    words = text.encode()
    padded = words + b"\0" * (-len(words) % 64)
    public = X25519PublicKey.from_public_bytes(recipient.public_key)
    return SUITES[SUITE].encrypt(padded, public, _info(call, recipient.key_id))


def open_note(sealed: bytes, suite: str, private_key: bytes, call: str) -> str | None:
    """None where it is not for this key, or not of this call."""
    if suite not in SUITES:
        return None
    private = X25519PrivateKey.from_private_bytes(private_key)
    try:
        info = _info(call, fingerprint(private.public_key().public_bytes_raw()))
        return SUITES[suite].decrypt(sealed, private, info).rstrip(b"\0").decode("utf-8", "replace")
    except (InvalidTag, ValueError):
        return None


def _info(call: str, key_id: str) -> bytes:
    bound = {"call": call, "key_id": key_id, "suite": SUITE}
    return b"klartone note 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")
