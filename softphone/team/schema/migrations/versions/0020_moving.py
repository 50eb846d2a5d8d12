"""A desk that joined by a code goes on by the house's OpenID Connect; withdrawals are forgotten."""

from alembic import op

from softphone.team.schema import steps

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    steps.as_rules(op, revision, "moving")
