"""A house's database with people in it, asked as the logins ask it: by SQL, each statement in a transaction of one token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg
import uuid_utils
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from softphone.domain.purpose import Direction, KeyRole, Purpose
from softphone.team.rows import arriving, signing_in
from softphone.team.rows.arriving import Arrived, Call, KeptFor, Number, Seal, Segment
from softphone.team.rows.numbers import number_hash
from softphone.team.rows.pool import Row, asking_of, kept_of
from softphone.team.schema import MIGRATOR, SERVICE, SIGN_IN, SWEEPER
from tests.days import house_day
from tests.peers.postgres import Server

ZONE = "Europe/Copenhagen"
ANNA, BO, CARL = (f"{name}@nordlys.example" for name in ("anna", "bo", "carl"))
SALES, SUPPORT = "salg", "support"
DOCUMENTATION, TRAINING, CUSTODY = KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY
KEYS = {DOCUMENTATION: ("d1", "d2"), TRAINING: ("t1", "t2"), CUSTODY: ("c1",)}
TEAMS = [
    {"team": "one", "agents": [ANNA, BO], "lines": [SALES], "leads": ["t1"]},
    {"team": "two", "agents": [], "lines": [SUPPORT], "leads": ["t2"]},
]
NUMBER_KEY = b"n" * 32
NUMBER = number_hash(NUMBER_KEY, "+4520304050")


def new_id() -> UUID:
    return UUID(str(uuid_utils.uuid7()))


@dataclass(frozen=True)
class Person:
    token: str
    desk: UUID
    id: UUID


@dataclass
class House:
    """`people`: anna and bo (agents of team one), carl (agent of none), handler, lead, other_lead, custody, it."""

    server: Server
    database: str
    people: dict[str, Person] = field(default_factory=dict[str, Person])

    def __enter__(self) -> House:
        self._open = ExitStack()
        self._logins: dict[str, psycopg.Connection[Row]] = {}
        self.policy()
        for name, roles, agents in (
            ("anna", ["agent"], [ANNA]),
            ("bo", ["agent"], [BO]),
            ("carl", ["agent"], [CARL]),
            ("handler", ["case_handler"], []),
            ("lead", ["lead"], []),
            ("other_lead", ["lead"], []),
            ("custody", ["custody"], []),
            ("it", ["it"], []),
        ):
            self.people[name] = self.signed_in(name, roles, agents)
        for name, role, key in (
            ("handler", DOCUMENTATION, "d1"),
            ("lead", TRAINING, "t1"),
            ("other_lead", TRAINING, "t2"),
            ("custody", CUSTODY, "c1"),
        ):
            assert self.prove(name, role, key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def policy(
        self, number: int = 1, keys: Any = None, teams: Any = None, own_calls: timedelta = timedelta(days=7)
    ) -> None:
        named = [{"role": role.value, "key_id": one} for role, ids in (keys or KEYS).items() for one in ids]
        told = Jsonb(TEAMS if teams is None else teams)
        self.as_login(
            MIGRATOR, signing_in.TAKE_POLICY, number, b"signed", "signer", None, own_calls, Jsonb(named), told
        )

    def signed_in(
        self,
        subject: str,
        roles: Sequence[str],
        agents: Sequence[str] = (),
        *,
        desk: UUID | None = None,
        lives: timedelta = timedelta(minutes=15),
    ) -> Person:
        token, at = secrets.token_hex(16), desk or new_id()
        refresh = f"refresh {token}"
        values = [
            new_id(),
            kept_of(token),
            kept_of(refresh),
            "https://login.example",
            subject,
            list(roles),
            list(agents),
        ]
        key = at.bytes
        rows = self.as_login(SIGN_IN, signing_in.OPEN, *values, at, key, key.hex(), lives, timedelta(days=30))
        return Person(token, at, rows[0]["session_open"])

    def prove(self, who: str, role: KeyRole, key: str, *, answer: bytes = b"") -> bool:
        """The login that signs in seals a nonce, whose answer the service passes on."""
        nonce = secrets.token_bytes(16)
        with self.login(SIGN_IN).transaction():
            _rows(
                self.login(SIGN_IN),
                "SELECT set_config('klartone.asking', %s, true)",
                [asking_of(self.people[who].token)],
            )
            _rows(self.login(SIGN_IN), signing_in.CHALLENGE, [role.value, key, hashlib.sha256(nonce).digest()])
        return self.value(who, signing_in.PROVED, role.value, key, answer or nonce)

    def as_login(self, login: str, statement: str, *values: object) -> list[Row]:
        """Without anybody's token. Raises psycopg.Error."""
        with self.login(login).transaction():
            return _rows(self.login(login), statement, values)

    @contextmanager
    def asking(self, who: str | Person) -> Generator[psycopg.Connection[Row]]:
        person = self.people[who] if isinstance(who, str) else who
        with self.login(SERVICE).transaction():
            _rows(self.login(SERVICE), "SELECT set_config('klartone.asking', %s, true)", [asking_of(person.token)])
            yield self.login(SERVICE)

    def ask(self, who: str | Person, statement: str, *values: object) -> list[Row]:
        """As the service does it for them. Raises psycopg.Error."""
        with self.asking(who) as connection:
            return _rows(connection, statement, values)

    def value(self, who: str | Person, statement: str, *values: object) -> Any:
        return next(iter(self.ask(who, statement, *values)[0].values()))

    def owner(self, statement: str, *values: object) -> list[Row]:
        """As who may all: for what a test looks up, or sets back in time."""
        with self.login(self.server.user).transaction():
            return _rows(self.login(self.server.user), statement, values)

    def sweep(self, most: int = 100) -> list[tuple[str, str | None]]:
        return [(row["what"], row["purpose"]) for row in self.as_login(SWEEPER, "SELECT * FROM sweep(%s)", most)]

    def login(self, name: str) -> psycopg.Connection[Row]:
        if name not in self._logins:
            made = psycopg.Connection[Row].connect(self.server.conninfo(self.database, name), row_factory=dict_row)
            made.execute("SET search_path = klartone, pg_temp")
            made.commit()
            self._logins[name] = self._open.enter_context(made)
        return self._logins[name]

    def arrived(self, who: str = "anna", **told: Any) -> UUID:
        """A recording of an agent's, shipped by their desk. `told`: as `recorded`."""
        told.setdefault("agent", {"anna": ANNA, "bo": BO, "carl": CARL}[who])
        one = recorded(**told)
        assert self.ship(who, one) == "stored"
        return one.recording

    def ship(self, who: str | Person, one: Arrived) -> str:
        self.ask(who, arriving.BEGIN, one.recording, one.size, one.digest, 1 << 20, f"recordings/{one.recording}")
        return self.ask(who, arriving.STORE, one.recording, Jsonb(one.document()))[0]["result"]

    def found(self, who: str | Person, table: str = "recordings") -> set[Any]:
        column = {"recordings": "recording", "calls": "call"}.get(table, "recording")
        return {row[column] for row in self.ask(who, f"SELECT {column} FROM {table}")}


