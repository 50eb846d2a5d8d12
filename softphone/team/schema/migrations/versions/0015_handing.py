"""Keys for a decision alone; cases of whole recordings; erased notes in a restored database."""

from alembic import op

from softphone.team.schema import steps

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    steps.as_rules(op, revision, "handing")
    steps.as_owner(op, revision, "erased_notes")
