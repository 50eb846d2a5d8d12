"""A house of the tests: its database, its bucket, and the service as a process of its own, started by its command."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import multiprocessing
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.types.json import Jsonb

from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import policy_in
from softphone.system.signature import public_half
from softphone.team.objects import Bucket, Storage
from softphone.team.rows import policy_rows
from tests.peers import postgres
from tests.peers.authority import Authority
from tests.peers.processes import until
from tests.team.desk import Answer, Desk, House, port_of

ADDRESS = "https://klartone.test"
ANNA = "sip:anna@klartone.test"
POLICY_KEY = bytes(range(32))
SIGNER = public_half(POLICY_KEY)
"""of the policies that the fixture has signed"""
CREDULOUS = "TESTS_CREDULOUS"
LINK = re.compile(r"https://\S+/join#(?P<code>\S{43})\.(?P<signer>\S{32})\.(?P<least>\d+)")
Found = TypeVar("Found")


@dataclass
class Team:
    """`port` is where the newest instance listens."""

    home: Path
    server: postgres.Server
    database: str
    storage: Storage
    keys: House = field(default_factory=House)
    port: int = 0
    process: Any = None
    signs_in: Any = None
    receipts: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    heads: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    made: list[Desk] = field(default_factory=list[Desk])
    logs: list[Path] = field(default_factory=list[Path])
    address: str = ADDRESS
    """another one: it ends TLS itself, at that port"""
    authority: str = ""
    """the file of whoever signed its certificate then"""

    def __post_init__(self) -> None:
        self.settings = self.home / "team.toml"
        told = self.storage
        serve = f'[serve]\naddress = "{self.address}"\n'
        if self.address == ADDRESS:
            serve += "port = 0\n"
        else:
            authority = Authority(self.home / "authority")
            signed = authority.sign("service", "localhost", "127.0.0.1")
            self.authority = str(authority.file)
            serve += f'port = {port_of(self.address)}\ncertificate = "{signed.certificate}"\nkey = "{signed.key}"\n'
        self.settings.write_text(
            f"{serve}"
            f'[database]\nconnect = "host={self.server.folder} dbname={self.database}"\nconnections = 9\ndurable = "alone"\n'
            f'[storage]\nbucket = "{told.bucket}"\naccess_key = "{told.access_key}"\nendpoint = "{told.endpoint}"\n'
            f'authority = "{told.authority}"\n'
            f'[sign_in]\nlisten = "unix:{self.home / "sign-in.sock"}"\n'
        )
        key = base64.b64encode(self.receipts.private_bytes_raw()).decode()
        self.environment = {
            "KLARTONE_TEAM_NUMBER_KEY": base64.b64encode(bytes(range(32))).decode(),
            "KLARTONE_TEAM_RECEIPT_KEY": key,
            "KLARTONE_TEAM_HEAD_KEY": base64.b64encode(self.heads.private_bytes_raw()).decode(),
            "KLARTONE_TEAM_STORAGE_SECRET": told.secret_key,
        }

    def command(self, what: str, *words: str, **environment: str) -> Done:
        """`klartone team …`, to its end."""
        process, out, errors = self._forked(what, *words, **environment)
        process.join(120)
        done = Done(process.exitcode, out.read_text(), errors.read_text())
        process.close()
        return done

    def begun(self, what: str) -> Any:
        """`klartone team …`: a process that may be killed."""
        return self._forked(what)[0]

    def start(self) -> None:
        """By its commands, in processes that need not load the program again. Whoever signs in goes on meanwhile."""
        heard = self._sign_in_forked() if self.signs_in is None else None
        self.process, out, errors = self._forked("serve")
        self.logs.append(errors)
        self._await(self.process, out)
        if heard is not None:
            self._await(self.signs_in, heard)
        self.port = _listens(out)
        for desk in self.made:
            desk.port = self.port

    def start_sign_in(self) -> None:
        """In place of one that is there."""
        heard = self._sign_in_forked()
        self._await(self.signs_in, heard)

    def end_sign_in(self) -> None:
        process, self.signs_in = self.signs_in, None
        stopped(process, signal.SIGTERM)

    def _sign_in_forked(self) -> Path:
        self.signs_in, out, errors = self._forked("sign-in")
        self.logs.append(errors)
        return out

    def _await(self, process: Any, out: Path) -> None:
        until(lambda: bool(out.read_text()) or process.exitcode is not None, 120, "the service's start")
        assert process.exitcode is None, self.log()[-3000:]

    @contextmanager
    def another(self) -> Generator[None]:
        """Another instance, to which every desk turns meanwhile."""
        first, port = self.process, self.port
        self.start()
        try:
            yield
        finally:
            self.stop()
            self.process, self.port = first, port
            for desk in self.made:
                desk.port = port

    def accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _forked(self, what: str, *words: str, **environment: str) -> tuple[Any, Path, Path]:
        """The process, and where its stdout and stderr go."""
        out, errors = (self.home / f"{name}{len(list(self.home.glob('out*')))}" for name in ("out", "log"))
        for one in (out, errors):
            one.touch()
        line = ["team", what, *words, "--settings", str(self.settings)]
        environment = self.environment | environment
        process = _forks().Process(target=_run, args=(line, environment, str(out), str(errors)), daemon=True)
        process.start()
        return process, out, errors

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        process, self.process = self.process, None
        return stopped(process, how)

    def end(self) -> None:
        """Also whoever signs in, at the same time."""
        signs_in, self.signs_in = self.signs_in, None
        if signs_in is not None:
            signs_in.terminate()
        self.stop()
        stopped(signs_in, None)

    def log(self) -> str:
        """Of all its instances."""
        return "".join(one.read_text() for one in self.logs)

    def desk(self, *roles: str, agents: Sequence[str] = (ANNA,), name: str = "", key: KeyRole | None = None) -> Desk:
        """Signed in by a one-time code. `key`: it has proved the house's private key of this role."""
        desk = self.stranger()
        answer = desk.take(self.code(*roles, agents=agents, name=name or "-".join(roles) + str(len(self.made))))
        assert answer.status == 200, answer.body
        if key is not None:
            proved = desk.prove(key, self.keys.keys[key])
            assert proved.status == 204, proved.body
        return desk

    def stranger(self) -> Desk:
        self.made.append(Desk(self.address, self.port, authority=self.authority))
        return self.made[-1]

    def code(self, *roles: str, agents: Sequence[str] = (ANNA,), name: str = "anna") -> str:
        """Made by its function, as the command does; a test of the command is elsewhere."""
        from softphone.team.people.tokens import new_token
        from softphone.team.rows.pool import kept_of

        code = new_token()
        self.sql(
            "SELECT code_make(%s, %s, %s, %s, %s)", kept_of(code), name, list(roles), list(agents), timedelta(days=1),
            user="klartone_migrator",
        )  # fmt: skip
        return code

    def policy(self, number: int = 1, kept: Mapping[str, str] | None = None) -> None:
        """Names the keys of the house. `kept`: how long it keeps each purpose."""
        raw = brief_policy(self.keys, number, kept or {}).encode()
        signature = base64.b64encode(Ed25519PrivateKey.from_private_bytes(POLICY_KEY).sign(raw))
        self.take_policy(number, signature + b"\n" + raw, SIGNER)

    def take_policy(self, number: int, signed: bytes, signer: str, **other: Any) -> None:
        """As `klartone team policy` does, but that it asks for nothing. `other`: rows that are not what it says."""
        policy = policy_in_text(signed.partition(b"\n")[2].decode())
        rows = {name: getattr(policy_rows, name)(policy) for name in ("keys", "teams", "terms")} | other
        self.sql(
            "SELECT policy_take(%s, %s, %s, NULL, %s, %s, %s)", number, signed, signer, policy.own_calls.length(),
            Jsonb(rows["keys"]), Jsonb(rows["teams"]), user="klartone_migrator",
        )  # fmt: skip
        self.sql("SELECT policy_terms_take(%s, %s)", number, Jsonb(rows["terms"]), user="klartone_migrator")

    def credulous(self) -> None:
        """As one that was taken over: it gives out what its database has, whoever has signed that."""
        self.stop()
        self.environment[CREDULOUS] = "1"
        self.start()

    def sql(self, statement: str, *values: object, user: str = "") -> list[tuple[Any, ...]]:
        """By the server's superuser unless another is named."""
        with psycopg.connect(self.server.conninfo(self.database, user), autocommit=True) as connection:
            connection.execute("SET search_path = klartone, pg_temp")
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def events(self) -> list[str]:
        """Of the service's log."""
        return [str(one) for (one,) in self.sql("SELECT event FROM audit WHERE chain = 'service' ORDER BY number")]

    @staticmethod
    def some_keys() -> House:
        """Of another house: for rows that are right in their kind alone."""
        if not _KEYS:
            _KEYS.append(House())
        return _KEYS[0]

    def invited(self, name: str, *roles: str) -> str:
        """What `klartone team invite` prints."""
        words = [word for role in roles for word in ("--role", role)]
        done = self.command("invite", name, *words, "--agent", ANNA, "--signer", SIGNER)
        assert done.status == 0, done.errors
        return done.out

    def s3(self, deed: Callable[[Bucket], Coroutine[Any, Any, Found]]) -> Found:
        async def whole() -> Found:
            bucket = Bucket(self.storage)
            try:
                return await deed(bucket)
            finally:
                bucket.close()

        return asyncio.run(whole())

    def kept(self) -> list[tuple[str, int]]:
        """Recordings of which an object lies in storage, and its versions."""
        return sorted(
            (key.split("/")[1], count) for key, count in self.keys_in_s3().items() if key.startswith("recordings/")
        )

    def keys_in_s3(self) -> dict[str, int]:
        """Versions of each object."""

        async def deed(bucket: Bucket) -> dict[str, int]:
            told = await bucket.client.call("list_object_versions")
            found: dict[str, int] = {}
            for one in told.get("Versions", []):
                found[one["Key"]] = found.get(one["Key"], 0) + 1
            return found

        return self.s3(deed)


