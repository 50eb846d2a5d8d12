"""A SIP password on its way from the house's IT to a desk: sealed where it waits, then sealed anew for the one desk that asks.

Where it waits it is sealed by a key that the service alone has: the database gives no password away. On its way it is sealed
to a key that the desk has made for that alone (HPKE), so nothing between the two reads it.
"""

from __future__ import annotations

import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softphone.archive.crypto.wraps import SUITE, SUITES

_NONCE = 12


def put_away(password: str, address: str, number_key: bytes) -> bytes:
    """`number_key`: the service's own secret, from which this one's key is derived."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_waiting(number_key)).encrypt(nonce, password.encode(), address.encode())


def taken_out(held: bytes, address: str, number_key: bytes) -> str:
    """Raises ValueError where it was put away for another address, or with another key."""
    try:
        return AESGCM(_waiting(number_key)).decrypt(held[:_NONCE], held[_NONCE:], address.encode()).decode()
    except InvalidTag as error:
        raise ValueError("sealed by another key") from error


def seal_for(password: str, address: str, desk: str, public_key: bytes) -> bytes:
    """Raises ValueError for what is no such key."""
    public = X25519PublicKey.from_public_bytes(public_key)
    return SUITES[SUITE].encrypt(password.encode(), public, _info(address, desk))


def open_for(sealed: bytes, address: str, desk: str, private_key: bytes) -> str:
    """Raises ValueError where it is not for this desk and this address."""
    try:
        private = X25519PrivateKey.from_private_bytes(private_key)
        return SUITES[SUITE].decrypt(sealed, private, _info(address, desk)).decode()
    except (InvalidTag, TypeError) as error:
        raise ValueError("not for this desk") from error


def _waiting(number_key: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, b"klartone accounts 1").derive(number_key)


def _info(address: str, desk: str) -> bytes:
    bound = {"address": address, "desk": desk, "suite": SUITE}
    return b"klartone account 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()
