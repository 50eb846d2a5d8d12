"""Proof of the archive: chain, containers, wraps and catalog against each other. It changes nothing and repairs nothing.

What needs no key is checked without one; with the private keys that this desk's store holds, every chunk they open as well.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, select

from softphone.archive.archive import RECORDINGS, Archive
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Wrap
from softphone.archive.examine.entries import erasures, policies, untold
from softphone.archive.examine.facts import Facts, Found, Reading, who_opens
from softphone.archive.files import container
from softphone.archive.files.container import UNKNOWN, Chunk, Sealer
from softphone.archive.files.reader import Structure, read_structure, unknown
from softphone.archive.finding.rows import unlisted
from softphone.archive.folder.disk import DAMAGED
from softphone.archive.folder.inplace import leading_away
from softphone.archive.folder.marker import half_restored, replaced
from softphone.archive.log import audit, written
from softphone.archive.log.audit import Chain
from softphone.archive.log.checkpoint import EVERY, Head, begins, compare, heads
from softphone.archive.schema.tables import checkpoints, condemned, recordings
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole

NOTES = frozenset(
    {
        *("broke_off", "torn", "condemned", "segment_empty", "object_begun", "slot_erased", "wrap_erased"),
        *("former_left", "restore_left"),
    }
)
"""what a crash, a segment that never began or a restore leaves by itself: told, and no fault"""

BATCH = 500
"""recordings read from the catalog at once"""
_NAMED = 100
"""missing chunks of a segment, at most"""

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
    head: str | None = None
    """of the line that was kept elsewhere: `fits`, `differs`, or `gone`: its entry has gone in its time"""

    @property
    def ok(self) -> bool:
        return not any(finding.is_fault for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok, "findings": [asdict(finding) for finding in self.findings]}


def verify(archive: Archive, head: Head | None = None, progress: Progress | None = None) -> Proof:
    """Everything, a batch of recordings at a time; `head`: what was kept elsewhere of the log. It may run beside a writer:
    what a second look does not bear out has only changed meanwhile. A page that is damaged ends the look at what stands in it,
    and no other. Raises ArchiveError where the catalog cannot be read at all, and what `progress` raises.
    """
    done, total = 0, 0
    look: _Look | None = None

    def step() -> None:
        if progress is not None:
            progress(done, max(done, total))

    findings = [Finding("catalog_damaged", {"detail": found}) for found in _integrity(archive, progress)]
    chain = Chain()
    log = [*_as_far(_log(archive, archive.catalog.reading, head, chain, step))]
    findings += log

    def each() -> Iterator[Finding]:
        nonlocal done, total, look
        with archive.catalog.reading() as connection:
            total = int(connection.execute(select(func.count()).select_from(recordings)).scalar_one())
        look = _Look(archive)
        for rows, facts in _batches(archive):
            for row in rows:
                yield from look.at(row, facts)
                done += 1
                step()

    findings += _as_far(each())
    # Each goes through a whole table: what is deleted meanwhile is to leave its pages between two of them.
    if wrong := [*_as_far(_looked(archive, archive.catalog.slots.faults))]:
        # A row and its record are not read at one moment: somebody may have written between them.
        again = [*_as_far(_looked(archive, archive.catalog.slots.faults))]
        findings += (one for one in wrong if one in again)
    step()
    for look_at in (policies, untold):
        findings += _as_far(_looked(archive, look_at))
        step()
    findings += _as_far(_found(erasures(archive.catalog.reading, step)))
    findings += _as_far(_stray_files(archive))
    findings += _left(archive)
    entries = sum(chain.count.values())
    chunks, opened = (look.chunks, look.opened) if look else (0, 0)
    kept = _of_head(archive, head, log) if head else None
    return Proof(done, chunks, opened, entries, not log, tuple(_once_told(findings)), kept)


def _as_far(found: Iterable[Finding]) -> Iterator[Finding]:
    """Up to a page that cannot be read."""
    try:
        yield from found
    except ArchiveError as error:
        if error.code != DAMAGED:
            raise
        yield Finding("catalog_damaged", {"detail": str(error.params["detail"])})


def _looked(archive: Archive, look_at: Callable[[Connection], Iterable[Found]]) -> Iterator[Finding]:
    with archive.catalog.reading() as connection:
        yield from _found(look_at(connection))


def _once_told(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Each look may meet the same damage."""
    damage: list[Finding] = []
    for one in findings:
        if one.code == "catalog_damaged":
            if one in damage:
                continue
            damage.append(one)
        yield one


