"""The service's log: the whole for data protection, and for IT what says nothing of a call."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from softphone.domain.archive import permission
from softphone.domain.archive.recordings import AuditRow, Wanted
from softphone.domain.roles import Permission, Role
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.seeing import Seeing, seeing
from softphone.team.people.asking import Asking
from softphone.team.rows import logged
from softphone.team.upload.told import Moment, Told, Word

routes = router()


class LogAsked(Told):
    """Which entries are meant; nothing said: all. `recording`: an id, or how it begins. `before`: an entry's number."""

    since: Moment | None = None
    until: Moment | None = None
    events: Annotated[list[Word], Field(max_length=100)] = Field(default_factory=list[str])
    refusals: bool = False
    recording: Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    before: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class LogTold(Told):
    """Newest first. `before`: where the next look begins; none: there is nothing before."""

    rows: list[AuditRow]
    before: int | None


class LogEvents(Told):
    events: list[str]


def _require(one: Seeing, asking: Asking) -> None:
    """Row-level security says which entries. Who has proved no key is not IT by that alone."""
    if Role.IT not in asking.who.roles:
        permission.require_all(one.viewer, Permission.READ_LOG)


@routes.post("/log/look")
async def log_look(here: Here, asking: Who, asked: LogAsked) -> LogTold:
    """A piece of it at a time: a look may find nothing, and say where the next begins."""
    wanted = Wanted(asked.since, asked.until, tuple(asked.events), asked.refusals, asked.recording)
    async with seeing(here, asking) as one:
        _require(one, asking)
        rows, before = await logged.look(one.tx, wanted, asked.before, asked.limit)
    return LogTold(rows=rows, before=before)


@routes.get("/log/events")
async def log_events(here: Here, asking: Who) -> LogEvents:
    """What it has entries of, by name."""
    async with seeing(here, asking) as one:
        _require(one, asking)
        return LogEvents(events=await logged.events(one.tx))
