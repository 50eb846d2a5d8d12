"""`klartone team serve` and `sign-in`: the parts put together, and a server that stops without cutting anybody off.

SIGTERM: it takes no new request, ends those under way, and goes. Killed instead, it loses nothing: desks ask again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from softphone.domain.errors import TeamError
from softphone.team.api.app import create_app
from softphone.team.api.forwarding import Forwarding
from softphone.team.api.service import Process, Service, SignIn
from softphone.team.logins import RINGING, login, ringing
from softphone.team.objects import Bucket, Shortcoming, Storage, check
from softphone.team.people.openid import OpenId
from softphone.team.proving.believing import refuse_forged
from softphone.team.proving.restoring import refuse_restored, refuse_without_policy
from softphone.team.proving.standing import Standing
from softphone.team.rows.pool import Rows
from softphone.team.rows.versions import newer_program
from softphone.team.schema import SERVICE, SIGN_IN
from softphone.team.settings import CERTIFICATE_KEY, Durable, Secrets, TeamSettings, file_in
from softphone.team.upload.arriving import Arriving
from softphone.team.upload.receipt import Signer

_GRACE = 30
"""seconds for what is under way when it is told to stop"""
_KEPT = 90
"""seconds that a connection stays between two requests: a desk asks for news each minute, and what it asks while a phone rings
has no time to connect"""
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
                if user != SERVICE:
                    await _newer_program(rows)
                await refuse_restored(rows, bucket)
                if user == SERVICE:
                    await refuse_without_policy(rows)
                await refuse_forged(rows)
        finally:
            bucket.close()

    asyncio.run(asked())


def outlives(settings: TeamSettings, user: str, password: str) -> bool:
    """Whether PostgreSQL does what `durable` says of it. Raises TeamError."""
    asked = {Durable.ARCHIVED: "archive_mode", Durable.STANDBY: "synchronous_standby_names"}.get(
        settings.database.durable
    )

    async def told() -> str:
        async with login(settings.database, user, password, most=1) as rows, rows.nobody() as tx:
            return str(await tx.value("SELECT current_setting(%s)", asked))

    return asked is None or asyncio.run(told()) not in ("off", "")


def serve(settings: TeamSettings, secrets: Secrets, started: Callable[[str], None]) -> None:
    """Until it is told to stop. `started` hears where it listens."""
    told, (certificate, key) = settings.serve, certificate_of(settings)
    _run(_service(settings, secrets), _bound(told.listen, told.port), started, certificate, key)


def certificate_of(settings: TeamSettings) -> tuple[str, str]:
    """Its file and its key's; both empty: a balancer ends TLS. Raises TeamError where they do not fit or cannot be read."""
    certificate = settings.serve.certificate
    key = (settings.serve.key or file_in(os.environ, CERTIFICATE_KEY)) if certificate else ""
    if certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key or None)
        except OSError as error:  # SSLError is one
            detail = getattr(error, "reason", None) or error.strerror or str(error)
            raise TeamError(
                "error.team.certificate_wrong", path=certificate, key=key or certificate, detail=detail
            ) from error
    return certificate, key


def sign_in(settings: TeamSettings, password: str, started: Callable[[str], None]) -> None:
    """As above. `password`: of the login that opens sessions. No other process has it."""
    told = settings.sign_in
    standing = Standing(lambda: login(settings.database, SIGN_IN, password, most=1))
    process = SignIn(
        address=settings.serve.address,
        rows=login(settings.database, SIGN_IN, password, standing=standing),
        behind_balancer=not told.is_near,
        openid=OpenId(told) if told.issuer else None,
    )
    _run(process, _bound_to(told.socket) if told.socket else _bound(told.host, told.port), started)


def fits(settings: TeamSettings, user: str, password: str) -> str:
    """The newer version of the program by which the database was set up, and which lets this one go on; empty: it is this one's.
    Raises TeamError where the database does not let it in, is older, or does not serve this version any more."""

    async def asked() -> str:
        async with login(settings.database, user, password, most=1) as rows:
            return await _newer_program(rows)

    return asyncio.run(asked())


async def _newer_program(rows: Rows) -> str:
    async with rows.nobody() as tx:
        return await newer_program(tx)


def _service(settings: TeamSettings, secrets: Secrets) -> Service:
    most = settings.database.connections - RINGING
    bucket, signer = Bucket(storage_of(settings, secrets.storage)), Signer(secrets.receipt_key)
    standing = Standing(lambda: login(settings.database, SERVICE, secrets.database, most=1), bucket, serves=True)
    rows = login(settings.database, SERVICE, secrets.database, most=most, standing=standing)
    return Service(
        address=settings.serve.address,
        rows=rows,
        behind_balancer=settings.serve.behind_balancer,
        bucket=bucket,
        arriving=Arriving(rows, bucket, secrets.number_key, signer),
        signer=signer,
        ringing=ringing(settings.database, SERVICE, secrets.database, standing),
        forwarding=Forwarding(settings.sign_in) if settings.sign_in.is_near else None,
    )


def _run(
    process: Process, bound: socket.socket, started: Callable[[str], None], certificate: str = "", key: str = ""
) -> None:
    _log()
    _allow_files()
    # The server ends what is under way, and then lets the signal do what it did before.
    signal.signal(signal.SIGTERM, _stopped)
    config = uvicorn.Config(
        create_app(process),
        ssl_certfile=certificate or None,
        ssl_keyfile=key or None,
        log_config=None,
        access_log=False,  # its lines have whole paths; `limits` writes routes
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
        http=Connection,
        timeout_keep_alive=_KEPT,
        h11_max_incomplete_event_size=32_768,
    )
    asyncio.run(_Server(config, started).serve([bound]))


def _bound(host: str, port: int) -> socket.socket:
    """Raises TeamError."""
    try:
        family, kind, protocol, _, at = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(at)
    except (OSError, OverflowError) as error:
        raise _refused(f"{host}:{port}", error) from error
    return made


def _bound_to(path: str) -> socket.socket:
    """In place of one that is there: whoever answered by it ends what is under way. Raises TeamError."""
    if sys.platform == "win32":
        raise TeamError("error.team.may_not_listen", at=path, detail="AF_UNIX")
    made, new = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), Path(f"{path}.{os.getpid()}")
    try:
        made.bind(str(new))
        new.chmod(0o666)  # what comes this way is asked who it is, as by any other
        made.listen()
        new.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    return made


def _refused(at: str, error: Exception) -> TeamError:
    return TeamError("error.team.may_not_listen", at=at, detail=getattr(error, "strerror", None) or str(error))


def _stopped(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[str], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            at = sockets[0].getsockname()
            self._told(at.removesuffix(f".{os.getpid()}") if isinstance(at, str) else f"{at[0]}:{at[1]}")
            _tell_systemd()


def _tell_systemd() -> None:
    """That it serves (`Type=notify`)."""
    if sys.platform == "win32" or not (at := os.environ.get("NOTIFY_SOCKET")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.connect(f"\0{at[1:]}" if at.startswith("@") else at)
        told.send(b"READY=1")


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
        # After an answer the server's own clock runs, until something comes.
        rests = self.timeout_keep_alive_task is not None
        waits = (self.cycle,) if self.conn.their_state is h11.IDLE and not rests else None
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