def recorded(
    *,
    agent: str = ANNA,
    line: str | None = SALES,
    purposes: Sequence[KeptFor] | None = None,
    keys: Sequence[tuple[KeyRole, str]] = ((DOCUMENTATION, "d1"), (TRAINING, "t1"), (CUSTODY, "c1")),
    opened_at: datetime | None = None,
    number: bytes | None = NUMBER,
    group: UUID | None = None,
    **more: Any,
) -> Arrived:
    opened_at = opened_at or datetime.now(UTC) - timedelta(minutes=10)
    call, recording = new_id(), new_id()
    day = house_day(opened_at)
    kept = (
        purposes
        if purposes is not None
        else [
            KeptFor(Purpose.DOCUMENTATION, None, "P6M", day + timedelta(days=180)),
            KeptFor(Purpose.TRAINING, None, "P3M", day + timedelta(days=90)),
        ]
    )
    made_for = tuple(one.purpose for one in kept)
    opened_by = [one for one in keys if one[0] is CUSTODY or one[0].value in made_for]
    wraps = tuple(Seal(role, key, "suite", f"{role}{key}".encode()) for role, key in opened_by)
    seals = (Seal(DOCUMENTATION, "d1", "suite", b"n"), Seal(CUSTODY, "c1", "suite", b"n"))
    facts = Call(call, group or call, line, Direction.INBOUND, opened_at, "N7", "da", ZONE, agent)
    made = Arrived(
        recording=recording,
        call=facts,
        number=Number(number, seals) if number else None,
        opened_at=opened_at,
        closed_at=opened_at + timedelta(minutes=3),
        broke_off=False,
        restricted=None,
        object_version="1",
        size=1_000,
        digest=recording.bytes * 2,
        purposes=tuple(kept),
        segments=(Segment(0, opened_at, made_for, 180, wraps),),
    )
    return replace(made, **more)


def _rows(connection: psycopg.Connection[Row], statement: str, values: Sequence[object]) -> list[Row]:
    cursor = connection.execute(statement.encode(), values or None)
    return cursor.fetchall() if cursor.description else []
