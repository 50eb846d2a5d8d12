"""Recordings arrive from many desks at once, through the real service; and the same bytes and rows by boto3 and psycopg alone.

Desks, service, PostgreSQL and SeaweedFS share the machine. Both ways take turns in one run, so whatever else the machine does
falls on both. What a recording costs is also told by the clocks of the processes, which other load moves less.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import boto3
import psutil
import psycopg
from botocore.config import Config

from softphone.house.connection import Connection
from softphone.team.upload.told import RecordingTold
from tests.bench.figures import Figure
from tests.bench.house import a_house
from tests.house.joined import signed_in
from tests.team.desk import Made, made, sent_whole
from tests.team.served import Team

_ROUNDS = 4
_TABLES = ("calls", "call_numbers", "call_number_seals", "recordings", "purposes", "segments", "wraps")
Rows = list[tuple[str, list[dict[str, Any]]]]


@dataclass
class Taken:
    """`cores`: seconds of a core, by whose process it was."""

    seconds: float = 0.0
    each: list[float] = field(default_factory=list[float])
    cores: dict[str, float] = field(default_factory=dict[str, float])

    def rate(self, size: int) -> tuple[float, float]:
        """Recordings a minute, megabytes a second."""
        return 60 * len(self.each) / self.seconds, len(self.each) * size / self.seconds / 1e6


def measure(desks: int = 50, each: int = 8, seconds: int = 60) -> list[Figure]:
    """`each`: recordings of every desk, each of so many seconds."""
    with a_house() as team:
        desk_of = [signed_in(team, team.home / f"desk{number}", "agent").connection for number in range(desks)]
        one = made(team.keys, seconds=seconds)
        size = len(one.file)
        served, plain = Taken(), Taken()
        with _Plain(team) as bare, ExitStack() as ending:
            beside = [ending.enter_context(bare.connection()) for _ in desk_of]
            for _ in range(_ROUNDS):
                batch = [[_made(team, seconds) for _ in range(each // _ROUNDS)] for _ in desk_of]
                for taken, jobs in (
                    (served, [_shipping(desk, those) for desk, those in zip(desk_of, batch, strict=True)]),
                    (plain, [_putting(bare, one, those) for one, those in zip(beside, batch, strict=True)]),
                ):
                    before = _cores(team)
                    _at_once(taken, jobs)
                    for who, spent in _cores(team).items():
                        taken.cores[who] = taken.cores.get(who, 0.0) + spent - before.get(who, 0.0)
    figures = list[Figure]()
    how = f"{desks} desks at once, {len(served.each)} recordings of {size // 1000} kB, four turns each; all on this machine"
    for name, taken in (("the service", served), ("boto3 and psycopg alone", plain)):
        minute, rate = taken.rate(size)
        cut = statistics.quantiles(taken.each, n=20)
        told = f"{minute:.0f} a minute, {rate:.1f} MB/s, p50 {1000 * cut[9]:.0f} ms, p95 {1000 * cut[18]:.0f} ms"
        figures.append(Figure(f"arriving: {name}", told, "50 a minute", how))
        spent = {
            who: 1000 * seconds / len(taken.each)
            for who, seconds in sorted(taken.cores.items(), key=lambda one: -one[1])
        }
        by = ", ".join(f"{who} {one:.1f}" for who, one in spent.items())
        figures.append(
            Figure("… ms of a core, each", f"{sum(spent.values()):.1f}: {by}", "", "by the processes' clocks")
        )
    clock, cores = plain.seconds / served.seconds, sum(plain.cores.values()) / sum(served.cores.values())
    told = f"{clock:.2f} by the clock, {cores:.2f} by the cores"
    return [*figures, Figure("arriving: of what the parts bear", told, "0.80", how)]


def _cores(team: Team) -> dict[str, float]:
    me = psutil.Process()
    spent = {"client": sum(me.cpu_times()[:2])}
    for one in me.children(recursive=True):
        with suppress(psutil.Error):
            name = (
                "service" if one.pid == team.process.pid else {"weed": "S3", "postgres": "PostgreSQL"}.get(one.name())
            )
            if name:
                spent[name] = spent.get(name, 0.0) + sum(one.cpu_times()[:4])  # also what its ended children took
    return spent


def _made(team: Team, seconds: int) -> Made:
    """Of a caller of its own: two of one caller wait for each other."""
    return made(team.keys, seconds=seconds, number=f"+45{random.randrange(20_000_000, 99_999_999)}")


Job = Callable[[Callable[[float], None]], None]


def _at_once(taken: Taken, jobs: Sequence[Job]) -> None:
    lock = threading.Lock()

    def note(seconds: float) -> None:
        with lock:
            taken.each.append(seconds)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job, note) for job in jobs]:
            done.result()
    taken.seconds += time.perf_counter() - began


def _shipping(desk: Connection, those: Sequence[Made]) -> Job:
    def job(note: Callable[[float], None]) -> None:
        for one in those:
            began = time.perf_counter()
            answer = desk.ask("PUT", f"/v1/recordings/{one.recording}", raw=sent_whole(one), seconds=60)
            assert answer.json["state"] == "stored"
            note(time.perf_counter() - began)

    return job


def _putting(bare: _Plain, connection: psycopg.Connection, those: Sequence[Made]) -> Job:
    told = [_rows(one) for one in those]

    def job(note: Callable[[float], None]) -> None:
        for one, rows in zip(those, told, strict=True):
            began = time.perf_counter()
            bare.put(connection, one, rows)
            note(time.perf_counter() - began)

    return job


class _Plain:
    """The rows of a recording, in tables with the same keys and indexes and without a rule, and the file whole."""

    def __init__(self, team: Team) -> None:
        told = team.storage
        self._bucket, self._database = told.bucket, team.server.conninfo(team.database)
        self._s3 = cast("Any", boto3).client(
            "s3",
            aws_access_key_id=told.access_key,
            aws_secret_access_key=told.secret_key,
            region_name=told.region,
            endpoint_url=told.endpoint,
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=60),
        )

    def __enter__(self) -> _Plain:
        with self.connection() as connection:
            connection.execute("CREATE SCHEMA bare")
            for table in _TABLES:
                connection.execute(f"CREATE TABLE bare.{table} (LIKE klartone.{table} INCLUDING ALL)".encode())
        return self

    def __exit__(self, *_: object) -> None:
        self._s3.close()

    def connection(self) -> psycopg.Connection:
        return psycopg.connect(self._database)

    def put(self, connection: psycopg.Connection, one: Made, rows: Rows) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"bare/{one.recording}", Body=one.file)
        with connection.transaction():
            for table, those in rows:
                for row in those:
                    marks = ", ".join(["%s"] * len(row))
                    statement = f"INSERT INTO bare.{table} ({', '.join(row)}) VALUES ({marks})"
                    connection.execute(statement.encode(), list(row.values()))


def _rows(one: Made) -> Rows:
    """What the service makes of it, and writes."""
    told = RecordingTold.model_validate(one.told)
    chunks = {segment.segment: segment.chunks or 0 for segment in told.segments}
    made = told.arrived("1", chunks, bytes(32), datetime.now(UTC)).document()
    call, recording = {"call": made["call"]["call"]}, {"recording": one.recording}
    whose = {"desk": uuid4(), "agent": made["call"]["agent"], "line": made["call"]["line"]}
    digest, key = bytes.fromhex(made["recording"]["digest"]), {"object_key": one.recording}

    def opened(those: list[dict[str, Any]], more: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, **more, "sealed": bytes.fromhex(row["sealed"])} for row in those]

    return [
        ("calls", [{**made["call"], **whose}]),
        ("call_numbers", [{**call, "number_hash": bytes.fromhex(made["number"]["hash"])}]),
        ("call_number_seals", opened(made["number"]["seals"], call)),
        ("recordings", [{**made["recording"], **recording, **call, **whose, **key, "digest": digest}]),
        ("purposes", [{**row, **recording} for row in made["purposes"]]),
        ("segments", [{**row, **recording} for row in made["segments"]]),
        ("wraps", opened(made["wraps"], recording)),
    ]
