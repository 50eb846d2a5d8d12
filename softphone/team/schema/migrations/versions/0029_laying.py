"""The sweep lays each stone itself: a service that says so without having done it keeps none from storage."""

from alembic import op

from softphone.team.schema import steps

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    steps.as_owner(op, revision, "stones")
    steps.as_rules(op, revision, "laying")
