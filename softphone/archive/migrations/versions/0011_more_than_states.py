"""Entries of the log say more than states (ADR 022). No table is another; an earlier version would take them for no states."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing: what was written before says no more than it did."""
