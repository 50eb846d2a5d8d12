"""Finding, showing and opening recordings of the house. A number travels in bodies alone, and no sound passes that was opened."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.recordings import AuditRow, Cursor, Query, RecordingRow
from softphone.domain.errors import TeamError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission, Role, role_of
from softphone.team.api import judging
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.routes.arriving import RecordingId
from softphone.team.api.seeing import seeing
from softphone.team.api.service import Service
from softphone.team.people.asking import Asking
from softphone.team.rows import finding, opening
from softphone.team.rows.errors import MissingError, WrongError
from softphone.team.rows.finding import Found
from softphone.team.rows.numbers import number_hash
from softphone.team.upload.told import KeyId, Moment, Number, Sealed, SealRow, Suite, Told, Word

routes = router()
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_WHOLE = 8 << 20
"""bytes of one answer at most: so it is asked again whether it may still be heard"""
RangeAsked = Annotated[str | None, Header(alias="Range", description="One range, at most 8 MiB of it is answered.")]
Said = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", repr=False)]


class Asked(Told):
    """What is looked for. None: anything; an empty list finds nothing."""

    number: Number | None = Field(None, repr=False)
    since: Moment | None = None
    until: Moment | None = None
    lines: Annotated[list[Word], Field(max_length=1_000)] | None = None
    agents: Annotated[list[Word | None], Field(max_length=1_000)] | None = None
    opens_for: KeyRole | None = None
    held: bool | None = None
    begins: Annotated[str, Field(max_length=36)] = ""

    def query(self) -> Query:
        return Query(
            number=self.number,
            since=self.since,
            until=self.until,
            lines=None if self.lines is None else tuple(self.lines),
            agents=None if self.agents is None else tuple(self.agents),
            opens_for=self.opens_for,
            held=self.held,
            begins=self.begins,
        )


class PageAsked(Asked):
    """`after`: where a page ended, as it told it."""

    after: Annotated[str, Field(max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class RowTold(Told):
    """`row` is without its number: that stands in `seals`, for keys of who asks, where they may see it."""

    row: RecordingRow
    seals: list[SealRow]


class PageTold(Told):
    rows: list[RowTold]
    next: str | None


class Count(Told):
    count: int


class IdAsked(Told):
    """A whole id, or a beginning of it that no other has of those that who asks finds."""

    id: Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ShownTold(RowTold):
    """`numbers` false: they see no number. `log` null: they may not see what happened to it. `own`: it is an own call."""

    numbers: bool
    log: list[AuditRow] | None
    own: bool
    whole: list[bool]
    """of each hold, whether they see why it was raised and by whom"""
    now: datetime


class OpenAsked(IdAsked):
    """`role` null: the least that opens it. Documentation needs `why`, custody a `case`."""

    role: KeyRole | None = None
    why: Said = ""
    case: Said = ""


class OpenTold(RowTold):
    role: KeyRole


class WrapTold(Told):
    segment: int
    key_id: KeyId
    suite: Suite
    sealed: Sealed


class HeardAsked(Told):
    role: KeyRole
    why: Said = ""
    case: Said = ""


class WrapsTold(Told):
    """Data keys, sealed for keys of who asks; and how long the file is."""

    wraps: list[WrapTold]
    bytes: int


class ViewerTold(Told):
    """Who asks, as what they see is judged. `keys`: those that they have proved, by role. `session_roles`: by the sign-in."""

    roles: list[Role]
    session_roles: list[Role]
    keys: dict[KeyRole, list[str]]
    agents: list[str]
    finds_all: bool
    own_calls: timedelta
    user: str


class Written(Told):
    """Another number once something that who asks may find has changed."""

    written: int


@routes.get("/viewer")
async def viewer(here: Here, asking: Who) -> ViewerTold:
    async with seeing(here, asking) as one:
        seen: Viewer = one.viewer
        return ViewerTold(
            roles=sorted(seen.roles),
            session_roles=sorted(asking.who.roles),
            keys={role: list(ids) for role, ids in seen.key_ids.items()},
            agents=list(seen.agents),
            finds_all=seen.finds_all,
            own_calls=seen.own_calls.length(),
            user=seen.user,
        )


@routes.get("/written")
async def archive_written(here: Here, asking: Who) -> Written:
    async with here.rows.asking(asking.token) as tx:
        return Written(written=await finding.written(tx))


@routes.post("/recordings/find")
async def recordings_find(here: Here, asking: Who, asked: PageAsked) -> PageTold:
    """Newest first. By number: for case handlers and data protection alone."""
    after = Cursor.parse(asked.after) if asked.after else None
    async with seeing(here, asking) as one:
        rows, last = await judging.page(one, asked.query(), _hash(here, asked), after, asked.limit)
        return PageTold(rows=[_told(it) for it in rows], next=str(last) if last else None)


@routes.post("/recordings/count")
async def recordings_count(here: Here, asking: Who, asked: Asked) -> Count:
    async with seeing(here, asking) as one:
        return Count(count=await judging.count(one, asked.query(), _hash(here, asked)))


@routes.post("/recordings/show")
async def recording_show(here: Here, asking: Who, asked: IdAsked) -> ShownTold:
    async with seeing(here, asking) as one:
        found, scope = await judging.show(one, asked.id)
        whole = [scope.custody or judging.is_whole(one.viewer, hold) for hold in found.row.holds]
        return ShownTold(
            **told_row(found),
            numbers=scope.numbers,
            log=await finding.log_of(one.tx, UUID(found.row.recording)) if scope.log else None,
            own=scope.permission is Permission.FIND_OWN,
            whole=whole,
            now=one.seer.now,
        )


@routes.post("/recordings/open")
async def recording_open(here: Here, asking: Who, asked: OpenAsked) -> OpenTold:
    """Whether it may be heard, and as whom. Nothing is handed out yet; a refusal is in the log."""
    async with seeing(here, asking) as one:
        found, role = await judging.opening(one, asked.id, asked.role, why=asked.why, case=asked.case)
        return OpenTold(**told_row(found), role=role)


@routes.post("/recordings/{recording}/wraps")
async def recording_wraps(here: Here, asking: Who, recording: RecordingId, asked: HeardAsked) -> WrapsTold:
    """Its data keys for who asks, in this role. That it was opened is in the log with them."""
    await _check_role(here, asking, recording, asked)
    try:
        async with here.rows.asking(asking.token) as tx:
            wraps = await opening.wraps(tx, UUID(recording), asked.role, asked.why, asked.case)
            file = await opening.file(tx, UUID(recording))
    except (MissingError, WrongError):
        await _say_why(here, asking, recording, asked)
        raise
    if file is None:
        raise MissingError("error.team.missing")
    return WrapsTold(wraps=[WrapTold(**it) for it in wraps], bytes=file.size)


@routes.post("/recordings/{recording}/exported", status_code=204)
async def recording_exported(here: Here, asking: Who, recording: RecordingId, asked: HeardAsked) -> None:
    """A file of plain sound is being made of it: told before it gets its name."""
    await _check_role(here, asking, recording, asked)
    try:
        async with here.rows.asking(asking.token) as tx:
            await opening.exported(tx, UUID(recording), asked.role, asked.why, asked.case)
    except (MissingError, WrongError):
        await _say_why(here, asking, recording, asked)
        raise


@routes.get("/recordings/{recording}/file", response_class=Response)
async def recording_file(
    here: Here,
    asking: Who,
    recording: RecordingId,
    range_: RangeAsked = None,
) -> Response:
    """Sealed, as it lies in storage. Asked anew for each range whether it may still be heard."""
    async with here.rows.asking(asking.token) as tx:
        file = await opening.file(tx, UUID(recording))
    return await streamed(here, file, range_)


async def streamed(here: Service, file: opening.File | None, range_: str | None) -> Response:
    """A range of it, straight from storage. Raises MissingError where there is none."""
    if file is None:
        raise MissingError("error.team.missing")
    start, end = _range(range_, file.size)
    headers = {
        "Content-Range": f"bytes {start}-{end - 1}/{file.size}",
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
    }
    blocks = here.bucket.read(file.key, file.version, start, end)
    # What storage refuses is told as such, before the first byte.
    first = await anext(blocks, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return StreamingResponse(whole(), 206, headers, "application/octet-stream")


async def _check_role(here: Service, asking: Asking, recording: str, asked: HeardAsked) -> None:
    if role_of(asked.role) not in asking.who.roles:
        await _say_why(here, asking, recording, asked)


async def _say_why(here: Service, asking: Asking, recording: str, asked: HeardAsked) -> None:
    """Why it may not be heard, as the domain has it: logged, and raised. The database has refused by then, or would."""
    async with seeing(here, asking) as one:
        await judging.opening(one, recording, asked.role, why=asked.why, case=asked.case)


def _range(told: str | None, size: int) -> tuple[int, int]:
    """From, and up to without. Raises TeamError."""
    found = _RANGE.fullmatch(told or "bytes=0-")
    start = int(found[1]) if found else size
    last = int(found[2]) if found and found[2] else size - 1
    if start >= size or last < start:
        raise TeamError("error.team.request_wrong", where="range", reason="range")
    return start, min(last + 1, size, start + _WHOLE)


def _hash(here: Service, asked: Asked) -> bytes | None:
    return number_hash(here.arriving.number_key, asked.number) if asked.number is not None else None


def _told(found: Found) -> RowTold:
    return RowTold(**told_row(found))


def told_row(found: Found) -> dict[str, Any]:
    seals = [SealRow(role=it.role, key_id=it.key_id, suite=it.suite, sealed=it.sealed) for it in found.seals]
    return {"row": found.row, "seals": seals}
