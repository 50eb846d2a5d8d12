"""The audit log's own end of time: a first part of it goes, up to a checkpoint that then begins the chain (G10).

Only what is past its period and holds together goes: what somebody changed stays for `verify` to tell. The chain that is
left begins with a hash that the desk has signed for just that, so that no other beginning can be made of it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from softphone.archive.proof import audit as log
from softphone.archive.proof.checkpoint import Head, Signer, begins, heads
from softphone.archive.tables import audit, checkpoints
from softphone.domain.policy.period import Period

LOG_KEPT = Period(months=60)
"""how long an entry is kept: five years, within which most claims and complaints lapse"""


AT_ONCE = 20_000
"""entries that go in one transaction, or as many as there are up to the next checkpoint: an engine waits for no more"""


def past(
    connection: Connection, signer: Signer, now: datetime, kept: Period, *, whole: bool = False
) -> tuple[Head, int] | None:
    """The checkpoint that may begin the chain from now on, and how many entries go with it; None: nothing is due.

    What is due may be more: it is asked again. `whole`: all of it, for whoever wants to know alone.
    """
    if not signer.signs:
        return None
    mine = audit.c.desk == signer.desk
    last = _last_day(kept, now.date()).isoformat()
    first = connection.execute(select(audit.c.at).where(mine).order_by(audit.c.number).limit(1)).scalar()
    if first is None or first[:10] > last:
        # So it is day after day, and nobody has to read the whole log for it.
        return None
    young = connection.execute(
        select(func.min(audit.c.number)).where(mine, func.substr(audit.c.at, 1, 10) > last)
    ).scalar()
    begin = begins(connection).get(signer.desk)
    own = [one for one in heads(connection) if one.desk == signer.desk and one.number > (begin.number if begin else 0)]
    due = [one for one in own if (young is None or one.number < young) and one.is_signed and one.key == signer.key]
    if not due:
        return None
    gone = begin.number if begin else 0
    to = due[-1:] if whole else [one for one in due if one.number - gone <= AT_ONCE][-1:] or due[:1]
    if not log.holds(connection, signer.desk, to[0].number, to[0].hash):
        return None
    return to[0], to[0].number - gone


def cut(connection: Connection, signer: Signer, head: Head, now: datetime) -> None:
    """Within a transaction whose entry tells of it and is written already."""
    signer.begin(connection, head, now)
    connection.execute(delete(audit).where(audit.c.desk == head.desk, audit.c.number <= head.number))
    connection.execute(delete(checkpoints).where(checkpoints.c.desk == head.desk, checkpoints.c.number < head.number))


def _last_day(kept: Period, today: date) -> date:
    """The last day whose entries are past their period."""
    day = today - timedelta(days=31 * kept.months + kept.days)
    while kept.after(day + timedelta(days=1)) <= today:
        day += timedelta(days=1)
    return day
