"""A recording begins, and each of its segments: rows, a file, and a data key sealed for those for whom it is recorded."""

from __future__ import annotations

from sqlalchemy import select, update

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import CallFacts, PurposeEnd, call_of
from softphone.archive.changes.execution import Execution
from softphone.archive.changes.sealing import joined, recorded_for, seal, wrap_from_memory, wrappable, wrapped_for
from softphone.archive.changes.tally import Tallied
from softphone.archive.crypto import wraps as keys
from softphone.archive.crypto.revocation import standing
from softphone.archive.schema.tables import calls, purposes, recordings, segments
from softphone.domain.changes import AddWraps, OpenRecording, OpenSegment
from softphone.domain.purpose import Basis, KeyRole, Purpose
from softphone.domain.retention import Ended, expires_on


def opened(done: Execution, change: OpenRecording) -> None:
    tx = done.tx
    if call_of(tx.connection, change.recording) is not None:
        return
    facts = done.facts_of(change.call)
    if not tx.execute(select(calls.c.call).where(calls.c.call == facts.call)).first():
        sealed, index = facts.sealed_number(done.secrets)
        tx.insert(
            calls,
            call=facts.call,
            line=facts.line,
            direction=facts.direction.value,
            number_sealed=sealed,
            number_index=index,
            started_at=facts.started_at.isoformat(),
            notice=facts.notice.value if facts.notice else None,
            language=facts.language.value,
            time_zone=facts.time_zone,
            agent=facts.agent,
            call_group=facts.group or None,
        )
    # Line and agent once more: a list by one of them is then a piece of an index, newest first.
    tx.insert(
        recordings,
        recording=change.recording,
        call=facts.call,
        opened_at=change.at.isoformat(),
        line=facts.line,
        agent=facts.agent,
    )
    done.vault.create(change.recording, change.at, facts.time_zone)
    done.created.append(change.recording)


def segment_opened(done: Execution, change: OpenSegment) -> None:
    tx, of = done.tx, change.recording
    call = call_of(tx.connection, of)
    if call is None:
        return
    facts, made_for = done.facts_of(call), (*change.purposes, *change.withheld)
    tx.insert(
        segments,
        recording=of,
        segment=change.segment,
        opened_at=change.at.isoformat(),
        purposes=joined(made_for),
    )
    for purpose in made_for:
        _keep_for(tx, of, purpose, facts, change.bases.get(purpose))
    if Purpose.TRAINING in made_for:
        done.hear(Tallied.RECORDED, call)
    key = keys.data_key()
    roles = [KeyRole(purpose.value) for purpose in wrappable(tx.connection, of, change.purposes)]
    recipients = standing(tx.connection, facts.recipients)
    seal(tx, wrapped_for(recipients, key, of, change.segment, [*roles, KeyRole.CUSTODY]))
    done.opened[of, change.segment] = key


def wraps_added(done: Execution, change: AddWraps) -> None:
    tx, of, purpose = done.tx, change.recording, change.purpose
    call = call_of(tx.connection, of)
    if call is None:
        return
    _keep_for(tx, of, purpose, done.facts_of(call), Basis.CONSENT)
    for number in change.segments:
        this = (segments.c.recording == of) & (segments.c.segment == number)
        known = recorded_for(tx.execute(select(segments.c.purposes).where(this)).scalar() or "")
        if purpose not in known:
            tx.execute(update(segments).where(this).values(purposes=joined((*known, purpose))))
    if purpose is Purpose.TRAINING:
        done.hear(Tallied.RECORDED, call)
    if not change.withheld and wrappable(tx.connection, of, (purpose,)):
        wrap_from_memory(done, of, purpose, change.segments)


def _keep_for(tx: Transaction, recording: str, purpose: Purpose, facts: CallFacts, basis: str | None) -> None:
    this = (purposes.c.recording == recording) & (purposes.c.purpose == purpose.value)
    if tx.execute(select(purposes.c.stands).where(this)).first() is not None:
        return
    period, end = facts.retention.get(purpose), facts.ends.get(purpose, PurposeEnd())
    # Counted from the day of recording, and stored at once: a recording that breaks off has its end all the same.
    tx.insert(
        purposes,
        recording=recording,
        purpose=purpose.value,
        basis=basis,
        retention=str(period) if period else None,
        expires_on=expires_on(facts.started_at, period, facts.time_zone).isoformat() if period else None,
        stands=Ended.KEEPS.value,
        at_end="review" if end.review else "delete",
        keep_reviewed=str(end.keep_reviewed) if end.keep_reviewed else None,
    )
