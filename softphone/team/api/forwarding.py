"""What is of signing in goes on to the process that does it, whose login of the database this one does not have.

It reads nothing of it. A connection a request: it is on the same machine, and each desk comes every few minutes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import h11
from fastapi import Request
from fastapi.responses import Response

from softphone.domain.errors import TeamError
from softphone.team.settings import SignIn

_SECONDS = 15.0
_LARGEST = 64 << 10
_PASSED = frozenset({"authorization", "dpop", "content-type", "user-agent"})
_RETURNED = frozenset({b"content-type", b"www-authenticate", b"retry-after"})


@dataclass(frozen=True, slots=True)
class Forwarding:
    to: SignIn

    async def __call__(self, request: Request) -> Response:
        """Raises TeamError `sign_in_unreachable`."""
        path: str = request.scope["route"].path
        passed = [(name, value) for name, value in request.headers.items() if name in _PASSED]
        return await self.ask(request.method, path, passed, await request.body())

    async def ask(
        self, method: str, path: str, passed: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> Response:
        try:
            async with asyncio.timeout(_SECONDS), self._connected() as (reader, writer):
                return await _answered(reader, writer, method, path, passed or [], body)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise TeamError("error.team.sign_in_unreachable") from error

    async def ready(self) -> None:
        """Raises TeamError."""
        if (await self.ask("GET", "/health/ready")).status_code != 200:
            raise TeamError("error.team.sign_in_unreachable")

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if sys.platform == "win32" or not self.to.socket:
            reader, writer = await asyncio.open_connection(self.to.host, self.to.port)
        else:
            reader, writer = await asyncio.open_unix_connection(self.to.socket)
        try:
            yield reader, writer
        finally:
            writer.close()


async def _answered(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    passed: list[tuple[str, str]],
    body: bytes,
) -> Response:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", "sign-in"), ("Connection", "close"), ("Content-Length", str(len(body))), *passed]
    for event in (h11.Request(method=method, target=path, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(event) or b"")
    await writer.drain()
    answer, content = Response(status_code=502), b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_LARGEST))
        elif isinstance(event, h11.Response):
            answer = Response(status_code=event.status_code)
            answer.raw_headers = [(name, value) for name, value in event.headers if name in _RETURNED]
        elif isinstance(event, h11.Data):
            content += event.data
            if len(content) > _LARGEST:
                raise h11.RemoteProtocolError("too large")
        else:
            break
    answer.body = content
    answer.raw_headers.append((b"content-length", str(len(content)).encode()))
    return answer
