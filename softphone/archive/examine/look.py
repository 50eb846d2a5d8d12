"""One recording looked at: who can open it, what is in its file, and each chunk that a key here opens. For `verify`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Wrap
from softphone.archive.examine.facts import Facts, Finding, who_opens
from softphone.archive.files import container
from softphone.archive.files.container import UNKNOWN, Chunk, Sealer
from softphone.archive.files.reader import Structure, read_structure
from softphone.archive.log import written
from softphone.archive.schema.tables import recordings
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole


class Look:
    """One recording after another: who can open it, what is in its file, and each chunk that a key here opens."""

    def __init__(self, archive: Archive) -> None:
        self.chunks = 0
        self.opened = 0
        self._archive = archive
        self._privates: dict[str, bytes | None] = {}

    def at(self, row: Any, facts: Facts) -> list[Finding]:
        before = (self.chunks, self.opened)
        found = [*self.once(row, facts)]
        if any(one.is_fault for one in found):
            self.chunks, self.opened = before
            with self._archive.catalog.reading() as connection:
                again = connection.execute(select(recordings).where(recordings.c.recording == row.recording)).first()
                facts = Facts.of(connection, self._archive.catalog.slots, [row.recording])
            found = [*self.once(again, facts)] if again is not None else []
        return found

    def once(self, row: Any, facts: Facts) -> Iterator[Finding]:
        of = row.recording
        yield from who_opens(facts, row)
        if of in facts.away:
            # Its file goes after its keys; what is left of it by a crash goes with the courier's next turn.
            return
        try:
            structure = read_structure(self._archive.vault.path(of))
        except ValueError:
            # No id: nothing of ours is named so.
            yield Finding("rows_unreadable", {"recording": of})
            return
        except ArchiveError as error:
            if error.code in UNKNOWN:
                yield unknown_version(of, error)
            else:
                yield Finding("object_unreadable", {"recording": of, "detail": error.code})
            return
        if structure.header.recording != of:
            yield Finding("object_of_another", {"recording": of, "found": structure.header.recording})
            return
        self.chunks += len(structure.chunks)
        found = [*_structure(structure, of, facts)]
        for number, chunks in sorted(_by_segment(structure).items()):
            where: dict[str, str | int] = {"recording": of, "segment": number}
            key, faults = self._data_key([one for one in facts.wraps.get(of, ()) if one.segment == number])
            found += (Finding(code, {**where, "role": role.value}) for code, role in faults)
            if key is not None:
                found += self._opened(where, structure, number, key, chunks)
        yield from found
        if not any(one.is_fault for one in found):
            yield from _replaced(structure, of, facts)

    def _data_key(self, found: Iterable[Wrap]) -> tuple[bytes | None, list[tuple[str, KeyRole]]]:
        """The segment's data key, by any private key that lies here; and what is wrong with a role's wrap."""
        key: bytes | None = None
        faults: list[tuple[str, KeyRole]] = []
        for one in found:
            if one.key_id not in self._privates:
                self._privates[one.key_id] = self._archive.private_key(one.key_id)
            private = self._privates[one.key_id]
            # Of a record that cannot be read, `slots.faults` tells.
            if private is None or not one.sealed:
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
        self, where: dict[str, str | int], structure: Structure, number: int, key: bytes, chunks: list[Chunk]
    ) -> Iterator[Finding]:
        sealer = Sealer(structure.raw_header, structure.header.recording, number, key)
        for chunk in chunks:
            if sealer.open(chunk) is None:
                yield Finding("chunk_changed", {**where, "index": chunk.index})
            else:
                self.opened += 1


def _replaced(structure: Structure, of: str, facts: Facts) -> Iterator[Finding]:
    """Whether a file in which all fits is the one that was written."""
    there = {number: one.digest for number, one in written.counted(structure).items()}
    nothing = container.digest(structure.raw_header, ())
    for (recording, number), told in sorted(facts.sound.items()):
        if recording == of and told != {there.get(number, nothing)[: written.DIGEST]}:
            yield Finding("sound_replaced", {"recording": of, "segment": number})


def unknown_version(of: str, error: ArchiveError) -> Finding:
    """Its version, seal or codec is not known here."""
    told = {name: one if isinstance(one, int) else str(one) for name, one in error.params.items()}
    return Finding(f"object_{error.code.rpartition('_')[2]}_unknown", {"recording": of, **told})


def _structure(structure: Structure, of: str, facts: Facts) -> Iterator[Finding]:
    """What shows of a file without a key, against what the catalog says of it. That its chunks are those that were written, each
    once and in order, the digest says (`_replaced`)."""
    expected, by_segment = facts.segments.get(of, {}), _by_segment(structure)
    # Where all of it was on the disk once, no crash has left a torn end.
    counted = bool(expected) and all(isinstance(facts.chunks.get((of, one)), int) for one in expected)
    for damage in structure.damages:
        params: dict[str, str | int] = {"recording": of, "offset": damage.offset, "length": damage.length}
        yield Finding(("end_changed" if counted else "torn") if damage.torn else "chunk_damaged", params)
    for before, after in pairwise(structure.chunks):
        if after.segment < before.segment:
            yield Finding("chunks_out_of_order", {"recording": of, "segment": after.segment})
    for number in sorted(expected.keys() | by_segment.keys()):
        where: dict[str, str | int] = {"recording": of, "segment": number}
        chunks = by_segment.get(number, [])
        if number not in expected:
            yield Finding("segment_unknown", where)
        told = facts.chunks.get((of, number))
        if isinstance(told, int) and len(chunks) < told:
            yield Finding("chunks_too_few", {**where, "found": len(chunks), "told": told})
        if chunks and not any(chunk.final for chunk in chunks):
            yield Finding("broke_off", where)
        elif not chunks and not told:
            yield Finding("segment_empty", where)


def _by_segment(structure: Structure) -> dict[int, list[Chunk]]:
    found: dict[int, list[Chunk]] = defaultdict(list)
    for chunk in structure.chunks:
        found[chunk.segment].append(chunk)
    return found
