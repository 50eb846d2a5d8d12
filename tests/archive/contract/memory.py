"""A second archive behind the interface, plain and in memory: the domain's rules, dictionaries and nothing else. Not a test.

It seals nothing and forgets all at the end. What it can do with so little, a house's archive can.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from softphone.domain.archive import decisions as d
from softphone.domain.archive import permission
from softphone.domain.archive import recordings as r
from softphone.domain.archive.permission import Viewer
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import FINDS, OPENS, Permission
from tests.archive.contract.memory_reviews import Reviews
from tests.archive.contract.memory_rights import Cases, Holds, Judging, Rights, standing_of
from tests.archive.contract.memory_sound import Tone
from tests.archive.contract.memory_store import Asking, Part, Store, Stored


class Finding(Part):
    def page(self, query: r.Query, after: r.Cursor | None = None, limit: int = 100) -> r.Page:
        rows = sorted(self._all(query).values(), key=lambda row: (row.opened_at, row.recording), reverse=True)
        rows = [row for row in rows if not after or (row.opened_at, row.recording) < (after.opened_at, after.recording)]
        last = rows[limit - 1] if len(rows) > limit else None
        return r.Page(tuple(rows[:limit]), r.Cursor(last.opened_at, last.recording) if last else None)

    def count(self, query: r.Query, progress: object = None) -> int:
        return len(self._all(query))

    def others(self, query: r.Query) -> int:
        sees = [one for one in permission.search_scopes(self.a.viewer, self.a.now()) if one.custody and one.sealed_for]
        every = [one for one in self.a.store.stored.values() if _fits(query, one, self.a.now())]
        return len(every) - len(self._all(query)) if sees else 0

    def only_own(self) -> Period | None:
        scopes = permission.search_scopes(self.a.viewer, self.a.now())
        return self.a.viewer.own_calls if all(one.permission is Permission.FIND_OWN for one in scopes) else None

    def show(self, id: str) -> d.RecordingShown:
        one, now, viewer = self.a.meant(id, *FINDS), self.a.now(), self.a.viewer
        scope = self.a.scope(one)
        if scope is None:
            self.a.store.note("refused", now, one.recording, deed=FINDS[0].value)
            raise ArchiveError("error.archive.not_among_yours")
        shown = permission.row_shown(viewer, scope, one.row(now))
        whole = [permission.is_shown_whole(viewer, hold, custody=scope.custody) for hold in one.holds]
        review = r.OwnReview(tuple(one.scores.items()), tuple((it.sample, it.text) for it in one.comments))
        return d.RecordingShown(
            shown,
            tuple(d.HoldShown(standing_of(one, h, now), True, w) for h, w in zip(shown.holds, whole, strict=True)),
            scope.numbers,
            tuple(row for row in self.a.store.log if row.recording == one.recording) if scope.log else None,
            None
            if scope.permission is not Permission.FIND_OWN
            else review
            if one.shared and one.trains(now)
            else r.OwnReview(),
        )

    def _all(self, query: r.Query) -> dict[str, r.RecordingRow]:
        now, found = self.a.now(), dict[str, r.RecordingRow]()
        with self.a.refusing():
            scopes = permission.search_scopes_for(self.a.viewer, query, now)
        for scope in scopes:
            for each in permission.narrowed(self.a.viewer, scope, query):
                for one in self.a.store.stored.values():
                    if _fits(each, one, now):
                        found.setdefault(one.recording, permission.row_shown(self.a.viewer, scope, one.row(now)))
        return found


def _fits(query: r.Query, one: Stored, now: datetime) -> bool:
    return (
        query.number in (None, one.number)
        and (query.since is None or one.at >= query.since)
        and (query.until is None or one.at < query.until)
        and (query.lines is None or one.line in query.lines)
        and (query.agents is None or one.agent in query.agents)
        and (query.opens_for is None or query.opens_for in one.row(now).opens_for)
        and (query.sealed_for is None or one.is_for(query.sealed_for))
        and query.held in (None, bool(one.holds))
        and one.recording.startswith(query.begins)
    )


class Opening:
    def __init__(self, asking: Asking, one: Stored, row: r.RecordingRow, role: KeyRole) -> None:
        self.a, self.row, self.role = asking, row, role

    @contextmanager
    def sound(self, seconds: float | None = None) -> Generator[r.Sound]:
        self.a.store.note("recording_opened", self.a.now(), self.row.recording, role=self.role.value)
        yield r.Sound(r.RATE, Tone().pcm, ())

    def export(self, file: str, go_on: Callable[[int, int], object]) -> r.Exported:
        self.a.store.note("recording_exported", self.a.now(), self.row.recording, role=self.role.value)
        with wave.open(str(Path(file)), "wb") as out:
            out.setparams((2, 2, r.RATE, 0, "NONE", ""))
            out.writeframes(b"".join(block.tobytes() for block in Tone().pcm()))
        go_on(r.RATE, r.RATE)
        return r.Exported(1.0, ())


class MemoryArchive:
    def __init__(self, store: Store, viewer: Viewer, clock: Callable[[], datetime]) -> None:
        self.a = asking = Asking(store, viewer, clock)
        self.find, self.holds, self.rights = Finding(asking), Holds(asking), Rights(asking)
        self.judging, self.cases, self.reviews = Judging(asking), Cases(asking), Reviews(asking)

    def open(self, id: str, *, role: KeyRole | None = None, why: str = "", case: str = "") -> Opening:
        viewer = self.a.viewer
        one = self.a.meant(id, *([OPENS[role]] if role else sorted(OPENS.values(), key=viewer.may, reverse=True)))
        row = one.row(self.a.now())
        with self.a.refusing(one):
            chosen = permission.role_to_open(viewer, row, role, why=why, case=case) or row.opens_for[0]
        self.a.closed(one, chosen, chosen in row.opens_for)
        scope = self.a.scope(one)
        return Opening(self.a, one, permission.row_shown(viewer, scope, row) if scope else row, chosen)

    def written(self) -> Hashable:
        return len(self.a.store.log), len(self.a.store.stored)

    def beside(self) -> MemoryArchive:
        return MemoryArchive(self.a.store, self.a.viewer, self.a.now)

    def close(self) -> None:
        pass
