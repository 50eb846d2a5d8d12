"""Tokens and one-time codes: random bytes that mean nothing. The database has their SHA-256 alone."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from softphone.domain.errors import TeamError

ACCESS, REFRESH = timedelta(minutes=10), timedelta(days=30)
REFRESH_BY_DIRECTORY = timedelta(hours=12)
"""of whoever is more than an agent and was signed in by the house's directory, which may take a role away"""
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    """256 bits, 43 letters."""
    return secrets.token_urlsafe(32)


def checked(token: str) -> str:
    """Raises TeamError `token_wrong` for what no token can be."""
    if not _SHAPE.fullmatch(token):
        raise TeamError("error.team.token_wrong")
    return token


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that IT hands on. What stands behind its `#` goes to no server by itself.

    `signer` is the fingerprint of the key that signs the house's policies: made where they are signed, it is believed by the
    desk before anything the service says.
    """

    address: str
    code: str = field(repr=False)
    signer: str

    def __str__(self) -> str:
        return f"{self.address}/join#{self.code}.{self.signer}"

    @classmethod
    def parse(cls, text: str) -> Invitation:
        """Raises TeamError `no_invitation`."""
        address, _, behind = text.strip().partition("/join#")
        code, _, signer = behind.partition(".")
        parts = urlsplit(address)
        whole = _SHAPE.fullmatch(code) and _FINGERPRINT.fullmatch(signer) and parts.hostname
        if not whole or parts.scheme != "https" or parts.query or parts.username is not None:
            raise TeamError("error.team.no_invitation")
        return cls(address, code, signer)
