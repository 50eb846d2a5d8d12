"""Proof of the archive: chain, containers, wraps and catalog against each other. It changes nothing and repairs nothing.

What needs no key is checked without one; with the private keys that this desk's store holds, every chunk they open as well.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from softphone.archive import audit
from softphone.archive.archive import Archive
from softphone.archive.changes import is_case, recorded_for
from softphone.archive.checkpoint import Head, begins, compare, heads
from softphone.archive.files.container import Chunk, Sealer
from softphone.archive.files.reader import Structure, read_structure
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.revocation import revoked
from softphone.archive.keys.wraps import Wrap
from softphone.archive.tables import condemned, holds, purposes, recordings, segments, wraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended

NOTES = frozenset({"broke_off", "torn", "condemned", "segment_empty", "object_begun"})
"""what a crash, or a segment that never began, leaves by itself: told, and no fault"""


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


def verify(archive: Archive, head: Head | None = None) -> Proof:
    """Everything, at one moment's state of the catalog; `head`: what was kept elsewhere of the log.

    Raises ArchiveError where the catalog cannot be read at all.
    """
    count = _Count()
    findings = [Finding("catalog_damaged", {"detail": found}) for found in archive.catalog.integrity()]
    with archive.catalog.reading() as connection:
        log = [*_log(archive, connection, head)]
        findings += log
        entries = int(connection.execute(select(func.count()).select_from(audit.audit)).scalar_one())
        listed = connection.execute(select(recordings).order_by(recordings.c.opened_at)).all()
        privates: dict[str, bytes | None] = {}
        for row in listed:
            findings += _recording(archive, connection, row, privates, count)
        findings += _strays(archive, connection, {row.recording for row in listed})
        findings += _revocations(connection)
    return Proof(len(listed), count.chunks, count.opened, entries, not log, tuple(findings))


def _log(archive: Archive, connection: Connection, kept: Head | None) -> Iterator[Finding]:
    """The chain by itself, then by what was signed of it, here and elsewhere. Each difference once."""
    breaks = dict.fromkeys(audit.verify(connection))
    for begin in begins(connection).values():
        if not begin.is_signed or begin.key != archive.signer.key:
            yield Finding("begin_forged", {"desk": begin.desk, "number": begin.number})
    for head in heads(connection):
        where: dict[str, str | int] = {"desk": head.desk, "number": head.number}
        if not head.is_signed:
            yield Finding("checkpoint_forged", where)
        elif head.key != archive.signer.key:
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
    archive: Archive, connection: Connection, row: Any, privates: dict[str, bytes | None], count: _Count
) -> Iterator[Finding]:
    of = row.recording
    expected = {
        segment.segment: recorded_for(segment.purposes)
        for segment in connection.execute(select(segments).where(segments.c.recording == of))
    }
    found = [
        Wrap(one.recording, one.segment, KeyRole(one.role), one.key_id, one.suite, one.sealed)
        for one in connection.execute(select(wraps).where(wraps.c.recording == of))
    ]
    yield from _wraps(connection, row, expected, found)
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


def _wraps(
    connection: Connection, row: Any, expected: dict[int, tuple[Purpose, ...]], found: list[Wrap]
) -> Iterator[Finding]:
    """Who can open it is exactly who may: its purposes that stand, less what a hold or a case keeps out, and custody."""
    of = row.recording
    stands = {
        one.purpose: Ended(one.stands) for one in connection.execute(select(purposes).where(purposes.c.recording == of))
    }
    asked = select(holds.c.hold).where(holds.c.recording == of, holds.c.lifted_at.is_(None))
    held = connection.execute(asked).first() is not None
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
    for key_id in sorted({str(json.loads(params)["key"]) for params in told} - revoked(connection).keys()):
        yield Finding("revocation_missing", {"key": key_id})


def _strays(archive: Archive, connection: Connection, known: set[str]) -> Iterator[Finding]:
    gone = set(connection.execute(select(condemned.c.recording)).scalars())
    for recording in archive.vault.recordings():
        if recording in gone:
            yield Finding("condemned", {"recording": recording})
        elif recording not in known:
            yield Finding("object_stray", {"recording": recording})
    for recording in archive.vault.aside():
        yield Finding("object_begun" if archive.vault.is_bare(recording) else "object_aside", {"recording": recording})
    for recording in connection.execute(select(wraps.c.recording).distinct()).scalars():
        if recording not in known:
            yield Finding("wrap_stray", {"recording": recording})
