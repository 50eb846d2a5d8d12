"""People, recordings, the log, and the functions that alone change them. The SQL lies in `schema/sql`, by subject."""

from alembic import op

from softphone.team.schema import steps

revision = "0001"
down_revision = None


def upgrade() -> None:
    steps.as_owner(op, revision, "people", "recordings", "log")
    steps.as_rules(op, revision, "asking", "settling", "logging", "signing_in", "arriving", "afterwards", "sweeping")
    steps.as_owner(op, revision, "settled", "rights")
    steps.as_rules(op, revision, "grants")
