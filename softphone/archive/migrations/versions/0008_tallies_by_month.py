"""The sample's figures are sealed month by month with each call: they are found by their month."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_sample_tallies_month", "sample_tallies", ["month"])
