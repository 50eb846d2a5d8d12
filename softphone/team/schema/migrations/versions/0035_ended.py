"""A desk is told which purposes of a copy that it still has ended in the house."""

from alembic import op

from softphone.team.schema import steps

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    steps.as_rules(op, revision, "ended")
