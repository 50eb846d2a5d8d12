"""Who asks, of which archive: what every part of the façade shares.

What they may is judged by `domain.archive.permission`. Every refusal is in the audit log before it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.finding.searching import page
from softphone.archive.schema.tables import calls, recordings
from softphone.archive.seen import access
from softphone.domain.archive import permission
from softphone.domain.archive.permission import (
    NotPermitted,
    SearchScope,
    Viewer,
    narrowed,
    row_shown,
    search_scopes_for,
)
from softphone.domain.archive.recordings import Cursor, Page, Query, RecordingRow
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import OPENS, Permission


class Asking:
    """Raises ArchiveError throughout, once the audit log tells of a refusal."""

    def __init__(self, archive: Archive, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.archive = archive
        self.viewer = viewer
        self.now = clock

    def require(self, wanted: Permission, *, recording: str | None = None) -> None:
        """`recording`: its whole id; then it must be an own team's, or an own call, where the permission is for one of those."""
        call, of = "", None
        if recording is not None:
            asked = select(calls.c.call, calls.c.line, calls.c.agent).join(
                recordings, recordings.c.call == calls.c.call
            )
            with self.archive.catalog.reading() as connection:
                row = connection.execute(asked.where(recordings.c.recording == recording)).first()
            call, of = (row.call, (row.line, row.agent)) if row is not None else ("", (None, None))
        if wanted in permission.OF_A_TEAM:
            self.require_signed()
        with self.refusing(call=call, recording=recording):
            permission.require(self.viewer, wanted, of)

    @contextmanager
    def refusing(self, *, call: str = "", recording: str | None = None) -> Generator[None]:
        """What is judged within, and refused, is in the log before it is raised, as the ArchiveError that it names."""
        try:
            yield
        except NotPermitted as error:
            self.refuse(error.permission, call=call, recording=recording)
            raise error.fault from None

    def refuse(self, wanted: Permission, *, call: str = "", recording: str | None = None) -> None:
        """The entry alone."""
        role = next((role for role, one in OPENS.items() if one is wanted), None)
        told = {"deed": wanted.value} | ({"role": role.value} if role else {})
        self.archive.note_refusal(access.REFUSED, access.RULE, self.now(), call=call, recording=recording, **told)

    def unsigned(self) -> ArchiveError | None:
        """Where the archive has come to ask for a signature that their policy lacks."""
        signer = self.archive.policy_signer
        counts = not signer or signer in self.viewer.signed_by
        return None if counts else ArchiveError("error.archive.policy_unsigned", signer=signer)

    def require_signed(self) -> None:
        if error := self.unsigned():
            access.refuse_policy(self.archive, error.code, self.now())
            raise error

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
        with self.refusing():
            return search_scopes_for(self.viewer, query, now)

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
        with self.refusing(call=call, recording=recording):
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
        self.refuse(wanted[0], call=call, recording=recording)
        raise ArchiveError("error.archive.not_among_yours")
