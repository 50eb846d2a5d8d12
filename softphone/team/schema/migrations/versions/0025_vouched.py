"""A lead who shares a review vouches for it by a key that the service never has."""

from alembic import op

from softphone.team.schema import steps

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    steps.as_owner(op, revision, "vouched")
    steps.as_rules(op, revision, "vouching")
