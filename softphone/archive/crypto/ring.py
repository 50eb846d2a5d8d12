"""Which keys this keyring knows: each pair's id, purpose and public half; and exporting or importing one under a passphrase.

A keyring cannot be listed, so it holds a list of its own: nobody without it can slip in a key to be sealed for. The policy
says what a key may open; the catalog, which wraps it has.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import TypeAdapter, ValidationError

from softphone.archive.crypto import passphrase as files
from softphone.archive.crypto.passphrase import Cost, Kind, b64, unb64
from softphone.archive.crypto.wraps import KeyStore, Recipient, create_key_pair, fingerprint, private_name
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.fields import Id
from softphone.domain.purpose import KeyRole

_id: TypeAdapter[str] = TypeAdapter(Id)
_LIST = "known-keys"
_PAIR = "pair"
_PART = 16
"""bytes of a key id; the list has them one after the other: Windows keeps 2,560 bytes a secret"""


class KeyPurpose(StrEnum):
    """What a key is for: to open recordings in a role, to sign policies, or to certify a house's desks."""

    DOCUMENTATION = "documentation"
    TRAINING = "training"
    CUSTODY = "custody"
    POLICY = "policy"
    HOUSE = "house"

    @property
    def signs(self) -> bool:
        return self in (KeyPurpose.POLICY, KeyPurpose.HOUSE)

    @property
    def role(self) -> KeyRole | None:
        return None if self.signs else KeyRole(self.value)


@dataclass(frozen=True, slots=True)
class Known:
    """A key as the keyring knows it. `public` is 32 bytes; `created` is None if that is not known."""

    id: str
    purpose: KeyPurpose
    public: bytes
    created: datetime | None = None

    @property
    def key_id(self) -> str:
        return fingerprint(self.public)

    @property
    def public_key(self) -> str:
        """base64, as a policy has it"""
        return b64(self.public)

    @property
    def private_name(self) -> str:
        """its private half's name in a keyring"""
        return signing_name(self.purpose, self.id) if self.purpose.signs else private_name(self.key_id)

    @property
    def recipient(self) -> Recipient:
        """Raises ArchiveError for a key that signs."""
        if self.purpose.role is None:
            raise ArchiveError("error.keys.signs", id=self.id)
        return Recipient(self.id, self.purpose.role, self.public)

    def as_policy(self) -> str:
        """Its public half in the form that the policy, or the settings, take."""
        if self.purpose is KeyPurpose.POLICY:
            return f'policy_signer = "{self.public_key}"\n'
        if self.purpose is KeyPurpose.HOUSE:
            return f'[house]\nkeys = ["{self.public_key}"]\n'
        return f'[[recipient]]\nid = "{self.id}"\npurpose = "{self.purpose.value}"\npublic_key = "{self.public_key}"\n'


def create(store: KeyStore, id: str, purpose: KeyRole, now: datetime) -> Known:
    """A new pair: the private half into `store`. Raises KeyringError, and ArchiveError if no policy could name `id`: then no
    key is made."""
    try:
        _id.validate_python(id)
    except ValidationError:
        raise ArchiveError("error.archive.recipient_id", id=id[:60]) from None
    check_free(store, id)
    made = Known(id, KeyPurpose(purpose.value), create_key_pair(store), now)
    remember(store, made, pair=True)
    return made


def create_house(store: KeyStore, id: str, now: datetime) -> Known:
    """A new pair that certifies a house's desks. Raises as `create`."""
    try:
        _id.validate_python(id)
    except ValidationError:
        raise ArchiveError("error.archive.recipient_id", id=id[:60]) from None
    check_free(store, id)
    store.set(signing_name(KeyPurpose.HOUSE, id), Ed25519PrivateKey.generate().private_bytes_raw())
    remember_signer(store, id, now, KeyPurpose.HOUSE)
    return choose(known_keys(store), id)


def check_free(store: KeyStore, id: str) -> None:
    """Raises ArchiveError if this keyring has a key with that id: the two could not be told apart."""
    if any(one.id == id for one in known_keys(store)):
        raise ArchiveError("error.keys.id_taken", id=id)


def remember_signer(store: KeyStore, id: str, now: datetime, purpose: KeyPurpose = KeyPurpose.POLICY) -> None:
    """A pair that signs and lies in `store` by its id. Raises KeyringError."""
    private = store.get(signing_name(purpose, id))
    if private is not None:
        remember(store, Known(id, purpose, _public_half(purpose, private), now), pair=True)


def signing_name(purpose: KeyPurpose, id: str) -> str:
    """The name in a keyring of a private half that signs."""
    return f"{purpose.value}-signing-{id}"


def of_private(id: str, purpose: KeyPurpose, private: bytes) -> Known:
    """A pair of which only the private half is left. Raises ValueError for an invalid one."""
    return Known(id, purpose, _public_half(purpose, private))


def remember(store: KeyStore, known: Known, *, pair: bool = False) -> None:
    """The key is listed from now on. What is known of it already stays. `pair`: its private half came too, and should stay."""
    before = _entry(store, known.key_id)
    if before is None or (pair and not _is_pair(store, known.key_id)):
        told = as_told(before or known) | ({_PAIR: "1"} if pair else {})
        store.set(f"known-{known.key_id}", json.dumps(told).encode("utf-8"))
    if known.key_id not in _listed(store):
        store.set(_LIST, (store.get(_LIST) or b"") + bytes.fromhex(known.key_id))


