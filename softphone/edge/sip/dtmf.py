"""Digits in the body of a peer's INFO. They never reach pjsua2, which dies of a body without a line end."""

from __future__ import annotations

import re

_DIGIT = r"(?:([0-9A-D*#])|1([0-5]))"
_LINE_END = r"[ \t]*+(?:\r?\n|\Z)"
_SIGNAL = rf"[ \t]*+Signal[ \t]*+=[ \t]*+{_DIGIT}{_LINE_END}"
_DURATION = rf"(?:[ \t]*+Duration[ \t]*+=[ \t]*+[0-9]{{1,5}}{_LINE_END})"
_RELAY = re.compile(rf"{_DURATION}?{_SIGNAL}{_DURATION}?(?:\r?\n)?", re.IGNORECASE | re.ASCII)
_PLAIN = re.compile(rf"[ \t]*+{_DIGIT}{_LINE_END}", re.IGNORECASE | re.ASCII)
_EVENTS = "*#ABCD"
"""RFC 4733's numbers 10 to 15"""

DTMF_TYPES = frozenset({"application/dtmf-relay", "application/dtmf"})


def read_digit(content_type: str, body: bytes) -> str | None:
    """One of `0`-`9`, `*`, `#`, `A`-`D`; None for another type, a flash, or neither form of a digit."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in DTMF_TYPES or len(body) > 256:
        return None
    found = (_RELAY if kind == "application/dtmf-relay" else _PLAIN).fullmatch(body.decode("latin-1"))
    if not found:
        return None
    if found[2]:
        return _EVENTS[int(found[2])]
    return found[1].upper() if found[1] else None
