"""Finding and opening over the service: what happened to a recording, its data keys handed out and logged, what has changed."""

from alembic import op

from softphone.team.schema import steps

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    steps.as_owner(op, revision, "indexes")
    steps.as_rules(op, revision, "finding", "grants")
