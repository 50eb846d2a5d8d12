"""The sample's runs, the parties' languages, until when somebody is to be called back, and which recordings were reviewed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sample_runs",
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("seed", sa.LargeBinary, nullable=False),
        sa.Column("share", sa.Text, nullable=False),
        sa.Column("block", sa.Integer, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("next", sa.Integer, nullable=False),
        sa.Column("taken", sa.Text, nullable=False),
    )
    op.create_table(
        "party_languages",
        sa.Column("number_index", sa.LargeBinary, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
    op.add_column("call_backs", sa.Column("until", sa.Text))
    # Promised before there was an end: three months from that day, as training has where a policy says nothing (G36).
    op.execute("UPDATE call_backs SET until = date(at, '+3 months')")
    op.add_column("purposes", sa.Column("reviewed_at", sa.Text))
    op.create_index(
        "ix_purposes_to_review",
        "purposes",
        ["expires_on"],
        sqlite_where=sa.text("purpose = 'training' AND stands = 'keeps' AND reviewed_at IS NULL"),
    )
