"""Recordings of a house in bulk, as rows alone: of fifty agents, one every ten minutes, back from now. Not a test."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.team.house import ANNA, BO, SALES

FILL = f"""
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT gen_random_uuid() AS recording, gen_random_uuid() AS call, n,
    now() - n * interval '10 minutes' AS at, (SELECT desk FROM desks LIMIT 1) AS desk,
    CASE n %% 50 WHEN 0 THEN '{ANNA}' WHEN 1 THEN '{BO}' ELSE 'agent' || n %% 50 || '@nordlys.example' END AS agent,
    CASE WHEN n %% 50 < 2 OR n %% 5 = 4 THEN '{SALES}' ELSE 'line' || n %% 7 END AS line
    FROM generate_series(1, %s::integer) AS n;
INSERT INTO calls SELECT call, call, desk, line, 'inbound', at, 'N7', 'da', 'Europe/Copenhagen', agent FROM made;
INSERT INTO call_numbers SELECT call, CASE WHEN n %% 20000 = 7 THEN %s ELSE sha256(call::text::bytea) END FROM made;
INSERT INTO recordings (recording, call, desk, line, agent, opened_at, closed_at, object_key, size, digest, held,
        documentation_until, training_until, opened_by)
    SELECT recording, call, desk, line, agent, at, at + interval '1 minute', recording::text, 1, sha256(''), n %% 10000 = 3,
        at + interval '300 years', CASE WHEN n %% 10 = 0 THEN at + interval '3 months' ELSE '-infinity' END,
        %s FROM made;
"""
PURPOSES = """
INSERT INTO purposes (recording, purpose, stands, at_end) SELECT recording, 'documentation', 'keeps', 'delete' FROM made
"""
GIVEN = {"generate_series": 0, "call_numbers": 1, "recordings (": 2}


def fill(
    connection: psycopg.Connection[Any], count: int, keys: tuple[str, str, str], number: bytes, *, whole: bool = False
) -> None:
    """In the transaction of a superuser. `keys`: the ids of those that they are sealed for; `number`: the hash of one in
    20,000. `whole`: so that rows are shown, and not only found."""
    sealed = [f"{role}:{key}" for role, key in zip(("documentation", "training", "custody"), keys, strict=True)]
    values = (count, number, sealed)
    # The driver takes several statements only where none has parameters.
    for statement in FILL.split(";\n")[:-1]:
        given = [values[at] for what, at in GIVEN.items() if what in statement and "%s" in statement]
        connection.execute(statement.encode(), given)
    if whole:
        connection.execute(PURPOSES.encode())
    # What the planner goes by: of 100,000 rows each is looked at, so that no sample of them decides.
    connection.execute("SET LOCAL default_statistics_target = 400")
    for table in ("recordings", "calls", "call_numbers", "purposes"):
        connection.execute(f"ANALYZE {table}".encode())
