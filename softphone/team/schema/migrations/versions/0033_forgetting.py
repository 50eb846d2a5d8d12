"""The service's log, desks' logs and cases go once they are past the time that the policy keeps them."""

from alembic import op

from softphone.team.schema import steps

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    steps.as_owner(op, revision, "begins")
    steps.as_rules(op, revision, "forgetting")
