"""Who can open what: data keys wrapped for a role's public key with HPKE, and the one secret of an archive.

A wrap opens only the recording, segment, role, key and suite it was made for: HPKE's `info` binds all of it. Secrets lie in
a given `KeyStore`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole

SUITE = "X25519-HKDF-SHA256-AES256GCM"
SUITES = {SUITE: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)}
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyStore(Protocol):
    """A place for secrets that only this user can read. Faults are raised as KeyringError."""

    demo: bool
    """true where the secrets lie in a demo's file: only an archive marked as a demo's accepts it"""

    def get(self, name: str) -> bytes | None: ...
    def set(self, name: str, secret: bytes) -> None: ...
    def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody whom the policy lets open recordings: `public_key` is 32 bytes of X25519. Never a private key."""

    id: str
    role: KeyRole
    public_key: bytes
    lines: frozenset[str] | None = None
    """whose recordings; None: every line's"""

    def of_line(self, line: str | None) -> bool:
        return self.lines is None or line in self.lines

    @property
    def key_id(self) -> str:
        return fingerprint(self.public_key)

    @classmethod
    def from_policy(cls, id: str, role: KeyRole, public_key: str) -> Recipient:
        """Raises ArchiveError where `public_key` is not the base64 of such a key."""
        try:
            raw = base64.b64decode(public_key, validate=True)
            X25519PublicKey.from_public_bytes(raw)
        except ValueError as error:
            raise ArchiveError("error.archive.no_public_key", id=id) from error
        return cls(id, role, raw)


@dataclass(frozen=True, slots=True)
class Wrap:
    """One row: this segment's data key, for one role and one key."""

    recording: str
    segment: int
    role: KeyRole
    key_id: str
    suite: str
    sealed: bytes


def fingerprint(public_key: bytes) -> str:
    """What names a key in a wrap and in the keyring: 16 bytes of SHA-256, in hex."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def data_key() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)


def wrap(key: bytes, recipient: Recipient, recording: str, segment: int) -> Wrap:
    public = X25519PublicKey.from_public_bytes(recipient.public_key)
    info = _info(recording, segment, recipient.role, recipient.key_id, SUITE)
    return Wrap(recording, segment, recipient.role, recipient.key_id, SUITE, SUITES[SUITE].encrypt(key, public, info))


def unwrap(wrapped: Wrap, private_key: bytes) -> bytes | None:
    """The data key; None if this wrap is not for this key, or not for this place. Raises ArchiveError: unknown suite."""
    suite = SUITES.get(wrapped.suite)
    if suite is None:
        raise ArchiveError("error.archive.unknown_suite", suite=wrapped.suite)
    info = _info(wrapped.recording, wrapped.segment, wrapped.role, wrapped.key_id, wrapped.suite)
    try:
        return suite.decrypt(wrapped.sealed, X25519PrivateKey.from_private_bytes(private_key), info)
    except (InvalidTag, ValueError, TypeError):  # of the last kind is what is no bytes, as somebody's SQL may leave it
        return None


def _info(recording: str, segment: int, role: KeyRole, key_id: str, suite: str) -> bytes:
    bound = {"recording": recording, "segment": segment, "role": role.value, "key_id": key_id, "suite": suite}
    return b"klartone wrap 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")


def create_key_pair(store: KeyStore) -> bytes:
    """A new pair: the private key goes to `store`, the public one is returned, for the policy. Raises KeyringError."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    store.set(private_name(fingerprint(public)), private.private_bytes_raw())
    return public


def private_name(key_id: str) -> str:
    return f"private-{key_id}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an archive needs: its catalog's key, and the keys that seal and find a party's number."""

    catalog: bytes = field(repr=False)
    number: bytes = field(repr=False)
    index: bytes = field(repr=False)

    @classmethod
    def derive(cls, master: bytes) -> Secrets:
        def part(label: bytes) -> bytes:
            return HKDF(hashes.SHA256(), _KEY_BYTES, None, b"klartone archive 1 " + label).derive(master)

        return cls(part(b"catalog"), part(b"number"), part(b"index"))

    def seal_number(self, number: str, call: str) -> bytes:
        """A number in E.164, bound to its call."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.number).encrypt(nonce, number.encode("utf-8"), call.encode("utf-8"))

    def open_number(self, sealed: bytes, call: str) -> str | None:
        """None where it is not what was sealed."""
        try:
            opened = AESGCM(self.number).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], call.encode("utf-8"))
        except InvalidTag:
            return None
        return opened.decode("utf-8")

    def number_index(self, number: str) -> bytes:
        """What a number is found by; without the key, numbers cannot be tried."""
        return hmac.digest(self.index, number.encode("utf-8"), "sha256")


def master_name(archive: str) -> str:
    return f"archive-{archive}"


def new_master() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)


def signer_name(desk: str) -> str:
    return f"checkpoint-{desk}"
