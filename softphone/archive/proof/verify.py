"""Proof of the archive: chain, containers, wraps and catalog against each other. It changes nothing and repairs nothing.

What needs no key is checked without one; with the private keys that this desk's store holds, every chunk they open as well.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select

from softphone.archive import schema
from softphone.archive.archive import Archive
from softphone.archive.backup.alone import SNAPSHOT, left_over
from softphone.archive.changes import is_case, recorded_for
from softphone.archive.files.container import Chunk, Sealer
from softphone.archive.files.reader import Structure, read_structure
from softphone.archive.finding.rows import unlisted
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.revocation import revoked
from softphone.archive.keys.wraps import Wrap
from softphone.archive.marker import replaced
from softphone.archive.proof import audit, proofs
from softphone.archive.proof.checkpoint import Head, begins, compare, heads
from softphone.archive.tables import condemned, holds, purposes, recordings, segments, wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended

NOTES = frozenset({"broke_off", "torn", "condemned", "segment_empty", "object_begun", "former_left"})
"""what a crash, a segment that never began or a restore leaves by itself: told, and no fault"""


BATCH = 500
"""recordings read from the catalog at once"""

Progress = Callable[[int, int], object]
"""so many recordings done, of so many (0 of 0 while the catalog itself is checked); what it raises stops the proof"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. Its sentence (`archive.finding.<code>`) says what it may mean."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict[str, "str | int"])

    @property
    def is_fault(self) -> bool:
        return self.code not in NOTES


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and what was found. `ok`: no fault; notes are allowed."""

    recordings: int
    chunks: int
    opened_chunks: int
    """of these, so many were decrypted too"""
    audit_entries: int
    audit_ok: bool
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.is_fault for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok, "findings": [asdict(finding) for finding in self.findings]}


@dataclass(slots=True)
class _Count:
    chunks: int = 0
    opened: int = 0


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the catalog says of some recordings, read at once."""

    segments: dict[str, dict[int, tuple[Purpose, ...]]]
    wraps: dict[str, list[Wrap]]
    stands: dict[str, dict[str, Ended]]
    held: frozenset[str]
    waiting: frozenset[tuple[str, str]]
    """recording and purpose: its day has come, and custody has yet to judge it"""

    @classmethod
    def of(cls, connection: Connection, ids: Sequence[str]) -> _Facts:
        expected: dict[str, dict[int, tuple[Purpose, ...]]] = defaultdict(dict)
        for one in connection.execute(select(segments).where(segments.c.recording.in_(ids))):
            expected[one.recording][one.segment] = recorded_for(one.purposes)
        found: dict[str, list[Wrap]] = defaultdict(list)
        for one in connection.execute(select(wraps).where(wraps.c.recording.in_(ids))):
            wrap = Wrap(one.recording, one.segment, KeyRole(one.role), one.key_id, one.suite, one.sealed)
            found[one.recording].append(wrap)
        stands: dict[str, dict[str, Ended]] = defaultdict(dict)
        waiting: set[tuple[str, str]] = set()
        for one in connection.execute(select(purposes).where(purposes.c.recording.in_(ids))):
            stands[one.recording][one.purpose] = Ended(one.stands)
            if one.judge_by is not None:
                waiting.add((one.recording, one.purpose))
        standing = select(holds.c.recording).where(holds.c.recording.in_(ids), holds.c.lifted_at.is_(None))
        held = frozenset(connection.execute(standing).scalars())
        return cls(expected, found, stands, held, frozenset(waiting))


def verify(archive: Archive, head: Head | None = None, progress: Progress | None = None) -> Proof:
    """Everything, a batch of recordings at a time; `head`: what was kept elsewhere of the log. It may run beside a writer:
    what a second look does not bear out has only changed meanwhile. Raises ArchiveError where the catalog cannot be read
    at all, and what `progress` raises.
    """
    findings = [Finding("catalog_damaged", {"detail": found}) for found in _integrity(archive, progress)]
    with archive.catalog.reading() as connection:
        log = [*_log(archive, connection, head)]
        findings += log
        entries = int(connection.execute(select(func.count()).select_from(audit.audit)).scalar_one())
        total = int(connection.execute(select(func.count()).select_from(recordings)).scalar_one())
    count, privates, done = _Count(), dict[str, bytes | None](), 0
    for rows, facts in _batches(archive):
        for row in rows:
            findings += _looked_at(archive, row, facts, privates, count)
            done += 1
            if progress is not None:
                progress(done, max(done, total))

    def step() -> None:
        if progress is not None:
            progress(done, max(done, total))

    findings += [Finding(code, params) for code, params in proofs.against_the_log(archive.catalog.reading, step)]
    with archive.catalog.reading() as connection:
        findings += [Finding("schema_changed", {"name": name}) for name in schema.changed(connection)]
        findings += _revocations(connection)
        findings += _stray_wraps(connection)
    findings += _stray_files(archive)
    findings += _left(archive)
    return Proof(done, count.chunks, count.opened, entries, not log, tuple(findings))


