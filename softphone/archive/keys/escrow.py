"""A keyring's secrets in a file for the day it is lost: under one passphrase, or shared among people, each with an own one.

Account passwords are none of it. Nothing here knows where a keyring is, or asks anybody.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softphone.archive.keys import passphrase as files
from softphone.archive.keys import ring, shamir
from softphone.archive.keys.passphrase import Cost, Kind, b64, unb64
from softphone.archive.keys.ring import Known
from softphone.archive.keys.wraps import KeyStore, admitted_name, master_name
from softphone.archive.proof.checkpoint import known_signer_name, signer_name
from softphone.domain.errors import ArchiveError

MOST_PEOPLE = 20
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Held:
    """What an escrow holds: the secrets by their names in the keyring, and whose private keys they are. `demo`: all of it a
    demo's, which lies in no keyring."""

    secrets: Mapping[str, bytes]
    known: Sequence[Known]
    demo: bool


def gather(store: KeyStore, known: Sequence[Known], archive: str | None, desk: str | None) -> Held:
    """All that opens the archive and its recordings, as far as it lies here. Raises ArchiveError where none of it does."""
    names = [master_name(archive), admitted_name(archive)] if archive else []
    names += [signer_name(desk), known_signer_name(desk)] if desk else []
    names += [one.private_name for one in known]
    found = {name: secret for name in dict.fromkeys(names) if (secret := store.get(name)) is not None}
    if not found:
        raise ArchiveError("error.keys.nothing_to_keep")
    return Held(found, [one for one in known if one.private_name in found], store.demo)


def make(held: Held, path: Path, passphrase: str, now: datetime, *, cost: Cost | None = None) -> None:
    """One file. Raises ArchiveError."""
    files.check_passphrase(passphrase)
    files.write(path, files.seal(Kind.ESCROW, _content(held, now), passphrase, cost))


def make_shares(
    held: Held, path: Path, passphrases: Sequence[str], need: int, now: datetime, *, cost: Cost | None = None
) -> list[Path]:
    """A file for each passphrase, of which `need` restore it: `name-1.suffix`, `name-2.suffix` … Raises ArchiveError."""
    check_split(len(passphrases), need)
    for one in passphrases:
        files.check_passphrase(one)
    paths = share_paths(path, len(passphrases))
    for one in paths:
        if one.exists():
            raise ArchiveError("error.archive.file_exists", path=str(one))
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(_content(held, now)).encode("utf-8"), None)
    common = {"set": secrets.token_hex(8), "need": need, "of": len(paths), "nonce": b64(nonce), "escrow": b64(sealed)}
    shares = shamir.split(key, len(paths), need)
    for number, (one, share, passphrase) in enumerate(zip(paths, shares, passphrases, strict=True), 1):
        content = {**common, "number": number, "share": b64(share)}
        files.write(one, files.seal(Kind.SHARE, content, passphrase, cost))
    return paths


def check_split(people: int, need: int) -> None:
    """Raises ArchiveError."""
    if not 2 <= need <= people <= MOST_PEOPLE:
        raise ArchiveError("error.keys.split", most=MOST_PEOPLE)


def share_paths(path: Path, people: int) -> list[Path]:
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, people + 1)]


def read(paths: Sequence[Path], ask: Callable[[Path], str]) -> Held:
    """Out of one escrow, or of enough of its shares; `ask` gives a file's passphrase. Raises ArchiveError."""
    kinds = {path: files.kind_of(path) for path in paths}
    for path, kind in kinds.items():
        if kind not in (Kind.ESCROW, Kind.SHARE) or (kind is Kind.ESCROW and len(kinds) > 1):
            raise ArchiveError("error.keys.no_escrow", path=str(path))
    opened = [files.open_sealed(path, ask(path)) for path in kinds]
    try:
        return _held(opened[0] if Kind.ESCROW in kinds.values() else _joined(opened))
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("error.keys.no_escrow", path=str(paths[0])) from None


def restore(store: KeyStore, held: Held) -> int:
    """How many secrets came back; those that lie here already are left. Where one is another, none is taken in.

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
        ring.remember(store, known)
    return len(missing)


def _joined(shares: list[dict[str, Any]]) -> dict[str, Any]:
    if len({share["set"] for share in shares}) != 1:
        raise ArchiveError("error.keys.shares_mixed")
    by_number = {int(share["number"]): unb64(share["share"]) for share in shares}
    need = int(shares[0]["need"])
    if len(by_number) < need:
        raise ArchiveError("error.keys.too_few", have=len(by_number), need=need, count=need - len(by_number))
    key = shamir.combine([by_number[number] for number in sorted(by_number)[:need]])
    try:
        return json.loads(AESGCM(key).decrypt(unb64(shares[0]["nonce"]), unb64(shares[0]["escrow"]), None))
    except InvalidTag:
        raise ValueError from None


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
