"""Cases: received, decided recording by recording, answered, closed; overdue in a list."""

from alembic import op

from softphone.team.schema import steps

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    steps.as_owner(op, revision, "cases")
    steps.as_rules(op, revision, "deciding")
    steps.as_owner(op, revision, "rights")
    steps.as_rules(op, revision, "grants")
