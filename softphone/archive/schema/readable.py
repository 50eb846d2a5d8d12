"""A row that cannot be read holds what the program never writes, such as an impossible date. There is one way to treat it.

The reader leaves it out, and may note whose it is; it deletes nothing; `verify` and the sweep report it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from softphone.archive.schema.tables import time_in

_T = TypeVar("_T")
_LAST_YEAR = 9_000
"""up to which a period can still be counted on from a day"""
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError)
"""what reading one comes to"""


def read_row(row: Any, how: Callable[[Any], _T], unreadable: set[str] | None = None) -> _T | None:
    """What `how` makes of it. None if it cannot be read: then its recording is in `unreadable`."""
    try:
        return how(row)
    except _UNREADABLE:
        if unreadable is not None:
            unreadable.add(row.recording)
        return None


def moment_of(told: object) -> datetime:
    """Raises ValueError, also for a time without a zone: it can be compared with no other."""
    if (at := time_in(told)) is None:
        raise ValueError("no time")
    return at


def day_of(told: str | None) -> date | None:
    """Raises ValueError or TypeError, also for a day from which no period can be counted on."""
    day = None if told is None else date.fromisoformat(told)
    if day is not None and day.year > _LAST_YEAR:
        raise ValueError("no day")
    return day


def params_of(row: Any) -> dict[str, Any]:
    """Those of an entry of the log; none where somebody has changed them, which the chain tells."""
    return read_row(row, lambda entry: dict(json.loads(entry.params))) or {}
