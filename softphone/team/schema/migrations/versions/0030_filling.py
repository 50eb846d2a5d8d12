"""What a desk can make grow is limited, past proofs go by themselves, and what is restricted is not shared meanwhile."""

from alembic import op

from softphone.team.schema import steps

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    steps.as_rules(op, revision, "sharing", "limiting")
    steps.as_owner(op, revision, "rights", "triggers")
