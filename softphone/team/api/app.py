"""The routes. Each says who asks, hands on to the part that knows, and gives its answer: no rule stands here.

Nothing personal is in a URL. A number travels in bodies alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from psycopg.types.json import Jsonb
from pydantic_core import from_json

from softphone.domain.errors import TeamError
from softphone.team.api import bodies
from softphone.team.api.limits import Limits
from softphone.team.api.problems import answer_problems
from softphone.team.api.service import Service
from softphone.team.people import sessions
from softphone.team.people.asking import Asking, asking_of
from softphone.team.people.proof import Proof, check_proof
from softphone.team.rows import afterwards, signing_in
from softphone.team.rows.numbers import number_hash
from softphone.team.upload.arriving import State
from softphone.team.upload.told import FileTold, HoldId, RecordingTold

_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_ID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
RecordingId = Annotated[str, Path(pattern=_ID)]
ERRORS: dict[int | str, dict[str, Any]] = {"default": {"model": bodies.Problem, "description": "Refused"}}


class _WhoFirst(APIRoute):
    """Headers say who asks. Nothing is read for somebody whom nobody knows."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        asked = {one.call for one in self.dependant.dependencies}

        async def handle(request: Request) -> Response:
            if _asking in asked or _ringing in asked:
                here = _service(request)
                rows = here.ringing if _ringing in asked else here.rows
                headers, url = request.headers, _url(request, here)
                authorization, shown = headers.get("Authorization"), headers.get("DPoP")
                request.state.asking = await asking_of(rows, authorization, shown, request.method, url, here.now())
            return await answer(_Read(request.scope, request.receive))

        return handle


class _Read(Request):
    """By a parser that is ten times as fast, and limits its depth."""

    async def json(self) -> Any:
        raw = await self.body()
        try:
            return from_json(raw, allow_inf_nan=False)
        except ValueError as error:
            raise json.JSONDecodeError("no JSON", "", 0) from error


routes = APIRouter(prefix="/v1", responses=ERRORS, route_class=_WhoFirst)


def description() -> dict[str, Any]:
    """OpenAPI, as docs/team-api.json has it."""
    told = "Between the desks of a house, its database and its storage. docs/team.md says how it is used."
    app = FastAPI(title="Klartone team", version="1", description=told)
    app.include_router(routes)
    return app.openapi()


