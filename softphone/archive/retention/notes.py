"""Agents' notes about a party's calls, by the number: read for a request for access, and erased (G08, G37).

They end by themselves with the agents' own lists, and with the last recording of their call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from softphone.archive.archive import KEY_SHOWN, Archive
from softphone.archive.catalog import own_calls
from softphone.archive.retention.sweep import finish
from softphone.domain.archive.decisions import AgentNote
from softphone.domain.changes import AuditEntry


def of_number(archive: Archive, number: str, now: datetime, key: str) -> Sequence[AgentNote]:
    """The log notes who asked, by a key of theirs, before anything is told. Raises ArchiveError, as does the other."""
    with archive.catalog.reading() as connection:
        found = own_calls.notes_of(connection, archive.secrets, number, now.date())
    archive.note(_entry("notes_read", "G08", now, key, count=len(found)))
    return [AgentNote(one.call, one.agent, one.at, one.until, one.text) for one in found]


def erase_of_number(archive: Archive, number: str, reason: str, now: datetime, key: str) -> int:
    """How many there were."""
    with archive.catalog.writing() as tx:
        count = own_calls.erase_notes_of(tx, archive.secrets, number)
        tx.log(_entry("notes_erased", "G37", now, key, count=count, reason=reason))
    finish(archive)
    return count


def _entry(event: str, rule: str, now: datetime, key: str, **told: str | int) -> AuditEntry:
    return AuditEntry(event, rule, now, "", params={**told, **({"key": key[:KEY_SHOWN]} if key else {})})
