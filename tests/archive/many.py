"""An archive of very many recordings, for tests and measures of scale: the catalog's rows as the ledger writes them, in bulk.

Everything but sound, the wraps' contents and the audit log is as in a real one; there are no files.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from softphone.archive.archive import Archive
from softphone.domain.policy.period import Period
from softphone.domain.retention import expires_on

ZONE = "Europe/Copenhagen"
LINES = ("salg", "support", "faktura", "booking", "klager", "hovednummer")
AGENTS = tuple(f"agent{number:02}@example.dk" for number in range(60))
END = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
"""the newest begins just before"""
DAYS = 365
"""that they are spread over; documentation is kept so long that all of it lives at the end"""
DOCUMENTATION, TRAINING = Period(months=13), Period(months=3)
SAMPLE, HELD = 0.05, 0.001
CHUNK = 50_000
"""rows a transaction"""

_INSERTS = (
    "INSERT INTO calls (call, desk, line, direction, number_sealed, number_index, started_at, notice, language, "
    "time_zone, agent) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "INSERT INTO recordings (recording, call, desk, opened_at, closed_at, line, agent) VALUES (?,?,?,?,?,?,?)",
    "INSERT INTO segments (recording, segment, desk, opened_at, purposes) VALUES (?,0,?,?,?)",
    "INSERT INTO purposes (recording, purpose, desk, basis, retention, expires_on, stands, reason) "
    "VALUES (?,?,?,'legitimate_interest',?,?,?,?)",
    "INSERT INTO wraps (recording, segment, role, key_id, suite, desk, slot) VALUES (?,0,?,?,?,?,?)",
    "INSERT INTO holds (hold, recording, desk, raised_for, raised_by, at, why) VALUES (?,?,?,'party','case-1',?,'')",
)
_SUITE = "X25519-HKDF-SHA256-AES256GCM"
_ROLES = ("documentation", "training", "custody")


def number(party: int) -> str:
    """The party's number: of n recordings there are n // 8 parties, and at least one."""
    return f"+45{20_000_000 + party}"


def fill(archive: Archive, recordings: int, *, seed: int = 1, zones: Sequence[str] = (ZONE,)) -> None:
    """So many more recordings, evenly over `DAYS`, of `LINES` and `AGENTS`; a twentieth is in the training sample."""
    chance = random.Random(seed)
    key_ids = {role: chance.randbytes(16).hex() for role in _ROLES}
    step = timedelta(days=DAYS) / recordings
    with _in_haste(archive):
        _fill(archive, recordings, chance, key_ids, step, zones)


@contextmanager
def _in_haste(archive: Archive) -> Generator[None]:
    """Without waiting for the disk, and with room for the indexes' pages: these rows can be made again."""
    with archive.catalog._writer.connect() as connection:
        for pragma in ("synchronous=OFF", "cache_size=-262144"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        try:
            yield
        finally:
            for pragma in ("synchronous=FULL", "cache_size=-2000"):
                connection.exec_driver_sql(f"PRAGMA {pragma}")


def _fill(
    archive: Archive,
    recordings: int,
    chance: random.Random,
    key_ids: dict[str, str],
    step: timedelta,
    zones: Sequence[str],
) -> None:
    with archive.catalog.reading() as connection:
        slots = count(connection.exec_driver_sql("SELECT coalesce(max(slot), 0) + 1 FROM wraps").scalar_one())
    for first in range(0, recordings, CHUNK):
        rows: tuple[list[Any], ...] = tuple([] for _ in _INSERTS)
        for which in range(first, min(first + CHUNK, recordings)):
            at = END - timedelta(days=DAYS) + step * which
            of_one = _of_one(archive, chance, at, max(recordings // 8, 1), key_ids, chance.choice(zones), slots)
            for table, row in of_one:
                rows[table].append(row)
        with archive.catalog.writing() as connection:
            driver: Any = connection.connection.connection.driver_connection
            for statement, several in zip(_INSERTS, rows, strict=True):
                driver.executemany(statement, several)


def _of_one(
    archive: Archive,
    chance: random.Random,
    at: datetime,
    parties: int,
    key_ids: dict[str, str],
    zone: str,
    slots: Iterator[int],
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows of one recording, each with the place of its statement."""
    desk, call, recording = archive.desk, _id(chance, at), _id(chance, at)
    opened = at + timedelta(seconds=chance.randrange(5, 30))
    closed = opened + timedelta(seconds=chance.randrange(20, 900))
    line, agent, party = chance.choice(LINES), chance.choice(AGENTS), number(chance.randrange(parties))
    sealed, index = archive.secrets.seal_number(party, call), archive.secrets.number_index(party)
    yield 0, (call, desk, line, "inbound", sealed, index, at.isoformat(), "N3", "da", zone, agent)
    yield 1, (recording, call, desk, opened.isoformat(), closed.isoformat(), line, agent)
    held, sampled = chance.random() < HELD, chance.random() < SAMPLE
    ends = {"documentation": (DOCUMENTATION, expires_on(at, DOCUMENTATION, zone))}
    if sampled:
        ends["training"] = (TRAINING, expires_on(at, TRAINING, zone))
    yield 2, (recording, desk, opened.isoformat(), ",".join(ends))
    open_to = {"custody"}
    for purpose, (period, day) in ends.items():
        over = day <= END.date()
        stands, reason = ("expired", "expired") if over else ("keeps", None)
        yield 3, (recording, purpose, desk, str(period), day.isoformat(), stands, reason)
        if not over and not (held and purpose == "training"):
            open_to.add(purpose)
    for role in sorted(open_to):
        slot = next(slots)
        yield 4, (recording, role, key_ids[role], _SUITE, desk, slot)
    if held:
        yield 5, (_id(chance, at), recording, desk, closed.isoformat())


def _id(chance: random.Random, at: datetime) -> str:
    """A UUID of version 7, in order of time, as ids are."""
    digits = f"{int(at.timestamp() * 1000):012x}7{chance.getrandbits(12):03x}8{chance.getrandbits(60):015x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