def as_told(known: Known) -> dict[str, str]:
    """What is public of it, as JSON has it."""
    told = {"id": known.id, "purpose": known.purpose.value, "public": b64(known.public)}
    return told | ({"created": known.created.isoformat()} if known.created else {})


def from_told(told: dict[str, str]) -> Known:
    """ValueError, KeyError or TypeError for what is none."""
    created = datetime.fromisoformat(told["created"]) if "created" in told else None
    return Known(told["id"], KeyPurpose(told["purpose"]), unb64(told["public"]), created)


def known_keys(store: KeyStore) -> list[Known]:
    """In the order in which they came. Raises KeyringError."""
    found = [_entry(store, key_id) for key_id in _listed(store)]
    return [one for one in found if one is not None]


def gone(store: KeyStore) -> list[Known]:
    """Keys whose private half was here and is no longer. No command takes one out. Raises KeyringError."""
    return [one for one in known_keys(store) if _is_pair(store, one.key_id) and store.get(one.private_name) is None]


def _is_pair(store: KeyStore, key_id: str) -> bool:
    try:
        return _PAIR in json.loads(store.get(f"known-{key_id}") or b"{}")
    except ValueError:
        return False


def choose(known: list[Known], asked: str) -> Known:
    """By its id, or the beginning of its key id. Raises ArchiveError: none, or several."""
    by_key = {one.key_id: one for one in known if one.id == asked or (asked and one.key_id.startswith(asked.lower()))}
    if not by_key:
        raise ArchiveError("error.keys.unknown", id=asked[:60])
    if len(by_key) > 1:
        raise ArchiveError("error.keys.ambiguous", id=asked[:60], keys=", ".join(key[:8] for key in by_key))
    return next(iter(by_key.values()))


def export_private(store: KeyStore, known: Known, path: Path, passphrase: str, *, cost: Cost | None = None) -> None:
    """The pair into an encrypted file. Raises ArchiveError, KeyringError."""
    files.check_passphrase(passphrase)
    private = store.get(known.private_name)
    if private is None:
        raise ArchiveError("error.keys.no_private", id=known.id)
    content = {**as_told(known), "private": b64(private)}
    files.write(path, files.seal(Kind.PRIVATE_KEY, content, passphrase, cost))


def import_private(store: KeyStore, path: Path, passphrase: str) -> Known:
    """A pair out of an encrypted file. Raises ArchiveError, KeyringError."""
    if files.kind_of(path) is not Kind.PRIVATE_KEY:
        raise ArchiveError("error.keys.no_private_file", path=str(path))
    told = files.open_sealed(path, passphrase)
    try:
        private, known = unb64(told["private"]), from_told(told)
        if _public_half(known.purpose, private) != known.public:
            raise ValueError(known.key_id)
        _id.validate_python(known.id)
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("error.keys.no_private_file", path=str(path)) from None
    held = store.get(known.private_name)
    if held is not None and held != private:
        raise ArchiveError("error.keys.another_there", name=known.private_name)
    store.set(known.private_name, private)
    remember(store, known, pair=True)
    return known


def import_public(store: KeyStore, path: Path, now: datetime) -> list[Known]:
    """Public keys, as `as_policy` writes recipients. Raises ArchiveError if there is none; then nothing is taken in."""
    try:
        told: dict[str, Any] = tomllib.loads(files.read(path).decode("utf-8-sig"))
        found = [
            Known(_id.validate_python(one["id"]), KeyPurpose(KeyRole(one["purpose"]).value), _checked(one), now)
            for one in told.get("recipient", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        found = []
    if not found:
        raise ArchiveError("error.keys.no_key_file", path=str(path))
    for one in found:
        remember(store, one)
    return found


def _checked(told: dict[str, Any]) -> bytes:
    raw = unb64(told["public_key"])
    X25519PublicKey.from_public_bytes(raw)
    return raw


def _public_half(purpose: KeyPurpose, private: bytes) -> bytes:
    kind = Ed25519PrivateKey if purpose.signs else X25519PrivateKey
    return kind.from_private_bytes(private).public_key().public_bytes_raw()


def _listed(store: KeyStore) -> list[str]:
    held = store.get(_LIST) or b""
    return list(dict.fromkeys(held[at : at + _PART].hex() for at in range(0, len(held) - _PART + 1, _PART)))


def _entry(store: KeyStore, key_id: str) -> Known | None:
    held = store.get(f"known-{key_id}")
    if held is None:
        return None
    try:
        known = from_told(json.loads(held))
    except (ValueError, KeyError, TypeError):
        return None
    return known if known.key_id == key_id else None


def with_policy(known: list[Known], recipients: list[Recipient]) -> list[Known]:
    """Those of the keyring, then those that only the policy names."""
    here = {(one.key_id, one.purpose.role) for one in known}
    more = [Known(one.id, KeyPurpose(one.role.value), one.public_key) for one in recipients]
    return [*known, *(one for one in more if (one.key_id, one.purpose.role) not in here)]
