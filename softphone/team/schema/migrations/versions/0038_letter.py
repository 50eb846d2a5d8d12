"""An objection that came by letter is a case, as one that a call brought."""

from alembic import op

from softphone.team.schema import steps

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    steps.as_rules(op, revision, "letter")
