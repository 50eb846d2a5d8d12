"""What every transaction of a desk calls is planned once a connection, and a new recording is settled once less."""

from alembic import op

from softphone.team.schema import steps

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    steps.as_rules(op, revision, "planned")
    steps.as_owner(op, revision, "triggers")