def _found(found: Iterable[Found]) -> Iterator[Finding]:
    yield from (Finding(code, params) for code, params in found)


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


def _batches(archive: Archive) -> Iterator[tuple[Sequence[Any], Facts]]:
    """By id. No look at the catalog is kept open while files are read: what is deleted meanwhile is to leave its pages."""
    after = ""
    while True:
        with archive.catalog.reading() as connection:
            asked = select(recordings).where(recordings.c.recording > after).order_by(recordings.c.recording)
            rows = connection.execute(asked.limit(BATCH)).all()
            facts = Facts.of(connection, archive.catalog.slots, [row.recording for row in rows])
        if not rows:
            return
        yield rows, facts
        after = rows[-1].recording


def _knows(connection: Connection, desk: str) -> bool:
    """Whether anything here is that desk's."""
    return any(
        connection.execute(select(table.c.desk).where(table.c.desk == desk).limit(1)).first()
        for table in (audit.audit, checkpoints)
    )


def _log(
    archive: Archive, reading: Reading, kept: Head | None, chain: Chain, step: Callable[[], object] = lambda: None
) -> Iterator[Finding]:
    """The chain by itself, then by what was signed of it, here and elsewhere. Each difference once."""
    breaks: dict[audit.Break, None] = {}
    more = True
    while more:
        with reading() as connection:
            found, more = chain.read_on(connection)
        breaks |= dict.fromkeys(found)
        step()
    with reading() as connection:
        signed: dict[str, int] = {}
        """of each desk, the newest entry for which it stands"""
        forged: dict[str, int] = {}
        """after which entry a desk's log is said to begin, where that is told already"""

        def differs(head: Head) -> audit.Break | None:
            return compare(connection, head) if head.number > forged.get(head.desk, 0) else None

        for begin in begins(connection).values():
            if begin.is_signed and archive.signer.knows(begin.key):
                signed[begin.desk] = begin.number
            else:
                forged[begin.desk] = begin.number
                yield Finding("begin_forged", {"desk": begin.desk, "number": begin.number})
        for head in heads(connection):
            where: dict[str, str | int] = {"desk": head.desk, "number": head.number}
            if not head.is_signed:
                yield Finding("checkpoint_forged", where)
            elif not archive.signer.knows(head.key):
                yield Finding("checkpoint_foreign", where)
            else:
                if broken := differs(head):
                    breaks.setdefault(broken)
                signed[head.desk] = head.number
        if kept is not None:
            if not kept.is_signed:
                yield Finding("head_forged", {"desk": kept.desk, "number": kept.number})
            elif kept.desk != archive.desk and not _knows(connection, kept.desk):
                yield Finding("head_of_another", {"desk": kept.desk})
            elif broken := differs(kept):
                breaks.setdefault(broken)
        ends = {desk: end.number for desk in chain.count if (end := audit.last(connection, desk)) is not None}
    yield from (Finding(f"audit_{one.kind}", {"desk": one.desk, "number": one.number}) for one in breaks)
    for desk, end in ends.items():
        if (count := end - signed.get(desk, 0)) > EVERY:
            yield Finding("checkpoint_missing", {"desk": desk, "count": count})


def _of_head(archive: Archive, head: Head, log: Iterable[Finding]) -> str:
    """By what was found in its desk's log; what is wrong with a checkpoint is nothing against it."""
    if any(one.params.get("desk", head.desk) == head.desk and not one.code.startswith("checkpoint") for one in log):
        return "differs"
    with archive.catalog.reading() as connection:
        begin = begins(connection).get(head.desk)
    return "gone" if begin is not None and head.number < begin.number else "fits"


