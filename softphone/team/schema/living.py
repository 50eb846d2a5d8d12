"""What lives: the functions, who calls them, triggers, and rights on rows. The files in `functions` are all of it.

Each `init` makes all of it anew, in one transaction, while services work: what is there is replaced, what no file has goes.
A table is locked only where one of its own triggers or policies is another than before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import resources

import psycopg
from psycopg import Connection, sql

from softphone.team.schema import OWNER, RULES, SCHEMA, SERVES

FUNCTIONS = (
    # What the others are made of.
    *("asking", "settling", "logging", "limiting"),
    # Who joins a house, and how it is set up.
    *("signing_in", "policies", "joining"),
    # A recording, from its arrival to its end.
    *("arriving", "ending", "holding", "judging", "notes", "cases", "finding"),
    *("reviewing", "sharing", "sampling"),
    # By the sweeper's login, most of them.
    *("sweeping", "heads", "stones", "restoring", "comparing"),
)
"""the rules', each after what it is made of"""
GRANTS = "grants"
ON_TABLES = ("triggers", "rights")
"""the owner's"""
_PART = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\$\$.*?\$\$|;|[^-'$;]+|.", re.DOTALL)
_FUNCTION = re.compile(r"CREATE FUNCTION (\w+)")
_ON_TABLE = re.compile(r"CREATE (TRIGGER|POLICY) (\w+)\b.*?\bON (\w+)", re.DOTALL)
_ALL_ON_TABLES = """
SELECT 'TRIGGER' AS kind, tgname AS name, relname AS of, obj_description(t.oid, 'pg_trigger') AS made_of
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE relnamespace = %(schema)s::regnamespace AND NOT tgisinternal
UNION ALL SELECT 'POLICY', polname, relname, obj_description(p.oid, 'pg_policy')
    FROM pg_policy p JOIN pg_class c ON c.oid = polrelid WHERE relnamespace = %(schema)s::regnamespace
"""
_ALL_FUNCTIONS = (
    "SELECT oid::regprocedure::text, proname, xmin::text FROM pg_proc"
    " WHERE pronamespace = %s::regnamespace AND proowner = %s::regrole"
)
EVERY = "rules"
"""the policy of each table, which no statement names by itself"""


def apply(connection: Connection, program: str) -> bool:
    """In the transaction that is open. `program`: the version whose it is. Returns whether anything of it was another before."""
    texts = {name: _text(name) for name in (*FUNCTIONS, GRANTS, *ON_TABLES)}
    texts["asking"] = texts["asking"].replace(":program", program).replace(":serves", SERVES)
    made_of = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    connection.execute(f"SET LOCAL search_path = {SCHEMA}, pg_temp".encode())
    same = _is_made_of(connection, made_of)
    _as(connection, OWNER, f"GRANT CREATE ON SCHEMA {SCHEMA} TO {RULES}")
    _as(connection, RULES)
    unneeded = _functions(connection, texts)
    _as(connection, OWNER, f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {RULES}")
    _on_tables(connection, texts)
    _as(connection, RULES, f"COMMENT ON FUNCTION schema_stands() IS '{made_of}'")
    if unneeded:
        connection.execute(f"DROP FUNCTION {', '.join(unneeded)}".encode())
    _as(connection, OWNER)
    return not same


def program_of(connection: Connection) -> str | None:
    """The version that has made it, asked in a transaction of the owner's. None: there is nothing of it yet."""
    there = connection.execute("SELECT to_regproc(%s)", [f"{SCHEMA}.schema_stands"]).fetchone()
    if there is None or there[0] is None:
        return None
    _as(connection, RULES)
    row = connection.execute(f"SELECT program FROM {SCHEMA}.schema_stands()".encode()).fetchone()  # noqa: S608
    _as(connection, OWNER)
    return str(row[0]) if row else None


def _functions(connection: Connection, texts: dict[str, str]) -> list[str]:
    """Those that no file has any more."""
    before = _versions(connection)
    for statement in (one for name in FUNCTIONS for one in statements(texts[name])):
        found = _FUNCTION.match(statement)
        assert found, statement[:200]
        _replace(connection, found[1], statement, before)
    unneeded = [
        signature for (signature, name), its in _versions(connection).items() if before.get((signature, name)) == its
    ]
    connection.execute(texts[GRANTS].encode())
    return unneeded


def _replace(connection: Connection, name: str, statement: str, before: dict[tuple[str, str], str]) -> None:
    """One that gives another kind of thing takes the place of what was there, with all that rests on it: that comes later in the
    files, and is made anew."""
    replaces = statement.replace("CREATE", "CREATE OR REPLACE", 1).encode()
    try:
        with connection.transaction():
            connection.execute(replaces)
    except psycopg.errors.InvalidFunctionDefinition:
        for (signature, its), version in _versions(connection).items():
            if its == name and before.get((signature, its)) == version:
                connection.execute(f"DROP FUNCTION {signature} CASCADE".encode())
        connection.execute(replaces)


def _versions(connection: Connection) -> dict[tuple[str, str], str]:
    """Of each function, by signature and name: another one once it has been replaced."""
    rows = connection.execute(_ALL_FUNCTIONS, [SCHEMA, RULES])
    return {(str(signature), str(name)): str(version) for signature, name, version in rows}


def _on_tables(connection: Connection, texts: dict[str, str]) -> None:
    """A trigger or a policy carries the hash of what it was made of, and stays as it is where that is the same."""
    there = {
        (kind, name, of): made_of for kind, name, of, made_of in connection.execute(_ALL_ON_TABLES, {"schema": SCHEMA})
    }
    wanted: set[tuple[str, str, str]] = set()
    for statement in (one for name in ON_TABLES for one in statements(texts[name])):
        found = _ON_TABLE.match(statement)
        if found is None:
            connection.execute(statement.encode())
            continue
        wanted.add(key := (found[1], found[2], found[3]))
        made_of = hashlib.sha256(statement.encode()).hexdigest()
        if there.get(key) != made_of:
            _drop(connection, key)
            connection.execute(statement.encode())
            connection.execute(f"COMMENT ON {key[0]} {key[1]} ON {key[2]} IS '{made_of}'".encode())
    for key in there:
        if key not in wanted and key[1] != EVERY:
            _drop(connection, key)


def _drop(connection: Connection, key: tuple[str, str, str]) -> None:
    kind, name, of = key
    drops = sql.SQL("DROP TRIGGER IF EXISTS {} ON {}" if kind == "TRIGGER" else "DROP POLICY IF EXISTS {} ON {}")
    connection.execute(drops.format(sql.Identifier(name), sql.Identifier(of)))


def statements(text: str) -> Iterator[str]:
    """Each without what is said before it."""
    parts: list[str] = []
    for part in _PART.findall(text):
        if part == ";":
            yield "".join(parts).strip()
            parts = []
        elif not part.startswith("--") or "".join(parts).strip():
            parts.append(part)
    assert not "".join(parts).strip(), "a statement without its end"


def _is_made_of(connection: Connection, made_of: str) -> bool:
    told = "SELECT obj_description(to_regprocedure('schema_stands()'), 'pg_proc')"
    row = connection.execute(told.encode()).fetchone()
    return row is not None and row[0] == made_of


def _as(connection: Connection, role: str, statement: str = "") -> None:
    connection.execute(f"SET LOCAL ROLE {role}; {statement}".encode())


def _text(name: str) -> str:
    return (resources.files("softphone.team.schema") / "functions" / f"{name}.sql").read_text("utf-8")
