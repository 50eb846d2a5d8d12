"""Who asks: known from the headers, before a body is read. Each module of routes takes its router and its arguments from here."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from softphone.team.api import bodies
from softphone.team.api.limits import most_a_minute
from softphone.team.api.service import Process, Service, SignIn
from softphone.team.people.asking import Asking, asking_of
from softphone.team.people.proof import Proof, check_proof

Kind = TypeVar("Kind", bound=Process)
_ERRORS: dict[int | str, dict[str, Any]] = {"default": {"model": bodies.Problem, "description": "Refused"}}


class _WhoFirst(APIRoute):
    """Headers say who asks. Nothing is read for somebody whom nobody knows."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        asked = {one.call for one in self.dependant.dependencies}

        async def handle(request: Request) -> Response:
            if _asking in asked or _ringing in asked:
                here = _here(request, Process)
                rows = _here(request, Service).ringing if _ringing in asked else here.rows
                if isinstance(here, Service):
                    here.believed.refuse()
                headers, url = request.headers, _url(request, here)
                authorization, shown = headers.get("Authorization"), headers.get("DPoP")
                rate = most_a_minute(request.url.path)
                request.state.asking = await asking_of(
                    rows, authorization, shown, request.method, url, here.now(), rate
                )
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


def router() -> APIRouter:
    """For one module of routes."""
    return APIRouter(prefix="/v1", responses=_ERRORS, route_class=_WhoFirst)


# They only look up, and are `async` so that none takes a thread for it.
async def _process(request: Request) -> Process:
    return _here(request, Process)


async def _service(request: Request) -> Service:
    return _here(request, Service)


async def _sign_in(request: Request) -> SignIn:
    return _here(request, SignIn)


def _here(request: Request, kind: type[Kind]) -> Kind:
    found = request.app.state.process
    assert isinstance(found, kind)
    return found


Either = Annotated[Process, Depends(_process)]
Here = Annotated[Service, Depends(_service)]
SigningIn = Annotated[SignIn, Depends(_sign_in)]
Authorization = Annotated[str | None, Header(alias="Authorization", include_in_schema=False)]
Shown = Annotated[str | None, Header(alias="DPoP", description="The desk's proof (RFC 9449), Ed25519.")]


def _url(request: Request, process: Process) -> str:
    return process.address + request.url.path


async def _asking(request: Request, _shown: Shown = None, _authorization: Authorization = None) -> Asking:
    """Found before the body was read; the headers stand here for the description."""
    found = request.state.asking
    assert isinstance(found, Asking)
    return found


async def _ringing(request: Request, _shown: Shown = None, _authorization: Authorization = None) -> Asking:
    """By connections of its own."""
    return await _asking(request)


async def _proof(request: Request, here: Either, shown: Shown = None) -> Proof:
    return check_proof(shown, request.method, _url(request, here), here.now())


Who = Annotated[Asking, Depends(_asking)]
WhoRings = Annotated[Asking, Depends(_ringing)]
Proven = Annotated[Proof, Depends(_proof)]
