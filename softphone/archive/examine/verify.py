"""Proof of the archive: chain, containers, wraps and catalog against each other. It changes nothing and repairs nothing.

What needs no key is checked without one; with the private keys that this desk's store holds, every chunk they open as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from softphone.archive.archive import RECORDINGS, Archive
from softphone.archive.examine.entries import erasures, policies, untold
from softphone.archive.examine.facts import Facts, Finding, Reading
from softphone.archive.examine.look import Look, unknown_version
from softphone.archive.files.reader import unknown
from softphone.archive.finding.rows import unlisted
from softphone.archive.folder.disk import DAMAGED
from softphone.archive.folder.inplace import leading_away
from softphone.archive.folder.marker import half_restored, replaced
from softphone.archive.log import audit
from softphone.archive.log.audit import Chain
from softphone.archive.log.checkpoint import EVERY, Head, begins, compare, heads
from softphone.archive.schema.tables import checkpoints, condemned, recordings
from softphone.domain.errors import ArchiveError

BATCH = 500
"""recordings read from the catalog at once"""
Progress = Callable[[int, int], object]
"""so many recordings done, of so many (0 of 0 while the catalog itself is checked); what it raises stops the proof"""


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
    look: Look | None = None

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
        look = Look(archive)
        for rows, facts in _batches(archive):
            for row in rows:
                yield from look.at(row, facts)
                done += 1
                step()

    findings += _as_far(each())
    # Each goes through a whole table: what is deleted meanwhile is to leave its pages between two of them.
    if wrong := [*_as_far(_slots(archive))]:
        # A row and its record are not read at one moment: somebody may have written between them.
        again = [*_as_far(_slots(archive))]
        findings += (one for one in wrong if one in again)
    step()
    for look_at in (policies, untold):
        findings += _as_far(_looked(archive, look_at))
        step()
    findings += _as_far(erasures(archive.catalog.reading, step))
    findings += _as_far(_stray_files(archive))
    findings += _left(archive)
    # Each look may meet the same damage.
    told = {(one.code, str(one.params)): one for one in findings}
    entries = sum(chain.count.values())
    chunks, opened = (look.chunks, look.opened) if look else (0, 0)
    kept = _of_head(archive, head, log) if head else None
    return Proof(done, chunks, opened, entries, not log, tuple(told.values()), kept)


def _as_far(found: Iterable[Finding]) -> Iterator[Finding]:
    """Up to a page that cannot be read."""
    try:
        yield from found
    except ArchiveError as error:
        if error.code != DAMAGED:
            raise
        yield Finding("catalog_damaged", {"detail": str(error.params["detail"])})


def _looked(archive: Archive, look_at: Callable[[Connection], Iterable[Finding]]) -> Iterator[Finding]:
    with archive.catalog.reading() as connection:
        yield from look_at(connection)


def _slots(archive: Archive) -> Iterator[Finding]:
    with archive.catalog.reading() as connection:
        yield from (Finding(code, params) for code, params in archive.catalog.slots.faults(connection))


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
            yield unknown_version(recording, error)
        elif vault.path(recording).exists():
            yield Finding("condemned" if recording in gone else "object_stray", {"recording": recording})
    linked = {path for path in leading_away(archive.folder) if path.name != RECORDINGS} | {*vault.leading_away()}
    yield from (Finding("file_linked", {"path": str(path)}) for path in sorted(linked))
    for path in vault.misnamed():
        yield Finding("file_misnamed", {"path": str(path)})
    for recording in vault.aside():
        yield Finding("object_begun" if vault.is_bare(recording) else "object_aside", {"recording": recording})
