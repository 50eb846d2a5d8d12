"""Reviews over the service: the sample and its figures, what is shared with an agent and read there, marks over time."""

from alembic import op

from softphone.team.schema import steps

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    steps.as_owner(op, revision, "sample")
    steps.as_rules(op, revision, "sampling", "sharing", "grants")
    steps.as_owner(op, revision, "triggers")
