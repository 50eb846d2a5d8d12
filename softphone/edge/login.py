"""The answer to a server that asks who is there: digest authentication (RFC 7616, RFC 8760).

For a question that `server_check` asks by itself. What the phone sends is answered by pjsua2.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple
from urllib.request import parse_http_list, parse_keqv_list

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


class Login(NamedTuple):
    user: str
    password: str


def answer_to(challenges: Sequence[str], method: str, uri: str, login: Login) -> str | None:
    """An Authorization header's value for the first of these challenges that can be answered; None: there is none."""
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        try:
            given = {key.lower(): value for key, value in parse_keqv_list(parse_http_list(rest)).items()}
        except ValueError:
            continue
        algorithm = given.get("algorithm", "MD5")
        if scheme.lower() == "digest" and algorithm.upper() in _HASHES and {"realm", "nonce"} <= given.keys():
            return _digest(given, algorithm, method, uri, login)
    return None


def _digest(given: dict[str, str], algorithm: str, method: str, uri: str, login: Login) -> str:
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
        fields["response"] = hashed(who, nonce, "00000001", own, "auth", what)
        fields["cnonce"] = own
        counted = ", qop=auth, nc=00000001"
    else:
        fields["response"] = hashed(who, nonce, what)
    quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
    return f"Digest {quoted}, algorithm={algorithm}{counted}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
