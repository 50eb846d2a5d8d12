"""The archive as the rest of the program sees it: a folder with its catalog, its recordings and the keys that a desk holds.

It opens nothing for listening without an entry in the audit log first. What is kept and for how long is not decided here.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select
from uuid_utils import uuid7

from softphone.archive.catalog import keys_here
from softphone.archive.catalog.clock import Steady, believe
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.catalog.database import UNCHANGED, Catalog
from softphone.archive.changes.ledger import Ledger, SegmentKeys
from softphone.archive.changes.lookups import Lookups
from softphone.archive.crypto import policy_signer, slots
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import KeyStore, Secrets, Wrap
from softphone.archive.files.container import Header
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.files.vault import Vault
from softphone.archive.finding.rows import RecordingRow
from softphone.archive.finding.searching import Query, find_one, pages
from softphone.archive.folder.disk import FULL, READ_ONLY, refused, sync_folder
from softphone.archive.folder.lock import Lock, check_finished
from softphone.archive.folder.marker import CATALOG, MARKER, MISSING, Marker, lost, read_marker, write_marker
from softphone.archive.folder.network import check_local
from softphone.archive.folder.room import Room
from softphone.archive.log import audit
from softphone.archive.log.audit import KEY, KEY_SHOWN, Deciding
from softphone.archive.log.checkpoint import Head, Signer
from softphone.archive.schema.tables import wraps
from softphone.domain.archive.recordings import ROLES, AuditRow
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError, KeyringError
from softphone.domain.purpose import KeyRole, Reason
from softphone.replacing import replace_file

NEW_CATALOG = "catalog.new"
"""while an archive is being made"""
RECORDINGS = "recordings"


class Archive:
    """One folder, opened. All methods raise ArchiveError, and KeyringError where the keys' store fails."""

    def __init__(
        self,
        folder: Path,
        marker: Marker,
        catalog: Catalog,
        secrets: Secrets,
        store: KeyStore,
        signer: Signer | None = None,
    ) -> None:
        self.folder = folder
        self.id = marker.archive
        self.desk = marker.desk
        self.demo = marker.demo
        self.catalog = catalog
        self.vault = Vault(folder / RECORDINGS)
        self.room = Room(folder, secrets.catalog)
        self.lookups = Lookups(catalog, secrets)
        self.secrets = secrets
        self.store = store
        self.signer = catalog.signer = signer or Signer.of(marker.desk, store)
        self.lock = Lock(folder)
        self.clock: Callable[[], datetime] = _utc
        """what counts as now where none is given"""

    @classmethod
    def create(cls, folder: Path, store: KeyStore, *, demo: bool = False) -> Archive:
        """A new archive in a new or empty folder; its one secret goes to `store`."""
        if lost(folder):
            raise ArchiveError(MISSING, path=str(folder))
        if store.demo and not demo:
            raise ArchiveError("error.archive.demo_keys", path=str(folder))
        if (folder / MARKER).exists() or (folder / CATALOG).exists():
            raise ArchiveError("error.archive.exists", path=str(folder))
        check_finished(folder)
        check_local(folder)
        try:
            (folder / RECORDINGS).mkdir(parents=True, exist_ok=True)
            for own in (folder, folder / RECORDINGS):
                own.chmod(0o700)
        except OSError as error:
            raise refused(folder, error) from error
        for left in (NEW_CATALOG, f"{NEW_CATALOG}-wal", f"{NEW_CATALOG}-shm"):
            # A creation that was cut off before its marker; nothing was ever recorded into it.
            with suppress(FileNotFoundError):
                (folder / left).unlink()
        marker = Marker(str(uuid7()), str(uuid7()), demo)
        master = keys.new_master()
        secrets = Secrets.derive(master)
        # The secret first: one that is left over by a crash harms nobody, a catalog without its secret is lost.
        store.set(keys.master_name(marker.archive), master)
        facts = {"archive": marker.archive, "desk": marker.desk, "demo": str(int(demo))}
        Catalog.create(folder / NEW_CATALOG, secrets.catalog, facts).close()
        write_marker(folder, marker)
        _take_new_catalog(folder)
        return cls(folder, marker, Catalog.open(folder / CATALOG, secrets.catalog), secrets, store)

    @classmethod
    def open(cls, folder: Path, store: KeyStore) -> Archive:
        """An existing archive, also on a disk that can only be read. What an earlier run could not make go, goes now."""
        marker, secrets = _unlocked(folder, store)
        _take_new_catalog(folder)
        catalog = _opened(folder / CATALOG, secrets.catalog)
        try:
            # Before anything goes: rows of keys that have gone would take their recordings with them.
            _check_belongs(catalog, marker, folder)
            signer = Signer.of(marker.desk, store)
            archive = cls(folder, marker, catalog, secrets, store, signer)
            with suppress(ArchiveError):
                remove_condemned(archive.catalog, archive.vault)
        except BaseException:
            catalog.close()
            raise
        with suppress(ArchiveError):
            # A crash may have come between a deletion and its last trace, or have left a page half written that the log has.
            catalog.empty_log()
            catalog.erase_unnamed()
        return archive

    @classmethod
    def look(cls, folder: Path, store: KeyStore) -> Archive:
        """As it is, for reading alone: no file in it changes, no schema, and no key in `store`. A phone of another version may
        have it open."""
        marker, secrets = _unlocked(folder, store)
        made = folder / CATALOG
        catalog = Catalog.look(made if made.exists() else folder / NEW_CATALOG, secrets.catalog)
        try:
            _check_belongs(catalog, marker, folder)
            return cls(folder, marker, catalog, secrets, store, Signer.of(marker.desk, store, make=False))
        except BaseException:
            catalog.close()
            raise

    @classmethod
    def open_or_create(cls, folder: Path, store: KeyStore, *, demo: bool = False) -> Archive:
        """For whoever records. Raises ArchiveError, also for a disk that can only be read."""
        if not (folder / MARKER).exists():
            return cls.create(folder, store, demo=demo)
        archive = cls.open(folder, store)
        if archive.catalog.is_unchanged:
            archive.close()
            raise ArchiveError(READ_ONLY, path=str(folder), detail=os.strerror(errno.EROFS))
        return archive

    def beside(self) -> Archive:
        """The same archive for a thread of its own: a connection writes for one at a time. To be closed by itself."""
        catalog = Catalog.open(self.catalog.path, self.secrets.catalog)
        marker = Marker(self.id, self.desk, self.demo)
        return Archive(self.folder, marker, catalog, self.secrets, self.store, self.signer)

    def close(self) -> None:
        self.catalog.close()
        self.lock.close()

    def see(self, now: datetime, steady: Steady | None) -> bool:
        """What the clock says, where it is believed, which is returned: that the machine is at work is witnessed by it."""
        with self.catalog.writing() as tx:
            return believe(tx, now, steady=steady)

    def ledger(
        self,
        on_done: Callable[[int, SegmentKeys], None],
        on_failed: Callable[[int, Reason, str], None],
        on_storage: Callable[[bool, str], None] | None = None,
        on_overtaken: Callable[[int, str], None] | None = None,
    ) -> Ledger:
        """The one writer of a running engine; not yet started."""
        places = self.lookups.places
        told = (on_done, on_failed, on_storage, on_overtaken)
        return Ledger(self.catalog, self.vault, self.secrets, places, self.signer, *told)

    def note(self, *entries: AuditEntry) -> None:
        """Entries that tell of no change of the catalog, for whom no ledger runs."""
        with self.catalog.writing() as tx:
            tx.log(*entries)

    @property
    def policy_signer(self) -> str:
        """The public key (base64) that must have signed whatever policy is used on this archive; empty: nobody need have."""
        with self.catalog.reading() as connection:
            return policy_signer.chosen(connection)

    def head(self, now: datetime) -> Head | None:
        """The audit log's end, signed: to be kept elsewhere. None where nothing has been logged yet."""
        with self.catalog.writing() as tx:
            return self.signer.sign(tx.connection, now) or next(self.signer.signed(tx.connection), None)

    def list(self, now: datetime | None = None) -> list[RecordingRow]:
        """What is kept at `now`, newest first: all of it, for an archive that is small. Else `searching` gives it in pages."""
        return [row for page in pages(self, Query(), now or self.clock()) for row in page.rows]

    def find(self, recording: str, now: datetime | None = None) -> RecordingRow:
        """By its id, or a beginning of it that no other has."""
        return find_one(self, recording, now or self.clock())

    def audit_of(self, recording: str | None = None, *, call: str | None = None) -> list[AuditRow]:
        """The audit log of one recording or call, also after it has gone, or of all."""
        with self.catalog.reading() as connection:
            return [*map(audit.as_row, audit.entries(connection, recording, call))]

    def open_recording(
        self,
        recording: str,
        now: datetime,
        *,
        role: KeyRole | None = None,
        **told: str,
    ) -> OpenedRecording:
        """For listening, with the keys that the store holds for `role` (None: the first role that opens it); to be closed.

        The audit log has an entry before this returns, of a refusal too; `told` stands in it. Without one nothing is opened.
        """
        row = self.find(recording, now)
        role, opened = self.keys_for(row, role, now, refusal="opening_refused", **told)
        with self._refusals(row, role, now, "opening_refused", **told):
            reader = OpenedRecording.open(self.vault.path(row.recording), opened)
            try:
                self._tell_opening(row, reader.header, role, opened, now, **told)
            except BaseException:
                reader.close()
                raise
        return reader

    def _tell_opening(
        self,
        row: RecordingRow,
        header: Header,
        role: KeyRole,
        opened: Mapping[int, bytes],
        now: datetime,
        **told: str,
    ) -> None:
        if header.recording != row.recording:
            raise ArchiveError("error.archive.foreign_recording", id=row.recording)
        key = self.key_here(row.recording, role)
        params: dict[str, str | int | bool | None] = {"role": role.value, "segments": len(opened), **key, **told}
        entry = AuditEntry("recording_opened", "G11", now, row.call, row.recording, params)
        with self.catalog.writing() as tx:
            here = (wraps.c.recording == row.recording) & (wraps.c.role == role.value)
            if not opened.keys() <= set(tx.execute(select(wraps.c.segment).where(here)).scalars()):
                # An opt-out was quicker.
                raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=role.value)
            tx.log(entry)

    def wraps_of(self, recording: str) -> list[Wrap]:
        found = self._sealed(recording)
        if any(one is None for _, one in found):
            # Whoever takes keys away writes over them a moment before the rows go.
            found = self._sealed(recording)
        made: list[Wrap] = []
        for row, one in found:
            # One for a role that there is none of opens nothing; `verify` tells of it.
            with suppress(ValueError):
                made.append(slots.wrap_of(row, one))
        return made

    def _sealed(self, recording: str) -> list[tuple[Row[Any], bytes | None]]:
        with self.catalog.reading() as connection:
            return self.catalog.slots.sealed(connection, wraps.c.recording == recording)

    def key_here(self, recording: str, role: KeyRole | None) -> dict[str, str]:
        """`key`, for an entry of the log: the beginning of the key id that opens it here in this role (None: in any)."""
        for one in self.wraps_of(recording):
            if role in (None, one.role) and self.private_key(one.key_id) is not None:
                return {"key": one.key_id[:KEY_SHOWN]}
        return {}

    def note_refusal(
        self, event: str, rule: str, now: datetime, *, call: str = "", recording: str | None = None, **told: str | None
    ) -> None:
        """With the beginning of a key id of whoever was refused: of one that opens this here, else of one that opens anything.
        Where it cannot be read, the entry is without one; where that cannot be written, a refusal stays a refusal."""
        key: dict[str, str] = {}
        with suppress(ArchiveError, KeyringError):
            key = self.key_here(recording, None) if recording is not None else {}
            if not key and (any_key := next(iter(keys_here.opening(self.catalog, self.private_key)), None)):
                key = {"key": any_key[0][:KEY_SHOWN]}
        with suppress(ArchiveError):
            self.note(AuditEntry(event, rule, now, call, recording, {**told, **key}))

    def decided_on(self, recording: str | None = None) -> Deciding:
        """Gives an entry the custody key by which it was decided: one here that this recording is sealed for, or anything where
        none is named. Without one it stays as it is. To be asked for before a transaction: a keyring may keep one waiting."""
        if recording is None:
            opens = keys_here.opening(self.catalog, self.private_key)
        else:
            opens = [(one.key_id, one.role) for one in self.wraps_of(recording)]
        for key_id, role in opens:
            if role is KeyRole.CUSTODY and self.private_key(key_id) is not None:
                shown = key_id[:KEY_SHOWN]
                return lambda entry: replace(entry, params={**entry.params, KEY: shown})
        return lambda entry: entry

    def private_key(self, key_id: str) -> bytes | None:
        return self.store.get(keys.private_name(key_id))

    def keys_for(
        self, row: RecordingRow, role: KeyRole | None, now: datetime, *, refusal: str, **params: str
    ) -> tuple[KeyRole, dict[int, bytes]]:
        """The role, and the data keys by segment that the store's private keys open for it. A refusal is an entry of the log."""
        try:
            with self._refusals(row, role, now, refusal, **params):
                return self._keys_for(row, role)
        except ArchiveError as error:
            if error.code == "error.archive.no_private_key" and role is KeyRole.CUSTODY and "what" in params:
                # Nothing was to be heard: something was to be decided.
                raise ArchiveError("error.archive.only_custody") from error
            raise

    @contextmanager
    def _refusals(
        self, row: RecordingRow, role: KeyRole | None, now: datetime, refusal: str, **params: str
    ) -> Generator[None]:
        """Whatever it cannot be opened for, the log tells that somebody tried."""
        try:
            yield
        except ArchiveError as error:
            asked = {"role": role.value if role else None, "why": error.code.rpartition(".")[2], **params}
            self.note_refusal(refusal, "G11", now, call=row.call, recording=row.recording, **asked)
            raise

    def _keys_for(self, row: RecordingRow, role: KeyRole | None) -> tuple[KeyRole, dict[int, bytes]]:
        wanted = [one for one in (ROLES if role is None else (role,)) if one in row.opens_for]
        if not wanted:
            raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=role.value if role else "-")
        found = keys_here.data_keys(self.wraps_of(row.recording), wanted, self.private_key)
        if found.role is not None:
            return found.role, found.keys
        if found.changed:
            raise ArchiveError("error.archive.wrap_changed", id=row.recording)
        if not any(one.role in wanted for one in self.wraps_of(row.recording)):
            # An opt-out was quicker: no key is missing here.
            raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=wanted[0].value)
        raise ArchiveError("error.archive.no_private_key", id=row.recording, role=wanted[0].value)