def _integrity(archive: Archive, progress: Progress | None) -> list[str]:
    """The database's own checks take minutes of a large catalog and cannot be asked to stop: they are waited for."""
    found: list[str] = []
    faults: list[BaseException] = []

    def look() -> None:
        try:
            found.extend(archive.catalog.integrity())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            faults.append(error)

    looking = threading.Thread(target=look, name="integrity", daemon=True)
    looking.start()
    while looking.is_alive():
        looking.join(0.2)
        if progress is not None and looking.is_alive():
            progress(0, 0)
    if faults:
        raise faults[0]
    return found


def _batches(archive: Archive) -> Iterator[tuple[Sequence[Any], _Facts]]:
    """By id. No look at the catalog is kept open while files are read: what is deleted meanwhile is to leave its pages."""
    after = ""
    while True:
        with archive.catalog.reading() as connection:
            asked = select(recordings).where(recordings.c.recording > after).order_by(recordings.c.recording)
            rows = connection.execute(asked.limit(BATCH)).all()
            facts = _Facts.of(connection, [row.recording for row in rows])
        if not rows:
            return
        yield rows, facts
        after = rows[-1].recording


def _looked_at(
    archive: Archive, row: Any, facts: _Facts, privates: dict[str, bytes | None], count: _Count
) -> list[Finding]:
    here = _Count()
    found = [*_recording(archive, facts, row, privates, here)]
    if any(one.is_fault for one in found):
        with archive.catalog.reading() as connection:
            again = connection.execute(select(recordings).where(recordings.c.recording == row.recording)).first()
            facts = _Facts.of(connection, [row.recording])
        here = _Count()
        found = [*_recording(archive, facts, again, privates, here)] if again is not None else []
    count.chunks += here.chunks
    count.opened += here.opened
    return found


def _log(archive: Archive, connection: Connection, kept: Head | None) -> Iterator[Finding]:
    """The chain by itself, then by what was signed of it, here and elsewhere. Each difference once."""
    breaks = dict.fromkeys(audit.verify(connection))
    for begin in begins(connection).values():
        if not begin.is_signed or not archive.signer.knows(begin.key):
            yield Finding("begin_forged", {"desk": begin.desk, "number": begin.number})
    for head in heads(connection):
        where: dict[str, str | int] = {"desk": head.desk, "number": head.number}
        if not head.is_signed:
            yield Finding("checkpoint_forged", where)
        elif not archive.signer.knows(head.key):
            yield Finding("checkpoint_foreign", where)
        elif differs := compare(connection, head):
            breaks.setdefault(differs)
    if kept is not None:
        if not kept.is_signed:
            yield Finding("head_forged", {"desk": kept.desk, "number": kept.number})
        elif differs := compare(connection, kept):
            breaks.setdefault(differs)
    yield from (Finding(f"audit_{one.kind}", {"desk": one.desk, "number": one.number}) for one in breaks)


def _recording(
    archive: Archive, facts: _Facts, row: Any, privates: dict[str, bytes | None], count: _Count
) -> Iterator[Finding]:
    of = row.recording
    expected, found = facts.segments.get(of, {}), facts.wraps.get(of, [])
    yield from _wraps(facts, row, expected, found)
    try:
        structure = read_structure(archive.vault.path(of))
    except ArchiveError as error:
        yield Finding("object_unreadable", {"recording": of, "detail": error.code})
        return
    if structure.header.recording != of:
        yield Finding("object_of_another", {"recording": of, "found": structure.header.recording})
        return
    count.chunks += len(structure.chunks)
    for damage in structure.damages:
        params: dict[str, str | int] = {"recording": of, "offset": damage.offset, "length": damage.length}
        yield Finding("torn" if damage.torn else "chunk_damaged", params)
    by_segment: dict[int, list[Chunk]] = defaultdict(list)
    for chunk in structure.chunks:
        by_segment[chunk.segment].append(chunk)
    for before, after in pairwise(structure.chunks):
        if after.segment < before.segment:
            yield Finding("chunks_out_of_order", {"recording": of, "segment": after.segment})
    for number in sorted(expected.keys() - by_segment.keys()):
        yield Finding("segment_empty", {"recording": of, "segment": number})
    for number, chunks in sorted(by_segment.items()):
        where: dict[str, str | int] = {"recording": of, "segment": number}
        if number not in expected:
            yield Finding("segment_unknown", where)
        yield from _order(where, chunks)
        key, faults = _data_key(archive, [one for one in found if one.segment == number], privates)
        yield from (Finding(code, {**where, "role": role.value}) for code, role in faults)
        if key is not None:
            yield from _opened(where, structure, number, key, chunks, count)


