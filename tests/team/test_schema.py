"""How the database is set up, and how it goes from one version to the next while the program before still works."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from softphone import __version__, cli
from softphone.domain.errors import TeamError
from softphone.team.rows import signing_in
from softphone.team.schema import (
    HEAD,
    LOGINS,
    MIGRATOR,
    OWNER,
    RULES,
    SERVES,
    SERVICE,
    SIGN_IN,
    SWEEPER,
    release,
    setting_up,
)
from tests.peers.postgres import Server
from tests.peers.processes import until
from tests.team.house import House, new_id

pytestmark = pytest.mark.usefixtures("roles_alone")
SURFACES = Path(__file__).parent / "surfaces"
"""of each version: what its program can name of the database"""


@pytest.fixture
def roles_alone(postgres: Server) -> Iterator[None]:
    with postgres.roles_alone():
        yield


# What must not be found, each with what is wrong. OURS: tables and views, FUNCTIONS: functions, of the house's schema.
WRONG = f"""
WITH ours AS (SELECT c.*, rolname AS owner FROM pg_class c JOIN pg_roles r ON r.oid = relowner
        WHERE relnamespace = 'klartone'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')),
    functions AS (SELECT p.*, rolname AS owner FROM pg_proc p JOIN pg_roles r ON r.oid = proowner
        WHERE pronamespace = 'klartone'::regnamespace),
    roles AS (SELECT * FROM pg_roles WHERE rolname LIKE 'klartone_%')
SELECT 'open table ' || relname FROM ours
    WHERE relkind IN ('r', 'p') AND relname <> 'alembic_version' AND NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL SELECT 'view of its owner ' || relname FROM ours
    WHERE relkind IN ('v', 'm') AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
UNION ALL SELECT 'table of ' || owner FROM ours WHERE owner <> '{OWNER}'
UNION ALL SELECT 'function of ' || owner FROM functions WHERE owner <> '{RULES}'
UNION ALL SELECT 'anybody may ' || proname FROM functions WHERE has_function_privilege('public', oid, 'EXECUTE')
UNION ALL SELECT 'path of the caller ' || proname FROM functions
    WHERE prosqlbody IS NULL AND NOT coalesce('search_path=klartone, pg_temp' = ANY (proconfig), false)
UNION ALL SELECT 'may more ' || rolname FROM roles WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
    OR rolreplication OR rolinherit OR rolcanlogin <> (rolname NOT IN ('{OWNER}', '{RULES}'))
UNION ALL SELECT 'becomes ' || of.rolname FROM pg_auth_members m JOIN pg_roles of ON of.oid = roleid
    JOIN roles me ON me.oid = member WHERE me.rolname <> '{MIGRATOR}'
UNION ALL SELECT 'grants ' || table_name FROM information_schema.table_privileges WHERE table_schema = 'klartone' AND (
    grantee = 'PUBLIC' OR (grantee NOT IN ('{OWNER}', '{RULES}') AND (privilege_type <> 'SELECT' OR grantee <> '{SERVICE}')))
UNION ALL SELECT 'log changes' WHERE has_table_privilege('{RULES}', 'klartone.audit', 'UPDATE, TRUNCATE')
UNION ALL SELECT 'young entries go' WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'klartone.audit'::regclass
    AND NOT polpermissive AND polcmd = 'd' AND polroles = '{{0}}'::oid[] AND pg_get_expr(polqual, polrelid) LIKE '%''1 year''%')
