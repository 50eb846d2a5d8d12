"""Data keys for documentation and cases by the function that logs the opening, and by nothing else."""

from alembic import op

from softphone.team.schema import steps

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    steps.as_rules(op, revision, "file")
    steps.as_owner(op, revision, "rights")
