"""Recordings arrive from many desks at once, through the real service; and the same bytes and rows by boto3 and psycopg alone.

Desks, service, PostgreSQL and SeaweedFS share the machine. Both ways take turns in one run, so whatever else the machine does
falls on both.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import boto3
import psycopg
from botocore.config import Config

from softphone.house.connection import Connection
from tests.bench.figures import Figure
from tests.bench.house import a_house
from tests.house.joined import signed_in
from tests.team.desk import Made, made, sent_whole
from tests.team.served import Team

_ROUNDS = 4


@dataclass
class Taken:
    seconds: float = 0.0
    each: list[float] = field(default_factory=list[float])

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
        with _Plain(team) as bare:
            for _ in range(_ROUNDS):
                batch = [[_made(team, seconds) for _ in range(each // _ROUNDS)] for _ in desk_of]
                _at_once(served, [_shipping(desk, those) for desk, those in zip(desk_of, batch, strict=True)])
                _at_once(plain, [_putting(bare, those) for those in batch])
    figures = list[Figure]()
    how = f"{desks} desks at once, {len(served.each)} recordings of {size // 1000} kB, four turns each; all on this machine"
    for name, taken in (("the service", served), ("boto3 and psycopg alone", plain)):
        minute, rate = taken.rate(size)
        cut = statistics.quantiles(taken.each, n=20)
        told = f"{minute:.0f} a minute, {rate:.1f} MB/s, p50 {1000 * cut[9]:.0f} ms, p95 {1000 * cut[18]:.0f} ms"
        figures.append(Figure(f"arriving: {name}", told, "50 a minute", how))
    ratio = plain.seconds / served.seconds
    return [*figures, Figure("arriving: of what the parts bear", f"{ratio:.2f}", "0.80", how)]


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


def _putting(bare: _Plain, those: Sequence[Made]) -> Job:
    def job(note: Callable[[float], None]) -> None:
        with bare.connection() as connection:
            for one in those:
                began = time.perf_counter()
                bare.put(connection, one)
                note(time.perf_counter() - began)

    return job


class _Plain:
    """As many rows as the service writes, in tables without a rule, and the file whole."""

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
            for table in ("calls", "recordings", "purposes", "segments", "wraps"):
                connection.execute(f"CREATE TABLE bare.{table} AS TABLE klartone.{table} WITH NO DATA".encode())
        return self

    def __exit__(self, *_: object) -> None:
        self._s3.close()

    def connection(self) -> psycopg.Connection:
        return psycopg.connect(self._database)

    def put(self, connection: psycopg.Connection, one: Made) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"bare/{one.recording}", Body=one.file)
        told, call = one.told, one.told["call"]
        with connection.transaction():
            rows: list[tuple[str, list[dict[str, Any]]]] = [
                ("calls", [{name: call[name] for name in ("call", "line", "direction", "started_at", "agent")}]),
                ("recordings", [{"recording": one.recording, "call": call["call"], "size": told["bytes"]}]),
                ("purposes", [{**row, "recording": one.recording} for row in told["purposes"]]),
                ("segments", [{"recording": one.recording, "segment": 1, "chunks": 1}]),
                ("wraps", [{**row, "recording": one.recording, "sealed": b"x" * 80} for row in told["wraps"]]),
            ]
            for table, those in rows:
                for row in those:
                    marks = ", ".join(["%s"] * len(row))
                    statement = f"INSERT INTO bare.{table} ({', '.join(row)}) VALUES ({marks})"
                    connection.execute(statement.encode(), list(row.values()))
