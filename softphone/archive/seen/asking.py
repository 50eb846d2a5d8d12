"""Who asks, of which archive: what every part of the façade shares. What they may is judged by `domain.archive.permission`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.finding.searching import page
from softphone.archive.seen import access
from softphone.domain.archive import permission
from softphone.domain.archive.permission import SearchScope, Viewer, narrowed, row_shown, search_scopes_for
from softphone.domain.archive.recordings import Cursor, Page, Query, RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission


class Asking:
    """Raises ArchiveError throughout, once the audit log tells of a refusal."""

    def __init__(self, archive: Archive, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.archive = archive
        self.viewer = viewer
        self.now = clock

    def require(self, wanted: Permission, *, recording: str | None = None) -> None:
        access.require(self.archive, self.viewer, wanted, self.now(), recording=recording)

    def opens(self, recording: str) -> bool:
        """Whether whoever asks is told of it as custody: one of their custody keys opens it, or they find all."""
        return permission.opens(self.viewer, KeyRole.CUSTODY, access.sealed(self.archive, recording))

    def scope(self, row: RecordingRow) -> SearchScope | None:
        return permission.search_scope_of(self.viewer, row, access.sealed(self.archive, row.recording), self.now())

    def sees(self, recording: str) -> bool:
        with suppress(ArchiveError):
            return self.scope(self.archive.find(recording, self.now())) is not None
        return False

    def scopes_for(self, query: Query) -> tuple[SearchScope, ...]:
        now = self.now()
        with access.refusing(self.archive, now):
            here = search_scopes_for(self.viewer, query, now)
        if query.number is not None and not self.archive.secrets.numbers:
            # How a number is found by is not here, which the search says.
            access.refuse(self.archive, Permission.FIND_ALL, now)
        return here

    def found(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page:
        """As `searching.page`, of what this person finds; numbers only where they are told any."""
        here = self.scopes_for(query)
        rows: dict[str, RecordingRow] = {}
        bad = set[str]()
        for scope in here:
            for each in narrowed(self.viewer, scope, query):
                for row in self._of(each, after, limit + 1, bad):
                    rows.setdefault(row.recording, row_shown(self.viewer, scope, row))
        ordered = sorted(rows.values(), key=lambda row: (row.opened_at, row.recording), reverse=True)
        last = ordered[limit - 1] if len(ordered) > limit else None
        return Page(tuple(ordered[:limit]), Cursor(last.opened_at, last.recording) if last else None, frozenset(bad))

    def _of(self, query: Query, after: Cursor | None, limit: int, bad: set[str]) -> list[RecordingRow]:
        rows: list[RecordingRow] = []
        while True:
            one = page(self.archive, query, self.now(), after, limit)
            rows += one.rows
            bad |= one.unreadable
            after = one.next
            if after is None or len(rows) >= limit:
                return rows[:limit]

    def meant(self, asked: str, *wanted: Permission) -> RecordingRow:
        """The recording that is meant: by its whole id, which nobody guesses, or by a beginning of it that no other has of those
        that this person finds. One of `wanted` must be theirs; the log names the first.

        An id tells when its call was: where nothing that they find begins so, it sounds alike whether anything does.
        """
        archive, viewer, now = self.archive, self.viewer, self.now()
        row: RecordingRow | None = None
        with suppress(ArchiveError):
            row = archive.find(asked, now)
        call, recording = (row.call, row.recording) if row else ("", None)
        with access.refusing(archive, now, call=call, recording=recording):
            permission.require_any(viewer, wanted)
        if viewer.finds_all:
            return row or archive.find(asked, now)
        if row and recording == asked.lower():
            return row
        seen = self.found(Query(begins=asked), limit=1) if asked and permission.search_scopes(viewer, now) else None
        if seen and seen.next:
            raise ArchiveError("error.archive.ambiguous", id=asked)
        if seen and seen.rows:
            return archive.find(seen.rows[0].recording, now)
        access.refuse(archive, wanted[0], now, call=call, recording=recording)
        raise ArchiveError("error.archive.not_among_yours")