class _Look:
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
        yield from _found(who_opens(facts, row))
        try:
            structure = read_structure(self._archive.vault.path(of))
        except ValueError:
            # No id: nothing of ours is named so.
            yield Finding("rows_unreadable", {"recording": of})
            return
        except ArchiveError as error:
            if error.code in UNKNOWN:
                yield _unknown(of, error)
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
        """The segment's data key, by any private key that lies here; and the roles whose wrap is not what was sealed for them,
        or is sealed in a way that is not known here."""
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


def _unknown(of: str, error: ArchiveError) -> Finding:
    """Its version, seal or codec is not known here."""
    told = {name: one if isinstance(one, int) else str(one) for name, one in error.params.items()}
    return Finding(f"object_{error.code.rpartition('_')[2]}_unknown", {"recording": of, **told})


def _structure(structure: Structure, of: str, facts: Facts) -> Iterator[Finding]:
    """What shows of a file without a key, against what the catalog says of it."""
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
        if chunks:
            yield from _order(where, chunks)
        elif not told:
            yield Finding("segment_empty", where)


def _by_segment(structure: Structure) -> dict[int, list[Chunk]]:
    found: dict[int, list[Chunk]] = defaultdict(list)
    for chunk in structure.chunks:
        found[chunk.segment].append(chunk)
    return found


def _order(where: dict[str, str | int], chunks: list[Chunk]) -> Iterator[Finding]:
    """A segment's chunks are 0, 1, 2 … and the last is final."""
    indices = [chunk.index for chunk in chunks]
    times = Counter(indices)
    # Whatever a file says: no more than so many are named one by one.
    for expected in range(min(max(indices) + 1, len(times) + _NAMED)):
        if times[expected] == 0:
            yield Finding("chunk_missing", {**where, "index": expected})
        elif times[expected] > 1:
            yield Finding("chunk_doubled", {**where, "index": expected})
    if max(indices) >= len(times) + _NAMED:
        yield Finding("chunks_too_few", {**where, "found": len(times), "told": max(indices) + 1})
    if indices != sorted(indices):
        yield Finding("chunks_out_of_order", where)
    finals = [chunk.index for chunk in chunks if chunk.final]
    if not finals:
        yield Finding("broke_off", where)
    elif finals != [max(indices)]:
        yield Finding("chunk_after_end", where)


def _left(archive: Archive) -> Iterator[Finding]:
    """Copies of the catalog from which nothing is erased."""
    for folder in replaced(archive.folder, archive.id):
        yield Finding("former_left", {"path": str(folder)})
    for folder in half_restored(archive.folder, archive.id):
        yield Finding("restore_left", {"path": str(folder)})


def _stray_files(archive: Archive) -> Iterator[Finding]:
    """A file comes before its row: one without is looked for again, once all have been seen."""
    vault, strays, gone = archive.vault, archive.vault.recordings(), set[str]()
    for _ in range(2):
        with archive.catalog.reading() as connection:
            strays = [*unlisted(connection, strays)]
            gone = set(connection.execute(select(condemned.c.recording)).scalars())
    for recording in strays:
        if recording not in gone and (error := unknown(vault.path(recording))):
            yield _unknown(recording, error)
        elif vault.path(recording).exists():
            yield Finding("condemned" if recording in gone else "object_stray", {"recording": recording})
    linked = {path for path in leading_away(archive.folder) if path.name != RECORDINGS} | {*vault.leading_away()}
    yield from (Finding("file_linked", {"path": str(path)}) for path in sorted(linked))
    for path in vault.misnamed():
        yield Finding("file_misnamed", {"path": str(path)})
    for recording in vault.aside():
        yield Finding("object_begun" if vault.is_bare(recording) else "object_aside", {"recording": recording})
