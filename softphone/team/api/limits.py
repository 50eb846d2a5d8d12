"""What a request may take: bytes and seconds, by route. And one line in the log for each.

Plain ASGI: a body that says it is too long, or does not say how long it is, is refused before anything reads it. The server
reads no more of one than it said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
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
_OF_ONE = 20
"""of them: those that show one token. One that nobody knows is refused before its body is read"""
_FOR_SMALL = 5.0
"""seconds in which a small body must have come. Until then it takes nobody's place"""
_SIGN_INS = 300
"""of one address within a minute: each costs a signature and a row, and who asks has no token yet that is counted"""
SECONDS, SECONDS_PART, SECONDS_FINISH = 20.0, 300.0, 180.0


def most_bytes(method: str, path: str) -> int:
    if _is_file(method, path):
        return PART if "/parts/" in path else ROWS + PART
    return ROWS if path.endswith(_ROWS) or path == "/v1/log" else SMALL


def most_seconds(method: str, path: str) -> float:
    if _is_file(method, path):
        return SECONDS_PART
    return SECONDS_FINISH if path.endswith("/finish") else SECONDS


def _is_file(method: str, path: str) -> bool:
    """A part, or a recording whole."""
    return method == "PUT" and path.startswith("/v1/recordings/")


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
    """Around the whole application. `by_source`: whoever asks is seen by their address; behind a balancer, that limits."""

    def __init__(self, app: ASGIApp, figures: Figures, *, by_source: bool) -> None:
        self._app = app
        self._figures = figures
        self._under_way = 0
        self._of_one = Counter[bytes]()
        self._by_source = by_source
        self._sign_ins, self._minute = Counter[str](), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _Request(scope, receive, send)
        began = time.monotonic()
        try:
            if (wrong := one.too_large() or self._too_often(one)) is not None:
                await one.refuse(wrong)
            elif await one.is_here():
                await self._placed(one)
        finally:
            self._note(one, time.monotonic() - began)

    def _too_often(self, one: _Request) -> TeamError | None:
        client = one.scope.get("client")
        if one.path != "/v1/token" or client is None or not self._by_source:
            return None
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._sign_ins, self._minute = Counter[str](), minute
        self._sign_ins[client[0]] += 1
        return TeamError("error.team.too_many", seconds=60) if self._sign_ins[client[0]] > _SIGN_INS else None

    async def _placed(self, one: _Request) -> None:
        """In one of the places that there are."""
        self._figures.under_way.inc()
        self._under_way += 1
        self._of_one[one.token] += 1
        try:
            if one.path.startswith("/health") or not self._is_full(one):
                await self._answer(one)
            else:
                await one.refuse(TeamError("error.team.unavailable"))
        finally:
            self._of_one[one.token] -= 1
            if not self._of_one[one.token]:
                del self._of_one[one.token]
            self._under_way -= 1
            self._figures.under_way.dec()

    def _is_full(self, one: _Request) -> bool:
        return self._under_way > _MOST_AT_ONCE or (one.token != b"" and self._of_one[one.token] > _OF_ONE)

    async def _answer(self, one: _Request) -> None:
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
            told: dict[str, Any] = {
                "route": route,
                "method": one.method,
                "status": one.status,
                "ms": round(1000 * seconds),
            }
            told |= {name: value for name, value in (("code", one.code), ("detail", one.detail)) if value}
            log.info("%s", json.dumps(told))


class _Request:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.method = str(scope["method"]) if scope["method"] in _METHODS else "other"
        self.path = str(scope["path"])
        self.most = most_bytes(self.method, self.path)
        self.status = 0
        self.code = self.detail = ""
        self.receive, self._send = receive, send
        self._told = {name.lower(): value for name, value in scope["headers"]}
        self.token = self._told.get(b"authorization", b"")

    def too_large(self) -> TeamError | None:
        if b"transfer-encoding" in self._told:
            return TeamError("error.team.request_wrong", where="transfer-encoding", reason="length")
        length = self._told.get(b"content-length", b"0")
        if length.isdigit() and int(length) <= self.most:
            return None
        return TeamError("error.team.too_large", most=self.most)

    async def is_here(self) -> bool:
        """Takes a small body in. A large one is left to whoever reads it: that is somebody who is known. False: nobody waits for
        an answer, or it has come too slowly and was refused."""
        if not 0 < int(self._told.get(b"content-length", b"0")) <= SMALL:
            return True
        body, receive, goes_on = b"", self.receive, True
        try:
            async with asyncio.timeout(_FOR_SMALL):
                while goes_on:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    body += message.get("body", b"")
                    goes_on = bool(message.get("more_body", False))
        except TimeoutError:
            await self.refuse(TeamError("error.team.too_slow"))
            return False
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        self.receive = again
        return True

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        elif self.status >= 400 and not self.code and message.get("body"):
            self.code, self.detail = _code_in(message["body"])
        await self._send(message)

    async def refuse(self, error: TeamError) -> None:
        if not self.status:
            await problem(error)(self.scope, self.receive, self.send)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


def _code_in(body: bytes) -> tuple[str, str]:
    """And the detail of a server that is away or refuses: its own code."""
    try:
        told: Any = json.loads(body)
        return str(told["code"]).removeprefix("error.team."), str(told["params"].get("detail", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""