UNION ALL SELECT 'anybody connects' WHERE has_database_privilege('public', current_database(), 'CONNECT, TEMPORARY')
"""


def wrongs(connection: psycopg.Connection) -> list[str]:
    """Where the database is not as safe as it must be."""
    return [str(one) for (one,) in connection.execute(WRONG.encode())]


PLANTED = {
    "open table recordings": "ALTER TABLE klartone.recordings NO FORCE ROW LEVEL SECURITY",
    "view of its owner v": f"CREATE VIEW klartone.v AS SELECT 1; ALTER VIEW klartone.v OWNER TO {OWNER}",
    "anybody may erase": "GRANT EXECUTE ON FUNCTION klartone.erase(uuid, text) TO PUBLIC",
    "path of the caller asking": "ALTER FUNCTION klartone.asking() RESET search_path",
    "function of postgres": "ALTER FUNCTION klartone.asking() OWNER TO CURRENT_USER",
    f"may more {SERVICE}": f"ALTER ROLE {SERVICE} BYPASSRLS",
    f"becomes {RULES}": f"GRANT {RULES} TO {SERVICE}",
    "grants audit": f"GRANT INSERT ON klartone.audit TO {SERVICE}",
    "young entries go": "DROP POLICY kept ON klartone.audit",
    "log changes": f"GRANT UPDATE ON klartone.audit TO {RULES}",
}


def test_the_database_is_as_safe_as_it_must_be_and_what_is_not_would_be_found(postgres: Server) -> None:
    name = "safe"
    postgres.make(name)
    list(setting_up.set_up(postgres.conninfo(name), {}))
    try:
        with psycopg.connect(postgres.conninfo(name)) as connection:
            assert wrongs(connection) == []
            for told, statement in PLANTED.items():
                with connection.transaction(force_rollback=True):
                    connection.execute(statement.encode())
                    assert told.replace("postgres", postgres.user) in wrongs(connection)
    finally:
        postgres.drop(name)


def surface(connection: psycopg.Connection, logins: tuple[str, ...] = LOGINS) -> set[str]:
    """What a program can name: functions with what they take and give, and columns that a login reads."""
    told: set[str] = set()
    for login in logins:
        functions = (
            "SELECT format('%%s calls %%s(%%s) -> %%s', %s::text, proname, pg_get_function_arguments(oid),"
            " pg_get_function_result(oid)) FROM pg_proc"
            " WHERE pronamespace = 'klartone'::regnamespace AND has_function_privilege(%s, oid, 'EXECUTE')"
        )
        columns = (
            "SELECT format('%%s reads %%s.%%s %%s', %s::text, relname, attname, format_type(atttypid, atttypmod))"
            " FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped"
            " WHERE relnamespace = 'klartone'::regnamespace AND has_column_privilege(%s, c.oid, attnum, 'SELECT')"
        )
        for statement in (functions, columns):
            told |= {str(one) for (one,) in connection.execute(statement.encode(), [login, login])}
    return told


def _session(issuer: str, subject: str) -> list[object]:
    desk, hours = new_id(), timedelta(hours=1)
    return [new_id(), desk.bytes, desk.bytes * 2, issuer, subject, ["agent"], [], desk, b"key", desk.hex, hours, hours]


def test_each_version_leaves_to_the_programs_that_it_serves_all_that_they_name(postgres: Server, database: str) -> None:
    """Rolling upgrades: tables and functions go first, while services of the version before still answer."""
    with psycopg.connect(postgres.conninfo(database)) as connection:
        named = surface(connection)
    versions = {path.stem: path.read_text() for path in SURFACES.glob("*.txt")}
    # Of a version that was released it is not changed any more.
    assert versions[__version__] == "".join(f"{line}\n" for line in sorted(named)), "write it down, if it is new"
    assert max(versions, key=release) == __version__
    for version, text in versions.items():
        if release(version) >= release(SERVES):
            assert set(text.splitlines()) - named == set(), version


STEP = """
from alembic import op

revision, down_revision = {revision!r}, {before!r}


def upgrade():
    op.execute("ALTER TABLE klartone.{table} ADD COLUMN new integer")
