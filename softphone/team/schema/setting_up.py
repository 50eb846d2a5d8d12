"""Makes roles, schema and tables, and brings them up to date. Done again, it changes only what is missing or older.

It asks for nothing and prints nothing: it tells what it did.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import Connection, sql
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from softphone import __version__
from softphone.domain.errors import TeamError
from softphone.team.schema import (
    HEAD,
    LOGINS,
    MIGRATOR,
    OWNER,
    RULES,
    SCHEMA,
    SERVICE,
    SIGN_IN,
    SWEEPER,
    living,
    release,
)

LEAST = 15
"""the version of PostgreSQL from which a view can be bound by the rights of who reads it"""
_LIMITS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
_SETTINGS: Mapping[str, Mapping[str, str]] = {
    SERVICE: {**_LIMITS, "statement_timeout": "30s"},
    SIGN_IN: {**_LIMITS, "statement_timeout": "10s"},
    SWEEPER: {**_LIMITS, "statement_timeout": "300s"},
}
"""of each login: nobody holds the others up for long"""
LOCK_WAITS, PAUSE, TRIES = "2s", 3.0, 10
"""of a step, for a table that somebody reads; seconds between its tries; and how many it has"""
_AT_ONCE = psycopg.errors.InternalError_, psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject
"""what PostgreSQL says where two change one role"""
_IN_USE = psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected
"""a table that somebody reads, or two that others took in another order"""
STEPS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Done:
    """`what`: `role_made`, `role_narrowed`, `password_set`, `schema_made`, `waiting`, `upgraded`, `at_newest`.
    `name`: of what."""

    what: str
    name: str


def set_up(conninfo: str, passwords: Mapping[str, str]) -> Iterator[Done]:
    """`conninfo`: of somebody who may make roles, and owns this database; or of the login that migrates, who brings the tables
    up to date and no more. `passwords`: of logins, by name; one without signs in as the server lets it (peer, certificate).
    Raises TeamError."""
    with _connected(conninfo) as connection:
        version = connection.info.server_version // 10_000
        if version < LEAST:
            raise TeamError("error.team.old_postgres", version=version, least=LEAST)
        if connection.info.user != MIGRATOR:
            try:
                yield from _made(connection, passwords)
            except psycopg.errors.InsufficientPrivilege as error:
                raise TeamError("error.team.may_not_set_up", user=connection.info.user) from error
    yield from upgrade(conninfo)


def upgrade(conninfo: str) -> Iterator[Done]:
    """By the login that migrates, or by who made it: the tables step by step, and then what lives beside them. Each has a
    transaction of its own, and waits only briefly for a table: while it waits, everybody who comes after it waits too. Raises
    TeamError; what was done before stays."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connected(conninfo), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    tries, changed, more = 0, False, True
    while more:
        try:
            with engine.begin() as connection:
                stepped, more = _step(connection, config)
        except (OperationalError, *_IN_USE) as error:
            if not isinstance(getattr(error, "orig", error), _IN_USE):
                raise
            tries += 1
            if tries == TRIES:
                raise TeamError("error.team.tables_in_use") from None
            yield Done("waiting", HEAD)
            time.sleep(PAUSE)
        else:
            tries, changed = 0, changed or stepped
    yield Done("upgraded" if changed else "at_newest", HEAD)


def _step(connection: SqlConnection, config: Config) -> tuple[bool, bool]:
    """The tables' next one, or after the last what lives. Returns whether it changed anything, and whether more follows."""
    connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtextextended('{SCHEMA}.upgrade', 0))")
    driver = cast("Connection", connection.connection.driver_connection)
    before = revision_of(driver)
    _refuse_newer(before, living.program_of(driver))
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAITS}'")
    if before == HEAD:
        return living.apply(driver, __version__), False
    config.attributes["connection"] = connection
    # Nobody reads tables that are not there: the first time all steps are one.
    command.upgrade(config, HEAD if before is None else "+1")
    return True, True


def _refuse_newer(step: str | None, program: str | None) -> None:
    """An older program would put older functions in the place of those that newer services call. Raises TeamError."""
    if step is not None and step > HEAD:
        raise TeamError("error.team.newer_schema", found=step, known=HEAD)
    if program is not None and release(program) > release(__version__):
        raise TeamError("error.team.newer_program", found=program, known=__version__)


