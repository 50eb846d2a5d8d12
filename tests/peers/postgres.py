"""A real PostgreSQL, Debian's: one server for a whole run, on a Unix socket, without fsync, as a user that is not root.

Each test gets a database of its own, copied from one that is set up once. A keeper process has the server, and ends it when
the last of the run's processes has gone, however that ended.

    with shared(folder_of_the_run, prepare) as server: ...
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from tests.peers.processes import end, until

ROOT = Path(__file__).resolve().parents[2]
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
"""Debian's, the newest first"""
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


def programs() -> Path:
    """Where they are; KLARTONE_TEST_POSTGRES names another version's. A missing server fails the tests that need one."""
    if told := os.environ.get("KLARTONE_TEST_POSTGRES"):
        return Path(told)
    if not PLACES:
        raise FileNotFoundError("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    return PLACES[0]


@dataclass(frozen=True)
class Server:
    folder: Path
    """of its socket"""
    user: str
    """who may all"""

    def conninfo(self, database: str = "postgres", user: str = "") -> str:
        return f"host={self.folder} dbname={database} user={user or self.user}"

    def make(self, name: str, template: str = "template1") -> None:
        """A copy of that one. Who has left it may still be there for the server, and is waited for: nobody else may be."""
        left = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s"
        # By its files: by way of the WAL a copy takes two to three times as long.
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(left, [template])
            connection.execute(made.format(*map(sql.Identifier, (name, template))))

    def drop(self, name: str) -> None:
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def roles_alone(self) -> Generator[None]:
        """Roles are one for all its databases: whoever sets them up, or changes them for a test, does it alone meanwhile."""
        with (self.folder / "roles").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def shared(folder: Path, prepare: Callable[[Server], None]) -> Generator[Server]:
    """The run's server; who comes first starts it, and prepares it. `folder` is the run's own."""
    with socket.socket(socket.AF_UNIX) as kept:
        yield _shared(folder, prepare, kept)


def _shared(folder: Path, prepare: Callable[[Server], None], kept: socket.socket) -> Server:
    at = folder / "postgres.json"
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError, ValueError):
            return _kept(json.loads(at.read_text()), kept)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.postgres"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert keeper.stdout is not None
        told = keeper.stdout.readline()
        keeper.stdout.close()
        keeper.returncode = 0  # it ends by itself, later than this process
        made = _kept(json.loads(told), kept)
        prepare(made)
        at.write_text(told)
        return made


def _kept(told: dict[str, str], kept: socket.socket) -> Server:
    """While `kept` is open, so is the server."""
    kept.connect(told["keeper"])
    return Server(Path(told["folder"]), told["user"])


@contextmanager
def started(**more: str) -> Generator[Server]:
    """`more`: settings of its own."""
    with _made(more) as (server, _, _):
        yield server


@contextmanager
def _made(more: dict[str, str]) -> Generator[tuple[Server, list[str], subprocess.Popen[str]]]:
    at = programs()
    # A socket's path may have 107 letters, so it does not lie in pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="kpg"))
    demoted: list[str] = []
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        other = pwd.getpwnam("nobody")
        os.chown(folder, other.pw_uid, other.pw_gid)
        demoted = ["setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups", "--"]
        user = other.pw_name
    data, process = folder / "data", None
    try:
        made = [str(at / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run([*demoted, *made], cwd=folder, check=True, capture_output=True)
        process = run(folder, demoted, more)
        here = Server(folder, user)
        until(lambda: answers(here), 30, "PostgreSQL's first answer")
        yield here, demoted, process
    finally:
        if process is not None and process.poll() is None:
            end(process)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def following(mortal: Mortal) -> Generator[Mortal]:
    """A standby that has all of that server from now on; from now on it is waited for, whenever something is committed."""
    first, demoted = mortal.server, mortal.demoted
    folder = Path(tempfile.mkdtemp(prefix="kpg"))
    if demoted:
        shutil.chown(folder, first.user, pwd.getpwnam(first.user).pw_gid)
    copied = [
        str(programs() / "pg_basebackup"),
        "-D",
        str(folder / "data"),
        "-h",
        str(first.folder),
        "-R",
        "-c",
        "fast",
    ]
    subprocess.run([*demoted, *copied, "-U", first.user], cwd=folder, check=True, capture_output=True)
    made = Mortal(Server(folder, first.user), demoted, mortal.more, run(folder, demoted, mortal.more))
    try:
        until(lambda: answers(made.server), 60, "the standby's first answer")
        with psycopg.connect(first.conninfo(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        yield made
    finally:
        end(made.process)
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, demoted: list[str], more: dict[str, str]) -> subprocess.Popen[str]:
    """The server of a folder that `initdb` has made."""
    settings = [word for name, value in (_SETTINGS | more).items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("a") as told:
        return subprocess.Popen(
            [*demoted, str(programs() / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings],
            cwd=folder,
            stdout=told,
            stderr=told,
            text=True,
        )


@dataclass
class Mortal:
    """A server that is killed with all its processes, as by a power cut, and comes again; or that stands still for a while."""

    server: Server
    demoted: list[str]
    more: dict[str, str]
    process: subprocess.Popen[str]

    def die(self) -> None:
        for one in self._them():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()

    def kill(self) -> None:
        self.die()
        self.process = run(self.server.folder, self.demoted, self.more)
        until(lambda: answers(self.server), 60, "PostgreSQL's recovery")

    def stall(self, seconds: float) -> None:
        for how in (signal.SIGSTOP, signal.SIGCONT):
            for one in self._them():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, how)
            if how is signal.SIGSTOP:
                time.sleep(seconds)

    def _them(self) -> list[int]:
        me = psutil.Process(self.process.pid)
        return [me.pid, *(one.pid for one in me.children(recursive=True))]


@contextmanager
def mortal() -> Generator[Mortal]:
    """One that keeps what it said, also when it is killed."""
    more = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with _made(more) as (here, demoted, process):
        made = Mortal(here, demoted, more, process)
        try:
            yield made
        finally:
            end(made.process)


def answers(server: Server) -> bool:
    try:
        psycopg.connect(server.conninfo()).close()
    except psycopg.OperationalError:
        return False
    return True


def keep() -> None:
    """Until all who have connected are gone."""
    with started() as server, socket.socket(socket.AF_UNIX) as listening:
        at = server.folder / "keeper"
        listening.bind(str(at))
        listening.listen(64)
        print(json.dumps({"folder": str(server.folder), "user": server.user, "keeper": str(at)}), flush=True)
        there: list[socket.socket] = []
        while True:
            ready, _, _ = select.select([listening, *there], [], [], None if there else 60)
            if not ready:
                return  # nobody came
            for one in ready:
                if one is listening:
                    there.append(listening.accept()[0])
                elif not one.recv(1):
                    there.remove(one)
            if not there:
                return


if __name__ == "__main__":
    keep()