"""


def test_an_upgrade_waits_for_a_long_reader_and_stops_nobody_meanwhile(
    postgres: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_at = shutil.copytree(setting_up.STEPS, tmp_path / "migrations")
    for revision, before, table in (("9001", HEAD, "receipts"), ("9002", "9001", "wraps")):
        (steps_at / "versions" / f"{revision}_test.py").write_text(
            STEP.format(revision=revision, before=before, table=table)
        )
    monkeypatch.setattr(setting_up, "STEPS", steps_at)
    monkeypatch.setattr(setting_up, "HEAD", "9002")
    monkeypatch.setattr(setting_up, "LOCK_WAITS", "300ms")
    monkeypatch.setattr(setting_up, "PAUSE", 0.1)
    conninfo = postgres.conninfo(database)
    with House(postgres, database) as house, psycopg.connect(conninfo) as reader, ThreadPoolExecutor(1) as pool:
        # As pg_dump does, for its whole run.
        reader.execute("SELECT count(*) FROM klartone.wraps")
        steps = setting_up.upgrade(conninfo)
        assert next(steps).what == "waiting"
        goes_on = pool.submit(lambda: next(steps))
        slowest = 0.0
        while not goes_on.done():
            began = time.monotonic()
            assert house.arrived()
            slowest = max(slowest, time.monotonic() - began)
        assert goes_on.result().what == "waiting"
        assert slowest < 8
        monkeypatch.setattr(setting_up, "TRIES", 3)
        with pytest.raises(TeamError, match="tables_in_use"):
            list(steps)
        # What came before stays, so that it goes on from there.
        with psycopg.connect(conninfo) as connection:
            assert setting_up.revision_of(connection) == "9001"
        reader.rollback()
        assert [done.what for done in setting_up.upgrade(conninfo)] == ["upgraded"]
        assert house.arrived()


def test_set_up_again_it_changes_what_is_wrong_and_tells_so(postgres: Server, database: str) -> None:
    conninfo = postgres.conninfo(database)
    assert [done.what for done in setting_up.set_up(conninfo, {})] == ["at_newest"]
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE klartone_x; GRANT klartone_x TO {SERVICE}".encode())
        done = [(one.what, one.name) for one in setting_up.set_up(conninfo, {SERVICE: "secret æ"})]
        assert done == [("role_narrowed", SERVICE), ("password_set", SERVICE), ("at_newest", HEAD)]
        connection.execute("DROP ROLE klartone_x")
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [SERVICE]).fetchone()
    assert row is not None
    assert str(row[0]).startswith("SCRAM-SHA-256$")
    # The login that migrates does that alone; others may do none of it.
    assert [done.what for done in setting_up.set_up(postgres.conninfo(database, MIGRATOR), {})] == ["at_newest"]
    with pytest.raises(TeamError, match="may_not_set_up"):
        list(setting_up.set_up(postgres.conninfo(database, SERVICE), {}))
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("UPDATE klartone.alembic_version SET version_num = '9999'")
    with pytest.raises(TeamError, match="newer_schema"):
        list(setting_up.set_up(conninfo, {}))
    with pytest.raises(TeamError, match="no_database"):
        list(setting_up.set_up("host=/nowhere dbname=x", {}))


def test_set_up_while_another_databases_init_changes_a_role_it_waits_and_goes_on(
    postgres: Server, database: str
) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER ROLE%%'"
    with (
        psycopg.connect(postgres.conninfo()) as other,
        psycopg.connect(postgres.conninfo(), autocommit=True) as looks,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute(f"ALTER ROLE {SWEEPER} SET lock_timeout = '10s'".encode())
        done = pool.submit(lambda: [one.what for one in setting_up.set_up(postgres.conninfo(database), {})])
        until(lambda: looks.execute(waits.encode()).fetchall()[0][0] == 1, 10, "that it waits for the role")
        other.commit()
        assert done.result(20) == ["at_newest"]


def test_who_may_make_roles_but_not_all_sets_it_up(postgres: Server) -> None:
    """As with a database that is rented: its administrator is no superuser."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE ROLE rented LOGIN CREATEROLE CREATEDB")
        # Another database of this server has had them made: as who made them it may grant them on.
        roles = ", ".join((OWNER, RULES, *LOGINS))
        connection.execute(f"GRANT {roles} TO rented WITH ADMIN OPTION".encode())
        connection.execute("CREATE DATABASE rented OWNER rented")
    try:
        done = list(setting_up.set_up(postgres.conninfo("rented", "rented"), {}))
        assert (done[-1].what, done[-1].name) == ("upgraded", HEAD)
        with psycopg.connect(postgres.conninfo("rented")) as connection:
            assert wrongs(connection) == []
    finally:
        with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
            connection.execute("DROP DATABASE rented WITH (FORCE)")
            connection.execute(f"REVOKE {roles} FROM rented CASCADE".encode())
            connection.execute("DROP ROLE rented")


