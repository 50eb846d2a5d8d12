"""Lists of holds, judgements and cases, as fast as their indexes."""

from alembic import op

from softphone.team.schema import steps

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    steps.as_rules(op, revision, "told")
