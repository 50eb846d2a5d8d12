"""What waits for review in the whole house, for the sample of each desk."""

from alembic import op

from softphone.team.schema import steps

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    steps.as_owner(op, revision, "waiting_indexes")
    steps.as_rules(op, revision, "waiting")
