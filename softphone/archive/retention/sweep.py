"""The sweep: what has reached its day goes; what a hold needs stays. An open case keeps nothing (G10, G23, G36).

First a purpose's wraps, and with them the ability to listen; then, where nothing keeps a recording, all of it. What the policy
wants judged first is listed on its day, and goes when nobody has judged it in time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from softphone.archive.archive import Archive
from softphone.archive.catalog.clock import Steady, believe, last_seen, whole_sweep
from softphone.archive.catalog.condemned import remove_condemned
from softphone.archive.folder.disk import FULL, NOT_DUE
from softphone.archive.folder.room import AT_ONCE
from softphone.archive.log import audit
from softphone.archive.log.checkpoint import begins
from softphone.archive.outbox.shipping import past_own_list
from softphone.archive.retention import cases, due, forgetting
from softphone.archive.retention.deleting import judge, take_due
from softphone.archive.retention.found import UnreadableError, read
from softphone.archive.retention.handed_over import forget_rows
from softphone.archive.retention.listed import clear_listed, finish_listed
from softphone.archive.retention.swept import DEFAULT_TERMS, TOLD_AGAIN, SweepTerms, Swept, SweptItem, entry_of
from softphone.archive.schema.tables import (
    call_backs,
    party_languages,
    past_calls,
    refusals,
    sample_runs,
    sample_tallies,
    shipped,
    upheld,
)
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError

BATCH = 50
"""recordings looked at before the files of what went go, and the catalog log of pages is emptied"""


_LISTS: Mapping[Swept, Table] = {
    Swept.REFUSALS_FORGOTTEN: refusals,
    Swept.LANGUAGES_FORGOTTEN: party_languages,
    Swept.UPHELD_FORGOTTEN: upheld,
    Swept.PAST_CALLS_FORGOTTEN: past_calls,
    Swept.CALL_BACKS_FORGOTTEN: call_backs,
    Swept.RECEIPTS_FORGOTTEN: shipped,
    Swept.SAMPLE_RUNS_FORGOTTEN: sample_runs,
    Swept.TALLIES_FORGOTTEN: sample_tallies,
}
"""what is remembered of parties and agents, each with its last day or its month"""
_OF_THE_SAMPLE = frozenset({Swept.SAMPLE_RUNS_FORGOTTEN, Swept.TALLIES_FORGOTTEN})


def sweep(archive: Archive, now: datetime, **how: Any) -> list[SweptItem]:
    """`sweeping` to its end: for what is known to be little."""
    return list(sweeping(archive, now, **how))


def sweeping(
    archive: Archive,
    now: datetime,
    *,
    clock: datetime,
    steady: Steady | None = None,
    witness: datetime | None = None,
    dry_run: bool = False,
    terms: SweepTerms | None = DEFAULT_TERMS,
    go_on: Callable[[], bool] = lambda: True,
) -> Generator[SweptItem]:
    """Everything due at `now` (UTC), told as it is done. `clock` is the true time: a later `now` is for a dry run or a demo's
    archive alone. `terms` None: it is not known which policy holds, so that nothing is listed and no log is cut by another's.

    Where the clock may have jumped since it was last believed, nothing is deleted unless a `witness` of the time agrees with it.
    `steady`: what the clock that nobody sets says beside it.
    `go_on` is asked before each recording, and may take its time; once it says no, what is left is for another time.
    On a full disk files go before their rows (ADR 019), so that there is room for the rest.
    Raises ArchiveError: on a full disk also where nothing is due.
    """
    if now > clock and not dry_run and not archive.demo:
        archive.note_refusal("refused", "G10", clock, deed="sweep_in_future")
        raise ArchiveError("error.archive.sweep_in_future")
    run = _Sweep(archive, now, clock, steady, witness, terms, go_on)
    if dry_run:
        yield from run.would()
        return
    try:
        finish_listed(archive, now)
        yield from run.whole(BATCH)
    except ArchiveError as error:
        if error.code != FULL:
            raise
        due_now = (item for item in run.would() if item.what not in TOLD_AGAIN)
        if next(due_now, None) is None:
            raise ArchiveError(NOT_DUE, **error.params) from error
        archive.room.give()
        if doubt := run.doubt():
            yield doubt
            return
        finish_listed(archive, now)
        yield from run.files_first()
        yield from run.whole(1)
    archive.room.keep()


@dataclass(frozen=True, slots=True)
class _Sweep:
    """As `sweeping` is asked for it."""

    archive: Archive
    now: datetime
    clock: datetime
    steady: Steady | None
    witness: datetime | None
    terms: SweepTerms | None
    go_on: Callable[[], bool]

    def whole(self, batch: int) -> Iterator[SweptItem]:
        if doubt := self.doubt():
            yield doubt
            return
        archive, now = self.archive, self.now
        changed = False
        for page in due.pages(archive.catalog, now, batch):
            deleted = False
            stopped = False
            for recording in page:
                if stopped := not self.go_on():
                    break
                items = self._taken(recording)
                deleted = deleted or any(item.what not in TOLD_AGAIN for item in items)
                yield from items
            finish(archive, deleted=deleted)
            changed = changed or deleted
            if stopped:
                break
        else:
            last = [*_forget(archive, now), *self._cut_log()]
            finish(archive, deleted=bool(last))
            with archive.catalog.writing() as tx:
                whole_sweep(tx, self.clock)
            changed = changed or bool(last)
            yield from last
            yield from _overdue(archive, now)
        if changed:
            archive.head(self.clock)

    def files_first(self) -> Iterator[SweptItem]:
        """Of what is due as a whole the list is written, then the files go, then the rows. Nobody else writes meanwhile, and
        holds are read anew. Where it is cut off in between, or the rows find no room either, the next start finishes it."""
        archive = self.archive
        for page in due.pages(archive.catalog, self.now, AT_ONCE):
            if not self.go_on():
                return
            with archive.catalog.writing() as tx:
                goes = [recording for recording in page if self._goes(tx.connection, recording)]
                if not goes:
                    continue
                archive.room.list(goes)
                archive.vault.delete(*goes)
                items = [item for one in goes for item in take_due(tx, one, self.now, self.terms)]
            clear_listed(archive, goes)
            remove_condemned(archive.catalog, archive.vault)
            yield from items

    def would(self) -> Iterator[SweptItem]:
        archive, now, terms = self.archive, self.now, self.terms
        for page in due.pages(archive.catalog, now, BATCH):
            if not self.go_on():
                return
            with archive.catalog.reading() as connection:
                items = [item for recording in page for item in self._due(connection, recording)]
            yield from items
        with archive.catalog.reading() as connection:
            stale = _stale(connection, now)
            past = forgetting.past(connection, archive.signer, now, terms.log_kept, whole=True) if terms else None
        yield from stale
        yield from _overdue(archive, now)
        if past:
            yield SweptItem(Swept.LOG_CUT, None, "G10", count=past.count)

    def doubt(self) -> SweptItem | None:
        with self.archive.catalog.writing() as tx:
            if believe(tx, self.clock, steady=self.steady, witness=self.witness):
                return None
            seen = last_seen(tx.connection) or self.clock
            item = SweptItem(Swept.CLOCK_DOUBTFUL, None, "G10", since=seen.date())
            entry = entry_of(item, None, self.clock)
            last = audit.last(tx.connection, self.archive.desk)
            if last is None or last.event != entry.event:
                # Tried again and again, it is told once.
                tx.log(entry)
            return item

    def _due(self, connection: Connection, recording: str) -> list[SweptItem]:
        try:
            found = read(connection, recording, self.now)
        except UnreadableError:
            return [_unreadable(recording)]
        return judge(found, self.now, self.terms)[0] if found else []

    def _goes(self, connection: Connection, recording: str) -> bool:
        """Whether nothing keeps it. What a void hold kept is for the next sweep, once there is room."""
        items = self._due(connection, recording)
        return any(item.what is Swept.DISCARDED for item in items) and all(item.hold is None for item in items)

    def _taken(self, recording: str) -> list[SweptItem]:
        """One transaction a recording: an engine that is writing meanwhile waits for no more than that."""
        try:
            with self.archive.catalog.writing() as tx:
                return take_due(tx, recording, self.now, self.terms)
        except UnreadableError:
            return [_unreadable(recording)]

    def _cut_log(self) -> list[SweptItem]:
        """A part at a time: what is left where it is stopped, another sweep cuts."""
        archive, now, count = self.archive, self.now, 0
        while self.terms and self.go_on():
            with archive.catalog.reading() as connection:
                past = forgetting.past(connection, archive.signer, now, self.terms.log_kept)
            if past is None:
                break
            with archive.catalog.writing() as tx:
                # Another may have cut it meanwhile, and further: nothing begins earlier again. What has been proved stays so.
                begin = begins(tx.connection).get(archive.desk)
                cut = past.head.number - (begin.number if begin else 0)
                if cut <= 0:
                    break
                params = {"count": cut, "kept": str(past.kept), "begins": past.head.number + 1}
                tx.log(AuditEntry(f"sweep_{Swept.LOG_CUT.value}", "G10", now, "", params=params))
                forgetting.cut(tx, archive.signer, past.head, now)
            count += cut
        return [SweptItem(Swept.LOG_CUT, None, "G10", count=count)] if count else []


def _unreadable(recording: str) -> SweptItem:
    return SweptItem(Swept.UNREADABLE, str(recording), "G10")


def _overdue(archive: Archive, now: datetime) -> list[SweptItem]:
    with archive.catalog.reading() as connection:
        late = [one for one in cases.open_cases(connection, now) if one.overdue]
    return [
        SweptItem(Swept.CASE_OVERDUE, one.recording, one.kind.rule, one.kind.purpose, since=one.deadline)
        for one in late
    ]


def _forget(archive: Archive, now: datetime) -> list[SweptItem]:
    """What is remembered past its day."""
    with archive.catalog.writing() as tx:
        stale = _stale(tx.connection, now)
        for item in stale:
            if item.what is Swept.HANDED_OVER_FORGOTTEN:
                forget_rows(tx, now)
            else:
                tx.execute(delete(_LISTS[item.what]).where(_is_past(item.what, now)))
            event = f"sweep_{item.what.value}"
            tx.log(AuditEntry(event, item.rule, now, "", params={"count": item.count}))
    return stale


def finish(archive: Archive, *, deleted: bool = True) -> None:
    """The files of what was deleted go, and its rows from the catalog's log of pages."""
    if deleted:
        archive.catalog.empty_log()
    remove_condemned(archive.catalog, archive.vault)


def _stale(connection: Connection, now: datetime) -> list[SweptItem]:
    items: list[SweptItem] = []
    for what, table in _LISTS.items():
        asked = select(func.count()).select_from(table).where(_is_past(what, now))
        if count := int(connection.execute(asked).scalar_one()):
            rule = "G33" if what in _OF_THE_SAMPLE else "G10"
            items.append(SweptItem(what, None, rule, count=count))
    if those := past_own_list(connection, now):
        items.append(SweptItem(Swept.HANDED_OVER_FORGOTTEN, None, "G10", count=len(those)))
    return items


def _is_past(what: Swept, now: datetime) -> ColumnElement[bool]:
    today = now.date()
    if what is Swept.TALLIES_FORGOTTEN:
        # The month of a year ago is the last that stays; a day of it stands in the same column (`tally`).
        return sample_tallies.c.month < f"{today.year - 1:04}-{today.month:02}"
    return _LISTS[what].c.until <= today.isoformat()
