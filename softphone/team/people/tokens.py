"""Tokens and one-time codes: random bytes that mean nothing. The database has their SHA-256 alone."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

from softphone.domain.errors import TeamError

ACCESS, REFRESH = timedelta(minutes=10), timedelta(days=30)
REFRESH_BY_DIRECTORY = timedelta(hours=12)
"""of whoever is more than an agent and was signed in by the house's directory, which may take a role away"""
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 bits, 43 letters."""
    return secrets.token_urlsafe(32)


def checked(token: str) -> str:
    """Raises TeamError `token_wrong` for what no token can be."""
    if not _SHAPE.fullmatch(token):
        raise TeamError("error.team.token_wrong")
    return token
