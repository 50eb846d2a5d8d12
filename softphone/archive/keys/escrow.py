"""A keyring's secrets in a file for the day it is lost, under a passphrase.

Account passwords are not in it. Nothing here knows where a keyring is, or asks anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from softphone.archive.crypto import passphrase as files
from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import Cost, Kind, b64, unb64
from softphone.archive.crypto.ring import Known
from softphone.archive.crypto.wraps import KeyStore, master_name, signer_name
from softphone.domain.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Held:
    """What an escrow holds: the secrets by their names in the keyring, and whose private keys they are. `demo`: all of it a
    demo's, which lies in no keyring."""

    secrets: Mapping[str, bytes]
    known: Sequence[Known]
    demo: bool


def gather(store: KeyStore, known: Sequence[Known], archive: str | None, desk: str | None) -> Held:
    """All that opens the archive and its recordings, as far as it lies here. Raises ArchiveError if none of it does."""
    names = [master_name(archive)] if archive else []
    names += [signer_name(desk)] if desk else []
    names += [one.private_name for one in known]
    found = {name: secret for name in dict.fromkeys(names) if (secret := store.get(name)) is not None}
    if not found:
        raise ArchiveError("error.keys.nothing_to_keep")
    return Held(found, [one for one in known if one.private_name in found], store.demo)


def make(held: Held, path: Path, passphrase: str, now: datetime, *, cost: Cost | None = None) -> None:
    """One file. Raises ArchiveError."""
    files.check_passphrase(passphrase)
    files.write(path, files.seal(Kind.ESCROW, _content(held, now), passphrase, cost))


def read(path: Path, passphrase: Callable[[], str]) -> Held:
    """Raises ArchiveError."""
    if files.kind_of(path) is not Kind.ESCROW:
        raise ArchiveError("error.keys.no_escrow", path=str(path))
    opened = files.open_sealed(path, passphrase())
    try:
        return _held(opened)
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("error.keys.no_escrow", path=str(path)) from None


def restore(store: KeyStore, held: Held) -> int:
    """How many secrets came back; those that lie here already are left. If one of these differs, none is taken in.

    Raises ArchiveError, KeyringError.
    """
    here = {name: store.get(name) for name in held.secrets}
    for name, secret in held.secrets.items():
        if here[name] not in (None, secret):
            raise ArchiveError("error.keys.another_there", name=name)
    missing = {name: secret for name, secret in held.secrets.items() if here[name] is None}
    for name, secret in missing.items():
        store.set(name, secret)
    for known in held.known:
        ring.remember(store, known, pair=known.private_name in held.secrets)
    return len(missing)


def _content(held: Held, now: datetime) -> dict[str, Any]:
    return {
        "made_at": now.isoformat(),
        "secrets": {name: b64(secret) for name, secret in held.secrets.items()},
        "keys": [ring.as_told(one) for one in held.known],
        **({"demo": True} if held.demo else {}),
    }


def _held(content: dict[str, Any]) -> Held:
    told: dict[str, str] = content["secrets"]
    keys: list[dict[str, Any]] = content["keys"]
    secrets = {name: unb64(secret) for name, secret in told.items()}
    return Held(secrets, [ring.from_told(one) for one in keys], content.get("demo") is True)
