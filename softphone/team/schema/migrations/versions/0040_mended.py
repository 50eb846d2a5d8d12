"""The log is read and forgotten by its keys, counts come after it, and what custody has lifted stays lifted."""

from alembic import op

from softphone.team.schema import steps

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    steps.as_rules(op, revision, "mended")
