"""Objections that were upheld, each for a number, a line and a purpose; an agent's own calls, also those of which nothing was
recorded; and indexes by which open cases are found. A backup hears of the first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(
        "ix_recordings_restricted", "recordings", ["recording"], sqlite_where=sa.text("restricted IS NOT NULL")
    )
    op.create_index("ix_purposes_grounds", "purposes", ["recording"], sqlite_where=sa.text("reason = 'grounds_given'"))
    op.create_table(
        "upheld",
        sa.Column("number_index", sa.LargeBinary, primary_key=True),
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
    op.create_table(
        "past_calls",
        sa.Column("call", sa.Text, primary_key=True),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_past_calls_agent", "past_calls", ["agent", "at"])
    op.execute(
        "CREATE TRIGGER touched_upheld AFTER INSERT ON upheld WHEN "
        "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
        "DELETE FROM touched WHERE kind = 'upheld' AND "
        "id = hex(NEW.number_index) || ' ' || NEW.purpose || ' ' || NEW.line; "
        "INSERT INTO touched (desk, kind, id) VALUES (NEW.desk, 'upheld', "
        "hex(NEW.number_index) || ' ' || NEW.purpose || ' ' || NEW.line); END"
    )
    for table in ("upheld", "past_calls"):
        op.execute(
            f"CREATE TRIGGER to_scour_{table} AFTER DELETE ON {table} BEGIN "  # noqa: S608 - both names stand above
            "INSERT OR REPLACE INTO meta (name, value) VALUES ('to-scour', hex(randomblob(8))); END"
        )
