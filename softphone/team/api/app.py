"""The application: routes, limits, refusals and figures put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response

from softphone.team.api.asking import Here
from softphone.team.api.limits import Limits
from softphone.team.api.problems import answer_problems
from softphone.team.api.routes import ALL
from softphone.team.api.service import Service

plain = APIRouter(include_in_schema=False)


def description() -> dict[str, Any]:
    """OpenAPI, as docs/team-api.json has it."""
    told = "Between the desks of a house, its database and its storage. docs/team.md says how it is used."
    app = FastAPI(title="Klartone team", version="1", description=told)
    for one in ALL:
        app.include_router(one)
    return app.openapi()


def create_app(service: Service) -> FastAPI:
    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncGenerator[None]:
        async with service.open():
            yield

    app = FastAPI(lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    for one in (*ALL, plain):
        app.include_router(one)
    answer_problems(app)
    app.add_middleware(Limits, figures=service.figures)
    return app


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
