"""Proving a key over HTTP: the public halves of a policy's keys, and what the login that signs in may do for it."""

from alembic import op

from softphone.team.schema import steps

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    steps.as_owner(op, revision, "keys")
    steps.as_rules(op, revision, "proving")
