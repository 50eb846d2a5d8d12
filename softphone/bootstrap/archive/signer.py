"""`klartone archive signer`: whose signature a policy must have to count on this archive (ADR 020)."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from softphone.archive.access import choose_signer, require_signer
from softphone.archive.keys import ring
from softphone.archive.keys.ring import KeyPurpose
from softphone.archive.keys.wraps import KeyStore
from softphone.bootstrap.archive.shared import opened, print_line
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.policy.file import at_its_place
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import PolicyError, PolicyUnsigned
from softphone.system.policy_file import load_policy
from softphone.system.signature import public_key


def archive_policy_signer(arguments: argparse.Namespace) -> int:
    """Without a key it tells who it is. A key by which a phone with these settings would record nothing is taken with `--yes`
    alone."""
    tell, now = texts(), datetime.now(UTC)
    asked: str | None = arguments.key
    with opened(arguments) as archive:
        if asked is None and not arguments.none:
            signer = archive.policy_signer
            print_line(tell("archive.policy_signer" if signer else "archive.policy_signer.nobody", signer=signer))
            return 0
        require_signer(archive, now)
        key = _key(archive.store, asked) if asked else ""
        if key and not arguments.yes:
            _require_usable(arguments, key)
        choose_signer(archive, key, now)
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


def _require_usable(arguments: argparse.Namespace, key: str) -> None:
    """Raises ArchiveError: the policy of the settings is not signed with it, is faulty, or must have another signature too."""
    settings, _ = Home.of(arguments).settings(only_look=True)
    path = settings.policy
    if not path:
        raise ArchiveError("error.archive.signer_no_policy", signer=key)
    try:
        load_policy(Path(path), key)
    except PolicyUnsigned:
        raise ArchiveError("error.archive.signer_of_none", path=path, signer=key) from None
    except PolicyError as error:
        why = at_its_place(error.faults[0], texts())
        raise ArchiveError("error.archive.signer_faulty", path=path, why=why) from None
    try:
        load_policy(Path(path), settings.policy_signer)
    except PolicyUnsigned:
        raise ArchiveError("error.archive.signer_another", signer=key, other=settings.policy_signer) from None
