"""What one desk may do in a minute and a day, over all instances."""

from alembic import op

from softphone.team.schema import steps

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    steps.as_owner(op, revision, "rates")
    steps.as_rules(op, revision, "limiting")
    steps.as_owner(op, revision, "triggers")
