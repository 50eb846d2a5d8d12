"""A desk says of no life that it is longer, and lists tell custody only what its keys open."""

from alembic import op

from softphone.team.schema import steps

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    steps.as_rules(op, revision, "capping", "rights", "told")
