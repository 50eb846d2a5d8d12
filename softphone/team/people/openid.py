"""Sign-in by the house's own OpenID Connect: who an ID token says somebody is, and what they are here.

The desk goes through the code flow with PKCE by itself, in the system's browser (RFC 8252). It asks for a token whose `nonce` is
the thumbprint of its own key: so a token that somebody else gets hold of signs in nobody.
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from softphone.domain.errors import TeamError
from softphone.domain.roles import Role
from softphone.team.settings import SignIn

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519"]
"""no symmetric one: nobody but the issuer can make a token"""
_SECONDS, _LARGEST = 5.0, 1 << 20
_KEYS_LAST, _AGAIN = 3_600.0, 10.0
"""seconds: that its keys are believed, and after which a key not seen before makes it be asked again"""
_OLDEST = 600
"""seconds that a token may be old"""
_MOST = 20_000
_WRONG = "error.team.sign_in_wrong"


@dataclass(frozen=True, slots=True)
class Identity:
    issuer: str
    subject: str
    roles: tuple[Role, ...]
    agents: tuple[str, ...]


@dataclass
class OpenId:
    """One issuer. Its keys are kept for a while: whoever loses them asks for them again."""

    settings: SignIn
    _keys: KeySet | None = field(default=None, repr=False)
    _asked: float = -math.inf
    _failed: TeamError | None = field(default=None, repr=False)
    """why it did not answer when it was asked last"""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def identify(self, token: str, nonce: str, now: datetime) -> Identity:
        """Raises TeamError `sign_in_wrong`, `no_role`, or `issuer_unreachable`."""
        if len(token) > _MOST:
            raise TeamError(_WRONG)
        claims = await self._claims(token)
        self._check(claims, nonce, now)
        roles = self._roles(claims)
        if not roles:
            raise TeamError("error.team.no_role")
        agents = _words(claims.get(self.settings.agents_claim)) if Role.AGENT in roles else ()
        return Identity(self.settings.issuer, str(claims["sub"]), roles, agents)

    async def _claims(self, token: str) -> dict[str, Any]:
        for fresh in (False, True):
            keys = await self._known(fresh=fresh)
            if keys is None:
                break
            try:
                return jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError, TypeError, KeyError):
                continue  # perhaps by a key that is new
        raise TeamError(_WRONG)

    def _check(self, claims: dict[str, Any], nonce: str, now: datetime) -> None:
        told = self.settings
        audience = _words(claims.get("aud"))
        at, until, moment = claims.get("iat"), claims.get("exp"), now.timestamp()
        whole = (
            claims.get("iss") == told.issuer
            and told.client in audience
            and (len(audience) == 1 or claims.get("azp") == told.client)
            and isinstance(claims.get("sub"), str)
            and 0 < len(claims["sub"]) <= 255
            and claims["sub"].isprintable()
            and claims.get("nonce") == nonce
            and isinstance(at, (int, float))
            and isinstance(until, (int, float))
            and at - 60 <= moment < min(until, at + _OLDEST)
        )
        if not whole:
            raise TeamError(_WRONG)

    def _roles(self, claims: dict[str, Any]) -> tuple[Role, ...]:
        has = set(_words(claims.get(self.settings.roles_claim)))
        return tuple(role for role in Role if has & set(self.settings.roles.get(role, ())))

    async def _known(self, *, fresh: bool) -> KeySet | None:
        """None: they were asked for a moment ago. One asks for all who wait, and nobody again at once where that failed."""
        async with self._asking:
            age = time.monotonic() - self._asked
            if self._keys is not None and not fresh and age < _KEYS_LAST:
                return self._keys
            if age < _AGAIN:
                if self._failed is not None:
                    raise self._failed
                return None
            self._failed = None
            try:
                self._keys = await asyncio.to_thread(self._fetched)
            except TeamError as error:
                self._failed = error
                raise
            finally:
                self._asked = time.monotonic()
            return self._keys

    def _fetched(self) -> KeySet:
        """In a thread. Raises TeamError."""
        try:
            told = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.settings.issuer:
                raise ValueError("another issuer")
            return KeySet.import_key_set(self._get(str(told["jwks_uri"])))  # pyright: ignore[reportArgumentType]
        except (URLError, OSError, ValueError, KeyError, TypeError, JoseError) as error:
            if isinstance(error, HTTPError):
                error.close()  # it has the connection, and is kept with what is said of it
            raise TeamError("error.team.issuer_unreachable", detail=type(error).__name__) from error

    def _get(self, url: str) -> dict[str, Any]:
        if not is_safe(url):
            raise ValueError("not https")
        context = ssl.create_default_context(cafile=self.settings.authority or None)
        opener = build_opener(HTTPSHandler(context=context), _NoRedirect())
        with opener.open(Request(url, headers={"Accept": "application/json"}), timeout=_SECONDS) as answer:  # noqa: S310
            told = json.loads(answer.read(_LARGEST))
        if not isinstance(told, dict):
            raise TypeError("no object")
        return cast("dict[str, Any]", told)


def is_safe(url: str) -> bool:
    """Encrypted, or on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _words(value: object) -> tuple[str, ...]:
    """A claim that is one text or a list of them."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        return ()
    return tuple(one for one in cast("list[object]", value) if isinstance(one, str) and 0 < len(one) <= 200)
