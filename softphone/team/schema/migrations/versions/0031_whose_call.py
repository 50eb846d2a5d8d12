"""Whose call it was, since an address is given on; and which holds were raised by number."""

from alembic import op

from softphone.team.schema import steps

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    steps.as_owner(op, f"tables/{revision}_whose_call")
