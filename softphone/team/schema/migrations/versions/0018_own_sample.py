"""A page of the sample costs what the team's own is, and not the house's."""

from alembic import op

from softphone.team.schema import steps

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    steps.as_rules(op, revision, "sampling")
