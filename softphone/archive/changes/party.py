"""What is remembered of a party beyond the call: that it declined, its language, a call back, and what custody has upheld.

A withheld number cannot be recognised, so nothing is remembered of it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Table, delete, select

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import CallFacts
from softphone.archive.changes.execution import Execution
from softphone.archive.changes.tally import Tallied
from softphone.archive.crypto.wraps import Secrets
from softphone.archive.outbox import rows as outbox
from softphone.archive.schema.tables import call_backs, party_languages, purposes, recordings, refusals, upheld
from softphone.domain.changes import EndCallBack, ListCallBack, RememberLanguage, RememberRefusal, UseDraw
from softphone.domain.house_knows import KEPT
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from softphone.domain.retention import REMEMBERED, UPHELD_FOR, Ended, expires_on

CALL_BACK_LISTED = Period(months=3)
"""at most, if the line no longer has training whose own period would count (G36)"""


def call_back_listed(done: Execution, change: ListCallBack) -> None:
    facts = done.facts_of(change.call)
    sealed, index = facts.sealed_number(done.secrets)
    kept = facts.retention.get(Purpose.TRAINING) or CALL_BACK_LISTED
    done.tx.execute(delete(call_backs).where(call_backs.c.call == change.call))
    until = expires_on(change.at, kept, facts.time_zone).isoformat()
    done.tx.insert(
        call_backs,
        call=change.call,
        number_sealed=sealed,
        number_index=index,
        line=facts.line,
        at=change.at.isoformat(),
        until=until,
    )
    outbox.remember(done.tx, done.secrets, facts.number, "call_back", change.at, until, line=facts.line or "")


def call_back_ended(done: Execution, change: EndCallBack) -> None:
    here = call_backs.c.call == change.call_back
    row = done.tx.execute(select(call_backs).where(here)).first()
    if row is not None and row.number_sealed:
        number = done.secrets.open_number(row.number_sealed, row.call)
        outbox.remember(
            *(done.tx, done.secrets, number, "call_back", datetime.now(UTC), row.until),
            line=row.line or "",
            value=KEPT,
        )
    done.tx.execute(delete(call_backs).where(here))
    done.dropped = True


def refused(done: Execution, change: RememberRefusal) -> None:
    facts = done.facts_of(change.call)
    here = select(recordings.c.recording).join(purposes, purposes.c.recording == recordings.c.recording)
    training = purposes.c.purpose == Purpose.TRAINING.value
    lives = purposes.c.stands != Ended.TAKEN_BACK.value
    if not done.tx.execute(here.where(recordings.c.call == change.call, training, lives)).first():
        # Nothing here was for training, or the agent had ended it; and the number may be withheld. Other desks of the house may
        # have had the call before. What was tells of its end itself, or waits for custody.
        outbox.withdraw_of_call(done.tx, change.call, facts.group, (Purpose.TRAINING,), "declined_by_voice")
    remember_refusal(done.tx, done.secrets, facts, change.at)


def language_chosen(done: Execution, change: RememberLanguage) -> None:
    facts, chosen = done.facts_of(change.call), change.language.value
    _remember(done.tx, party_languages, done.secrets, facts, change.at, language=chosen)
    outbox.remember(done.tx, done.secrets, facts.number, "language", change.at, _until(change.at), value=chosen)


def place_used(done: Execution, change: UseDraw) -> None:
    if done.places.use(done.tx, change.call, change.at):
        done.hear(Tallied.DRAWN, change.call)


def remember_refusal(tx: Transaction, secrets: Secrets, facts: CallFacts, at: datetime) -> None:
    _remember(tx, refusals, secrets, facts, at)
    outbox.remember(tx, secrets, facts.number, "refused", at, _until(at))


def remember_upheld(tx: Transaction, secrets: Secrets, facts: CallFacts, purpose: Purpose, at: datetime) -> None:
    """For the number and the line of this call."""
    _, index = facts.sealed_number(secrets)
    if index is None or facts.line is None:
        return
    here = (upheld.c.number_index == index) & (upheld.c.line == facts.line) & (upheld.c.purpose == purpose.value)
    tx.execute(delete(upheld).where(here))
    until = UPHELD_FOR.after(at.date()).isoformat()
    row = {"line": facts.line, "purpose": purpose.value, "at": at.isoformat(), "until": until}
    tx.insert(upheld, number_index=index, **row)


def _remember(tx: Transaction, table: Table, secrets: Secrets, facts: CallFacts, at: datetime, **what: str) -> None:
    _, index = facts.sealed_number(secrets)
    if index is not None:
        tx.execute(delete(table).where(table.c.number_index == index))
        tx.insert(table, number_index=index, at=at.isoformat(), until=_until(at), **what)


def _until(at: datetime) -> str:
    return REMEMBERED.after(at.date()).isoformat()
