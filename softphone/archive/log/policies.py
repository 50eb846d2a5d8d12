"""Policies and their keys, as the audit log has them: which were taken up, what they named, and who had signed.

Read from entries alone. Whether what is sealed agrees with them is asked elsewhere (`examine.entries`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, select

from softphone.archive.crypto.wraps import Recipient
from softphone.archive.log.audit import KEY_SHOWN
from softphone.archive.schema.readable import params_of
from softphone.archive.schema.tables import audit
from softphone.domain.changes import AuditEntry

KEYS, SIGNED = "keys", "signed"
"""in an entry: the key ids, as far as they are shown, that a policy names; and whose signature it has"""
TAKEN_UP, REFUSED, NAMED = "policy_taken_up", "policy_refused", "keys_named"


class _Catalog(Protocol):
    def reading(self) -> AbstractContextManager[Connection]: ...


class Source(Protocol):
    """An archive that is open."""

    @property
    def catalog(self) -> _Catalog: ...
    def note(self, *entries: AuditEntry) -> None: ...


def successors(connection: Connection) -> Iterator[tuple[str, str]]:
    """Keys that were rotated, in order, each with the one that took its place."""
    asked = select(audit.c.params).where(audit.c.event == "rotation_begun").order_by(audit.c.number)
    for row in connection.execute(asked):
        if {"from", "to"} <= (params := params_of(row)).keys():
            yield str(params["from"]), str(params["to"])


def name_keys(archive: Source, recipients: Iterable[Recipient], now: datetime) -> None:
    """Before something is sealed anew by a policy that perhaps no phone has taken up yet: the log names its keys."""
    with archive.catalog.reading() as connection:
        history = PolicyHistory.of(connection)
    keys = shown(recipients)
    if history.first is not None and not set(keys.split()) <= history.named:
        archive.note(AuditEntry(NAMED, "G11", now, "", params={KEYS: keys}))


def shown(recipients: Iterable[Recipient]) -> str:
    """Their keys, as an entry has them."""
    return " ".join(sorted({one.key_id[:KEY_SHOWN] for one in recipients}))


@dataclass(slots=True)
class PolicyHistory:
    """Of policies, as the log has it. `first`: the first entry that names keys."""

    first: int | None = None
    named: set[str] = field(default_factory=set[str])
    unsigned: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    @classmethod
    def of(cls, connection: Connection) -> PolicyHistory:
        made = cls()
        signer = ""
        events = (TAKEN_UP, REFUSED, NAMED, "policy_signer_chosen", "policy_signer_lifted", "segment_opened")
        told = select(audit.c.number, audit.c.event, audit.c.params).where(audit.c.event.in_(events))
        standing: tuple[int, str, set[str]] | None = None
        """a policy that lacks the signature: its entry, hash and keys"""
        doubtful: dict[str, tuple[int, set[str]]] = {}
        signed: set[str] = set()
        for row in connection.execute(told.order_by(audit.c.number)):
            if row.event == "segment_opened":
                if standing is not None:
                    doubtful.setdefault(standing[1], (standing[0], standing[2]))
                continue
            params = params_of(row)
            if row.event == "policy_signer_chosen":
                signer = str(params.get("signer", ""))
            elif row.event == "policy_signer_lifted":
                signer = ""
            elif row.event == REFUSED:
                standing = None
            elif KEYS in params:
                made.first = made.first if made.first is not None else row.number
                keys, sha256 = set(str(params[KEYS]).split()), str(params.get("sha256", ""))
                if row.event == TAKEN_UP and signer and params.get(SIGNED) != signer:
                    standing = (row.number, sha256, keys)
                    continue
                standing = None if row.event == TAKEN_UP else standing
                signed.add(sha256)
                made.named |= keys
        made.unsigned = [(number, sha256) for sha256, (number, _) in doubtful.items() if sha256 not in signed]
        return made
