"""An agent's own list of calls, also of those of which nothing was recorded, for as long as the policy's `own_calls` says.

What a row tells is sealed as a party's number is; what it means is the engine's. No right hangs on it, and nothing proves it:
what happened in a call stands in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, delete, select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.schema.tables import past_calls, time_in


@dataclass(frozen=True, slots=True)
class OwnCall:
    """`agent`: the account's address. `until`: the day it is forgotten on. `told`: what the row shows, name and number too."""

    call: str
    agent: str
    at: datetime
    until: date
    told: str = field(repr=False)


def put(tx: Transaction, secrets: Secrets, one: OwnCall) -> None:
    """Instead of what the list had of this call. Raises ArchiveError."""
    tx.execute(delete(past_calls).where(past_calls.c.call == one.call))
    sealed = secrets.seal_number(one.told, one.call)
    at, until = one.at.isoformat(), one.until.isoformat()
    tx.insert(past_calls, call=one.call, agent=one.agent, at=at, until=until, sealed=sealed)


def read(connection: Connection, secrets: Secrets, agents: Sequence[str], today: date, limit: int) -> list[OwnCall]:
    """The newest calls of these agents, newest first. One that nobody can read is left out."""
    asked = select(past_calls).where(past_calls.c.agent.in_(agents), past_calls.c.until > today.isoformat())
    found: list[OwnCall] = []
    for row in connection.execute(asked.order_by(past_calls.c.at.desc()).limit(limit)):
        at, told = time_in(row.at), secrets.open_number(row.sealed, row.call)
        if at is not None and told is not None:
            found.append(OwnCall(row.call, row.agent, at, date.fromisoformat(row.until), told))
    return found
