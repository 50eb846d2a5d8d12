"""What a desk ships: its recordings and its log."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Request
from fastapi.exceptions import RequestValidationError
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from softphone.domain.archive.decisions import CaseKind
from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.asking import Here, Who, router
from softphone.team.api.service import Service
from softphone.team.objects import PART
from softphone.team.rows import cases, proving
from softphone.team.upload.arriving import State
from softphone.team.upload.told import FileTold, RecordingTold

_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_ID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
RecordingId = Annotated[str, Path(pattern=_ID)]
routes = router()


@routes.put(
    "/recordings/{recording}",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {}},
            "description": "One line of JSON, as for `finish`, and behind its line feed the file.",
        }
    },
)
async def recording_whole(request: Request, here: Here, asking: Who, recording: RecordingId) -> bodies.UploadState:
    """A recording of no more than a part, whole. The same one again gets its receipt."""
    now = here.now()  # before the file has come: a slow line is no wrong clock
    line, _, file = (await request.body()).partition(b"\n")
    try:
        told = RecordingTold.model_validate_json(line)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    _check(told, recording)
    if told.parts > 1:
        raise TeamError("error.team.too_large", most=PART)
    return _told(here, told, await here.arriving.whole(asking, told, file, now))


@routes.post("/recordings")
async def recording_begin(here: Here, asking: Who, told: FileTold) -> bodies.UploadState:
    """A file is to come. The same one again says what is missing; one that is here, its receipt. One of a single part comes
    whole."""
    return _state(await here.arriving.begin(asking, told))


@routes.put(
    "/recordings/{recording}/parts/{number}",
    status_code=204,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def recording_part(
    request: Request,
    here: Here,
    asking: Who,
    recording: RecordingId,
    number: Annotated[int, Path(ge=1, le=10_000)],
    content_digest: Annotated[str, Header(description="RFC 9530, sha-256")],
) -> None:
    """One part, which may be sent again."""
    found = _DIGEST.fullmatch(content_digest)
    try:
        digest = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        digest = b""
    if len(digest) != 32:
        raise TeamError("error.team.request_wrong", where="content-digest", reason="sha-256")
    await here.arriving.part(asking, UUID(recording), number, await request.body(), digest)


@routes.post("/recordings/{recording}/finish")
async def recording_finish(here: Here, asking: Who, recording: RecordingId, told: RecordingTold) -> bodies.UploadState:
    """All its rows. They are written once the file has been read and found to be what they say."""
    _check(told, recording)
    return _told(here, told, await here.arriving.finish(asking, told, here.now()))


@routes.post("/recordings/{recording}/case", status_code=204)
async def recording_case(here: Here, asking: Who, recording: RecordingId, told: bodies.LateCase) -> None:
    """An objection, or grounds against training, that the agent hears of an own call that is here."""
    async with here.rows.asking(asking.token) as tx:
        at = min(told.at, here.now())
        kind = CaseKind(told.kind)
        if not await cases.heard(tx, UUID(told.case), UUID(recording), kind, at, whole=told.whole):
            raise TeamError("error.team.missing")


@routes.delete("/recordings/{recording}/upload", status_code=204)
async def recording_give_up(here: Here, asking: Who, recording: RecordingId) -> None:
    await here.arriving.give_up(asking, UUID(recording))


@routes.post("/log")
async def log_ship(here: Here, asking: Who, told: bodies.Entries) -> bodies.Shipped:
    """Entries of this desk's log, in their order. Those that are here already change nothing."""
    async with here.rows.asking(asking.token) as tx:
        number = await tx.value("SELECT audit_ship(%s)", Jsonb(told.model_dump(mode="json")["entries"]))
        row = await proving.countersign(tx)
    if row is None:
        return bodies.Shipped(number=int(number))
    said = {"desk": str(asking.who.desk), **row}
    return bodies.Shipped(number=int(number), countersigned=here.signer.countersigned(said, here.now()))


def _check(told: RecordingTold, recording: str) -> None:
    if told.recording != recording:
        raise TeamError("error.team.request_wrong", where="recording", reason="path")


def _told(here: Service, told: RecordingTold, state: State) -> bodies.UploadState:
    if state.first:
        here.figures.received.inc()
        here.figures.bytes.inc(told.bytes)
    return _state(state)


def _state(state: State) -> bodies.UploadState:
    return bodies.UploadState(state=state.state, missing=list(state.missing), receipt=state.receipt, ended=state.ended)
