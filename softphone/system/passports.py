"""Signing and proving a call passport: two JSON Web Signatures (RFC 7515, Ed25519 by RFC 8037), one behind the other.

The first is the desk's, over the passport. The second is a house's, over the desk's public key: its certificate. What a
passport says, and whether it counts, is not known here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softphone.domain.errors import SettingsError
from softphone.system.signature import public_half, public_key

MOST = 2_048
"""characters of a passport"""
_PASSPORT, _CERTIFICATE, _UNSIGNED = (
    base64.urlsafe_b64encode(json.dumps(one, separators=(",", ":")).encode()).rstrip(b"=").decode()
    for one in ({"alg": "EdDSA", "typ": "passport"}, {"alg": "EdDSA", "typ": "desk"}, {"alg": "none"})
)
_BETWEEN = "~"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A house's word that the holder of `desk` (Ed25519, base64) is one of its desks, until then."""

    desk: str
    until: datetime
    text: str
    """as it travels"""


class Seal:
    """What a desk signs its passports with."""

    def __init__(self, private: bytes, certificate: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        self._desk = public_half(private)
        self._certificate = certificate

    def is_certified(self, houses: Collection[str], now: datetime) -> bool:
        """Whether a colleague's desk would believe it."""
        return certified_until(self._certificate, self._desk, houses, now) is not None

    def sign(self, claims: Mapping[str, str | int]) -> str:
        return f"{_jws(_PASSPORT, claims, self._private)}{_BETWEEN}{self._certificate}"


@dataclass(frozen=True, slots=True)
class Presented:
    """A passport as it came. `claims` is any JSON, or None if it cannot be read."""

    claims: Any
    text: str

    def proved_by(self, houses: Collection[str], now: datetime) -> bool:
        """Whether a desk signed it that one of these keys (Ed25519, base64) certifies at `now`."""
        passport, _, certificate = self.text.partition(_BETWEEN)
        for house in houses:
            certified = read_certificate(certificate, house)
            if certified is not None and now < certified.until:
                return _open(_PASSPORT, passport, certified.desk) is not None
        return False


def present(text: str) -> Presented:
    """Whatever came. Nothing in it is believed yet."""
    parts = text.partition(_BETWEEN)[0].split(".") if len(text) <= MOST else []
    return Presented(_json(parts[1]) if len(parts) == 3 else None, text)


def unsigned(claims: Mapping[str, str | int]) -> str:
    """An unsecured JWS (RFC 7515, appendix A.5)."""
    return f"{_UNSIGNED}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}."


def certify(desk: str, house: bytes, until: datetime) -> str:
    """A desk's certificate. `desk`: its public key, base64. Raises SettingsError `error.keys.no_desk_key`."""
    try:
        key = public_key(desk)
    except ValueError:
        raise SettingsError("error.keys.no_desk_key") from None
    claims = {"key": key, "exp": int(until.timestamp())}
    return _jws(_CERTIFICATE, claims, Ed25519PrivateKey.from_private_bytes(house))


def certified_until(certificate: str, desk: str, houses: Collection[str], now: datetime) -> datetime | None:
    """Until when one of these houses certifies that desk's key; None: none does, or no longer."""
    found = (read_certificate(certificate, house) for house in houses)
    return next((one.until for one in found if one and one.desk == desk and now < one.until), None)


def read_certificate(text: str, house: str) -> Certificate | None:
    """None unless that house's key (Ed25519, base64) signed it."""
    claims = _open(_CERTIFICATE, text, house)
    if not isinstance(claims, dict) or set(claims) != {"key", "exp"}:  # pyright: ignore[reportUnknownArgumentType]
        return None
    key, until = claims["key"], claims["exp"]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(key, str) or type(until) is not int or not 0 < until < 2**33:  # pyright: ignore[reportUnknownArgumentType]
        return None
    return Certificate(key, datetime.fromtimestamp(until, UTC), text)


def _jws(head: str, claims: Mapping[str, str | int], private: Ed25519PrivateKey) -> str:
    told = f"{head}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{told}.{_encoded(private.sign(told.encode()))}"


def _open(head: str, text: str, signer: str) -> Any:
    """The claims, if that key signed them under that head; else None."""
    told, _, signature = text.rpartition(".")
    if not told.startswith(f"{head}.") or told.count(".") != 1:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(signer)))
        key.verify(_decoded(signature), told.encode())
    except (InvalidSignature, ValueError):
        return None
    return _json(told.partition(".")[2])


def _json(segment: str) -> Any:
    try:
        return json.loads(_decoded(segment))
    except (ValueError, RecursionError):
        return None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(segment: str) -> bytes:
    """Raises ValueError unless it is base64url in its one spelling."""
    if not _SEGMENT.fullmatch(segment):
        raise ValueError("no base64url")
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if _encoded(raw) != segment:
        raise ValueError("another spelling")
    return raw
