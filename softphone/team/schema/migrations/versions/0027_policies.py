"""A restored database that has lost the newest policy is not served from."""

from alembic import op

from softphone.team.schema import steps

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    steps.as_rules(op, revision, "policies")
    steps.as_owner(op, revision, "triggers")
