"""What proves the house: signed heads of its log, holds that storage has to learn, and what outlives a restored database."""

from alembic import op

from softphone.team.schema import steps

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    steps.as_owner(op, revision, "proving")
    steps.as_rules(op, revision, "heads", "stones", "restoring", "comparing")
    steps.as_owner(op, revision, "triggers", "rights")
    steps.as_rules(op, revision, "grants")
