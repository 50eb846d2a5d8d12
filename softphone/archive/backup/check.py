"""Every byte of a backup against what its manifest says; and a recording's copy that is another is made anew from the archive.

The archive's own file is believed only where it begins with the very bytes that the signed list tells of the copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from softphone.archive.archive import Archive
from softphone.archive.backup.alone import alone
from softphone.archive.backup.copying import as_written, listed, remake
from softphone.archive.backup.journal import Journal
from softphone.archive.backup.run import Progress, lives, onward, target_of
from softphone.archive.backup.target import OBJECTS, Manifest, Target, faults
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import KeyStore, Secrets
from softphone.archive.log.checkpoint import Signer
from softphone.domain.errors import ArchiveError, KeyringError

Mended = Literal["mended", "left", "erased"]
"""made anew; left as it is, since the archive no longer has it as it was copied; of a recording that has been erased here"""


def counted(source: Path, store: KeyStore) -> tuple[Target, Manifest, Secrets, Signer]:
    """The backup that counts in a folder, and its keys: they lie in the keyring, or in its escrow; nothing is made here.

    Raises ArchiveError, KeyringError.
    """
    target = Target.open(source)
    master, private = store.get(keys.master_name(target.archive)), store.get(f"checkpoint-{target.desk}")
    if master is None or private is None:
        raise KeyringError("error.backup.no_key", path=str(source))
    signer = Signer(target.desk, private)
    manifest = target.manifest(signer.key)
    if manifest is None:
        raise ArchiveError("error.backup.unfinished", path=str(source))
    return target, manifest, Secrets.derive(master), signer


def check(source: Path, store: KeyStore, progress: Progress = onward) -> tuple[Manifest, list[str]]:
    """The names of the files that are gone, another or not to be read. Raises ArchiveError, KeyringError."""
    target, manifest, secrets, signer = counted(source, store)
    at = 0

    def go_on() -> None:
        if not progress("check", at, manifest.count):
            raise ArchiveError("error.backup.stopped")

    files = (manifest.catalog, manifest.wraps, manifest.objects)
    bad = [one.name for one in files if not as_written(source / one.name, one.sha256, go_on)]
    if manifest.objects.name not in bad:
        for at, one in enumerate(listed(target, manifest, go_on)):  # noqa: B007 - told by go_on
            if not as_written(target.object(one.recording, one.bytes), one.sha256, go_on):
                bad.append(one.name)
    journal = Journal(target, manifest, secrets)
    if not journal.read().whole:
        bad.append(journal.hurt.name)
    if bad:
        target.still_here()
        if target.manifest(signer.key) != manifest:
            # A backup was made meanwhile, and took away what was looked for.
            return check(source, store, progress)
    return manifest, bad


def mend(
    archive: Archive, folder: Path, found: Collection[str], progress: Progress = onward
) -> Iterator[tuple[str, Mended]]:
    """What became of each of the copies `found` in a check. Raises ArchiveError: of those that were not told, nothing."""
    with alone(archive.folder):
        target = target_of(archive, folder)
        manifest = target.manifest(archive.signer.key)
        if manifest is None:
            raise ArchiveError("error.backup.unfinished", path=str(folder))
        at, count = 0, manifest.count

        def go_on() -> None:
            if not progress("check", at, count):
                raise ArchiveError("error.backup.stopped")

        with faults(folder):
            (folder / OBJECTS).mkdir(mode=0o700, exist_ok=True)
            for at, one in enumerate(listed(target, manifest, go_on)):  # noqa: B007 - told by go_on
                if one.name not in found:
                    continue
                source, copy = archive.vault.path(one.recording), target.object(one.recording, one.bytes)
                if not lives(archive, one.recording):
                    yield one.name, "erased"
                else:
                    yield one.name, "mended" if remake(one, source, copy, go_on) else "left"
