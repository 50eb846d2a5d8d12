"""Which calls belong together, since one was transferred into the next: what its party refuses reaches them at every desk."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE calls ADD COLUMN call_group TEXT")
