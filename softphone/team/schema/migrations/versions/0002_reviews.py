"""Reviews: scores, comments that are sealed on the desk, who has it open, and what the call's agent may read."""

from alembic import op

from softphone.team.schema import steps

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    steps.as_owner(op, revision, "reviews")
    steps.as_rules(op, revision, "reviewing")
    steps.as_owner(op, revision, "rights")
    steps.as_rules(op, revision, "grants")