def create_app(service: Service) -> FastAPI:
    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncGenerator[None]:
        async with service.open():
            yield

    app = FastAPI(lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    app.include_router(routes)
    app.include_router(plain)
    answer_problems(app)
    app.add_middleware(Limits, figures=service.figures)
    return app


def _service(request: Request) -> Service:
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


Here = Annotated[Service, Depends(_service)]
Authorization = Annotated[str | None, Header(alias="Authorization", include_in_schema=False)]
Shown = Annotated[str | None, Header(alias="DPoP", description="The desk's proof (RFC 9449), Ed25519.")]


def _url(request: Request, service: Service) -> str:
    return service.address + request.url.path


def _asking(request: Request, _shown: Shown = None, _authorization: Authorization = None) -> Asking:
    """Found before the body was read; the headers stand here for the description."""
    found = request.state.asking
    assert isinstance(found, Asking)
    return found


def _ringing(request: Request, _shown: Shown = None, _authorization: Authorization = None) -> Asking:
    """By connections of its own."""
    return _asking(request)


def _proof(request: Request, here: Here, shown: Shown = None) -> Proof:
    return check_proof(shown, request.method, _url(request, here), here.now())


Who = Annotated[Asking, Depends(_asking)]
WhoRings = Annotated[Asking, Depends(_ringing)]


@routes.get("/sign-in")
async def sign_in(here: Here) -> bodies.SignInTold:
    """What a desk needs to know before it has a token."""
    if here.openid is None:
        return bodies.SignInTold()
    told = here.openid.settings
    return bodies.SignInTold(issuer=told.issuer, client=told.client, scopes=told.scopes)


@routes.post("/token")
async def token(
    here: Here,
    proof: Annotated[Proof, Depends(_proof)],
    asked: Annotated[bodies.ByInvitation | bodies.ByIdToken | bodies.ByRefresh, Body(discriminator="grant")],
) -> bodies.Tokens:
    """A session begins with a one-time code or an ID token, or goes on. Each code and refresh token is used up by it."""
    if isinstance(asked, bodies.ByInvitation):
        opened = await sessions.take_code(here.signing_in, asked.code, UUID(asked.desk), proof)
    elif isinstance(asked, bodies.ByIdToken):
        if here.openid is None:
            raise TeamError("error.team.sign_in_wrong")
        identity = await here.openid.identify(asked.id_token, proof.thumbprint, here.now())
        opened = await sessions.take_identity(here.signing_in, identity, UUID(asked.desk), proof)
    else:
        opened = await sessions.renew(here.signing_in, asked.refresh_token, proof)
    return bodies.Tokens(
        access_token=opened.access, refresh_token=opened.refresh, expires_in=int(opened.lives.total_seconds())
    )


@routes.get("/me")
async def me(asking: Who) -> bodies.Me:
    who = asking.who
    roles = sorted(one.value for one in who.roles)
    return bodies.Me(person=who.person, desk=who.desk, roles=roles, agents=list(who.agents), expires_at=who.expires_at)


@routes.delete("/session", status_code=204)
async def session_end(here: Here, asking: Who) -> None:
    async with here.rows.asking(asking.token) as tx:
        await signing_in.end_session(tx)


@routes.delete("/desks/{desk}", status_code=204)
async def desk_revoke(here: Here, asking: Who, desk: Annotated[UUID, Path()]) -> None:
    """One's own, or any by IT. Its tokens are worth nothing from the next request on."""
    async with here.rows.asking(asking.token) as tx:
        if not await signing_in.revoke_desk(tx, desk):
            raise TeamError("error.team.missing")


@routes.put("/desk", status_code=204)
async def desk_seen(here: Here, asking: Who, seen: bodies.Seen) -> None:
    async with here.rows.asking(asking.token) as tx:
        await signing_in.desk_seen(tx, seen.program, seen.waiting, seen.failed)


@routes.get("/policy")
async def policy(here: Here, asking: Who, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The newest, byte by byte as it was signed. A desk asks with the ETag that it has."""
    async with here.rows.asking(asking.token) as tx:
        found = await tx.row(signing_in.POLICY)
    if found is None:
        raise TeamError("error.team.missing")
    headers = {"ETag": f'"{found["number"]}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if found["succession"] is not None:
        headers["Klartone-Succession"] = base64.b64encode(found["succession"]).decode("ascii")
    return Response(bytes(found["signed"]), media_type="application/octet-stream", headers=headers)


@routes.post("/recordings")
async def recording_begin(here: Here, asking: Who, told: FileTold) -> bodies.UploadState:
    """A file is to come. The same one again says what is missing; one that is here, its receipt."""
    return _told(await here.arriving.begin(asking, told))


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
    if told.recording != recording:
        raise TeamError("error.team.request_wrong", where="recording", reason="path")
    state = await here.arriving.finish(asking, told, here.now())
    if state.receipt:
        here.figures.received.inc()
        here.figures.bytes.inc(told.bytes)
    return _told(state)


@routes.delete("/recordings/{recording}/upload", status_code=204)
async def recording_give_up(here: Here, asking: Who, recording: RecordingId) -> None:
    await here.arriving.give_up(asking, UUID(recording))


@routes.post("/withdrawals")
async def withdrawal(here: Here, asking: Who, told: bodies.Withdrawal) -> bodies.Reached:
    """By the agent of the call; by number, for case handlers and data protection. It reaches what arrives later too."""
    if (told.call_group is None) == (told.number is None):
        raise TeamError("error.team.request_wrong", where="number", reason="one_of")
    of_number = number_hash(here.arriving.number_key, told.number) if told.number else None
    group = UUID(told.call_group) if told.call_group else None
    async with here.rows.asking(asking.token) as tx:
        reached = await afterwards.take_back(
            tx, UUID(told.withdrawal), told.purposes, told.reason, group=group, number=of_number
        )
    return bodies.Reached(recordings=reached)


@routes.post("/numbers", status_code=204)
async def number_remember(here: Here, asking: Who, told: bodies.Remembered) -> None:
    of_number = number_hash(here.arriving.number_key, told.number)
    async with here.rows.asking(asking.token) as tx:
        await afterwards.remember(
            *(tx, of_number, afterwards.Remembered(told.what), told.at, told.until),
            line=told.line,
            purpose=told.purpose,
            value=told.value,
        )


@routes.post("/numbers/known")
async def number_known(here: Here, asking: WhoRings, asked: bodies.Asked) -> bodies.Known:
    """Asked while it rings: answered within a third of a second, or not at all."""
    of_number = number_hash(here.arriving.number_key, asked.number)
    async with here.ringing.asking(asking.token) as tx:
        found = await afterwards.known(tx, of_number, asked.line)
    return bodies.Known(known=[bodies.KnownOne(**one) for one in found])


@routes.post("/holds")
async def holds_place(here: Here, asking: Who, told: bodies.Holds) -> bodies.Held:
    async with here.rows.asking(asking.token) as tx:
        placed = await afterwards.place_holds(tx, [one.hold_on(UUID(one.recording)) for one in told.holds])
    return bodies.Held(held=sorted(hold for hold, _ in placed))


@routes.delete("/holds/{hold}")
async def hold_undo(here: Here, asking: Who, hold: HoldId) -> bodies.Undone:
    """Within a minute, by its raiser."""
    async with here.rows.asking(asking.token) as tx:
        return bodies.Undone(undone=await afterwards.undo_hold(tx, hold))


@routes.post("/log")
async def log_ship(here: Here, asking: Who, told: bodies.Entries) -> bodies.Shipped:
    """Entries of this desk's log, in their order. Those that are here already change nothing."""
    async with here.rows.asking(asking.token) as tx:
        number = await tx.value("SELECT audit_ship(%s)", Jsonb(told.model_dump(mode="json")["entries"]))
    return bodies.Shipped(number=int(number))


def _told(state: State) -> bodies.UploadState:
    return bodies.UploadState(state=state.state, missing=list(state.missing), receipt=state.receipt)


plain = APIRouter(include_in_schema=False)


@plain.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"state": "live"}


@plain.get("/health/ready")
async def ready(here: Here) -> dict[str, str]:
    """Database and storage answer too: a balancer sends requests here."""
    await here.ready()
    return {"state": "ready"}


@plain.get("/metrics")
async def metrics(here: Here) -> Response:
    return Response(here.figures.text(), media_type="text/plain; version=0.0.4")
