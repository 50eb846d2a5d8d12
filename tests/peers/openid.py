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

# It has no public clients, and compares the whole way back: RFC 8252 (8.4, 7.3) wants the first, and any port of this machine.
_RUN = """
import re
from oidc_provider_mock import __main__, _app, _storage
_app.AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
known = _storage.Client.check_redirect_uri
bare = lambda uri: re.sub(r"^(http://127[.]0[.]0[.]1):[0-9]+", r"\\1", uri)
_storage.Client.check_redirect_uri = lambda self, uri: known(self, uri) or known(self, bare(uri))
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
