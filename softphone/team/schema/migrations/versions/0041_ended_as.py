"""A desk is told how and why a purpose of its copy ended in the house: its agent reads that in the call's row."""

from alembic import op

from softphone.team.schema import steps

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    steps.as_rules(op, revision, "ended_as")
