"""A multipart body (RFC 5621). A phone needs only its session description; PJSIP never sees the rest."""

from __future__ import annotations

import re

from softphone.edge.sip import grammar

_BOUNDARY = re.compile(
    rf";boundary=(?:\"([0-9A-Za-z'()+_,\-./:=? ]{{1,70}})\"|({grammar.TOKEN}))", re.IGNORECASE | re.ASCII
)
_TYPE = re.compile(rb"(?:^|\r\n)content-type[ \t]*+:[ \t]*+application/sdp[ \t]*+(?:;|\r\n|$)", re.IGNORECASE)
_ENCODED = re.compile(rb"(?:^|\r\n)content-transfer-encoding[ \t]*+:[ \t]*+(?!binary|8bit|7bit)", re.IGNORECASE)
MOST_PARTS = 16


def session_description(content_type: str, body: bytes) -> bytes | None:
    """The first part that is one; None if none can be read."""
    found = _BOUNDARY.search(content_type)
    if not found:
        return None
    boundary = (found[1] or found[2]).encode()
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    for part in parts[1 : MOST_PARTS + 1]:
        if part.startswith(b"--"):
            return None
        head, end, content = part.lstrip(b" \t").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if end and _TYPE.search(head) and not _ENCODED.search(head):
            return content
    return None
