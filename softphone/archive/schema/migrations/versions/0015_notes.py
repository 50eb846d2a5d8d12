"""An agent's note about a call, sealed as the number is, and what it is found by when its party asks for it.

A note that changes or goes is told to the backups.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

_HEARD = "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.')"


def upgrade() -> None:
    op.execute("ALTER TABLE past_calls ADD COLUMN note BLOB")
    op.execute("ALTER TABLE past_calls ADD COLUMN number_index BLOB")
    op.execute("CREATE INDEX ix_past_calls_number_index ON past_calls (number_index) WHERE number_index IS NOT NULL")
    for name, event in (("note_changed", "UPDATE OF note"), ("note_gone", "DELETE")):
        op.execute(
            f"CREATE TRIGGER touched_{name} AFTER {event} ON past_calls "  # noqa: S608 - all of it stands here
            f"WHEN OLD.note IS NOT NULL AND {_HEARD} BEGIN "
            "DELETE FROM touched WHERE kind = 'note' AND id = OLD.call; "
            "INSERT INTO touched (desk, kind, id) VALUES (OLD.desk, 'note', OLD.call); END"
        )
