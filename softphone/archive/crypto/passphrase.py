"""A file of secrets under a passphrase, for a safe or another machine: see docs/container.md, *A file of secrets*.

It knows neither the passphrase's owner nor what the secrets are.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from softphone.domain.errors import ArchiveError

VERSION = "secrets 1"
SHORTEST = 12
"""characters of a passphrase"""
_KDF = "argon2id"
_NONCE_BYTES = 12
_SALT_BYTES = 16
_LARGEST = 1 << 24
_MOST_MEMORY = 1 << 20
_MOST_ITERATIONS = 20
_MOST_LANES = 16


class Kind(StrEnum):
    PRIVATE_KEY = "private key"
    ESCROW = "escrow"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one guess (RFC 9106); `memory` in KiB."""

    iterations: int = 3
    lanes: int = 4
    memory: int = 65_536


def check_passphrase(passphrase: str) -> None:
    """Raises ArchiveError: too short to protect anything."""
    if len(_normal(passphrase).strip()) < SHORTEST:
        raise ArchiveError("error.keys.passphrase_short", least=SHORTEST)


def seal(kind: Kind, content: dict[str, Any], passphrase: str, cost: Cost | None = None) -> bytes:
    """The file's bytes."""
    cost = cost or Cost()
    told: dict[str, Any] = {
        "klartone": VERSION,
        "kind": kind.value,
        "kdf": {
            "name": _KDF,
            "salt": b64(secrets.token_bytes(_SALT_BYTES)),
            "iterations": cost.iterations,
            "lanes": cost.lanes,
            "memory": cost.memory,
        },
        "nonce": b64(secrets.token_bytes(_NONCE_BYTES)),
    }
    plain = json.dumps(content, sort_keys=True).encode("utf-8")
    sealed = AESGCM(_key(told["kdf"], passphrase)).encrypt(unb64(told["nonce"]), plain, _canonical(told))
    return json.dumps({**told, "sealed": b64(sealed)}, indent=2).encode("utf-8") + b"\n"


def kind_of(path: Path) -> Kind | None:
    """What a file holds; None: none of these. Raises ArchiveError if it cannot be read, or is of a later version."""
    told = _told(path)
    return None if told is None else Kind(told["kind"])


def open_sealed(path: Path, passphrase: str) -> dict[str, Any]:
    """Raises ArchiveError: no such file, another passphrase, changed."""
    told = _told(path)
    if told is None:
        raise ArchiveError("error.keys.no_secrets_file", path=str(path))
    try:
        nonce, sealed = unb64(told["nonce"]), unb64(told.pop("sealed"))
        key = _key(told["kdf"], passphrase)
        content: Any = json.loads(AESGCM(key).decrypt(nonce, sealed, _canonical(told)))
    except InvalidTag:
        raise ArchiveError("error.keys.wrong_passphrase", path=str(path)) from None
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("error.keys.no_secrets_file", path=str(path)) from None
    if not isinstance(content, dict):
        raise ArchiveError("error.keys.no_secrets_file", path=str(path))
    return content  # pyright: ignore[reportUnknownVariableType]


def write(path: Path, data: bytes) -> None:
    """For its user alone, and never over another file. Raises ArchiveError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ArchiveError("error.archive.file_exists", path=str(path)) from None
    except OSError as error:
        raise ArchiveError("error.keys.unwritable", path=str(path), detail=error.strerror or "") from None


def read(path: Path) -> bytes:
    """Raises ArchiveError."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise ArchiveError("error.keys.unreadable", path=str(path), detail=error.strerror or "") from None


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Raises ValueError for invalid text, or for a spelling other than the one that bytes have."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text[:8]) from error
    if b64(data) != text:
        raise ValueError(text[:8])
    return data


def _told(path: Path) -> dict[str, Any] | None:
    data = read(path)
    try:
        told: Any = json.loads(data)
        name = str(told["klartone"])
    except json.JSONDecodeError:
        if data.lstrip().startswith(b"{"):
            raise ArchiveError("error.keys.cut_off", path=str(path)) from None
        return None
    except (ValueError, KeyError, TypeError):
        return None
    if name != VERSION or told.get("kind") not in set(Kind):
        raise ArchiveError("error.keys.unknown_secrets", path=str(path), found=name[:40])
    return told


def _key(kdf: dict[str, Any], passphrase: str) -> bytes:
    """Raises ValueError for a kdf that is not ours, or would take a machine's memory."""
    iterations, lanes, memory = int(kdf["iterations"]), int(kdf["lanes"]), int(kdf["memory"])
    if kdf["name"] != _KDF or iterations > _MOST_ITERATIONS or lanes > _MOST_LANES or memory > _MOST_MEMORY:
        raise ValueError(str(kdf["name"])[:40])
    derive = Argon2id(salt=unb64(kdf["salt"]), length=32, iterations=iterations, lanes=lanes, memory_cost=memory)
    return derive.derive(_normal(passphrase).encode("utf-8"))


def _normal(passphrase: str) -> str:
    return unicodedata.normalize("NFKC", passphrase)


def _canonical(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
