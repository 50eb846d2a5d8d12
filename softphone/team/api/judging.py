"""Finding and opening as the domain judges it, for one person in one transaction: the same steps as the local archive takes."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from softphone.domain.archive import permission
from softphone.domain.archive.permission import SearchScope, Viewer, narrowed, row_shown, search_scopes_for
from softphone.domain.archive.recordings import Cursor, HoldRow, Query
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import FINDS, OPENS, Permission
from softphone.team.api.seeing import RefusedError, Seeing
from softphone.team.rows import finding
from softphone.team.rows.finding import Asked, Found


async def page(
    one: Seeing, query: Query, number: bytes | None, after: Cursor | None, limit: int
) -> tuple[list[Found], Cursor | None]:
    """What this person finds, newest first; `number` is the hash of the query's. Raises NotPermitted."""
    seer, viewer = one.seer, one.viewer
    scopes = search_scopes_for(viewer, query, seer.now)
    calls = await finding.calls_of(one.tx, number) if number is not None else None
    ids = dict[UUID, None]()
    for scope in scopes:
        for each in narrowed(viewer, scope, query):
            ids |= dict.fromkeys(await finding.newest(one.tx, Asked(each, after, calls), limit + 1))
    rows = await finding.rows_of(one.tx, list(ids), seer.now)
    rows.sort(key=lambda it: (it.row.opened_at, it.row.recording), reverse=True)
    shown = [told for it in rows if (told := _shown(one, it, scopes)) is not None]
    return shown[:limit], finding.cursor_behind(shown, limit)


def _shown(one: Seeing, found: Found, scopes: tuple[SearchScope, ...]) -> Found | None:
    """By the scope that shows most of it, of those by which was searched."""
    scope = scope_of(one, found)
    if scope is None or scope.permission not in {it.permission for it in scopes}:
        return None
    return finding.shown(found, row_shown(one.viewer, scope, found.row), numbers=scope.numbers)


def scope_of(one: Seeing, found: Found) -> SearchScope | None:
    viewer = one.viewer if found.by_asker else replace(one.viewer, agents=())
    return permission.search_scope_of(viewer, found.row, lambda keys: is_for(found, keys), one.seer.now)


def is_for(found: Found, keys: permission.Keys) -> bool:
    role, ids = keys
    return any(f"{role.value}:{key_id}" in found.opened_by for key_id in ids)


async def count(one: Seeing, query: Query, number: bytes | None) -> int:
    scopes = search_scopes_for(one.viewer, query, one.seer.now)
    calls = await finding.calls_of(one.tx, number) if number is not None else None
    each = [Asked(it, None, calls) for scope in scopes for it in narrowed(one.viewer, scope, query)]
    return await finding.count(one.tx, each)


async def meant(one: Seeing, asked: str, *wanted: Permission) -> Found | UUID:
    """The recording that is meant: by its whole id, or by a beginning of it that no other has of those that this person finds.
    One of `wanted` must be theirs; the log names the first. Of a whole id that is here and that they do not find, the id.

    Raises NotPermitted, ArchiveError, RefusedError.
    """
    whole = finding.whole_id(asked)
    known = await finding.known(one.tx, whole) if whole else None
    if whole and known:
        one.about(known.call, whole)
    permission.require_any(one.viewer, wanted)
    if whole and known:
        return next(iter(await finding.rows_of(one.tx, [whole], one.seer.now)), whole)
    if not whole and asked:
        begins = Query(begins=asked)
        scopes = permission.search_scopes(one.viewer, one.seer.now)
        first, more = (await page(one, begins, None, None, 1)) if scopes else (list[Found](), None)
        if more is not None:
            raise ArchiveError("error.archive.ambiguous", id=asked[:60], **await _total(one, begins))
        if first:
            found = (await finding.rows_of(one.tx, [UUID(first[0].row.recording)], one.seer.now))[0]
            one.about(found.row.call, UUID(found.row.recording))
            return found
    if one.viewer.finds_all:
        raise ArchiveError("error.archive.no_such_recording", id=asked[:60])
    raise not_among_yours(wanted[0])


async def _total(one: Seeing, begins: Query) -> dict[str, int]:
    """Custody is told how many begin so."""
    return {"count": await count(one, begins, None)} if one.viewer.finds_all else {}


def is_whole(viewer: Viewer, hold: HoldRow) -> bool:
    return permission.is_shown_whole(viewer, hold, custody=False)


def not_among_yours(wanted: Permission) -> RefusedError:
    return RefusedError(ArchiveError("error.archive.not_among_yours"), deed=wanted.value)


async def show(one: Seeing, asked: str) -> tuple[Found, SearchScope]:
    found = await meant(one, asked, *FINDS)
    scope = scope_of(one, found) if isinstance(found, Found) else None
    if isinstance(found, UUID) or scope is None:
        raise not_among_yours(FINDS[0])
    return finding.shown(found, row_shown(one.viewer, scope, found.row), numbers=scope.numbers), scope


async def opening(one: Seeing, asked: str, role: KeyRole | None, *, why: str, case: str) -> tuple[Found, KeyRole]:
    """What may be heard, and as whom. Raises as `meant`, and RefusedError for what is closed to the role."""
    viewer = one.viewer
    deeds = [OPENS[role]] if role else sorted(OPENS.values(), key=viewer.may, reverse=True)
    found = await meant(one, asked, *deeds)
    told = {name: text for name, text in (("stated", why), ("case", case)) if text}
    if isinstance(found, UUID):
        wanted = role or came_for(viewer)
        known = await finding.known(one.tx, found)
        if wanted is KeyRole.TRAINING and known is not None and not known.led:
            raise permission.NotPermitted(OPENS[wanted], "not_your_team")
        raise _closed(str(found), wanted, told)
    heard = permission.role_to_open(viewer, found.row, role, why=why, case=case)
    assert heard is not None  # a house's archive is no demo's
    if heard not in found.row.opens_for:
        raise _closed(found.row.recording, heard, told)
    if not is_for(found, viewer.keys(heard)):
        fault = ArchiveError("error.archive.no_private_key", id=found.row.recording, role=heard.value)
        raise RefusedError(fault, "opening_refused", role=heard.value, why="no_private_key", **told)
    scope = scope_of(one, found)
    row = row_shown(viewer, scope, found.row) if scope else found.row
    return finding.shown(found, row, numbers=bool(scope and scope.numbers)), heard


def came_for(viewer: Viewer) -> KeyRole:
    return next(one for one, needed in OPENS.items() if viewer.may(needed))


def _closed(recording: str, role: KeyRole, told: dict[str, str]) -> RefusedError:
    fault = ArchiveError("error.archive.closed_to_role", id=recording, role=role.value)
    return RefusedError(fault, "opening_refused", role=role.value, why="closed_to_role", **told)