def test_the_commands_say_what_they_did_and_who_has_joined(
    postgres: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    settings = tmp_path / "team.toml"
    settings.write_text(
        '[serve]\naddress = "https://klartone.test"\n'
        f'[database]\nconnect = "host={postgres.folder} dbname={database}"\n[storage]\nbucket = "klartone"\naccess_key = "x"\n'
    )
    monkeypatch.setenv("KLARTONE_TEAM_SWEEPER_PASSWORD", "a secret")
    assert cli.main(["team", "init", "--settings", str(settings), "--user", postgres.user]) == 0
    told = capsys.readouterr().out
    assert told == f"Set the password of klartone_sweeper.\nThe tables are up to date (step {HEAD}).\n"
    assert cli.main(["team", "people", "--settings", str(settings)]) == 0
    assert "Nobody has joined yet." in capsys.readouterr().out
    with House(postgres, database) as house:
        house.arrived()
        house.ask("anna", "SELECT desk_seen('1.2', 3, 'error.disk')")
        assert cli.main(["team", "people", "--settings", str(settings), "--json"]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {line["subject"] for line in lines} == set(house.people)
        anna = next(line for line in lines if line["subject"] == "anna")
        assert (anna["program"], anna["waiting"], anna["failed"], anna["roles"]) == ("1.2", 3, "error.disk", ["agent"])
        assert cli.main(["team", "people", "--settings", str(settings)]) == 0
        assert "error.disk" in capsys.readouterr().out
        house.as_login(SWEEPER, "SELECT restored()")
        assert cli.main(["team", "people", "--settings", str(settings)]) == 0
        assert capsys.readouterr().out.count("signed out") == len(house.people)
        for words, status in ((["--person", "anna"], 0), (["--person", "anna"], 1), ([str(anna["desk"])], 0)):
            assert cli.main(["team", "revoke", "--settings", str(settings), *words]) == status
        assert "is called anna" in capsys.readouterr().err
        assert cli.main(["team", "people", "--settings", str(settings)]) == 0
        assert "has left the organisation" in capsys.readouterr().out
        # Of two of one name it says which it means.
        other = house.as_login(SIGN_IN, signing_in.OPEN, *_session("https://other.example", "anna"))[0]["session_open"]
        house.as_login(MIGRATOR, signing_in.LEAVES, other)
        for name, status in (("anna", 1), (str(other), 0), ("anna", 0), ("anna", 1), ("nobody", 1)):
            assert cli.main(["team", "revoke", "--settings", str(settings), "--let-back", name]) == status, name
        assert str(other) in capsys.readouterr().err
    # Tables of a version before, in which this login had less to do.
    with psycopg.connect(postgres.conninfo(database), autocommit=True) as connection:
        connection.execute(f"REVOKE EXECUTE ON FUNCTION klartone.people_figures() FROM {MIGRATOR}".encode())
    assert cli.main(["team", "people", "--settings", str(settings)]) == 1
    assert "klartone team init" in capsys.readouterr().err
    assert cli.main(["team", "init", "--settings", str(settings), "--user", SERVICE]) == 1
    assert "may not make your organisation's roles" in capsys.readouterr().err
