"""A review's answer is the agent's at whichever desk of theirs it was written."""

from alembic import op

from softphone.team.schema import steps

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    steps.as_rules(op, revision, "answering")
