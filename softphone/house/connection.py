"""HTTPS to the house's service: proofs, tokens, refusals as errors. Thread-safe; it waits, so never use it on the engine's loop.

What comes back is not believed here: who uses an answer checks it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, SSLError

from softphone import __version__
from softphone.domain.errors import HouseError, NotSignedInError, Param, UnreachableError
from softphone.edge.tls import NotTrusted, client_context, fault_of
from softphone.house.desk_key import DeskKey
from softphone.house.limited import limit_of, limited
from softphone.house.tokens import KeptTokens, Tokens
from softphone.texts import plain

SECONDS = 20.0
"""that an ask may take, unless it says otherwise"""
MOST = 4 << 20
"""bytes of an answer that is read whole"""
_CONNECTS = 5.0
_SLICE = 64 << 10
_CODE = re.compile(r"error\.(team|archive|cases|keys)(\.[a-z_]{1,60}){1,3}")
"""the service's own, and those that every archive has"""
_PROBLEM = "application/problem+json"
_LONGEST = 200
"""letters of a parameter"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """Raises UnreachableError where it is none: something else has answered."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UnreachableError("error.house.no_service", status=self.status) from None


class Streamed:
    """An answer that is read bit by bit, within its time."""

    def __init__(self, response: urllib3.BaseHTTPResponse, server: str, latest: float) -> None:
        self.status = response.status
        self.headers = _headers(response)
        self._response, self._server, self._latest = response, server, latest
        self._limit = limit_of(response)

    def read(self, most: int = _SLICE) -> bytes:
        """What is there next, empty at its end. Raises UnreachableError."""
        with _told(self._server):
            if time.monotonic() > self._latest:
                raise TimeoutError
            data = cast("urllib3.HTTPResponse", self._response).read1(most)
            if self._limit.over:
                raise TimeoutError
            return data

    def close(self) -> None:
        self._limit.end()
        self._response.close()  # one that was read to its end has given its connection back already

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read():
            yield data


