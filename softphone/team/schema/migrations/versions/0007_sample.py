"""The training sample by indexes of its own: a lead's last page costs what the first costs."""

from alembic import op

from softphone.team.schema import steps

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    steps.as_owner(op, revision, "indexes")
