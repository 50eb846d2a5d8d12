"""Rows of recordings that the house has: they stand here as long as the agent's own list has their call, and no longer."""

from __future__ import annotations

from datetime import datetime

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.ending import discard
from softphone.archive.outbox.shipping import past_own_list


def forget_rows(tx: Transaction, now: datetime) -> int:
    """How many went. The house's own copies live on by the house's dates."""
    those = past_own_list(tx.connection, now)
    for recording in those:
        discard(tx, recording, now)
    return len(those)
