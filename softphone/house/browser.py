"""Signing in by the house's OpenID Connect: code flow with PKCE (RFC 7636) in the system's browser, and back to a port of this
machine's own (RFC 8252), from the issuer that was asked (RFC 9207). The ID token's `nonce` is the thumbprint of the desk's key:
it signs in no other machine."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import secrets
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from softphone.domain.errors import HouseError, UnreachableError
from softphone.edge.tls import client_context
from softphone.house.connection import Connection, pool_for
from softphone.house.desk_key import DeskKey
from softphone.house.joining import Grant

WAITS = 300.0
"""seconds for a person to sign in"""
_SECONDS, _LARGEST = 15.0, 1 << 20
_BACK = "/signed-in"
_SAYS_ISSUER = "authorization_response_iss_parameter_supported"


def open_browser(address: str) -> bool:
    """The system's. A frozen program leads itself to its own libraries, and must not lead a browser there (PyInstaller)."""
    name = "LD_LIBRARY_PATH"
    ours = os.environ.pop(name, None) if getattr(sys, "frozen", False) else None
    if ours is not None and (before := os.environ.get(f"{name}_ORIG")):
        os.environ[name] = before
    try:
        return webbrowser.open(address)
    finally:
        if ours is not None:
            os.environ[name] = ours


def by_browser(
    desk: str,
    words: Mapping[str, str],
    opens: Callable[[str], bool] = open_browser,
    waits: float = WAITS,
    stopped: threading.Event | None = None,
    asks: Callable[[bool], None] = lambda _: None,
) -> Grant:
    """`words`: `done` and `failed`, which the browser shows in the end. `opens`: shows an address in the browser. `stopped`: set
    by the person who does not want to wait any more. `asks`: called as the browser is waited for, and as it is no more."""
    no_more = stopped or threading.Event()

    def grant(connection: Connection, key: DeskKey) -> Mapping[str, str]:
        told = connection.ask("GET", "/v1/sign-in", signed_in=False).json
        issuer, client, scopes = (str(told.get(one, "")) for one in ("issuer", "client", "scopes"))
        if not issuer:
            raise HouseError("error.house.codes_alone")
        found = _discovered(issuer, connection.authority)
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        with _Back(state, words) as back:
            asked = {
                "response_type": "code",
                "client_id": client,
                "redirect_uri": back.address,
                "scope": scopes or "openid",
                "state": state,
                "nonce": key.thumbprint,
                "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
                .rstrip(b"=")
                .decode(),
                "code_challenge_method": "S256",
            }
            ways = "&" if urlsplit(found["authorization_endpoint"]).query else "?"
            if not opens(f"{found['authorization_endpoint']}{ways}{urlencode(asked)}"):
                raise HouseError("error.house.no_browser")
            asks(True)
            try:
                code = back.wait(waits, no_more, issuer, said=found[_SAYS_ISSUER] == "True")
            finally:
                asks(False)
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": back.address,
                "client_id": client,
                "code_verifier": verifier,
            }
            answer = _asked("POST", found["token_endpoint"], connection.authority, form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise HouseError("error.house.sign_in_refused", reason=str(answer.get("error", "no id_token"))[:60])
        if no_more.is_set():  # as the browser answered: the organisation has heard nothing of it
            raise HouseError("error.house.sign_in_stopped")
        return {"grant": "id_token", "id_token": token, "desk": desk}

    return grant


class _Back:
    """Where the browser comes back to, once. Anything but the answer to what was asked is told nothing."""

    def __init__(self, state: str, words: Mapping[str, str]) -> None:
        self._came = threading.Event()
        self._said: Mapping[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10.0

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                said = {name: values[0] for name, values in parse_qs(parts.query).items()}
                mine = parts.path == _BACK and secrets.compare_digest(said.get("state", "").encode(), state.encode())
                if mine and not outer._came.is_set():
                    outer._said = said
                    outer._came.set()
                text = words["done" if mine and "code" in said else "failed"]
                page = f"<!doctype html><meta charset=utf-8><title>Klartone</title><p>{html.escape(text)}".encode()
                self.send_response(200 if mine else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *_: Any) -> None:
                """A code stands in the address: nowhere else."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}{_BACK}"

    def __enter__(self) -> _Back:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="signed in", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float, stopped: threading.Event, issuer: str, *, said: bool) -> str:
        """The code. `said`: whoever answers says that it is the `issuer`. Raises HouseError."""
        until = time.monotonic() + seconds
        while not self._came.wait(0.2):
            if stopped.is_set():
                raise HouseError("error.house.sign_in_stopped")
            if time.monotonic() >= until:
                raise HouseError("error.house.sign_in_late")
        if "code" not in self._said:
            raise HouseError("error.house.sign_in_refused", reason=self._said.get("error", "")[:60])
        if self._said.get("iss", "" if said else issuer) != issuer:
            raise HouseError("error.house.sign_in_refused", reason="iss")
        return self._said["code"]


def _discovered(issuer: str, authority: str) -> dict[str, str]:
    told = _asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", authority)
    ends = {name: str(told.get(name, "")) for name in ("authorization_endpoint", "token_endpoint")}
    if told.get("issuer") != issuer or not all(_is_safe(one) for one in ends.values()):
        raise UnreachableError("error.house.issuer", server=urlsplit(issuer).netloc)
    return {**ends, _SAYS_ISSUER: str(told.get(_SAYS_ISSUER, False))}


def _asked(method: str, url: str, authority: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """JSON, whatever its status is."""
    server = urlsplit(url).netloc
    unreachable = UnreachableError("error.house.issuer", server=server)
    if not _is_safe(url):
        raise unreachable
    # The house's own authority may have signed for both, and the world's may have for this one.
    contexts = [client_context(authority), client_context("")] if authority else [client_context("")]
    for context in contexts:
        try:
            with pool_for(server, context) as pool:
                answer = pool.request(
                    method,
                    url,
                    body=urlencode(form) if form else None,
                    headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
                    timeout=urllib3.Timeout(connect=5, read=_SECONDS),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                told = json.loads(answer.read(_LARGEST))
                answer.close()
        except urllib3.exceptions.SSLError:
            if context is contexts[-1]:
                raise unreachable from None
        except (HTTPError, OSError, ValueError, RecursionError):
            raise unreachable from None
        else:
            if not isinstance(told, dict):
                raise unreachable
            return cast("dict[str, Any]", told)
    raise unreachable


def _is_safe(url: str) -> bool:
    """Encrypted, or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))
