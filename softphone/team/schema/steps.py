"""Runs a step's SQL as the role that is to own what it makes: tables are the owner's, functions the rules'."""

from __future__ import annotations

from importlib import resources
from typing import Any

from softphone.team.schema import OWNER, RULES, SCHEMA


def as_owner(op: Any, revision: str, *names: str) -> None:
    _run(op, OWNER, revision, names)


def as_rules(op: Any, revision: str, *names: str) -> None:
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(f"GRANT CREATE ON SCHEMA {SCHEMA} TO {RULES}")
    _run(op, RULES, revision, names)
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {RULES}")


def _run(op: Any, role: str, revision: str, names: tuple[str, ...]) -> None:
    op.execute(f"SET LOCAL ROLE {role}")
    op.execute(f"SET LOCAL search_path = {SCHEMA}, pg_temp")
    here = resources.files("softphone.team.schema") / "sql"
    # The driver itself, since without parameters it takes the text as it is, with all its statements.
    driver: Any = op.get_bind().connection.driver_connection
    for name in names:
        driver.execute((here / f"{revision}_{name}.sql").read_text("utf-8"))
    op.execute(f"SET LOCAL ROLE {OWNER}")
