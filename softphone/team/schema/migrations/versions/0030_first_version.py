"""The tables of the first version that was released. `schema/tables` has their SQL; `schema/functions` has what lives.

Its number comes after those of unreleased versions, whose databases are not read.
"""

from alembic import op

from softphone.team.schema import steps

revision = "0030"
down_revision = None

TABLES = ("people", "policies", "recordings", "uploads", "numbers", "cases", "reviews", "proofs")


def upgrade() -> None:
    steps.as_owner(op, *(f"tables/{revision}_{name}" for name in TABLES))
