"""Runs a step's SQL as the role that is to own the tables that it makes."""

from __future__ import annotations

from importlib import resources
from typing import Any

from softphone.team.schema import OWNER, SCHEMA


def as_owner(op: Any, *files: str) -> None:
    """`files`: under `schema`, without their ending."""
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(f"SET LOCAL search_path = {SCHEMA}, pg_temp")
    here = resources.files("softphone.team.schema")
    # The driver itself, since without parameters it takes the text as it is, with all its statements.
    driver: Any = op.get_bind().connection.driver_connection
    for name in files:
        driver.execute((here / f"{name}.sql").read_text("utf-8"))
