"""A caller's no at one desk reaches what others recorded of the same call; an agent's own mark reaches the own call alone."""

from alembic import op

from softphone.team.schema import steps

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    steps.as_owner(op, revision, "withdrawals")
    steps.as_rules(op, revision, "ending")
