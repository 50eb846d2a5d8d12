"""The key that this desk proves itself with: each request carries a proof signed by it (DPoP, RFC 9449), and its tokens are
good beside such a proof alone. It lies in the keyring and never leaves it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Protocol

from joserfc import jws
from joserfc.jwk import OKPKey

_ALGORITHM = "Ed25519"  # RFC 9864 names the curve


class Keyring(Protocol):
    """As `softphone/system/secrets.py` has it."""

    def get(self, name: str) -> bytes | None: ...
    def set(self, name: str, secret: bytes) -> None: ...
    def delete(self, name: str) -> None: ...


def key_name(desk: str) -> str:
    """Its name in the keyring. Several homes share a keyring, so each desk has its own."""
    return f"house-key-{desk}"


class DeskKey:
    def __init__(self, private: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = Ed25519PrivateKey.from_private_bytes(private)
        self.public = key.public_key().public_bytes_raw()
        x = _encoded(self.public)
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "d": _encoded(private)})
        self._header = {"alg": _ALGORITHM, "typ": "dpop+jwt", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}}

    @classmethod
    def of(cls, store: Keyring, desk: str) -> DeskKey | None:
        """None: this desk has none yet. Raises KeyringError."""
        private = store.get(key_name(desk))
        return None if private is None else cls(private)

    @classmethod
    def made(cls, store: Keyring, desk: str) -> DeskKey:
        """A new one, kept. Raises KeyringError."""
        private = secrets.token_bytes(32)
        store.set(key_name(desk), private)
        return cls(private)

    @property
    def thumbprint(self) -> str:
        """RFC 7638"""
        return self._key.thumbprint()

    def proof(self, method: str, url: str, at: int, token: str = "") -> str:
        """Good for one request. `url`: without its query; `at`: seconds since 1970, by the house's clock."""
        claims: dict[str, str | int] = {"htm": method, "htu": url, "iat": at, "jti": secrets.token_urlsafe(16)}
        if token:
            claims["ath"] = _encoded(hashlib.sha256(token.encode()).digest())
        told = json.dumps(claims, separators=(",", ":")).encode()
        return jws.serialize_compact(self._header, told, self._key, algorithms=[_ALGORITHM])


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
