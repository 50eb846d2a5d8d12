"""A case that is told again is the same, and nothing is restricted without one that custody can decide."""

from alembic import op

from softphone.team.schema import steps

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    steps.as_owner(op, revision, "heard_columns")
    steps.as_rules(op, revision, "heard")
