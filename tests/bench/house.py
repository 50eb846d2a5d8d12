"""The house's archive at a desk: pages and searches at its full size, and how soon a recording is heard, over the real service.

PostgreSQL, SeaweedFS and the service run beside it, by TLS on loopback.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

import psycopg
from uuid_utils import uuid7

from softphone.archive.crypto import ring
from softphone.archive.crypto.ring import KeyPurpose, Known
from softphone.archive.crypto.wraps import fingerprint, private_name
from softphone.archive.files.container import Content
from softphone.domain.archive.recordings import RATE, Cursor, Query, Wanted
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.house import keys
from softphone.house.archive import HouseArchive
from softphone.house.archive.opening import opened, wraps_of
from softphone.team.rows.numbers import number_hash
from softphone.team.schema import MIGRATOR, SWEEPER, setting_up
from tests.archive.scene import MemoryKeys
from tests.bench.figures import Figure, spread
from tests.house.joined import signed_in
from tests.peers import seaweedfs
from tests.peers.postgres import started
from tests.peers.processes import free_port
from tests.team.desk import NUMBER, Spoken, made, spoken
from tests.team.house import ANNA, BO, SALES
from tests.team.many import EXPIRED, fill, staff
from tests.team.served import Team, whole

SIZES, TEN_MILLION = (100_000, 1_000_000), 10_000_000
DESKS = 100_000
ROOM = {
    "shared_buffers": "4GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""for a database that is filled at once"""


def measure(minutes: int = 60, times: int = 40, sizes: Sequence[int] = SIZES, desks: int = DESKS) -> list[Figure]:
    return _heard(minutes, times) + found(times, sizes, desks)


def found(times: int = 40, sizes: Sequence[int] = (SIZES[0], TEN_MILLION), desks: int = DESKS) -> list[Figure]:
    """Ten million take 22 GB of disk, and minutes to fill."""
    return [figure for size in sizes for figure in _found(size, times, desks)]


def _found(size: int, times: int, desks: int) -> list[Figure]:
    with a_house(**ROOM) as team:
        agent = signed_in(team, team.home / "agent", "agent", agents=[BO], name="agent").connection
        keys_of = [
            team.keys.recipient(role).key_id for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY)
        ]
        with psycopg.connect(team.server.conninfo(team.database)) as connection:
            connection.execute("SET search_path = klartone, pg_temp")
            staff(connection, desks)
            began = time.monotonic()
            fill(
                connection,
                size,
                (keys_of[0], keys_of[1], keys_of[2]),
                number_hash(bytes(range(32)), NUMBER),
                whole=True,
            )
        filled = time.monotonic() - began
        with psycopg.connect(team.server.conninfo(team.database), autocommit=True) as connection:
            connection.execute("VACUUM")  # as its own server would have done by now
        handler = reading_as(team, Role.CASE_HANDLER, KeyRole.DOCUMENTATION)
        custody = reading_as(team, Role.CUSTODY, KeyRole.CUSTODY)
        lead = reading_as(team, Role.LEAD, KeyRole.TRAINING)
        middle = Cursor(datetime.now(UTC) - timedelta(days=347), str(uuid7()))
        month = datetime.now(UTC) - timedelta(days=30)
        begins = handler.find.page(Query(), middle).rows[0].recording[:8]
        deeds: dict[str, Callable[[], object]] = {
            "the first page": lambda: handler.find.page(Query()),
            "a page half way": lambda: handler.find.page(Query(), middle),
            "a number": lambda: handler.find.page(Query(number=NUMBER)),
            "an agent": lambda: handler.find.page(Query(agents=(ANNA,)), middle),
            "a line, a month ago": lambda: custody.find.page(Query(lines=(SALES,), until=month)),
            "how an id begins": lambda: custody.find.page(Query(begins=begins)),
            "what is held": lambda: custody.find.page(Query(held=True)),
            "a lead's sample": lambda: lead.find.page(Query()),
            "the log": lambda: custody.log.look(Wanted(), None, 100),
            "the log's kinds of entries": custody.log.events,
            "news of a desk": lambda: agent.ask("GET", "/v1/news"),
        }
        figures = [Figure("house: filled", f"{filled:.0f} s", "", f"{size} recordings, {desks} desks")]
        for name, deed in deeds.items():
            deed()
            how = f"among {size} recordings and {desks} desks, over the service"
            figures.append(Figure(f"house: {name}", _told(times, deed), "flat", how))
        return [*figures, *_swept(team, size), _people(team, desks)]


