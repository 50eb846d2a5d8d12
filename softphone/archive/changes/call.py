"""What the archive knows of a call: from its engine while it rings, later from its recordings' rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from softphone.archive.crypto.wraps import Recipient, Secrets
from softphone.archive.schema.tables import calls, purposes, recordings
from softphone.domain.decision import NoticeId
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, Language, Purpose


@dataclass(frozen=True, slots=True)
class PurposeEnd:
    """The policy's terms for the end of a purpose, as they were when it rang."""

    review: bool = False
    """on its day custody judges it, instead of a deletion"""
    keep_reviewed: Period | None = None
    """how long a reviewed training recording is kept on (G38); None: it goes at once"""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the store knows of a call before anything of it is kept. `number` is E.164, None if it is withheld; times UTC."""

    call: str
    line: str | None
    direction: Direction
    number: str | None = field(repr=False)
    started_at: datetime
    language: Language
    time_zone: str
    retention: Mapping[Purpose, Period]
    notice: NoticeId | None = None
    recipients: tuple[Recipient, ...] = ()
    """those whom the policy in force at its ring lets open it"""
    agent: str | None = None
    """the address of the account that took or made it"""
    ends: Mapping[Purpose, PurposeEnd] = field(default_factory=dict[Purpose, "PurposeEnd"])
    """what happens when a purpose reaches its day; deletion by default"""
    group: str = ""
    """the first of the calls that were transferred one into the next; empty: it is the first itself"""

    def sealed_number(self, secrets: Secrets) -> tuple[bytes | None, bytes | None]:
        """The number as a row has it, and what it is found by; None of a withheld one."""
        if self.number is None:
            return None, None
        return secrets.seal_number(self.number, self.call), secrets.number_index(self.number)


def facts_of(connection: Connection, secrets: Secrets, call: str) -> CallFacts | None:
    """Of a call whose facts are no longer in memory, as far as its recordings hold them."""
    row = connection.execute(select(calls).where(calls.c.call == call)).first()
    if row is None:
        return None
    held = connection.execute(
        select(purposes.c.purpose, purposes.c.retention)
        .join(recordings, recordings.c.recording == purposes.c.recording)
        .where(recordings.c.call == call, purposes.c.retention.is_not(None))
    )
    return CallFacts(
        row.call,
        row.line,
        Direction(row.direction),
        secrets.open_number(row.number_sealed, row.call) if row.number_sealed else None,
        datetime.fromisoformat(row.started_at),
        Language(row.language),
        row.time_zone,
        {Purpose(one.purpose): Period.parse(one.retention) for one in held},
        NoticeId(row.notice) if row.notice else None,
        agent=row.agent,
        group=row.call_group or "",
    )


def call_of(connection: Connection, recording: str) -> str | None:
    """None: there is no such recording."""
    return connection.execute(select(recordings.c.call).where(recordings.c.recording == recording)).scalar()
