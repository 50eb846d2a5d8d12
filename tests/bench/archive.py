"""The archive at its full size: pages and searches, the sweep, a key's rotation, how soon a recording is heard, what it weighs.

Recordings are rows in bulk (`tests.archive.many`); those that are swept have files, and the one that is played is ten minutes
of sound.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select

from softphone.archive.archive import Archive
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.wraps import Recipient, create_key_pair, data_key
from softphone.archive.examine.verify import verify
from softphone.archive.files.container import RATE
from softphone.archive.finding.searching import Cursor, Query, count, page
from softphone.archive.keys.rotation import rotate
from softphone.archive.log import audit
from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.schema.tables import purposes, recordings, wraps
from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import KeyRole
from tests.archive import many
from tests.archive.scene import DOCUMENTATION, FRAME, MemoryKeys, scene, voices
from tests.bench.figures import Figure, spread

SIZES = (10_000, 100_000, 1_000_000)
NOW = many.END
MIDDLE = Cursor(NOW - timedelta(days=many.DAYS // 2), "")
FILE_BYTES = 5_000
"""of those that are swept: a second of sound"""
PAGES: Mapping[str, tuple[Query, Cursor | None]] = {
    "first page": (Query(), None),
    "a page half a year deep": (Query(), MIDDLE),
    "search by number": (Query(number=many.number(3)), None),
    "search by time": (Query(since=MIDDLE.opened_at, until=MIDDLE.opened_at + timedelta(days=1)), None),
    "search by line": (Query(lines=("salg",)), MIDDLE),
    "search by agent": (Query(agents=many.AGENTS[:1]), MIDDLE),
    "living documentation": (Query(opens_for=KeyRole.DOCUMENTATION), MIDDLE),
    "living training": (Query(opens_for=KeyRole.TRAINING), None),
}
COUNTS: Mapping[str, Query] = {
    "count of all": Query(),
    "count of a line": Query(lines=("salg",)),
    "count of a party": Query(number=many.number(3)),
    "count of what case handlers can open": Query(opens_for=KeyRole.DOCUMENTATION),
}


def measure(
    sizes: Sequence[int] = SIZES, swept: int = 2_000, rotated: int = 2_000, minutes: int = 10, times: int = 20
) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        return [
            *_searching(Path(folder), sizes, times),
            _sweeping(Path(folder), swept),
            _proving(Path(folder), swept),
            _rotating(Path(folder), rotated),
            *_playing(Path(folder), minutes, times),
        ]


def _searching(folder: Path, sizes: Sequence[int], times: int) -> list[Figure]:
    taken: dict[str, list[float]] = {}
    weights: list[float] = []
    for size in sizes:
        archive = _filled(folder / f"of-{size}", size)
        weights.append((archive.folder / "catalog.db").stat().st_size / size)
        for name, milliseconds in _searched(archive, times).items():
            taken.setdefault(name, []).append(milliseconds)
        archive.close()
    of = " / ".join(f"{size:,}" for size in sizes)
    figures = [
        Figure(
            f"archive: {name}",
            " / ".join(f"{milliseconds:.1f}" for milliseconds in each) + " ms",
            "" if name in COUNTS else "flat",
            f"of {of} recordings, median; {each[-1] / each[0]:.1f} times the first",
        )
        for name, each in taken.items()
    ]
    told = " / ".join(f"{weight:,.0f}" for weight in weights)
    figures.append(Figure("archive: catalog", f"{told} bytes a recording", "", f"of {of}, without its audit log"))
    return [*figures, _logging(folder)]


def _searched(archive: Archive, times: int) -> dict[str, float]:
    ids = itertools.cycle([row.recording for row in page(archive, Query(), NOW, MIDDLE, limit=times).rows])
    return {
        **{name: _each(times, partial(page, archive, query, NOW, after)) for name, (query, after) in PAGES.items()},
        "one by its id": _each(times, lambda: archive.find(next(ids), NOW)),
        **{name: _each(2, partial(count, archive, query, NOW)) for name, query in COUNTS.items()},
    }


def _sweeping(folder: Path, due: int) -> Figure:
    """A day on which so many come to their end, of fifty times as many."""
    archive = _filled(folder / "swept", due * 50)
    with archive.catalog.reading() as connection:
        ends = [
            (row.recording, date.fromisoformat(row.expires_on))
            for row in connection.execute(
                select(purposes.c.recording, purposes.c.expires_on)
                .where(purposes.c.purpose == "documentation", purposes.c.stands == "keeps")
                .order_by(purposes.c.expires_on)
                .limit(due)
            )
        ]
    for recording, _ in ends:
        archive.vault.path(recording).write_bytes(os.urandom(FILE_BYTES))
    then = datetime.combine(ends[-1][1], NOW.timetz())
    began = time.perf_counter()
    done = sweep(archive, then, clock=then, witness=then)
    took = time.perf_counter() - began
    gone = sum(item.what is Swept.DISCARDED for item in done)
    archive.close()
    return Figure(
        "archive: sweep",
        f"{gone / took:,.0f} recordings/s",
        "",
        f"{gone:,} of {due * 50:,} with a file of {FILE_BYTES // 1000} kB, overwritten and gone: {took:.1f} s",
    )


def _proving(folder: Path, size: int) -> Figure:
    with scene(folder / "proved") as desk:
        for _ in range(max(size // 20, 5)):
            desk.recorded(1, DOCUMENTATION)
        began = time.perf_counter()
        proof = verify(desk.archive)
        took = time.perf_counter() - began
        assert proof.ok
        return Figure(
            "archive: verify",
            f"{proof.recordings / took:,.0f} recordings/s",
            "",
            f"{proof.recordings:,} of a second each, every wrap and chunk opened, with the log",
        )


def _rotating(folder: Path, size: int) -> Figure:
    archive = _filled(folder / "rotated", size)
    old, new = (Recipient(name, KeyRole.DOCUMENTATION, create_key_pair(archive.store)) for name in ("case-1", "case-2"))
    with archive.catalog.writing() as tx:
        tx.execute(delete(wraps).where(wraps.c.role == old.role.value))
        made = [
            keys.wrap(data_key(), old, recording, 0)
            for recording in tx.execute(select(recordings.c.recording)).scalars()
        ]
        tx.wraps.add(made)
    began = time.perf_counter()
    done = rotate(archive, old, new)
    took = time.perf_counter() - began
    archive.close()
    assert done.wrapped == size
    return Figure(
        "archive: rotation", f"{size / took:,.0f} wraps/s", "", f"{size:,} wrapped anew, in batches: {took:.1f} s"
    )


def _playing(folder: Path, minutes: int, times: int) -> list[Figure]:
    with scene(folder / "played") as desk:
        call = desk.call()
        recording = desk.open(call, DOCUMENTATION)
        writer = desk.archive.vault.writer(recording, 0, desk.keys[recording, 0], 0)
        turn = voices(60)
        for second in range(60):
            # They speak in turns, some seconds each.
            turn[second * RATE : (second + 1) * RATE, second // 4 % 2] = 0
        index = 0
        for _ in range(minutes):
            for first in range(0, len(turn), FRAME):
                frame = turn[first : first + FRAME]
                writer.write(index, frame[:, 0].tobytes(), frame[:, 1].tobytes())
                index += 1
        writer.finish()
        size = desk.archive.vault.path(recording).stat().st_size
        length = index * FRAME

        def heard(at: int) -> np.ndarray[Any, Any]:
            reader = desk.archive.open_recording(recording, NOW)
            try:
                return next(reader.pcm(at))
            finally:
                reader.close()

        places = {"beginning": 0, "middle": length // 2, "end": length - RATE}
        taken = {name: _times(times, lambda at=at: heard(at)) for name, at in places.items()}
        figures = [
            Figure(
                f"archive: heard from the {name}",
                spread(each, "ms"),
                "",
                f"of {minutes} minutes: found, told to the log, opened and the first block decoded",
            )
            for name, each in taken.items()
        ]
        weight = Figure(
            "archive: a minute of sound", f"{size / minutes / 1000:,.0f} kB", "", "two voices in turns, sealed"
        )
        return [*figures, weight]


def _logging(folder: Path) -> Figure:
    archive = Archive.create(folder / "logged", MemoryKeys())
    before, entries = _weight(archive), 10_000
    told = AuditEntry("segment_opened", "G31", NOW, "0" * 36, "0" * 36, {"segment": 0, "purposes": "documentation"})
    with archive.catalog.writing() as tx:
        tx.log(*[told] * entries)
    after = _weight(archive)
    with archive.catalog.reading() as connection:
        assert connection.execute(select(func.count()).select_from(audit.audit)).scalar_one() == entries
    archive.close()
    return Figure(
        "archive: audit log", f"{(after - before) / entries:,.0f} bytes an entry", "", f"{entries:,} in one catalog"
    )


def _weight(archive: Archive) -> int:
    archive.catalog.empty_log()
    return (archive.folder / "catalog.db").stat().st_size


def _filled(folder: Path, size: int) -> Archive:
    archive = Archive.create(folder, MemoryKeys())
    many.fill(archive, size)
    archive.catalog.empty_log()
    return archive


def _times(times: int, deed: Callable[[], object]) -> list[float]:
    """Milliseconds each."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        deed()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _each(times: int, deed: Callable[[], object]) -> float:
    return statistics.median(_times(times, deed))
