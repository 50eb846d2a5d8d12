"""Sealed keys move out of the table of wraps into slots of one size, which are written over where they lie."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # One size for good, whatever is in it: only then is a slot written over in place, and no other row moved for it.
    op.execute(
        "CREATE TABLE slots (slot INTEGER PRIMARY KEY, free INTEGER NOT NULL CHECK (free IN (0, 1)), "
        "sealed BLOB NOT NULL CHECK (typeof(sealed) = 'blob' AND length(sealed) = 80))"
    )
    # In the order of their rows, so that the new table grows at its end alone. What is of another size opens nothing.
    op.execute(
        "INSERT INTO slots (slot, free, sealed) SELECT rowid, 0, "
        "CASE WHEN typeof(sealed) = 'blob' AND length(sealed) = 80 THEN sealed ELSE zeroblob(80) END "
        "FROM wraps ORDER BY rowid"
    )
    op.create_table(
        "slotted",
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, sa.ForeignKey("slots.slot"), nullable=False),
        sa.ForeignKeyConstraint(["recording", "segment"], ["segments.recording", "segments.segment"]),
    )
    op.execute(
        "INSERT INTO slotted (recording, segment, role, key_id, suite, desk, slot) "
        "SELECT recording, segment, role, key_id, suite, desk, rowid FROM wraps ORDER BY rowid"
    )
    # Its pages are zeroed as they are freed, and what was left in them of deleted wraps with them; its triggers go too.
    op.execute("DROP TABLE wraps")
    op.execute("ALTER TABLE slotted RENAME TO wraps")
    op.create_index("ix_wraps_key", "wraps", ["key_id", "role", "recording", "segment"])
    op.create_index("ix_wraps_slot", "wraps", ["slot"], unique=True)
    op.create_index("ix_slots_free", "slots", ["slot"], sqlite_where=sa.text("free = 1"))
    op.execute(
        "CREATE TRIGGER wraps_erased AFTER DELETE ON wraps BEGIN "
        "UPDATE slots SET free = 1, sealed = zeroblob(80) WHERE slot = OLD.slot; END"
    )
    op.execute(
        "CREATE TRIGGER slots_stay BEFORE DELETE ON slots BEGIN SELECT RAISE(ABORT, 'a slot is never removed'); END"
    )
    op.execute(
        "CREATE TRIGGER touched_wrap_gone AFTER DELETE ON wraps WHEN "
        "NOT EXISTS (SELECT 1 FROM wraps WHERE wraps.recording = OLD.recording AND wraps.role = OLD.role) AND "
        "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
        "DELETE FROM touched WHERE kind = 'recording' AND id = OLD.recording; "
        "INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'recording', OLD.recording); END"
    )
    op.execute(
        "CREATE TRIGGER to_scour_wraps AFTER DELETE ON wraps BEGIN "
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('to-scour', hex(randomblob(8))); END"
    )
    # What the old pages held is gone once they have been written.
    op.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('to-scour', hex(randomblob(8)))")
