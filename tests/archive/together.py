"""One of several processes on one archive: it writes as an engine, looks as a desk, looks for long, or sweeps, for a while, and
says how often. Not a test.

Whatever is raised in it, it says too: nobody at a telephone may be told that something was locked.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.finding import searching
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import sweep
from softphone.archive.review import sample
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.deeds import Doer, Order
from tests.archive.scene import AT

KEPT, SWEPT = "P1D", AT + timedelta(hours=20)
LOOK = 10.0
"""seconds of a long look"""


def engine(folder: Path, keys: Path, seconds: float, order: str) -> int:
    """Everything that a running desk writes. What it says is what `deeds` says."""
    doer = Doer(folder, keys, Order(**json.loads(order)))
    doer.short = KEPT
    # What sweeps is another process here.
    doer.ways = [one for one in doer.ways if one[0] != doer.sweep]
    count = _for(seconds, lambda: doer.do(5))
    doer.end()
    return count


def desk(folder: Path, keys: Path, seconds: float) -> int:
    """What pages and polling ask."""
    archive = Archive.open(folder, DemoKeyFile(keys))
    chance, query = random.Random(2), sample.SampleQuery(("salg",), (), shown=sample.SampleFilter.ALL)

    def look() -> None:
        found = searching.page(archive, searching.Query(), AT, limit=20)
        searching.count(archive, searching.Query(), AT)
        if found.rows:
            recording = chance.choice(found.rows).recording
            archive.audit_of(recording)
            sample.living(archive, [recording], AT)

    def listen() -> None:
        rows = [row for row in archive.list(AT) if KeyRole.CUSTODY in row.opens_for]
        if rows:
            try:
                archive.open_recording(chance.choice(rows).recording, AT, role=KeyRole.CUSTODY)
            except KlartoneError as error:
                # It has gone, or is only being begun.
                if error.code.rpartition(".")[2] not in ("no_such_recording", "recording_unreadable", "closed_to_role"):
                    raise

    ways: list[Callable[[], object]] = [
        look,
        listen,
        lambda: sample.page(archive, query, AT),
        lambda: sample.counts(archive, query, AT),
        lambda: holding.standing(archive, AT),
        lambda: archive.head(AT),
    ]
    return _for(seconds, lambda: chance.choice(ways)())


def sweeper(folder: Path, keys: Path, seconds: float) -> int:
    """What is kept for a day has come to its end, and what is being recorded is not a day old."""
    archive = Archive.open(folder, DemoKeyFile(keys))
    return _for(seconds, lambda: sweep(archive, SWEPT, clock=SWEPT, witness=SWEPT))


def reader(folder: Path, keys: Path, seconds: float) -> int:
    """What a backup's copy and a proof of the catalog are to the others: a look that lasts."""
    archive, pause = Archive.open(folder, DemoKeyFile(keys)), threading.Event()

    def look() -> None:
        with archive.catalog.reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one()
            pause.wait(min(LOOK, seconds))

    return _for(seconds, look)


def _for(seconds: float, deed: Callable[[], object]) -> int:
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        deed()
        count += 1
    return count


if __name__ == "__main__":
    which, folder, keys, seconds, *order = sys.argv[1:]
    role: Callable[..., int] = {"engine": engine, "desk": desk, "sweeper": sweeper, "reader": reader}[which]
    print(role(Path(folder), Path(keys), float(seconds), *order), flush=True)