def _utc() -> datetime:
    return datetime.now(UTC)


def _unlocked(folder: Path, store: KeyStore) -> tuple[Marker, Secrets]:
    marker = read_marker(folder)
    if store.demo and not marker.demo:
        raise ArchiveError("error.archive.demo_keys", path=str(folder))
    master = store.get(keys.master_name(marker.archive))
    if master is None:
        code = "error.archive.no_demo_keys" if marker.demo else "error.archive.no_catalog_key"
        raise ArchiveError(code, path=str(folder))
    return marker, Secrets.derive(master)


def _check_belongs(catalog: Catalog, marker: Marker, folder: Path) -> None:
    """This catalog is the marker's, and of the day of the sealed keys beside it. Raises ArchiveError."""
    facts = catalog.meta()
    told = marker.archive, marker.desk, str(int(marker.demo))
    if (facts.get("archive"), facts.get("desk"), facts.get("demo")) != told:
        raise ArchiveError("error.archive.marker_changed", path=str(folder))
    if catalog.is_older():
        raise ArchiveError("error.archive.older_catalog", path=str(folder))


def _opened(path: Path, key: bytes) -> Catalog:
    try:
        return Catalog.open(path, key)
    except ArchiveError as error:
        if error.code == READ_ONLY and not _has_log(path):
            return Catalog.open(path, key, UNCHANGED)
        if error.code != FULL or not Room(path.parent, key).give():
            raise
    return Catalog.open(path, key)


def _has_log(path: Path) -> bool:
    """What a crash left there is read only where something can be written."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _take_new_catalog(folder: Path) -> None:
    """The last step of making an archive, also where a crash came before it."""
    new = folder / NEW_CATALOG
    if new.exists() and not (folder / CATALOG).exists():
        replace_file(new, folder / CATALOG)
        sync_folder(folder)
