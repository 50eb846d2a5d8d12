"""Runs a step's SQL as the role that is to own what it makes: tables are the owner's, functions the rules'."""

from __future__ import annotations

from importlib import resources
from typing import Any

from softphone.team.schema import OWNER, RULES, SCHEMA


def as_owner(op: Any, *files: str) -> None:
    """`files`: under `schema`, without their ending."""
    _run(op, OWNER, files)


def as_rules(op: Any, *files: str) -> None:
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(f"GRANT CREATE ON SCHEMA {SCHEMA} TO {RULES}")
    _run(op, RULES, files)
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM {RULES}")


def _run(op: Any, role: str, files: tuple[str, ...]) -> None:
    op.execute(f"SET LOCAL ROLE {role}")
    op.execute(f"SET LOCAL search_path = {SCHEMA}, pg_temp")
    here = resources.files("softphone.team.schema")
    # The driver itself, since without parameters it takes the text as it is, with all its statements.
    driver: Any = op.get_bind().connection.driver_connection
    for name in files:
        driver.execute((here / f"{name}.sql").read_text("utf-8"))
    op.execute(f"SET LOCAL ROLE {OWNER}")
