"""A note is its own call's, a password goes to a desk that lives, a key is proved while the policy names it."""

from alembic import op

from softphone.team.schema import steps

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    steps.as_rules(op, revision, "asking")
