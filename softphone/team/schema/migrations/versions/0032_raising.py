"""Who raised a hold, and by when it is decided, is the house's to say; a restore brings back no session, proof or code."""

from alembic import op

from softphone.team.schema import steps

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    steps.as_rules(op, revision, "raising")
    steps.as_owner(op, revision, "triggers")
