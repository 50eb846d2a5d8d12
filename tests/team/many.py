"""A house in bulk, as rows alone: its recordings of 694 days, however many there are, and its desks. Not a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from softphone.archive.crypto.wraps import SUITE
from tests.team.house import ANNA, BO, SALES

EXPIRED = 400
"""have reached their day, and no sweep has been there"""
# Fifty agents, or as many as have 20,000 each. Ids are UUIDv7, and are made in their order: so their indexes grow at one end.
_MADE = f"""
CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT n, at, ends, (begins || '8' || left(md5('r' || n), 15))::uuid AS recording,
    (begins || '9' || left(md5('c' || n), 15))::uuid AS call, (SELECT desk FROM desks LIMIT 1) AS desk,
    CASE n %% agents WHEN 0 THEN '{ANNA}' WHEN 1 THEN '{BO}' ELSE 'agent' || n %% agents || '@nordlys.example' END AS agent,
    CASE WHEN n %% 50 < 2 OR n %% 5 = 4 THEN '{SALES}' ELSE 'line' || n %% 7 END AS line,
    CASE WHEN n / agents %% 10 = 0 AND at > now() - interval '90 days' THEN at + interval '90 days' END AS trains
    FROM (SELECT generate_series(%(count)s::integer, 1, -1) AS n, greatest(50, %(count)s / 20000) AS agents) series,
        LATERAL (SELECT now() - interval '16656 hours' * (n / %(count)s::float) AS at) a,
        LATERAL (SELECT lpad(to_hex((1000 * extract(epoch FROM at))::bigint), 12, '0') || '7000' AS begins) b,
        LATERAL (SELECT CASE WHEN n %% (%(count)s / {EXPIRED}) = 11 THEN now() - interval '1 hour'
            ELSE at + interval '5 years' END AS ends) e;
"""
_PERSON = "(SELECT s.person FROM sessions s WHERE made.agent = ANY (s.agents) LIMIT 1)"
_FOUND = f"""
INSERT INTO calls SELECT call, call, desk, line, 'inbound', at, 'N7', 'da', 'Europe/Copenhagen', agent, {_PERSON} FROM made;
INSERT INTO call_numbers
    SELECT call, CASE WHEN n %% (%(count)s / 50) = 7 THEN %(number)s ELSE sha256(call::text::bytea) END FROM made;
INSERT INTO recordings (recording, call, desk, person, line, agent, opened_at, closed_at, object_key, size, digest,
        held, documentation_until, training_until, due_at, opened_by)
    SELECT recording, call, desk, {_PERSON}, line, agent, at, at + interval '1 minute', recording::text, 1, sha256(''),
        n %% 10000 = 3, ends, coalesce(trains, '-infinity'), least(ends, trains), %(keys)s FROM made;
"""
_SHOWN = """
INSERT INTO call_number_seals SELECT call, 'documentation', %(key)s, %(suite)s, sha512('') FROM made;
INSERT INTO purposes (recording, purpose, stands, at_end, expires_on, ends_at)
    SELECT recording, 'documentation', 'keeps', 'delete', ends::date, ends FROM made
    UNION ALL SELECT recording, 'training', 'keeps', 'delete', trains::date, trains FROM made WHERE trains IS NOT NULL;
INSERT INTO segments SELECT recording, 1, at, '{documentation}', 60 FROM made;
INSERT INTO wraps SELECT recording, 1, 'documentation', %(key)s, %(suite)s, sha512('') FROM made;
INSERT INTO audit SELECT 'service', -n, at, 'recording_arrived', 'G10', call::text, recording::text, json_build_object(
    'at', at, 'event', 'recording_arrived', 'person', NULL, 'params', json_build_object('late', n)), '', '' FROM made;
"""
_STAFF = """
CREATE TEMPORARY TABLE staff ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS person, gen_random_uuid() AS desk FROM generate_series(1, %s::integer) AS n;
INSERT INTO people (person, issuer, subject) SELECT person, 'bulk', 'agent' || n FROM staff;
INSERT INTO desks (desk, person, public_key, thumbprint) SELECT desk, person, sha256(desk::text::bytea), desk::text FROM staff;
INSERT INTO sessions (session, token_hash, refresh_hash, person, desk, roles, agents, expires_at, refresh_until)
    SELECT gen_random_uuid(), sha256(desk::text::bytea), sha256(person::text::bytea), person, desk, '{agent}',
        ARRAY ['agent' || n || '@nordlys.example'], now() + interval '10 minutes', now() + interval '30 days' FROM staff;
INSERT INTO desk_accounts (address, told) SELECT 'agent' || n || '@nordlys.example', '{}' FROM staff;
ANALYZE people, desks, sessions, desk_accounts;
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


def fill(
    connection: psycopg.Connection[Any], count: int, keys: tuple[str, str, str], number: bytes, *, whole: bool = False
) -> None:
    """In the transaction of a superuser, of a house that has no recording yet. `keys`: the ids of those that they are sealed
    for; `number`: the hash of the number of fifty. `whole`: so that rows are shown and swept, and not only found."""
    sealed = [f"{role}:{key}" for role, key in zip(("documentation", "training", "custody"), keys, strict=True)]
    given = {"count": count, "number": number, "keys": sealed, "key": keys[0], "suite": SUITE}
    tables = ["calls", "call_numbers", "recordings"]
    if whole:
        tables += ["call_number_seals", "purposes", "segments", "wraps", "audit"]
    # Several statements with parameters: the driver puts them in.
    asks = psycopg.ClientCursor(connection, row_factory=tuple_row)
    asks.execute("SET LOCAL session_replication_role = replica")
    asks.execute(_INDEXES, [tables])
    indexes: Sequence[tuple[str, str]] = asks.fetchall()
    asks.execute("".join(f"DROP INDEX {name};" for name, _ in indexes).encode())
    # What is written to a table that began in this transaction needs no WAL, where the server keeps little of it.
    asks.execute("TRUNCATE calls CASCADE")
    asks.execute((_MADE + _FOUND + (_SHOWN if whole else "")).encode(), given)
    asks.execute(";".join(definition for _, definition in indexes).encode())
    if not whole:
        # What the planner goes by: of 100,000 rows each is looked at, so that no sample of them decides.
        asks.execute("SET LOCAL default_statistics_target = 400")
    asks.execute(f"ANALYZE {', '.join(tables)}".encode())


def staff(connection: psycopg.Connection[Any], count: int) -> None:
    """So many agents, each with a desk that has a session. As above."""
    psycopg.ClientCursor(connection).execute(_STAFF, [count])
