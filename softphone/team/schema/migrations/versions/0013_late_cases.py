"""An objection, or grounds against training, that an agent hears after the recording has arrived."""

from alembic import op

from softphone.team.schema import steps

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    steps.as_rules(op, revision, "late")
