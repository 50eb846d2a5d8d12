"""An invitation names the number of the newest policy."""

from alembic import op

from softphone.team.schema import steps

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    steps.as_rules(op, revision, "named")
