"""A real OpenID Connect provider on loopback (oidc-provider-mock), and a desk's code flow with PKCE (RFC 7636) against it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.peers.processes import end, free_port, until

# It has no public clients, compares the whole way back and asks for no verifier: RFC 8252 (8.4, 7.3) wants the first, and any
# port of this machine. The verifier is checked by the library that it is made of (RFC 7636).
_RUN = """
import re
from authlib.oauth2.rfc7636 import CodeChallenge
from oidc_provider_mock import __main__, _app, _storage
class Grant(_app.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
    asked = {}
    def save_authorization_code(self, code, request):
        told = request.payload.data
        Grant.asked[code] = told.get("code_challenge"), told.get("code_challenge_method")
        super().save_authorization_code(code, request)
class Checked(CodeChallenge):
    def get_authorization_code_challenge(self, code):
        return Grant.asked[code.code][0]
    def get_authorization_code_challenge_method(self, code):
        return Grant.asked[code.code][1]
known = _storage.Client.check_redirect_uri
bare = lambda uri: re.sub(r"^(http://127[.]0[.]0[.]1):[0-9]+", r"\\1", uri)
_storage.Client.check_redirect_uri = lambda self, uri: known(self, uri) or known(self, bare(uri))
server = _app.flask_oauth2.AuthorizationServer
register = server.register_grant
def with_pkce(self, grant, extensions=None):
    if issubclass(grant, _app.AuthorizationCodeGrant):
        return register(self, Grant, [*(extensions or []), Checked(required=True)])
    return register(self, grant, extensions)
server.register_grant = with_pkce
__main__.run()
"""
REDIRECT = "http://127.0.0.1:49152/signed-in"


@dataclass(frozen=True)
class Provider:
    port: int

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return self._ask("GET", "/.well-known/openid-configuration", "", "")[0] == 200
        except OSError:
            return False

    def knows(self, subject: str, **claims: Any) -> None:
        status, _ = self._ask("PUT", f"/users/{subject}", json.dumps(claims), "application/json")
        assert status == 204

    def registered(self, redirect: str) -> str:
        """A public client, with this way back; its id."""
        told = {"redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
        status, said = self._ask("POST", "/oauth2/clients", json.dumps(told), "application/json")
        assert status in (200, 201), said
        return str(json.loads(said)["client_id"])

    def id_token(self, subject: str, client: str, nonce: str) -> str:
        """By the code flow: asked for in a browser, where the person signs in, and fetched with the code."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        state = secrets.token_urlsafe(16)
        asked = {"response_type": "code", "client_id": client, "redirect_uri": REDIRECT, "scope": "openid profile"}
        asked |= {"state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256"}
        form = "application/x-www-form-urlencoded"
        status, to = self._ask("POST", f"/oauth2/authorize?{urlencode(asked)}", urlencode({"sub": subject}), form)
        back = parse_qs(urlsplit(to).query)
        assert (status, back["state"]) == (302, [state])
        given = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": REDIRECT}
        # This provider knows no public client: it wants a secret, and takes any.
        given |= {"client_id": client, "code_verifier": verifier, "client_secret": "any"}
        status, told = self._ask("POST", "/oauth2/token", urlencode(given), form)
        assert status == 200, told
        return str(json.loads(told)["id_token"])

    def _ask(self, method: str, path: str, body: str, kind: str) -> tuple[int, str]:
        """The status, and where it sends one, or what it says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            said = answer.read().decode()
            return answer.status, answer.getheader("Location") or said
        finally:
            connection.close()


@contextmanager
def provider() -> Generator[Provider]:
    made, process = next(one for one in map(_started, range(5)) if one is not None)
    try:
        yield made
    finally:
        end(process)


def _started(_: int) -> tuple[Provider, subprocess.Popen[str]] | None:
    """None: it ended, as where somebody else took its port first."""
    made = Provider(free_port())
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _RUN, "--port", str(made.port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    until(lambda: process.poll() is not None or made.answers(), 60, "the provider's first answer")
    return (made, process) if process.poll() is None else None
