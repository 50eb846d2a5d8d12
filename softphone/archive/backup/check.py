"""Every byte of a backup against what its manifest says; and a recording's copy that is another is made again from the archive.

The archive's own file is believed only where it begins with the very bytes that the signed list tells of the copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from softphone.archive.archive import Archive
from softphone.archive.backup.copying import Progress, SourceError, asking, copy_file, digest_of, disk_of, onward
from softphone.archive.backup.erased import Erased
from softphone.archive.backup.generation import ERASED, LIST, WRAPS, Copy, Generation, Manifest, Target
from softphone.archive.backup.run import alone, lives, target_of
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import KeyStore, Secrets
from softphone.archive.folder.disk import sync_folder
from softphone.archive.folder.marker import CATALOG
from softphone.archive.log.checkpoint import Signer, signer_name
from softphone.domain.errors import ArchiveError, KeyringError

Mended = Literal["mended", "left", "erased"]
"""made again; left as it is, since the archive no longer has it as it was copied; of a recording that has been erased here"""


def counted(source: Path, store: KeyStore) -> tuple[Target, Generation, Secrets, Signer]:
    """The generation that counts in a folder, and its keys: they lie in the keyring, or in its escrow; nothing is made here.

    Raises ArchiveError, KeyringError.
    """
    target = Target.open(source)
    master, private = store.get(keys.master_name(target.of.archive)), store.get(signer_name(target.of.desk))
    if master is None or private is None:
        raise KeyringError("error.backup.no_key", path=str(source))
    signer = Signer(target.of.desk, private)
    return target, target.finished(signer.key), Secrets.derive(master), signer


def check(source: Path, store: KeyStore, progress: Progress = onward) -> tuple[Manifest, list[str]]:
    """The names of the files that are gone, another or not to be read. Raises ArchiveError, KeyringError."""
    target, generation, secrets, signer = counted(source, store)
    manifest, go_on = generation.manifest, asking(progress, "check")
    bad = [one for one in (CATALOG, WRAPS) if digest_of(generation.folder / one, go_on) != manifest.files[one]]
    copies: dict[str, Copy] = {}
    try:
        copies = generation.copies()
    except ArchiveError:
        bad.append(LIST)
    for number, one in enumerate(copies.values()):
        if digest_of(target.path(one), asking(progress, "check", number, len(copies))) != one.sha256:
            bad.append(one.name)
    if Erased.read(generation.folder, manifest, secrets) is None:
        bad.append(ERASED)
    if bad:
        try:
            Target.open(source)
        except ArchiveError as error:
            raise ArchiveError("error.backup.away", path=str(source)) from error
        if target.latest(signer.key) != generation:
            # A backup was made meanwhile, and took away what was looked for.
            return check(source, store, progress)
    return manifest, bad


def mend(
    archive: Archive, folder: Path, found: Collection[str], progress: Progress = onward
) -> Iterator[tuple[str, Mended]]:
    """What became of each of the copies `found` in a check. Raises ArchiveError: of those that were not told, nothing."""
    with alone(archive.folder):
        target = target_of(archive, folder)
        target.names()
        copies = target.finished(archive.signer.key).copies().values()
        for number, one in enumerate(copy for copy in copies if copy.name in found):
            go_on = asking(progress, "check", number, len(found))
            if not lives(archive, one.recording):
                yield one.name, "erased"
                continue
            with disk_of(folder):
                try:
                    copy_file(archive.vault.path(one.recording), target.path(one), go_on, one.bytes, one.sha256)
                    sync_folder(target.path(one).parent)
                    yield one.name, "mended"
                except SourceError:
                    yield one.name, "left"
