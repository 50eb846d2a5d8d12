"""`klartone team serve`: the parts put together, and a server that stops without cutting anybody off.

SIGTERM: it takes no new request, ends those under way, and goes. Killed instead, it loses nothing: desks ask again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from softphone.team.api.app import create_app
from softphone.team.api.service import Service
from softphone.team.logins import login, ringing
from softphone.team.objects import Bucket, Shortcoming, Storage, check
from softphone.team.people.openid import OpenId
from softphone.team.proving.restoring import refuse_restored
from softphone.team.schema import SERVICE, SIGN_IN
from softphone.team.settings import Secrets, TeamSettings
from softphone.team.upload.arriving import Arriving
from softphone.team.upload.receipt import Signer

_GRACE = 30
"""seconds for what is under way when it is told to stop"""
_FOR_HEADERS = 10.0
"""seconds after which a connection on which no request has come is closed, at the second look"""
_FILES = 16_384


def storage_of(settings: TeamSettings, secret: str) -> Storage:
    told = settings.storage
    return Storage(told.bucket, told.access_key, secret, told.endpoint, told.region, told.authority)


def shortcomings(storage: Storage) -> list[Shortcoming]:
    """What the bucket lacks. Raises TeamError where it cannot be reached."""

    async def asked() -> list[Shortcoming]:
        bucket = Bucket(storage)
        try:
            return await check(bucket)
        finally:
            bucket.close()

    return asyncio.run(asked())


def refuse_if_restored(settings: TeamSettings, user: str, password: str, storage: Storage) -> None:
    """Raises TeamError where the database comes from a backup, and has not learnt yet what storage knows."""

    async def asked() -> None:
        bucket = Bucket(storage)
        try:
            async with login(settings.database, user, password, most=1) as rows:
                await refuse_restored(rows, bucket)
        finally:
            bucket.close()

    asyncio.run(asked())


def service_of(settings: TeamSettings, secrets: Secrets) -> Service:
    rows, bucket = login(settings.database, SERVICE, secrets.database), Bucket(storage_of(settings, secrets.storage))
    signer = Signer(secrets.receipt_key)
    arriving = Arriving(rows, bucket, secrets.number_key, signer)
    signing_in = login(settings.database, SIGN_IN, secrets.sign_in)
    rings = ringing(settings.database, SERVICE, secrets.database)
    openid = OpenId(settings.sign_in) if settings.sign_in else None
    return Service(settings.serve.address, rows, signing_in, bucket, arriving, signer, rings, openid)


def serve(settings: TeamSettings, secrets: Secrets, started: Callable[[str, int], None]) -> None:
    """Until it is told to stop. `started` hears where it listens."""
    _log()
    _allow_files()
    # The server ends what is under way, and then lets the signal do what it did before.
    signal.signal(signal.SIGTERM, _stopped)
    told = settings.serve
    config = uvicorn.Config(
        create_app(service_of(settings, secrets)),
        host=told.listen,
        port=told.port,
        ssl_certfile=told.certificate or None,
        ssl_keyfile=told.key or None,
        log_config=None,
        access_log=False,  # its lines have whole paths; `limits` writes routes
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
        http=Connection,
        h11_max_incomplete_event_size=32_768,
    )
    asyncio.run(_Server(config, started).serve())


def _stopped(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[str, int], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[object] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await super().startup(sockets)  # pyright: ignore[reportArgumentType]
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._told(host, port)


class Connection(H11Protocol):
    """A connection that says nothing, or its headers letter by letter, does not stay."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._later(None)

    def shutdown(self) -> None:
        """One that is idle ends at once: by TLS, a farewell would wait half a minute for a desk that keeps it for later."""
        super().shutdown()
        if getattr(self.cycle, "response_complete", True):  # none yet, before the first request
            self.transport.abort()

    def _later(self, waits_since: object) -> None:
        self.loop.call_later(_FOR_HEADERS, self._look, waits_since)

    def _look(self, waits_since: object) -> None:
        if self.transport.is_closing():
            return
        # Between two requests the last one stands here; before the first, nothing does.
        waits = (self.cycle,) if self.conn.their_state is h11.IDLE else None
        if waits is not None and waits == waits_since:
            self.transport.close()
        else:
            self._later(waits)


def _allow_files() -> None:
    """A connection is a file: a house of many desks has more than a process may have by itself."""
    if sys.platform == "win32":
        return  # it has no such limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Lines(logging.Formatter):
    """One JSON object a line. What is logged names neither a person nor a number."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "level": record.levelname, "logger": record.name}
        message = record.getMessage()
        try:
            told |= json.loads(message) if message.startswith("{") else {"message": message}
        except ValueError:
            told["message"] = message
        return json.dumps(told)


def _log() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    for name, level in (("klartone.team", logging.INFO), ("uvicorn", logging.WARNING), ("psycopg.pool", logging.ERROR)):
        logger = logging.getLogger(name)
        logger.handlers, logger.level, logger.propagate = [handler], level, False
