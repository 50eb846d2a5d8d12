"""Opening an archive for a command: never with a newer schema under a phone of an earlier version that may be recording into
it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from softphone import __version__
from softphone.archive.crypto.wraps import KeyStore
from softphone.archive.seen.machine import MachineArchive
from softphone.bootstrap.home import key_store
from softphone.bootstrap.running import look_at_running
from softphone.domain.errors import ArchiveError
from softphone.locking import held_by_another
from softphone.system.single import FILE


def open_archive(folder: Path, runtime: Path | None, store: KeyStore | None = None) -> MachineArchive:
    """`runtime`: of the home whose phone may run; None: of none. A phone that starts brings an archive up to date by itself.

    Raises ArchiveError, also where that one is of an earlier version and still runs. Phones of other homes are not looked at.
    """
    store = store or key_store(folder)
    if runtime is not None and held_by_another(runtime / FILE):
        with closing(MachineArchive.look(folder, store)) as archive:
            if archive.schema_is_earlier() and not _brings_up_to_date(runtime):
                raise ArchiveError("error.archive.earlier_phone", folder=str(folder))
    return MachineArchive.open(folder, store)


def _brings_up_to_date(runtime: Path) -> bool:
    """Whether the phone that runs there is of this version: then an earlier schema is not that of the archive it records into."""
    phone = look_at_running(runtime)
    return phone is not None and phone.version == __version__
