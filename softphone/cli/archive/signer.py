"""`klartone archive signer`: whose signature a policy must have to count on this archive."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from softphone.archive.crypto import ring
from softphone.archive.crypto.ring import KeyPurpose
from softphone.archive.crypto.wraps import KeyStore
from softphone.bootstrap.archive.shared import opened, print_line
from softphone.bootstrap.home import texts
from softphone.domain.errors import ArchiveError
from softphone.system.signature import public_key


def archive_policy_signer(arguments: argparse.Namespace) -> int:
    """Without a key it says whose it is."""
    tell, now = texts(), datetime.now(UTC)
    asked: str | None = arguments.key
    with opened(arguments) as archive:
        if asked is None and not arguments.none:
            signer = archive.policy_signer
            print_line(tell("archive.policy_signer" if signer else "archive.policy_signer.nobody", signer=signer))
            return 0
        key = archive.choose_signer(lambda: _key(archive.store, asked) if asked else "", now)
    print_line(tell("archive.policy_signer.chosen" if key else "archive.policy_signer.lifted", signer=key))
    return 0


def _key(store: KeyStore, asked: str) -> str:
    """The key itself, as `keys create policy` prints it, or the id of one in this keyring. Raises ArchiveError."""
    try:
        return public_key(asked)
    except ValueError:
        known = ring.choose(ring.known_keys(store), asked)
    if known.purpose is not KeyPurpose.POLICY:
        raise ArchiveError("error.archive.signer_opens", id=known.id)
    return known.public_key
