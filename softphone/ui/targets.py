"""What somebody types who wants to call: a number, an address, or a name of one's own calls. No widget."""

from __future__ import annotations

import re

from softphone.wire.from_engine import Snapshot

_NUMBER = re.compile(r"\+?[\d\s().\-/*#]{2,}")


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
