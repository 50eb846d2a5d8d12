"""What becomes here of recordings that the house has, or has erased.

Their rows stand as long as the agent's own list has their call. What the house has erased goes here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import discard, end_purpose, keeping, restrict
from softphone.archive.changes.execution import HOLD_ONLY, held_alone
from softphone.archive.changes.sealing import drop_wraps, is_held, restricted_by
from softphone.archive.outbox import shipping
from softphone.archive.outbox.shipping import ENDED_THERE, ERASED_THERE, past_own_list
from softphone.domain.changes import AuditEntry
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended


def forget_rows(tx: Transaction, now: datetime) -> int:
    """How many went. The house's own copies live on by the house's dates."""
    those = past_own_list(tx.connection, now)
    for recording in those:
        discard(tx, recording, now)
    return len(those)


def erased_there(archive: Archive, recording: str, now: datetime) -> None:
    """It was taken back, or its date had come, before it arrived. What a hold keeps here stays for custody. Raises
    ArchiveError."""
    with archive.catalog.writing() as tx:
        call = call_of(tx.connection, recording)
        if call is not None and is_held(tx.connection, recording):
            restrict(tx, recording, HOLD_ONLY)
            tx.log(held_alone(recording, call, now))
            shipping.erased(tx, recording)
        else:
            if call is not None:
                discard(tx, recording, now)
                tx.log(AuditEntry(ERASED_THERE, "G10", now, call, recording))
            shipping.forget(tx, recording)
    archive.catalog.empty_log()
    remove_condemned(archive.catalog, archive.vault)


def ended_there(archive: Archive, recording: str, purposes: Mapping[Purpose, tuple[Ended, str]], now: datetime) -> None:
    """Nobody opens the copy here for these any more. Where they are all that keep it here, a hold keeps it there, and the copy
    goes; one that is held here stays for custody. Raises ArchiveError."""
    with archive.catalog.writing() as tx:
        call, keep = call_of(tx.connection, recording), keeping(tx, recording)
        ended = [one for one in keep if one in purposes]
        if call is None or not ended or restricted_by(tx.connection, recording) is not None:
            return
        drop_wraps(tx, recording, *(KeyRole(one.value) for one in ended))
        for one in ended:
            end_purpose(tx, recording, one, *purposes[one])
        tx.log(AuditEntry(ENDED_THERE, "G10", now, call, recording))
        goes = len(ended) == len(keep)
        if held := goes and is_held(tx.connection, recording):
            restrict(tx, recording, HOLD_ONLY)
            tx.log(held_alone(recording, call, now))
    archive.catalog.empty_log()
    if goes and not held:
        shipping.let_copy_go(archive.catalog, archive.vault, recording, now)
