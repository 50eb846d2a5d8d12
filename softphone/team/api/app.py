"""The application: routes, limits, refusals and figures put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from softphone.domain.errors import TeamError
from softphone.team.api.asking import Either
from softphone.team.api.forwarding import Forwarding
from softphone.team.api.limits import Limits
from softphone.team.api.problems import answer_problems
from softphone.team.api.routes import SERVED, SIGNING_IN
from softphone.team.api.service import Process, Service, SignIn
from softphone.team.settings import is_loopback


def _near(request: Request, here: Either) -> None:
    """How it is, is nobody's business outside. Behind a balancer, that alone reaches it, and passes on what it is told to."""
    who = request.client
    if who is not None and not (here.behind_balancer or is_loopback(who.host)):
        raise TeamError("error.team.missing")


plain = APIRouter(include_in_schema=False, dependencies=[Depends(_near)])


def description() -> dict[str, Any]:
    """OpenAPI, as docs/team-api.json has it: of both processes, which have one address."""
    told = "Between the desks of a house, its database and its storage. docs/team.md says how it is used."
    app = FastAPI(title="Klartone team", version="1", description=told)
    for one in (*SIGNING_IN, *SERVED):
        app.include_router(one)
    return app.openapi()


def create_app(process: Process) -> FastAPI:
    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncGenerator[None]:
        async with process.open():
            yield

    app = FastAPI(lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.process = process
    for one in (*(SIGNING_IN if isinstance(process, SignIn) else SERVED), plain):
        # As they are: an included router would build each of its routes once more, at the process's first request.
        app.router.routes.extend(one.routes)
    if isinstance(process, Service) and process.forwarding:
        _forward(app, process.forwarding)
    answer_problems(app)
    app.add_middleware(Limits, figures=process.figures, by_source=not process.behind_balancer)
    return app


def _forward(app: FastAPI, to: Forwarding) -> None:
    async def forwarded(request: Request) -> Response:
        return await to(request)

    for router in SIGNING_IN:
        for one in router.routes:
            assert isinstance(one, APIRoute)
            app.add_api_route(one.path, forwarded, methods=[*(one.methods or ())], include_in_schema=False)


@plain.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"state": "live"}


@plain.get("/health/ready")
async def ready(here: Either) -> dict[str, str]:
    """What it needs answers too: a balancer sends requests here."""
    await here.ready()
    return {"state": "ready"}


@plain.get("/metrics")
async def metrics(here: Either) -> Response:
    return Response(here.figures.text(), media_type="text/plain; version=0.0.4")
