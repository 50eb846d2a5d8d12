"""What a request may take: bytes and seconds, by route. And one line in the log for each.

Plain ASGI: a body that says it is too long, or does not say how long it is, is refused before anything reads it. The server
reads no more of one than it said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from softphone.domain.errors import TeamError
from softphone.team.api.figures import Figures
from softphone.team.api.problems import bug, problem
from softphone.team.objects import PART
from softphone.team.people.asking import Rate

log = logging.getLogger("klartone.team.requests")
ROWS = 4 << 20
"""bytes of what a desk tells of a recording, or of its log: 10,000 wraps"""
SMALL = 64 << 10
_ROWS = ("/finish", "/holds/end", "/judging/keep", "/cases/decide")
"""what has a recording's wraps in it"""
_MOST_AT_ONCE = 200
"""requests: who comes then is told when to come again"""
SECONDS, SECONDS_PART, SECONDS_FINISH = 20.0, 300.0, 180.0


def most_bytes(method: str, path: str) -> int:
    if method == "PUT" and "/parts/" in path:
        return PART
    return ROWS if path.endswith(_ROWS) or path == "/v1/log" else SMALL


def most_seconds(method: str, path: str) -> float:
    if method == "PUT" and "/parts/" in path:
        return SECONDS_PART
    return SECONDS_FINISH if path.endswith("/finish") else SECONDS


def most_a_minute(path: str) -> Rate:
    """Of one desk. Numbers cannot be tried one after the other."""
    return _RATES.get(path, _ANY)


_RING, _KEYS = Rate("rings", 60), Rate("keys", 30)
_RATES = {
    "/v1/numbers/known": _RING,
    "/v1/keys/challenge": _KEYS,
    "/v1/keys/answer": _KEYS,
    "/v1/log": Rate("log", 60),
}
_ANY = Rate("requests", 3_000)


class Limits:
    """Around the whole application."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Request(scope, receive, send)
        began = time.monotonic()
        self._figures.under_way.inc()
        self._under_way += 1
        try:
            await self._answer(one)
        finally:
            self._under_way -= 1
            self._figures.under_way.dec()
            self._note(one, time.monotonic() - began)

    async def _answer(self, one: _Request) -> None:
        if self._under_way > _MOST_AT_ONCE and not one.path.startswith("/health"):
            await one.refuse(TeamError("error.team.unavailable"))
            return
        if (wrong := one.too_large()) is not None:
            await one.refuse(wrong)
            return
        try:
            async with asyncio.timeout(most_seconds(one.method, one.path)):
                await self._app(one.scope, one.receive, one.send)
        except TimeoutError:
            await one.refuse(TeamError("error.team.too_slow"))
        except Exception as error:  # noqa: BLE001 - the application has answered it, or nobody has
            if not one.status:
                await bug(error)(one.scope, one.receive, one.send)

    def _note(self, one: _Request, seconds: float) -> None:
        # The route as it is declared: an id that stands in a path is neither a label nor in the log.
        route = getattr(one.scope.get("route"), "path", "other")
        self._figures.requests.labels(route, one.method, one.status).inc()
        self._figures.seconds.labels(route, one.method).observe(seconds)
        if one.code:
            self._figures.refused.labels(one.code).inc()
        if not route.startswith(("/health", "/metrics")):
            told = {"route": route, "method": one.method, "status": one.status, "ms": round(1000 * seconds)}
            log.info("%s", json.dumps(told | ({"code": one.code} if one.code else {})))


class _Request:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.method = str(scope["method"]) if scope["method"] in _METHODS else "other"
        self.path = str(scope["path"])
        self.most = most_bytes(self.method, self.path)
        self.status = 0
        self.code = ""
        self.receive, self._send = receive, send

    def too_large(self) -> TeamError | None:
        told = {name.lower(): value for name, value in self.scope["headers"]}
        if b"transfer-encoding" in told:
            return TeamError("error.team.request_wrong", where="transfer-encoding", reason="length")
        length = told.get(b"content-length", b"0")
        if length.isdigit() and int(length) <= self.most:
            return None
        return TeamError("error.team.too_large", most=self.most)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        elif self.status >= 400 and not self.code and message.get("body"):
            self.code = _code_in(message["body"])
        await self._send(message)

    async def refuse(self, error: TeamError) -> None:
        if not self.status:
            await problem(error)(self.scope, self.receive, self.send)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


def _code_in(body: bytes) -> str:
    try:
        told: Any = json.loads(body)
        return str(told["code"]).removeprefix("error.team.")
    except (ValueError, TypeError, KeyError):
        return ""
