"""A row that cannot be read holds what the program never writes, such as an impossible date. There is one way to treat it.

The reader leaves it out, and may note whose it is; it deletes nothing; `verify` and the sweep report it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")
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


def params_of(row: Any) -> dict[str, Any]:
    """Those of an entry of the log; none where somebody has changed them, which the chain tells."""
    return read_row(row, lambda entry: dict(json.loads(entry.params))) or {}
