"""A row of the agent's own calls as text, to be kept over a restart, and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache

from pydantic import TypeAdapter, ValidationError

from softphone.archive.catalog.own_calls import OwnCall
from softphone.wire.snapshot import PastCall


def written(row: PastCall, agent: str, until: date, *, noted: bool) -> OwnCall:
    """`noted`: with its note; else the one that is there stays, or stays erased."""
    # ASCII: a name from SIP may hold what UTF-8 cannot.
    told = json.dumps(_rows().dump_python(replace(row, note=""), mode="json"))
    return OwnCall(row.id, agent, row.at, until, told, row.note if noted else None, row.number)


def read(one: OwnCall) -> PastCall | None:
    """None if another version wrote it, and this one cannot read it."""
    try:
        return replace(_rows().validate_json(one.told), note=one.note or "")
    except ValidationError:
        return None


_JOINERS = frozenset({"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))})
"""what holds an emoji of several together, or spells a flag, and what Persian and Hindi are written with"""


def plain_note(text: str) -> str:
    """Its lines, without characters that nobody sees, or that turn the direction of what follows."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = (
        "".join(" " if one.isspace() else one for one in line if one.isspace() or one.isprintable() or one in _JOINERS)
        for line in lines
    )
    return "\n".join(shown).strip()


@cache
def _rows() -> TypeAdapter[PastCall]:
    return TypeAdapter(PastCall)