def _order(where: dict[str, str | int], chunks: list[Chunk]) -> Iterator[Finding]:
    """A segment's chunks are 0, 1, 2 … and the last is final."""
    indices = [chunk.index for chunk in chunks]
    for expected in range(max(indices) + 1):
        times = indices.count(expected)
        if times == 0:
            yield Finding("chunk_missing", {**where, "index": expected})
        elif times > 1:
            yield Finding("chunk_doubled", {**where, "index": expected})
    if indices != sorted(indices):
        yield Finding("chunks_out_of_order", where)
    finals = [chunk.index for chunk in chunks if chunk.final]
    if not finals:
        yield Finding("broke_off", where)
    elif finals != [max(indices)]:
        yield Finding("chunk_after_end", where)


def _data_key(
    archive: Archive, found: Iterable[Wrap], privates: dict[str, bytes | None]
) -> tuple[bytes | None, list[tuple[str, KeyRole]]]:
    """The segment's data key, by any private key that lies here; and the roles whose wrap is not what was sealed for them,
    or is sealed in a way that is not known here."""
    key: bytes | None = None
    faults: list[tuple[str, KeyRole]] = []
    for one in found:
        if one.key_id not in privates:
            privates[one.key_id] = archive.private_key(one.key_id)
        private = privates[one.key_id]
        if private is None:
            continue
        try:
            opened = keys.unwrap(one, private)
        except ArchiveError:
            faults.append(("wrap_unknown", one.role))
            continue
        if opened is None or (key is not None and opened != key):
            faults.append(("wrap_changed", one.role))
        else:
            key = opened
    return key, faults


def _opened(
    where: dict[str, str | int], structure: Structure, number: int, key: bytes, chunks: list[Chunk], count: _Count
) -> Iterator[Finding]:
    sealer = Sealer(structure.raw_header, structure.header.recording, number, key)
    for chunk in chunks:
        if sealer.open(chunk) is None:
            yield Finding("chunk_changed", {**where, "index": chunk.index})
        else:
            count.opened += 1


def _wraps(facts: _Facts, row: Any, expected: dict[int, tuple[Purpose, ...]], found: list[Wrap]) -> Iterator[Finding]:
    """Who can open it is exactly who may: its purposes that stand, less what a hold or a case keeps out, and custody."""
    of = row.recording
    stands, held = facts.stands.get(of, {}), of in facts.held
    for segment, purposes_of in sorted(expected.items()):
        has = {one.role for one in found if one.segment == segment}
        for role in KeyRole:
            where: dict[str, str | int] = {"recording": of, "segment": segment, "role": role.value}
            may = role is KeyRole.CUSTODY
            if not may:
                may = (
                    Purpose(role.value) in purposes_of
                    and stands.get(role.value) is Ended.KEEPS
                    and row.restricted is None
                    and (of, role.value) not in facts.waiting
                    and not (held and role is KeyRole.TRAINING)
                )
            if role in has and not may:
                yield Finding("wrap_too_many", where)
            elif may and role not in has:
                yield Finding("wrap_missing", where)
    if not is_case(row.restricted) and not held and stands and Ended.KEEPS not in stands.values():
        yield Finding("kept_without_reason", {"recording": of})


def _revocations(connection: Connection) -> Iterator[Finding]:
    """What the log says was revoked, is."""
    told = connection.execute(select(audit.audit.c.params).where(audit.audit.c.event == "key_revoked")).scalars()
    keys_told: set[str] = set()
    for params in told:
        # An entry that was changed may hold anything: the chain tells of that.
        with suppress(ValueError, KeyError, TypeError):
            keys_told.add(str(json.loads(params)["key"]))
    for key_id in sorted(keys_told - revoked(connection).keys()):
        yield Finding("revocation_missing", {"key": key_id})


def _stray_wraps(connection: Connection) -> Iterator[Finding]:
    known = select(recordings.c.recording).where(recordings.c.recording == wraps.c.recording).exists()
    for recording in connection.execute(select(wraps.c.recording).where(~known).distinct()).scalars():
        yield Finding("wrap_stray", {"recording": recording})


def _left(archive: Archive) -> Iterator[Finding]:
    """Copies of the catalog from which nothing is erased."""
    if left_over(archive.folder):
        yield Finding("backup_left", {"path": str(archive.folder / SNAPSHOT)})
    for folder in replaced(archive.folder, archive.id):
        yield Finding("former_left", {"path": str(folder)})


def _stray_files(archive: Archive) -> Iterator[Finding]:
    """A file comes before its row: one without is looked for again, once all have been seen."""
    vault, strays, gone = archive.vault, archive.vault.recordings(), set[str]()
    for _ in range(2):
        with archive.catalog.reading() as connection:
            strays = [*unlisted(connection, strays)]
            gone = set(connection.execute(select(condemned.c.recording)).scalars())
    for recording in strays:
        if vault.path(recording).exists():
            yield Finding("condemned" if recording in gone else "object_stray", {"recording": recording})
    for recording in vault.aside():
        yield Finding("object_begun" if vault.is_bare(recording) else "object_aside", {"recording": recording})
