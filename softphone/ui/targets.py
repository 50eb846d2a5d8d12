"""What somebody types who wants to call: a number, an address, or a name of one's own calls. No widget."""

from __future__ import annotations

import re

from softphone.wire.from_engine import Snapshot

_NUMBER = re.compile(r"\+?[\d\s().\-/*#]{2,}")

_ADDRESS = re.compile(
    r"(?:sips?:)?(?P<user>[^@\s]+)@(?P<host>\[[0-9a-f:.]+\]|[^\s:;@\[\]]+)(?::\d{1,5})?(?:;(?:transport|user)=\w+)*",
    re.IGNORECASE,
)


def within(target: str, address: str) -> str:
    """What `target` is to an account of this address: the number or user of its own domain, or nothing if it is elsewhere."""
    if "@" not in target:
        return target.removeprefix("tel:")
    named, own = _ADDRESS.fullmatch(target), _ADDRESS.fullmatch(address)
    return named["user"] if named and own and named["host"].lower() == own["host"].lower() else ""


def target_of(typed: str, snapshot: Snapshot) -> str:
    """The number or address that `typed` means, or nothing. A name is one of one's own calls."""
    if "@" in typed:
        return typed
    if _NUMBER.fullmatch(typed):
        return re.sub(r"[\s().\-/]", "", typed)
    if not typed:
        return ""
    named = [call for call in snapshot.history if call.name and call.number]
    exact = [call.number for call in named if call.name.casefold() == typed.casefold()]
    begins = {call.number for call in named if call.name.casefold().startswith(typed.casefold())}
    return exact[0] if exact else next(iter(begins)) if len(begins) == 1 else ""
