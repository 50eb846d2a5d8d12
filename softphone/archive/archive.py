"""The archive as the rest of the program sees it: a folder with its catalog, its recordings and the keys that a desk holds.

It opens nothing for listening without an entry in the audit log first. What is kept and for how long is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from uuid_utils import uuid7

from softphone.archive import audit
from softphone.archive.catalog import Catalog
from softphone.archive.checkpoint import Head, Signer, heads
from softphone.archive.clock import believe, last_seen
from softphone.archive.files.container import Header
from softphone.archive.files.reader import OpenedRecording, read_structure
from softphone.archive.files.seeking import SeekingReader
from softphone.archive.files.vault import Vault, sync_folder
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.wraps import KeyStore, Secrets, Wrap
from softphone.archive.known import Lookups
from softphone.archive.ledger import Ledger, SegmentKeys, remove_condemned
from softphone.archive.marker import MARKER, Marker, read_marker, write_marker
from softphone.archive.repair import Repaired, repair
from softphone.archive.tables import calls, holds, purposes, recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import Direction, KeyRole, Purpose, Reason
from softphone.domain.retention import Ended, has_expired

CATALOG = "catalog.db"
NEW_CATALOG = "catalog.new"
"""while an archive is being made"""
RECORDINGS = "recordings"
ROLES = (KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold that stands."""

    hold: str
    raised_for: str
    at: datetime
    provisional_until: datetime | None
    """then the sweep discards, unless custody has decided"""
    confirm_by: datetime | None
    why: str
    look_again: date | None = None
    """custody has confirmed it, and judges it again then"""

    @classmethod
    def of(cls, row: Any) -> HoldRow:
        return cls(
            row.hold,
            row.raised_for,
            datetime.fromisoformat(row.at),
            _time(row.provisional_until),
            _time(row.confirm_by),
            row.why,
            date.fromisoformat(row.look_again) if row.look_again else None,
        )


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording, as the list shows it. `opens_for` are the roles that have wraps, less those whose day has come."""

    recording: str
    call: str
    line: str | None
    direction: Direction
    number: str | None = field(repr=False)
    opened_at: datetime
    closed_at: datetime | None
    opens_for: tuple[KeyRole, ...]
    expires: Mapping[Purpose, date]
    holds: tuple[HoldRow, ...]
    restricted: str | None
    bytes: int
    time_zone: str
    """the policy's, when the call came: its days are counted and its clock is told in it"""

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """documentation and training, as far as they can open it"""
        return tuple(purpose for purpose in Purpose if KeyRole(purpose.value) in self.opens_for)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit log, read back."""

    number: int
    at: datetime
    event: str
    rule: str
    params: Mapping[str, Any]


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
        self.lookups = Lookups(catalog, secrets, marker.desk)
        self.secrets = secrets
        self.store = store
        self.signer = signer or Signer.of(marker.desk, store)
        self.clock: Callable[[], datetime] = _utc
        """what counts as now where none is given"""

    @classmethod
    def create(cls, folder: Path, store: KeyStore, *, demo: bool = False) -> Archive:
        """A new archive in a new or empty folder; its one secret goes to `store`."""
        if store.demo and not demo:
            raise ArchiveError("error.archive.demo_keys", path=str(folder))
        if (folder / MARKER).exists() or (folder / CATALOG).exists():
            raise ArchiveError("error.archive.exists", path=str(folder))
        try:
            (folder / RECORDINGS).mkdir(parents=True, exist_ok=True)
            for own in (folder, folder / RECORDINGS):
                own.chmod(0o700)
        except OSError as error:
            raise ArchiveError("error.archive.unwritable", path=str(folder), detail=error.strerror or "") from error
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
        """An existing archive. What an earlier run could not make go, goes now."""
        marker = read_marker(folder)
        if store.demo and not marker.demo:
            raise ArchiveError("error.archive.demo_keys", path=str(folder))
        master = store.get(keys.master_name(marker.archive))
        if master is None:
            raise ArchiveError("error.archive.no_catalog_key", path=str(folder))
        secrets = Secrets.derive(master)
        _take_new_catalog(folder)
        catalog = Catalog.open(folder / CATALOG, secrets.catalog)
        facts = catalog.meta()
        if (facts.get("archive"), facts.get("desk"), facts.get("demo")) != (
            marker.archive,
            marker.desk,
            str(int(marker.demo)),
        ):
            catalog.close()
            raise ArchiveError("error.archive.marker_changed", path=str(folder))
        archive = cls(folder, marker, catalog, secrets, store)
        remove_condemned(archive.catalog, archive.vault)
        with suppress(ArchiveError):
            # A crash may have come between a deletion and its last trace.
            catalog.scour()
        return archive

    @classmethod
    def open_or_create(cls, folder: Path, store: KeyStore, *, demo: bool = False) -> Archive:
        return cls.open(folder, store) if (folder / MARKER).exists() else cls.create(folder, store, demo=demo)

    def beside(self) -> Archive:
        """The same archive for a thread of its own: a connection writes for one at a time. To be closed by itself."""
        catalog = Catalog.open(self.catalog.path, self.secrets.catalog)
        marker = Marker(self.id, self.desk, self.demo)
        return Archive(self.folder, marker, catalog, self.secrets, self.store, self.signer)

    def close(self) -> None:
        self.catalog.close()

    def repair(self, now: datetime) -> list[Repaired]:
        """What a crash left half-done is set right. For whoever writes alone, before the ledger starts."""
        with self.catalog.writing() as connection:
            # Seen at every start, so that a sweep after a long time can tell an absence from a jump.
            believe(connection, now)
        return repair(self.catalog, self.vault, self.desk, now)

    def last_seen(self) -> datetime | None:
        """What the clock said when it was last believed."""
        with self.catalog.reading() as connection:
            return last_seen(connection)

    def ledger(
        self,
        on_done: Callable[[int, SegmentKeys], None],
        on_failed: Callable[[int, Reason, str], None],
        on_storage: Callable[[bool, str], None] | None = None,
    ) -> Ledger:
        """The one writer of a running engine; not yet started."""
        places = self.lookups.places
        return Ledger(self.catalog, self.vault, self.secrets, places, self.signer, on_done, on_failed, on_storage)

    def note(self, *entries: AuditEntry) -> None:
        """Entries that tell of no change of the catalog, for whom no ledger runs."""
        with self.catalog.writing() as connection:
            audit.append(connection, self.desk, entries)

    def head(self, now: datetime) -> Head | None:
        """The audit log's end, signed: to be kept elsewhere. None where nothing has been logged yet."""
        with self.catalog.writing() as connection:
            self.signer.sign(connection, now)
            return [None, *heads(connection)][-1]

    def list(self, now: datetime | None = None) -> list[RecordingRow]:
        """What is kept at `now`, newest first."""
        with self.catalog.reading() as connection:
            rows = connection.execute(
                select(recordings, calls.c.line, calls.c.direction, calls.c.number_sealed, calls.c.time_zone)
                .join(calls, calls.c.call == recordings.c.call)
                .order_by(recordings.c.opened_at.desc(), recordings.c.recording.desc())
            ).all()
            return [self._row(connection, row, now or self.clock()) for row in rows]

    def find(self, recording: str, now: datetime | None = None) -> RecordingRow:
        """By its id, or a beginning of it that no other has."""
        found = [row for row in self.list(now) if row.recording.startswith(recording.lower())] if recording else []
        if not found:
            raise ArchiveError("error.archive.no_such_recording", id=recording)
        if len(found) > 1:
            raise ArchiveError("error.archive.ambiguous", id=recording, count=len(found))
        return found[0]

    def audit_of(self, recording: str | None = None, *, call: str | None = None) -> list[AuditRow]:
        """The audit log of one recording or call, also after it has gone, or of all."""
        with self.catalog.reading() as connection:
            return [
                AuditRow(row.number, datetime.fromisoformat(row.at), row.event, row.rule, json.loads(row.params))
                for row in audit.entries(connection, recording, call)
            ]

    def open_recording(
        self, recording: str, now: datetime, *, role: KeyRole | None = None, event: str = "recording_opened"
    ) -> OpenedRecording:
        """For listening, with the keys that the store holds for `role` (None: the first role that opens it).

        The audit log tells of it before this returns; where it cannot be told, nothing is opened. It tells of a refusal too.
        """
        row = self.find(recording, now)
        role, opened = self.keys_for(row, role, now, refusal="opening_refused")
        structure = read_structure(self.vault.path(row.recording))
        self._tell_opening(row, structure.header, role, opened, event, now)
        return OpenedRecording(structure, row.recording, opened)

    def open_seeking(self, recording: str, now: datetime, *, role: KeyRole | None = None) -> SeekingReader:
        """As `open_recording`, to listen from any moment without reading the file; to be closed."""
        row = self.find(recording, now)
        role, opened = self._keys_for(row, role)
        reader = SeekingReader.open(self.vault.path(row.recording), opened)
        try:
            self._tell_opening(row, reader.header, role, opened, "recording_opened", now)
        except BaseException:
            reader.close()
            raise
        return reader

    def _tell_opening(
        self, row: RecordingRow, header: Header, role: KeyRole, opened: Mapping[int, bytes], event: str, now: datetime
    ) -> None:
        if header.recording != row.recording:
            raise ArchiveError("error.archive.foreign_recording", id=row.recording)
        entry = AuditEntry(event, "G11", now, row.call, row.recording, {"role": role.value, "segments": len(opened)})
        with self.catalog.writing() as connection:
            here = (wraps.c.recording == row.recording) & (wraps.c.role == role.value)
            if not opened.keys() <= set(connection.execute(select(wraps.c.segment).where(here)).scalars()):
                # An opt-out was quicker.
                raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=role.value)
            audit.append(connection, self.desk, [entry])

    def wraps_of(self, recording: str) -> list[Wrap]:
        with self.catalog.reading() as connection:
            return _wraps(connection, recording)

    def private_key(self, key_id: str) -> bytes | None:
        return self.store.get(keys.private_name(key_id))

    def keys_for(
        self, row: RecordingRow, role: KeyRole | None, now: datetime, *, refusal: str, **params: str
    ) -> tuple[KeyRole, dict[int, bytes]]:
        """The role, and the data keys by segment that the store's private keys open for it. A refusal is an entry of the log."""
        try:
            return self._keys_for(row, role)
        except ArchiveError as error:
            asked = {"role": role.value if role else None, "why": error.code.rpartition(".")[2], **params}
            # Where it cannot be written, it stays a refusal.
            with suppress(ArchiveError):
                self.note(AuditEntry(refusal, "G11", now, row.call, row.recording, asked))
            raise

    def _keys_for(self, row: RecordingRow, role: KeyRole | None) -> tuple[KeyRole, dict[int, bytes]]:
        wanted = [one for one in (ROLES if role is None else (role,)) if one in row.opens_for]
        if not wanted:
            raise ArchiveError("error.archive.closed_to_role", id=row.recording, role=role.value if role else "-")
        privates: dict[str, bytes | None] = {}
        changed = False
        for one in wanted:
            opened: dict[int, bytes] = {}
            for wrapped in self.wraps_of(row.recording):
                if wrapped.role is not one or wrapped.segment in opened:
                    continue
                if wrapped.key_id not in privates:
                    privates[wrapped.key_id] = self.private_key(wrapped.key_id)
                private = privates[wrapped.key_id]
                if private is None:
                    continue
                key = keys.unwrap(wrapped, private)
                if key is None:
                    changed = True
                else:
                    opened[wrapped.segment] = key
            if opened:
                return one, opened
        if changed:
            raise ArchiveError("error.archive.wrap_changed", id=row.recording)
        raise ArchiveError("error.archive.no_private_key", id=row.recording, role=wanted[0].value)

    def _row(self, connection: Connection, row: Any, now: datetime) -> RecordingRow:
        where = row.recording
        roles = set(connection.execute(select(wraps.c.role).where(wraps.c.recording == where).distinct()).scalars())
        expires = {
            Purpose(end.purpose): date.fromisoformat(end.expires_on)
            for end in connection.execute(
                select(purposes).where(purposes.c.recording == where, purposes.c.expires_on.is_not(None))
            )
            if end.stands == Ended.KEEPS
        }
        # What has expired is over, also before a sweep has taken its wraps.
        roles -= {KeyRole(purpose).value for purpose, on in expires.items() if has_expired(on, now, row.time_zone)}
        standing = connection.execute(
            select(holds).where(holds.c.recording == where, holds.c.lifted_at.is_(None)).order_by(holds.c.at)
        )
        path = self.vault.path(where)
        return RecordingRow(
            recording=where,
            call=row.call,
            line=row.line,
            direction=Direction(row.direction),
            number=self.secrets.open_number(row.number_sealed, row.call) if row.number_sealed else None,
            opened_at=datetime.fromisoformat(row.opened_at),
            closed_at=_time(row.closed_at),
            opens_for=tuple(role for role in ROLES if role.value in roles),
            expires=expires,
            holds=tuple(HoldRow.of(hold) for hold in standing),
            restricted=row.restricted,
            bytes=path.stat().st_size if path.exists() else 0,
            time_zone=row.time_zone,
        )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _utc() -> datetime:
    return datetime.now(UTC)


def _take_new_catalog(folder: Path) -> None:
    """The last step of making an archive, also where a crash came before it."""
    new = folder / NEW_CATALOG
    if new.exists() and not (folder / CATALOG).exists():
        new.replace(folder / CATALOG)
        sync_folder(folder)


def _wraps(connection: Connection, recording: str) -> list[Wrap]:
    found = connection.execute(select(wraps).where(wraps.c.recording == recording).order_by(wraps.c.segment))
    return [Wrap(row.recording, row.segment, KeyRole(row.role), row.key_id, row.suite, row.sealed) for row in found]
