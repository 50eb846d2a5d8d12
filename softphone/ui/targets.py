"""What somebody types who wants to call or to transfer: a number, an address, or a name. No widget."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from softphone.domain.purpose import Direction
from softphone.ui.view import View, readable
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import CallState

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
    return spelled(typed) or _named(
        typed, [(one.name, one.number) for one in snapshot.history if one.name and one.number]
    )


def colleague_of(typed: str, colleagues: Mapping[str, str]) -> str:
    """The same, where a name is one of `colleagues`."""
    return spelled(typed) or _named(typed, [*colleagues.items()])


def colleagues(view: View, call: CallState) -> dict[str, str]:
    """Whom a call can be handed to, by name and number as they are offered: colleagues one has talked to, and the house's
    lines. No customer of one's own, and never the party itself."""
    snapshot = view.snapshot
    if snapshot is None:
        return {}
    known: dict[str, str] = {}
    for one in snapshot.history:
        if one.direction is Direction.INTERNAL and not known.get(one.number):
            known[one.number] = one.name
    lines = {
        number: view.line_name(line.id) for line in snapshot.lines for number in line.numbers if line.id != call.line
    }
    party = spelled(call.number)
    return {
        " · ".join(part for part in (name, readable(number)) if part): number
        for number, name in (known | lines).items()
        if number and spelled(number) != party
    }


def spelled(typed: str) -> str:
    """A number or address as it is dialled, or nothing."""
    if "@" in typed:
        return typed
    return re.sub(r"[\s().\-/]", "", typed) if _NUMBER.fullmatch(typed) else ""


def _named(typed: str, known: Sequence[tuple[str, str]]) -> str:
    """One that is written out, or the only one that begins so."""
    if not typed:
        return ""
    exact = [number for name, number in known if name.casefold() == typed.casefold()]
    begins = {number for name, number in known if name.casefold().startswith(typed.casefold())}
    return exact[0] if exact else next(iter(begins)) if len(begins) == 1 else ""
