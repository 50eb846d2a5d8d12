"""What another person needs to open an archive, in a file under a passphrase: the catalog's key and, if so decided, the keys
for numbers.

It opens no recording: that takes the purposes' keys.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softphone.archive.crypto import passphrase as files
from softphone.archive.crypto.passphrase import Cost, Kind, b64, unb64
from softphone.archive.crypto.wraps import KeyStore, Secrets, admitted_name, known_signer_name, master_name, signer_name
from softphone.archive.log.checkpoint import Signer
from softphone.domain.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Admitted:
    """`numbers`: may read numbers and search by them, and record."""

    archive: str
    numbers: bool


def write(
    archive: str,
    secrets: Secrets,
    signer: Signer,
    path: Path,
    passphrase: str,
    *,
    numbers: bool,
    cost: Cost | None = None,
) -> None:
    """Raises ArchiveError: the passphrase is too short, the file exists, or there are no keys for numbers to give."""
    files.check_passphrase(passphrase)
    content: dict[str, Any] = {
        "archive": archive,
        "desk": signer.desk,
        "signer": signer.key,
        "secrets": b64(secrets.pack(numbers=numbers)),
    }
    files.write(path, files.seal(Kind.ADMISSION, content, passphrase, cost))


def take_in(store: KeyStore, path: Path, passphrase: str) -> Admitted:
    """Into this keyring. What is there already is never narrowed. Raises ArchiveError, KeyringError."""
    told = files.open_sealed(path, passphrase)
    try:
        archive, desk, held = str(told["archive"]), str(told["desk"]), unb64(told["secrets"])
        signer = base64.b64decode(told["signer"], validate=True)
        secrets = Secrets.parts(held)
        if secrets is None:
            raise ValueError(archive)
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("error.keys.no_secrets_file", path=str(path)) from None
    master = store.get(master_name(archive))
    known = Secrets.derive(master) if master is not None else Secrets.parts(store.get(admitted_name(archive)) or b"")
    if known is not None and known.catalog != secrets.catalog:
        raise ArchiveError("error.keys.another_there", name=admitted_name(archive))
    if known is not None and (known.numbers or not secrets.numbers):
        return Admitted(archive, known.numbers)
    if signer and store.get(signer_name(desk)) is None:
        store.set(known_signer_name(desk), signer)
    store.set(admitted_name(archive), held)
    return Admitted(archive, secrets.numbers)