class Connection:
    """To one address, as one desk. `tokens` None: nobody has signed in yet, and every ask goes without a token.

    `authority`: a file (PEM) with the only authorities to trust; empty: the system's.
    """

    def __init__(self, address: str, key: DeskKey, tokens: KeptTokens | None = None, *, authority: str = "") -> None:
        self.address = address.rstrip("/")
        self.server = urlsplit(self.address).netloc
        self._key, self._tokens, self.authority = key, tokens, authority
        self._making = threading.Lock()
        self._pool: urllib3.PoolManager | None = None
        self._ahead = 0.0
        """seconds by which the house's clock is before this machine's, where they differ by too much for a proof"""

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        most: int = MOST,
        digest: bool = False,
        signed_in: bool = True,
    ) -> Answer:
        """`path` with its query. `body` goes as JSON, `raw` as it is: as an iterable it needs a `Content-Length` among
        `headers`, and can be sent once. `digest`: tells the SHA-256 of `raw` bytes (RFC 9530). `most`: bytes of the answer.
        Not `signed_in`: without a token, as where one is asked for.

        It answers 2xx and 304. Raises HouseError for a refusal, NotSignedInError where this desk is signed out for good,
        UnreachableError for no answer or none of the service's, KeyringError.
        """
        with self.stream(
            method, path, body, raw=raw, headers=headers, seconds=seconds, digest=digest, signed_in=signed_in
        ) as streamed:
            parts, size = list[bytes](), 0
            for part in streamed:
                parts.append(part)
                if (size := size + len(part)) > most:
                    raise UnreachableError("error.house.no_service", status=streamed.status)
            return Answer(streamed.status, streamed.headers, b"".join(parts))

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        digest: bool = False,
        signed_in: bool = True,
    ) -> Generator[Streamed]:
        """As `ask`, with an answer that is read as it comes."""
        data = json.dumps(body, separators=(",", ":")).encode() if body is not None else raw
        sent = {"User-Agent": f"klartone/{__version__}", "Accept-Encoding": "identity", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if isinstance(data, bytes):
            sent["Content-Length"] = str(len(data))
            if digest:
                sent["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
        elif data is None and method not in ("GET", "HEAD"):
            sent["Content-Length"] = "0"
        latest = time.monotonic() + seconds
        response = self._answered(method, path, data, sent, latest, signed_in=signed_in)
        with closing(Streamed(response, self.server, latest)) as streamed:
            yield streamed

    def sign_in(self, grant: Mapping[str, str]) -> Tokens:
        """By a one-time code or an ID token (`POST /v1/token`). The tokens are not kept here. Raises as `ask`."""
        answer = self.ask("POST", "/v1/token", dict(grant), most=_SLICE, signed_in=False)
        try:
            return Tokens.told(answer.json)
        except ValueError:
            raise UnreachableError("error.house.no_service", status=answer.status) from None

    def close(self) -> None:
        """Idle connections end. It may be used again."""
        with self._making:
            if self._pool is not None:
                self._pool.clear()

    def _answered(
        self, method: str, path: str, data: Any, headers: Mapping[str, str], latest: float, *, signed_in: bool
    ) -> urllib3.BaseHTTPResponse:
        """Asked anew, once each, where the token is over, the clocks differ, or a kept connection was closed meanwhile."""
        token = self._access() if signed_in else ""
        left = {"token", "clock", "connection"} if data is None or isinstance(data, bytes) else set[str]()
        while True:
            try:
                response = self._sent(method, path, data, headers, latest, token)
            except UnreachableError as error:
                if "connection" not in left or not isinstance(error.__cause__, ProtocolError):
                    raise
                left.discard("connection")
                continue
            if 200 <= response.status < 300 or response.status == HTTPStatus.NOT_MODIFIED:
                return response
            refused = self._refusal(response, latest)
            if refused.code == "error.team.clock_differs" and "clock" in left and self._set_clock(refused):
                left.discard("clock")
            elif refused.code in _OVER and token and "token" in left:
                left.discard("token")
                token = self._access(token)
            elif refused.code in _OVER and token:
                raise NotSignedInError("error.house.signed_out", status=refused.status)
            else:
                raise refused

    def _access(self, refused: str = "") -> str:
        if self._tokens is None:
            return ""
        return self._tokens.access(self._renewed, refused)

    def _renewed(self, refresh: str) -> Tokens:
        try:
            return self.sign_in({"grant": "refresh", "refresh_token": refresh})
        except HouseError as error:
            if error.code in _OVER:
                raise NotSignedInError("error.house.signed_out", status=error.status) from None
            raise

    def _sent(
        self, method: str, path: str, data: Any, headers: Mapping[str, str], latest: float, token: str
    ) -> urllib3.BaseHTTPResponse:
        at = int(time.time() + self._ahead)
        shown = {"DPoP": self._key.proof(method, self.address + path.partition("?")[0], at, token)}
        if token:
            shown["Authorization"] = f"DPoP {token}"
        with _told(self.server):
            left = latest - time.monotonic()
            if left <= 0:
                raise TimeoutError
            return self._connections().request(
                method,
                self.address + path,
                # In slices: each has its own time, so a slow line is not taken for none.
                body=_sliced(data) if isinstance(data, bytes) else data,
                headers={**headers, **shown},
                timeout=urllib3.Timeout(connect=min(_CONNECTS, left), read=left),
                retries=False,
                redirect=False,
                preload_content=False,
            )

    def _connections(self) -> urllib3.PoolManager:
        with self._making:
            if self._pool is None:
                self._pool = self._made()
            return self._pool

    def _made(self) -> urllib3.PoolManager:
        try:
            context = client_context(self.authority)
        except NotTrusted as error:
            raise UnreachableError("error.house.authority", path=self.authority, detail=error.fault.detail) from None
        return pool_for(self.server, context)

    def _refusal(self, response: urllib3.BaseHTTPResponse, latest: float) -> HouseError:
        """What a refusal says. Nothing in it is shown before it looks like what the service says."""
        streamed, raw = Streamed(response, self.server, latest), b""
        try:
            while len(raw) < _SLICE and (more := streamed.read()):
                raw += more
        finally:
            limit_of(response).end()
            response.release_conn()
        told: Any = None
        if streamed.headers.get("content-type", "").startswith(_PROBLEM):
            with suppress(ValueError, RecursionError):
                told = json.loads(raw)
        code = told.get("code") if isinstance(told, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            return UnreachableError("error.house.no_service", status=response.status)
        again = streamed.headers.get("retry-after", "")
        params = cast("dict[str, Any]", told).get("params")
        return HouseError(
            code,
            status=response.status,
            again=float(again) if again.isdigit() and len(again) < 6 else None,
            **_params(params),
        )

    def _set_clock(self, refused: HouseError) -> bool:
        """By the house's: a proof's time only says that it is new. What a clock is off by goes with each recording anyway."""
        try:
            self._ahead = datetime.fromisoformat(str(refused.params["time"])).timestamp() - time.time()
        except (KeyError, ValueError, OverflowError):
            return False
        return True


_OVER = frozenset({"error.team.signed_out", "error.team.token_wrong"})


def _sliced(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _SLICE] for at in range(0, len(data), _SLICE))


def _headers(response: urllib3.BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _params(told: object) -> dict[str, Param]:
    if not isinstance(told, dict):
        return {}
    found: dict[str, Param] = {}
    for name, value in list(cast("dict[str, object]", told).items())[:10]:
        if name.isidentifier() and name not in ("code", "status", "again") and isinstance(value, str | int | float):
            found[name] = plain(value[:_LONGEST]) if isinstance(value, str) else value
    return found


def pool_for(server: str, context: ssl.SSLContext) -> urllib3.PoolManager:
    """Connections to a server, through the proxy that the system names for it."""
    context.check_hostname = True
    proxy = _proxy_of(server)
    if not proxy:
        return limited(urllib3.PoolManager(ssl_context=context, maxsize=8))
    parts = urlsplit(proxy)
    signs_in = None
    if parts.username:
        signs_in = urllib3.make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
        proxy = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return limited(urllib3.ProxyManager(proxy, proxy_headers=signs_in, ssl_context=context, maxsize=8))


def _proxy_of(server: str) -> str:
    """As the system says, or the environment."""
    host = urlsplit(f"//{server}").hostname or ""
    found = getproxies()
    if proxy_bypass(host):
        return ""
    proxy = found.get("https") or found.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


@contextmanager
def _told(server: str) -> Generator[None]:
    """Raises UnreachableError in place of what the network raises."""
    try:
        yield
    except SSLError as error:
        fault = fault_of(cast("BaseException | None", error.args[0] if error.args else None))
        code = fault.code if fault else "tls_other"
        raise UnreachableError("error.house.untrusted", server=server, reason=code) from error
    except ssl.SSLError as error:
        fault = fault_of(error)
        code = fault.code if fault else "tls_other"
        raise UnreachableError("error.house.untrusted", server=server, reason=code) from error
    except (HTTPError, OSError) as error:
        raise UnreachableError("error.house.unreachable", server=server, reason=_reason(error)) from error


def _reason(error: BaseException) -> str:
    """The first cause, in one word, for a log or whoever looks after the network."""
    causes = (error.__cause__, error.__context__, getattr(error, "reason", None))
    cause = next((one for one in causes if isinstance(one, BaseException)), None)
    return type(error).__name__ if cause is None else _reason(cause)
