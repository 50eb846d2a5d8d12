"""What ended since a backup meets what its desk sends again; an end that came nearer outlives a restore."""

from alembic import op

from softphone.team.schema import steps

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    steps.as_owner(op, revision, "stones")
    steps.as_rules(op, revision, "meeting")
