"""A real PostgreSQL, Debian's: one server for a run, on a Unix socket, without fsync, as a user that is not root.

Each test gets a database of its own, copied from one that is set up once. The server ends with the process that started it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.peers.processes import end, until

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
"""Debian's, the newest first"""
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "autovacuum": "off",
}


def programs() -> Path:
    """Where they are. A missing server fails the tests that need one."""
    told = os.environ.get("KLARTONE_TEST_POSTGRES")
    if told:
        return Path(told)
    if not PLACES:
        raise FileNotFoundError("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql")
    return PLACES[0]


@dataclass(frozen=True)
class Server:
    folder: Path
    """of its socket"""
    user: str

    def conninfo(self, database: str, user: str | None = None) -> str:
        return f"host={self.folder} port=5432 dbname={database} user={user or self.user}"

    def copy(self, template: str, name: str) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

    def make(self, name: str) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop(self, name: str) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server() -> Generator[Server]:
    at = programs()
    # A socket's path may have 107 letters, so it does not lie in pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="kpg"))
    as_user = _unprivileged()
    if as_user is not None:
        os.chown(folder, as_user.pw_uid, as_user.pw_gid)
    user = as_user.pw_name if as_user else pwd.getpwuid(os.getuid()).pw_name
    data = folder / "data"

    def demoted(*command: str) -> list[str]:
        if as_user is None:
            return list(command)
        return ["setpriv", f"--reuid={as_user.pw_uid}", f"--regid={as_user.pw_gid}", "--clear-groups", "--", *command]

    process: subprocess.Popen[str] | None = None
    try:
        made = demoted(str(at / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        subprocess.run(made, cwd=folder, check=True, capture_output=True)
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        told = (folder / "log").open("w")
        process = subprocess.Popen(
            demoted(str(at / "postgres"), "-D", str(data), "-k", str(folder), *settings),
            cwd=folder,
            stdout=told,
            stderr=told,
            text=True,
        )
        here = Server(folder, user)
        until(lambda: _answers(here), 20, "PostgreSQL's first answer")
        yield here
    finally:
        if process is not None:
            end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(server: Server) -> bool:
    try:
        psycopg.connect(server.conninfo("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    return pwd.getpwnam("nobody")
