"""How many chunks each segment has, once its writer has ended: what was cut out of a file later is missed by the catalog."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Of what an earlier version recorded it is not known.
    op.add_column("segments", sa.Column("chunks", sa.Integer))
