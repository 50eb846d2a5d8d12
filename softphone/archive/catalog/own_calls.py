"""An agent's own list of calls, also of those of which nothing was recorded, for as long as the policy's `own_calls` says.

What a row tells is sealed as a party's number is, and so is the agent's note. What a row means is the engine's. No right to a
recording hangs on it, and nothing proves it: what happened in a call stands in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, select, update

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.schema.tables import past_calls, time_in

_NO_NOTE = {"note": None, "number_index": None}


@dataclass(frozen=True, slots=True)
class OwnCall:
    """`agent`: the account's address. `until`: the day it is forgotten on. `told`: what the row shows, name and number too.

    `note`: the agent's; None leaves the one that is there, since it may have been erased meanwhile. `number`: what the note is
    found by; empty if it is withheld.
    """

    call: str
    agent: str
    at: datetime
    until: date
    told: str = field(repr=False)
    note: str | None = field(default=None, repr=False)
    number: str = field(default="", repr=False)

    def after(self, waiting: OwnCall | None) -> OwnCall:
        """In the place of one that has not been written yet, with its note if this has none."""
        kept = waiting.note if waiting is not None and self.note is None else self.note
        return replace(self, note=kept)


@dataclass(frozen=True, slots=True)
class Note:
    call: str
    agent: str
    at: datetime
    until: date
    text: str = field(repr=False)


def put(tx: Transaction, secrets: Secrets, one: OwnCall) -> None:
    """Instead of what the list had of this call. Raises ArchiveError."""
    here = past_calls.c.call == one.call
    row = {
        "agent": one.agent,
        "at": one.at.isoformat(),
        "until": one.until.isoformat(),
        "sealed": secrets.seal_number(one.told, one.call),
    }
    if one.note:
        index = secrets.number_index(one.number) if one.number else None
        row |= {"note": secrets.seal_number(one.note, _of_note(one.call)), "number_index": index}
    elif one.note is not None:
        row |= _NO_NOTE
    if not tx.execute(update(past_calls).where(here).values(row)).rowcount:
        tx.insert(past_calls, call=one.call, **row)


def read(connection: Connection, secrets: Secrets, agents: Sequence[str], today: date, limit: int) -> list[OwnCall]:
    """The newest calls of these agents, newest first. One that nobody can read is left out."""
    asked = select(past_calls).where(past_calls.c.agent.in_(agents), past_calls.c.until > today.isoformat())
    found: list[OwnCall] = []
    for row in connection.execute(asked.order_by(past_calls.c.at.desc()).limit(limit)):
        at, told = time_in(row.at), secrets.open_number(row.sealed, row.call)
        if at is not None and told is not None:
            note = secrets.open_number(row.note, _of_note(row.call)) if row.note else None
            found.append(OwnCall(row.call, row.agent, at, date.fromisoformat(row.until), told, note or ""))
    return found


def notes_of(connection: Connection, secrets: Secrets, number: str, today: date) -> list[Note]:
    """All agents' notes about calls with a number, newest first. Raises ArchiveError where there is no key for numbers."""
    asked = select(past_calls).where(_about(secrets, number), past_calls.c.until > today.isoformat())
    found: list[Note] = []
    for row in connection.execute(asked.order_by(past_calls.c.at.desc())):
        at, text = time_in(row.at), secrets.open_number(row.note, _of_note(row.call))
        if at is not None and text is not None:
            found.append(Note(row.call, row.agent, at, date.fromisoformat(row.until), text))
    return found


def note_of(connection: Connection, secrets: Secrets, call: str) -> str:
    """Empty: there is none, or none any more."""
    sealed = connection.execute(select(past_calls.c.note).where(past_calls.c.call == call)).scalar()
    return (secrets.open_number(sealed, _of_note(call)) or "") if sealed else ""


def erase_notes_of(tx: Transaction, secrets: Secrets, number: str) -> int:
    """How many there were. The rows stay, as they are the agent's. Raises ArchiveError as `notes_of`."""
    return tx.execute(update(past_calls).where(_about(secrets, number)).values(_NO_NOTE)).rowcount


def erase_note(tx: Transaction, call: str) -> None:
    tx.execute(update(past_calls).where(past_calls.c.call == call, past_calls.c.note.is_not(None)).values(_NO_NOTE))


def _about(secrets: Secrets, number: str) -> ColumnElement[bool]:
    return past_calls.c.note.is_not(None) & (past_calls.c.number_index == secrets.number_index(number))


def _of_note(call: str) -> str:
    """What a note is bound to: it opens in the place of no number."""
    return f"note {call}"
