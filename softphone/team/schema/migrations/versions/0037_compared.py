"""Whoever signs in opens no session before a service has compared the database with storage."""

from alembic import op

from softphone.team.schema import steps

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    steps.as_owner(op, revision, "compared_here")
    steps.as_rules(op, revision, "compared")
