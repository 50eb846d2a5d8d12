"""A row of the agent's own calls as text, to be kept over a restart, and read back."""

from __future__ import annotations

import json
from datetime import date
from functools import cache

from pydantic import TypeAdapter, ValidationError

from softphone.archive.catalog.own_calls import OwnCall
from softphone.wire.snapshot import PastCall


def written(row: PastCall, agent: str, until: date) -> OwnCall:
    # ASCII: a name from SIP may hold what UTF-8 cannot.
    return OwnCall(row.id, agent, row.at, until, json.dumps(_rows().dump_python(row, mode="json")))


def read(one: OwnCall) -> PastCall | None:
    """None if another version wrote it, and this one cannot read it."""
    try:
        return _rows().validate_json(one.told)
    except ValidationError:
        return None


@cache
def _rows() -> TypeAdapter[PastCall]:
    return TypeAdapter(PastCall)
