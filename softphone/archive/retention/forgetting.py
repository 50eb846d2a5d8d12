"""The audit log's own end of time: a first part of it goes, up to a checkpoint that then begins the chain (G10).

Only what is past its period and holds together goes; `verify` reports what somebody changed. Whatever a policy says, no
entry goes that is younger than a year, or than the longest period of anything here. None goes from the first entry of a
recording that is still here: what proves a recording outlives it (G11). The remaining chain begins with a hash that the desk
has signed for just that, so that no other beginning can be made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.log import audit as log
from softphone.archive.log.checkpoint import Head, Signer, begins, heads
from softphone.archive.schema.tables import audit, checkpoints, purposes, recordings
from softphone.domain.policy.checks import LEAST_AUDIT_RETENTION
from softphone.domain.policy.period import Period
from softphone.domain.retention import last_day_past

AT_ONCE = 20_000
"""entries that go in one transaction, or as many as there are up to the next checkpoint: an engine waits no longer"""


@dataclass(frozen=True, slots=True)
class Past:
    """What is due: the checkpoint that may begin the chain, how many entries go with it, and their period."""

    head: Head
    count: int
    kept: Period


def past(connection: Connection, signer: Signer, now: datetime, kept: Period, *, whole: bool = False) -> Past | None:
    """None: nothing is due. There may be more: ask again. `whole`: all of it, for a caller that only wants to know."""
    today, mine = now.date(), audit.c.desk == signer.desk
    first = connection.execute(select(audit.c.at).where(mine).order_by(audit.c.number).limit(1)).scalar()
    if first is None or first[:10] > last_day_past([kept], today).isoformat():
        # So it is day after day, and nobody has to read the whole log for it.
        return None
    try:
        kept = min([kept, LEAST_AUDIT_RETENTION, *_standing(connection)], key=lambda one: last_day_past([one], today))
    except ValueError:
        # Nobody can read how long something here may be kept: `verify` reports it.
        return None
    young = audit.c.at >= (last_day_past([kept], today) + timedelta(days=1)).isoformat()
    of_what_is_here = or_(
        select(recordings.c.recording).where(recordings.c.recording == audit.c.recording).exists(),
        select(recordings.c.recording).where(recordings.c.call == audit.c.call).exists(),
    )
    # In the log's order: no further is read than may go.
    stays = connection.execute(
        select(audit.c.number).where(mine, or_(young, of_what_is_here)).order_by(audit.c.number).limit(1)
    ).scalar()
    begin = begins(connection).get(signer.desk)
    gone = begin.number if begin else 0
    own = [one for one in heads(connection) if one.desk == signer.desk and one.number > gone]
    due = [one for one in own if (stays is None or one.number < stays) and one.is_signed and one.key == signer.key]
    if not due:
        return None
    to = due[-1:] if whole else [one for one in due if one.number - gone <= AT_ONCE][-1:] or due[:1]
    if not log.holds(connection, signer.desk, to[0].number, to[0].hash):
        return None
    return Past(to[0], to[0].number - gone, kept)


def cut(tx: Transaction, signer: Signer, head: Head, now: datetime) -> None:
    """Within a transaction that has an entry for it."""
    signer.begin(tx.connection, head, now)
    tx.execute(delete(audit).where(audit.c.desk == head.desk, audit.c.number <= head.number))
    tx.execute(delete(checkpoints).where(checkpoints.c.desk == head.desk, checkpoints.c.number < head.number))


def _standing(connection: Connection) -> list[Period]:
    """The longest period of anything here, by its purposes. Raises ValueError."""
    asked = select(purposes.c.retention).where(purposes.c.retention.is_not(None)).distinct()
    return [Period.parse(str(text)) for text in connection.execute(asked).scalars()]
