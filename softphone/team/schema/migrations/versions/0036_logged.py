"""The service's log says who did what, and of whom."""

from alembic import op

from softphone.team.schema import steps

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    steps.as_rules(op, revision, "logged")
    steps.as_owner(op, revision, "seen")
