"""How long the policies themselves keep each purpose: what a desk tells of a recording's life is capped by it."""

from alembic import op

from softphone.team.schema import steps

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    steps.as_owner(op, revision, "terms")
    steps.as_rules(op, revision, "capping")
    steps.as_owner(op, revision, "triggers")
