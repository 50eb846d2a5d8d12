"""A service writes to storage by itself what a restore must not undo: until now the sweep alone did, minutes later."""

from alembic import op

from softphone.team.schema import steps

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    steps.as_rules(op, revision, "laying")
