"""Holds, notes, judging and cases as data protection has them in one place."""

from alembic import op

from softphone.team.schema import steps

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    steps.as_owner(op, revision, "decided")
    steps.as_owner(op, revision, "decided_rights")
    steps.as_rules(op, revision, "deciding")
    steps.as_rules(op, revision, "decided_grants")