def _swept(team: Team, size: int) -> list[Figure]:
    taken = list[float]()
    with psycopg.connect(team.server.conninfo(team.database, SWEEPER), autocommit=True) as connection:
        while True:
            began = time.perf_counter()
            went = connection.execute("SELECT * FROM klartone.sweep(20)").fetchall()
            if not went:
                break
            taken.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    rest = team.begun("sweep")
    rest.join(900)
    assert rest.exitcode == 0
    took = time.perf_counter() - began
    how = f"found and taken among {size}, {len(taken)} times; of the first too"
    return [
        Figure("house: twenty that have expired", spread(taken, "ms"), "flat", how),
        Figure(
            "house: the rest of that sweep", f"{took:.1f} s", "flat", f"{EXPIRED} objects, and whatever else is due"
        ),
    ]


def _people(team: Team, desks: int) -> Figure:
    with psycopg.connect(team.server.conninfo(team.database, MIGRATOR)) as connection:
        began = time.perf_counter()
        rows = len(connection.execute("SELECT * FROM klartone.people_figures()").fetchall())
    return Figure("house: who has joined", f"{time.perf_counter() - began:.1f} s", "", f"{rows} rows, {desks} desks")


def _heard(minutes: int, times: int) -> list[Figure]:
    with a_house() as team:
        one = made(
            team.keys,
            sound=_long(60 * minutes),
            started=datetime.now(UTC) - timedelta(hours=2),
            purposes=("documentation",),
        )
        assert whole(team.desk("agent").upload(one))["state"] == "stored"
        archive = reading_as(team, Role.CASE_HANDLER, KeyRole.DOCUMENTATION)
        asking = archive._asking
        said = {"role": "documentation", "why": "maalt", "case": ""}
        size = len(one.file)

        def at_once() -> None:
            start = random.randrange(size - 65_536)
            path, headers = f"/v1/recordings/{one.recording}/file", {"Range": f"bytes={start}-{start + 65_535}"}
            with asking.connection.stream("GET", path, headers=headers) as streamed:
                assert streamed.read(1)

        def from_cold() -> None:
            told = wraps_of(asking, one.recording, said)
            second = random.randrange(60 * minutes - 1)
            about = second / (60 * minutes)
            with closing(opened(asking, one.recording, KeyRole.DOCUMENTATION, told, about)) as reader:
                next(reader.pcm(second * RATE))

        with closing(
            opened(asking, one.recording, KeyRole.DOCUMENTATION, wraps_of(asking, one.recording, said))
        ) as reader:

            def a_jump() -> None:
                next(reader.pcm(random.randrange(60 * minutes - 1) * RATE))

            archive.find.page(Query())  # everything has been asked once
            how = f"of {minutes} minutes ({size >> 20} MB), over the service"
            return [
                Figure("house: a range's first byte", _told(times, at_once), "< 200 ms", f"64 KiB from anywhere {how}"),
                Figure(
                    "house: a jump while it plays",
                    _told(times, a_jump),
                    "< 200 ms",
                    f"to the first second decoded, {how}",
                ),
                Figure(
                    "house: opened at any second", _told(times, from_cold), "< 200 ms", f"keys and first second, {how}"
                ),
            ]


def _told(times: int, deed: Callable[[], object]) -> str:
    taken = list[float]()
    for _ in range(times):
        began = time.perf_counter()
        deed()
        taken.append(1000 * (time.perf_counter() - began))
    return spread(taken, "ms")


def _long(seconds: int) -> Spoken:
    """Ten seconds again and again: as many bytes as an hour of speech."""
    ten = spoken(10)
    packets = [one for chunk in ten.chunks for one in chunk.packets][:500]

    def chunk(at: int) -> Content:
        begin = 50 * (at % 10)
        return Content(0, 50 * at, RATE * (at + 1), tuple(packets[begin : begin + 50]))

    return replace(ten, chunks=tuple(chunk(at) for at in range(seconds)))


def reading_as(team: Team, role: Role, of: KeyRole, name: str = "") -> HouseArchive:
    """As somebody of this role, by its private key."""
    name = name or role.value
    joined, store = signed_in(team, team.home / name, role.value, agents=[], name=name), MemoryKeys()
    private = team.keys.keys[of]
    public = private.public_key().public_bytes_raw()
    store.set(private_name(fingerprint(public)), private.private_bytes_raw())
    ring.remember(store, Known(of.value, KeyPurpose(of.value), public))
    assert keys.prove(joined.connection, store, joined.desk, {role})
    return HouseArchive(joined.connection, store)


@contextmanager
def a_house(**more: str) -> Generator[Team]:
    """`more`: settings of its database."""
    with tempfile.TemporaryDirectory() as home, started(**more) as server, seaweedfs.seaweedfs() as s3:
        database = f"bench_{token_hex(4)}"
        server.make(database)
        list(setting_up.set_up(server.conninfo(database), {}))
        team = Team(Path(home), server, database, seaweedfs.bucket(s3), address=f"https://localhost:{free_port()}")
        team.policy()
        team.start()
        try:
            yield team
        finally:
            team.end()