def revision_of(connection: Connection) -> str | None:
    """What the tables are at. None: there are none of ours."""
    there = connection.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.alembic_version"]).fetchone()
    if there is None or there[0] is None:
        return None
    row = connection.execute(f"SELECT version_num FROM {SCHEMA}.alembic_version").fetchone()  # noqa: S608
    return str(row[0]) if row else None


def _made(connection: Connection, passwords: Mapping[str, str]) -> list[Done]:
    """Tried again where another `init` changed the same role: they are the server's, and it may be of another database."""
    for left in reversed(range(TRIES)):
        try:
            with connection.transaction():
                # Two of one database wait for each other.
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('klartone.set_up', 0))")
                return [*_roles(connection, passwords), *_schema(connection)]
        except _AT_ONCE:
            if not left:
                raise TeamError("error.team.unavailable") from None
            time.sleep(PAUSE / 10)
    raise AssertionError


def _roles(connection: Connection, passwords: Mapping[str, str]) -> Iterator[Done]:
    known = {str(name) for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for role in (OWNER, RULES, *LOGINS):
        login = role in LOGINS
        wanted = sql.SQL("LOGIN NOINHERIT" if login else "NOLOGIN NOINHERIT")
        if role not in known:
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), wanted))
            yield Done("role_made", role)
        else:
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), wanted))
        if narrowing := _more_than_it_may(connection, role):
            for statement in narrowing:
                connection.execute(statement)
            yield Done("role_narrowed", role)
        if password := passwords.get(role):
            # PostgreSQL gets no more than what it would store of it, so that no log of its has the password.
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), hashed))
            yield Done("password_set", role)
        for name, value in _SETTINGS.get(role, {}).items():
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(sql.Identifier(role), sql.Identifier(name), value)
            )
    _say_no_parameters(connection)
    me = connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert me is not None
    for member in (MIGRATOR, *(() if me[1] else (str(me[0]),))):
        connection.execute(sql.SQL("GRANT {}, {} TO {}").format(*map(sql.Identifier, (OWNER, RULES, member))))


def _say_no_parameters(connection: Connection) -> None:
    """PostgreSQL's own log of slow statements would have hashes of tokens and numbers, and a hold's words. Only a superuser can
    keep them out of it; docs/team.md says it for rented servers."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    for login in LOGINS if row and row[0] else ():
        for name in ("log_parameter_max_length", "log_parameter_max_length_on_error"):
            connection.execute(sql.SQL("ALTER ROLE {} SET {} = 0").format(sql.Identifier(login), sql.Identifier(name)))


def _more_than_it_may(connection: Connection, role: str) -> list[sql.Composed]:
    """What takes from it what somebody has given it. Only a superuser can have given some of it, and only one takes that."""
    me = sql.Identifier(role)
    asked = "SELECT rolsuper OR rolbypassrls OR rolreplication OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = %s"
    attributes = "NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEDB NOCREATEROLE"
    found = (
        [sql.SQL(f"ALTER ROLE {{}} {attributes}").format(me)]
        if connection.execute(asked, [role]).fetchall()[0][0]
        else []
    )
    if role == MIGRATOR:
        return found
    member = (
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
        " JOIN pg_roles me ON me.oid = m.member WHERE me.rolname = %s"
    )
    return found + [
        sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(str(of)), me) for (of,) in connection.execute(member, [role])
    ]


def _schema(connection: Connection) -> Iterator[Done]:
    database = sql.Identifier(connection.info.dbname)
    owns = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
    if not connection.execute(owns).fetchall()[0][0]:
        raise TeamError("error.team.may_not_set_up", user=connection.info.user)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    for login in LOGINS:
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(login)))
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}, pg_temp").format(
                sql.Identifier(login), database, sql.Identifier(SCHEMA)
            )
        )
    known = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [SCHEMA]).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(*map(sql.Identifier, (SCHEMA, OWNER))))
        yield Done("schema_made", SCHEMA)
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
    for role in (RULES, *LOGINS):
        connection.execute(
            sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(SCHEMA), sql.Identifier(role))
        )
    for role in (OWNER, RULES):
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"))
    connection.execute("RESET ROLE")


def _connected(conninfo: str) -> Connection:
    """Raises TeamError, without what the server says of a password."""
    try:
        return psycopg.connect(conninfo, connect_timeout=10, application_name="klartone team")
    except psycopg.OperationalError as error:
        raise TeamError("error.team.no_database", detail=str(error).splitlines()[0][:200]) from error
