"""The tables, functions and rights of the first version that was released. `schema/tables` has the SQL of a version's tables,
and `schema/functions` the living functions, by subject.

Its number comes after those of unreleased versions, whose databases are not read.
"""

from alembic import op

from softphone.team.schema import steps

revision = "0030"
down_revision = None

TABLES = ("people", "policies", "recordings", "uploads", "numbers", "cases", "reviews", "proofs")
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


def upgrade() -> None:
    steps.as_owner(op, *(f"tables/{revision}_{name}" for name in TABLES))
    steps.as_rules(op, *(f"functions/{name}" for name in (*FUNCTIONS, "grants")))
    steps.as_owner(op, "functions/triggers", "functions/rights")
