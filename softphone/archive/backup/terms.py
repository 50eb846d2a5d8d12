"""A recording's terms as they are now, and how they are taken up in a catalog of an older day.

What has ended there ends here too, what is held there is held here. Wraps only ever go: nothing here brings one back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, select, update

from softphone.archive.catalog.transaction import Transaction
from softphone.archive.changes.call import call_of
from softphone.archive.changes.ending import discard
from softphone.archive.changes.sealing import drop_wraps
from softphone.archive.crypto import policy_signer, revocation
from softphone.archive.schema.tables import (
    call_backs,
    holds,
    purposes,
    recordings,
    refusals,
    review_comments,
    review_scores,
    reviews,
    upheld,
    wraps,
)
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended

Terms = Mapping[str, Any]
"""JSON: `gone` true, or what stands"""
_KEYS = {"recording", "purpose", "desk"}


def of(connection: Connection, kind: str, id: str) -> Terms | None:
    """None: there is nothing to tell of it, as of a promise that was given anew."""
    match kind:
        case "recording":
            return recording(connection, id)
        case "comment":
            return {"gone": True} if not _has(connection, review_comments, "comment", id) else None
        case "call_back":
            return {"gone": True} if not _has(connection, call_backs, "call", id) else None
        case "refusal":
            row = connection.execute(select(refusals).where(refusals.c.number_index == bytes.fromhex(id))).first()
            return {"at": row.at, "until": row.until} if row else None
        case "upheld":
            row = connection.execute(select(upheld).where(_upheld(id))).first()
            return {"at": row.at, "until": row.until} if row else None
        case "revoked":
            at = revocation.revoked(connection).get(id)
            return {"at": at.isoformat()} if at else None
        case "signer":
            return {"key": policy_signer.chosen(connection)}
        case _:
            return None


def recording(connection: Connection, id: str) -> Terms:
    row = connection.execute(select(recordings.c.restricted).where(recordings.c.recording == id)).first()
    if row is None:
        return {"gone": True}
    roles = connection.execute(select(wraps.c.role).where(wraps.c.recording == id).distinct()).scalars()
    stands = connection.execute(select(purposes).where(purposes.c.recording == id))
    held = connection.execute(select(holds).where(holds.c.recording == id))
    return {
        "restricted": row.restricted,
        "roles": sorted(roles),
        "purposes": {one.purpose: _values(one, _KEYS) for one in stands},
        "holds": {one.hold: _values(one, {"hold", "recording", "desk"}) for one in held},
        "shared": bool(connection.execute(select(reviews.c.shared).where(reviews.c.recording == id)).scalar()),
        "scores": {one.item: one.points for one in connection.execute(_scores(id))},
    }


def apply(tx: Transaction, kind: str, id: str, terms: Terms, now: datetime) -> bool:
    """Whether something was erased by it. Done again, it changes nothing."""
    match kind:
        case "recording":
            return _apply_recording(tx, id, terms, now)
        case "comment":
            return bool(tx.execute(delete(review_comments).where(review_comments.c.comment == id)).rowcount)
        case "call_back":
            return bool(tx.execute(delete(call_backs).where(call_backs.c.call == id)).rowcount)
        case "refusal":
            index = bytes.fromhex(id)
            tx.execute(delete(refusals).where(refusals.c.number_index == index))
            tx.insert(refusals, number_index=index, **terms)
            return False
        case "upheld":
            index, purpose, line = id.split(" ", 2)
            tx.execute(delete(upheld).where(_upheld(id)))
            row = {"number_index": bytes.fromhex(index), "purpose": purpose, "line": line}
            tx.insert(upheld, **row, **_known(upheld, terms))
            return False
        case "revoked":
            revocation.revoke(tx.connection, id, datetime.fromisoformat(terms["at"]))
            return _drop_key(tx, id) > 0
        case "signer":
            policy_signer.choose(tx.connection, str(terms["key"]))
            return False
        case _:
            return False


def _upheld(id: str) -> Any:
    """The row that the catalog's trigger named so."""
    index, purpose, line = id.split(" ", 2)
    here = (upheld.c.number_index == bytes.fromhex(index)) & (upheld.c.line == line)
    return here & (upheld.c.purpose == purpose)


def _apply_recording(tx: Transaction, id: str, terms: Terms, now: datetime) -> bool:
    if call_of(tx.connection, id) is None:
        return False
    if terms.get("gone"):
        discard(tx, id, now)
        return True
    has = set(tx.execute(select(wraps.c.role).where(wraps.c.recording == id).distinct()).scalars())
    ended = [role for role in KeyRole if role.value in has - set(terms["roles"])]
    if ended:
        drop_wraps(tx, id, *ended)
    tx.execute(update(recordings).where(recordings.c.recording == id).values(restricted=terms["restricted"]))
    for purpose, values in terms["purposes"].items():
        here = (purposes.c.recording == id) & (purposes.c.purpose == purpose)
        if not tx.execute(update(purposes).where(here).values(_known(purposes, values))).rowcount:
            tx.insert(purposes, recording=id, purpose=purpose, **_known(purposes, values))
        if purpose == Purpose.TRAINING and values["stands"] != Ended.KEEPS:
            for table in (review_comments, review_scores, reviews):
                tx.execute(delete(table).where(table.c.recording == id))
    _apply_review(tx, id, terms)
    for hold, values in terms["holds"].items():
        tx.execute(delete(holds).where(holds.c.hold == hold))
        tx.insert(holds, hold=hold, recording=id, **_known(holds, values))
    return bool(ended)


def _apply_review(tx: Transaction, id: str, terms: Terms) -> None:
    """What was taken back of a review stays so; what was said since is not known here, and is not made up."""
    if not terms.get("shared", True):
        tx.execute(update(reviews).where(reviews.c.recording == id).values(shared=0))
    if (scores := terms.get("scores")) is None:
        return
    for one in tx.execute(_scores(id)).all():
        this = (review_scores.c.recording == id) & (review_scores.c.item == one.item)
        if one.item not in scores:
            tx.execute(delete(review_scores).where(this))
        elif scores[one.item] != one.points:
            tx.execute(update(review_scores).where(this).values(points=scores[one.item]))


def _scores(id: str) -> Select[Any, Any]:
    return select(review_scores.c.item, review_scores.c.points).where(review_scores.c.recording == id)


def _drop_key(tx: Transaction, key_id: str) -> int:
    """What another key of its role opens too, it no longer opens."""
    other = wraps.alias()
    also = select(other.c.key_id).where(
        other.c.recording == wraps.c.recording,
        other.c.segment == wraps.c.segment,
        other.c.role == wraps.c.role,
        other.c.key_id.not_in(revocation.revoked(tx.connection)),
    )
    dropped = [recording for recording, _ in tx.wraps.drop(wraps.c.key_id == key_id, also.exists())]
    return len(dropped)


def _has(connection: Connection, table: Table, column: str, id: str) -> bool:
    return connection.execute(select(table.c[column]).where(table.c[column] == id)).first() is not None


def _values(row: Any, without: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name not in without}


def _known(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in table.c}