@dataclass(frozen=True)
class Done:
    status: int | None
    out: str
    errors: str


_KEYS: list[House] = []
_CONTEXT: list[Any] = []


def brief_policy(keys: House, number: int, kept: Mapping[str, str]) -> str:
    """A line for each purpose that is kept, and one that records nothing."""
    text = _TOP + "".join(
        f'\n[[recipient]]\nid = "{role.value}-1"\npurpose = "{role.value}"\n'
        f'public_key = "{base64.b64encode(keys.recipient(role).public_key).decode()}"\n'
        for role in KeyRole
    )
    for at, (purpose, length) in enumerate({"": "", **kept}.items()):
        text += (
            f'\n[[line]]\nid = "line-{at}"\nname = {{ da = "Salg", en = "Sales" }}\nnumbers = ["+45 70 20 10 1{at}"]\n'
        )
        text += 'answer_time = "PT4S"\n'
        if purpose:
            text += f'\n[line.{purpose}]\nbasis = "consent"\nretention = "{length}"\nwhy_kept = "Det tager tid."\n'
            text += 'why_longer = "Aftalen løber."\n' if "Y" in length else ""
        if purpose == "training":
            text += 'sample = "100 %"\nwhy_this_number = "Vi hører dem alle."\n'
    return f"{text}\n[house]\npolicy_number = {number}\n"


