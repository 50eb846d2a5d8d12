"""Words of a review, sealed to the keys that may read them; and what a lead seals for the desk of a call's agent.

HPKE, each bound to what it is of: a comment that is put under another call, or sealed for another key, does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from softphone.archive.crypto.wraps import SUITE, SUITES, fingerprint


def seal_comment(text: str, public_key: bytes, recording: str, comment: str) -> bytes:
    """Of whose key `public_key` is. It hides the text's length up to 64 bytes."""
    words = text.encode()
    padded = words + b"\0" * (-len(words) % 64)
    return _seal(padded, public_key, _info("comment", recording, comment, public_key))


def open_comment(sealed: bytes, private_key: bytes, recording: str, comment: str) -> str | None:
    """None where it is not for this key, or not of this comment."""
    found = _open(sealed, private_key, lambda public: _info("comment", recording, comment, public))
    return found.rstrip(b"\0").decode("utf-8", "replace") if found is not None else None


def seal_data_key(key: bytes, public_key: bytes, recording: str, segment: int) -> bytes:
    """For the desk of the call's agent, whose reading key `public_key` is."""
    return _seal(key, public_key, _info("key", recording, str(segment), public_key))


def open_data_key(sealed: bytes, private_key: bytes, recording: str, segment: int) -> bytes | None:
    return _open(sealed, private_key, lambda public: _info("key", recording, str(segment), public))


def vouch_for_share(key: bytes, recording: str, version: int) -> bytes:
    """That somebody who hears a recording has shared its review. `key`: a data key of it, which a service never has."""
    said = b"klartone share 1\0" + recording.encode("ascii") + b"\0" + str(version).encode("ascii")
    return hmac.digest(key, said, hashlib.sha256)


def is_share(vouched: bytes, keys: Iterable[bytes], recording: str, version: int) -> bool:
    return any(hmac.compare_digest(vouched, vouch_for_share(key, recording, version)) for key in keys)


def sign_reading_key(public_key: bytes, desk: str, signer: Ed25519PrivateKey) -> bytes:
    """By the key that the desk's tokens are bound to."""
    return signer.sign(_reading_key(public_key, desk))


def is_reading_key(public_key: bytes, desk: str, signature: bytes, signer: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, _reading_key(public_key, desk))
        X25519PublicKey.from_public_bytes(public_key)
    except (InvalidSignature, ValueError):
        return False
    return True


def _reading_key(public_key: bytes, desk: str) -> bytes:
    return b"klartone reading key 1\0" + desk.encode("ascii") + b"\0" + public_key


def _seal(words: bytes, public_key: bytes, info: bytes) -> bytes:
    return SUITES[SUITE].encrypt(words, X25519PublicKey.from_public_bytes(public_key), info)


def _open(sealed: bytes, private_key: bytes, info: Callable[[bytes], bytes]) -> bytes | None:
    private = X25519PrivateKey.from_private_bytes(private_key)
    try:
        return SUITES[SUITE].decrypt(sealed, private, info(private.public_key().public_bytes_raw()))
    except (InvalidTag, ValueError):
        return None


def _info(kind: str, recording: str, what: str, public_key: bytes) -> bytes:
    bound = {"kind": kind, "recording": recording, "of": what, "key_id": fingerprint(public_key), "suite": SUITE}
    return b"klartone review 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")
