"""The answer to a server that asks who is there: digest authentication (RFC 7616, RFC 8760).

For a question that `server_check` asks by itself. What the phone sends is answered by pjsua2.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.request import parse_http_list, parse_keqv_list

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class Login(NamedTuple):
    user: str
    password: str


class Credentials:
    """The answers that one question carries: to its server, and to each proxy before it, by realm (RFC 3261, 22.3)."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._asked: dict[tuple[str, str], dict[str, str]] = {}
        self._used: dict[str, int] = {}
        """how often, by nonce"""

    def take(self, header: str, challenges: Sequence[str]) -> bool:
        """Whether one of these can be answered. A realm that asks again has refused, unless its nonce was only old."""
        for challenge in challenges:
            scheme, _, rest = challenge.partition(" ")
            try:
                given = {key.lower(): value for key, value in parse_keqv_list(parse_http_list(rest)).items()}
            except ValueError:
                continue
            known = given.get("algorithm", "MD5").upper() in _HASHES and {"realm", "nonce"} <= given.keys()
            if scheme.lower() != "digest" or not known:
                continue
            place = header, given["realm"]
            if place not in self._asked or given.get("stale", "").lower() == "true":
                self._asked[place] = given
                return True
        return False

    def headers(self, method: str, uri: str) -> list[tuple[str, str]]:
        return [(header, self._digest(given, method, uri)) for (header, _), given in self._asked.items()]

    def _digest(self, given: Mapping[str, str], method: str, uri: str) -> str:
        login, algorithm = self._login, given.get("algorithm", "MD5")

        def hashed(*parts: str) -> str:
            return hashlib.new(_HASHES[algorithm.upper()], ":".join(parts).encode()).hexdigest()

        realm, nonce = given["realm"], given["nonce"]
        who, what = hashed(login.user, realm, login.password), hashed(method, uri)
        fields = {"username": login.user, "realm": realm, "nonce": nonce, "uri": uri}
        if "opaque" in given:
            fields["opaque"] = given["opaque"]
        counted = ""
        if "auth" in given.get("qop", "").replace(" ", "").split(","):
            own = secrets.token_hex(8)
            self._used[nonce] = self._used.get(nonce, 0) + 1
            count = f"{self._used[nonce]:08x}"
            fields["response"] = hashed(who, nonce, count, own, "auth", what)
            fields["cnonce"] = own
            counted = f", qop=auth, nc={count}"
        else:
            fields["response"] = hashed(who, nonce, what)
        quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
        return f"Digest {quoted}, algorithm={algorithm}{counted}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
