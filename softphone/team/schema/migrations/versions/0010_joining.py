"""What a desk is set up with when it joins, and the news that it asks for from then on."""

from alembic import op

from softphone.team.schema import steps

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    steps.as_owner(op, revision, "desks_news")
    steps.as_rules(op, revision, "desks_joining")
    steps.as_owner(op, revision, "desks_rights")
