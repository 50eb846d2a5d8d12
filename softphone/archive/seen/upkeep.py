"""What is done on this machine's archive as a whole, by who may: the sweep by another day, keys revoked.

Of the local archive alone: a house's looks after itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from softphone.archive.catalog.clock import steady
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.examine.repair import let_orphan_go
from softphone.archive.retention import due
from softphone.archive.retention.sweep import sweeping
from softphone.archive.retention.swept import DEFAULT_TERMS, REPORTS, SweepTerms, Swept, SweptItem
from softphone.archive.seen.access import REFUSED, RULE, opens_most
from softphone.archive.seen.asking import Asking
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission

__all__ = ["DEFAULT_TERMS", "REPORTS", "SweepTerms", "Sweeping", "Swept", "SweptItem", "Upkeep"]


@dataclass(frozen=True, slots=True)
class Sweeping:
    """`named`: which recordings it is about is told; else the sums alone. `total`: about how many are looked at."""

    items: Iterator[SweptItem]
    named: bool
    total: int


class Upkeep:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def sweep(
        self,
        now: datetime,
        *,
        clock: datetime,
        clock_is_right: bool,
        dry_run: bool,
        terms: SweepTerms | None,
        go_on: Callable[[], bool],
    ) -> Sweeping:
        """`clock` is the true time. `now` may be a later day for who finds all: they alone are told what it would bring.
        `clock_is_right`: they say so."""
        asking, archive = self._asking, self._asking.archive
        if now > clock and not asking.viewer.finds_all:
            archive.note_refusal(REFUSED, "G10", clock, deed="sweep_in_future")
            raise ArchiveError("error.archive.sweep_later_day")
        if clock_is_right:
            asking.require(Permission.BELIEVE_CLOCK)
            if not dry_run:
                archive.note(archive.decided_on()(AuditEntry("clock_believed", "G10", clock, "")))
        with archive.catalog.reading() as connection:
            total = due.count(connection, now)
        items = sweeping(
            archive,
            now,
            clock=clock,
            steady=steady(),
            witness=clock if clock_is_right else None,
            dry_run=dry_run,
            terms=terms,
            go_on=go_on,
        )
        return Sweeping(items, asking.viewer.finds_all, total)

    def let_orphan_go(self, id: str, why: str) -> None:
        """A file that was set aside, and that belongs to nothing."""
        asking = self._asking
        asking.require(Permission.JUDGE, recording=self._known(id))
        let_orphan_go(asking.archive, id, asking.now(), why=why)

    def _known(self, asked: str) -> str | None:
        """The id for the log: what nothing here has may be anything that somebody typed."""
        archive = self._asking.archive
        if asked in archive.vault.aside():
            return asked
        with suppress(ArchiveError):
            return archive.find(asked, self._asking.now()).recording
        return None

    def require_revoke(self, key: Recipient) -> None:
        """By who opens what is sealed for its purpose, or has custody: it ends recording where no other key is there.

        Raises ArchiveError `error.keys.not_yours_to_revoke`, once the audit log tells of it.
        """
        archive, viewer = self._asking.archive, self._asking.viewer
        if viewer.demo or any(opens_most(archive, viewer.key_ids, role) for role in (key.role, KeyRole.CUSTODY)):
            return
        archive.note_refusal(REFUSED, RULE, self._asking.now(), deed="revoke", of=key.key_id)
        raise ArchiveError("error.keys.not_yours_to_revoke", id=key.id)
