"""Each checkpoint of the log names the one before it: one that was taken out shows. Earlier ones name none."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("checkpoints", sa.Column("previous", sa.Integer))