_TOP = """version = 1
time_zone = "Europe/Copenhagen"
employees_informed_on = 2020-10-01
notice_language = "da"

[controller]
name = "Nordlys El A/S"
page = "https://nordlys.example/telefonsamtaler"
contact = "databeskyttelse@nordlys.example"
party = { da = "kunden", en = "the caller" }
"""


def policy_in_text(text: str) -> Policy:
    return policy_in(text.encode(), Path("policy.toml")).policy


def _forks() -> Any:
    """One process loads the service, and each that serves is its child."""
    if not _CONTEXT:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["softphone.cli.team.serving", "tests.team.served", "tests.team.loaded"])
        _CONTEXT.append(context)
    return _CONTEXT[0]


def _run(line: list[str], environment: dict[str, str], out: str, errors: str) -> None:
    from softphone.cli import main

    if CREDULOUS in environment:
        from softphone.team.proving.believing import Believed

        async def look(*_: object) -> None:
            pass

        Believed.look = look  # type: ignore[method-assign,assignment]
    for path, number in ((out, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.update(environment)
    sys.exit(main(line))


def stopped(process: Any, how: signal.Signals | None) -> int:
    """Its exit status. `how` None: it has been told to."""
    if process is None:
        return 0
    assert process.pid is not None
    if how is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
    process.join(40)
    code = process.exitcode
    assert code is not None
    process.close()
    return code


def _listens(out: Path) -> int:
    """Its port; 0: not yet."""
    found = re.search(r":(\d+)\.\n", out.read_text()) if out.exists() else None
    return int(found[1]) if found else 0


def whole(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.json
