"""A desk's proof that a request is its own (DPoP, RFC 9449): a JWS by the key to which the token is bound.

Whether its `jti` came before is the database's to say, for any instance.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from softphone.domain.errors import TeamError
from softphone.system.signature import public_key

WINDOW = timedelta(seconds=60)
"""by which a desk's clock may differ. A proof is remembered for twice that"""
_ALGORITHM, _TYPE = "Ed25519", "dpop+jwt"  # RFC 9864 names the curve
_MOST = 2_000
_MOST_ID = 100
_LATEST = 1 << 40


@dataclass(frozen=True, slots=True)
class Proof:
    """`key` is the desk's public key, 32 bytes, and `thumbprint` what a session is bound to (RFC 7638). The database remembers
    the proof as `used`, until `until`."""

    key: bytes
    thumbprint: str
    used: bytes
    until: datetime


def check_proof(text: str | None, method: str, url: str, now: datetime, token: str | None = None) -> Proof:
    """Raises TeamError `proof_missing`, `proof_wrong`, or `clock_differs` where nothing but its time is amiss.

    `url` is without query. `token`: the access token that came beside it, which the proof must name.
    """
    if not text:
        raise TeamError("error.team.proof_missing")
    key, thumbprint, claims = _opened(text)
    identifier = claims.get("jti")
    named = claims.get("ath")
    whole = (
        claims.get("htm") == method
        and claims.get("htu") == url
        and isinstance(identifier, str)
        and identifier.isascii()
        and 16 <= len(identifier) <= _MOST_ID
        and (token is None or named == hash_of(token))
    )
    at = claims.get("iat")
    if not whole or type(at) is not int or not 0 <= at < _LATEST:
        raise TeamError("error.team.proof_wrong")
    if abs(now.timestamp() - at) > WINDOW.total_seconds():
        raise TeamError("error.team.clock_differs", time=now.astimezone(UTC).isoformat(timespec="seconds"))
    used = hashlib.sha256(key + cast("str", identifier).encode()).digest()
    return Proof(key, thumbprint, used, now + 2 * WINDOW)


def hash_of(token: str) -> str:
    """As a proof names its token (`ath`)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode("ascii", "replace")).digest()).rstrip(b"=").decode()


def _opened(text: str) -> tuple[bytes, str, dict[str, Any]]:
    wrong = TeamError("error.team.proof_wrong")
    if len(text) > _MOST:
        raise wrong
    try:
        header = jws.extract_compact(text.encode("ascii")).headers()
        given = header.get("jwk")
        # Nothing but the public half, and nothing that another library would read in another way.
        if header.get("typ") != _TYPE or not isinstance(given, dict) or set(given) != {"kty", "crv", "x"}:  # pyright: ignore[reportUnknownArgumentType]
            raise wrong
        if (given["kty"], given["crv"]) != ("OKP", "Ed25519"):
            raise wrong
        signer = OKPKey.import_key(cast("dict[str, Any]", given))
        raw = signer.raw_value.public_bytes_raw()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        public_key(base64.b64encode(cast("bytes", raw)).decode())  # no point under which anybody can sign
        payload = jws.deserialize_compact(text, signer, algorithms=[_ALGORITHM]).payload
        claims = json.loads(payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise wrong from error
    if not isinstance(claims, dict):
        raise wrong
    return cast("bytes", raw), signer.thumbprint(), cast("dict[str, Any]", claims)
