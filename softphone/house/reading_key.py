"""The key by which an agent's desk reads what leads share: made here, told to the house, signed by the desk's own key.

Its private half never leaves the keyring. Another desk of the same agent has another one.
"""

from __future__ import annotations

import base64
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from softphone.archive.crypto.review_seals import sign_reading_key
from softphone.house.connection import Connection
from softphone.house.desk_key import key_name


class Keyring(Protocol):
    def get(self, name: str) -> bytes | None: ...
    def set(self, name: str, secret: bytes) -> None: ...


def reading_key_name(desk: str) -> str:
    return f"house-reading-{desk}"


def reading_key(keyring: Keyring, desk: str) -> bytes | None:
    """The private half; None: this desk has told the house of none."""
    return keyring.get(reading_key_name(desk))


def tell_reading_key(connection: Connection, keyring: Keyring, desk: str) -> None:
    """Makes it where there is none, and tells the house. Again, it changes nothing. Raises HouseError, KeyringError."""
    signer = keyring.get(key_name(desk))
    if signer is None:
        return  # it has not joined
    private = reading_key(keyring, desk)
    if private is None:
        private = X25519PrivateKey.generate().private_bytes_raw()
        keyring.set(reading_key_name(desk), private)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    signature = sign_reading_key(public, desk, Ed25519PrivateKey.from_private_bytes(signer))
    told = {"public_key": _b64(public), "signature": _b64(signature)}
    connection.ask("PUT", "/v1/desk/reading-key", told)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
