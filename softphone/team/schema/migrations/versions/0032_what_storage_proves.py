"""The key by which stones in storage are known again; and which recordings storage has lost."""

from alembic import op

from softphone.team.schema import steps

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    steps.as_owner(op, f"tables/{revision}_what_storage_proves")
