"""What the service tells whoever takes calls: what waits for review in the whole house, for which each desk's sample leaves room
(G33), and which own reviews are shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime

from softphone.domain.errors import UnreachableError
from softphone.domain.house_knows import HouseWaiting
from softphone.house.shipping import Asks


def backlog(ask: Asks) -> HouseWaiting:
    """Raises HouseError, UnreachableError."""
    answer = ask("GET", "/v1/sample/waiting")
    lines: dict[str, dict[date, int]] = defaultdict(dict)
    try:
        for one in answer.json["waiting"]:
            lines[str(one["line"])][date.fromisoformat(one["expires_on"])] = max(int(one["number"]), 0)
    except (TypeError, KeyError, ValueError) as error:
        raise UnreachableError("error.house.no_service", status=answer.status) from error
    return HouseWaiting(datetime.now(UTC), lines)


def shared(ask: Asks) -> Collection[str]:
    """The recordings of own reviews that leads share. Raises HouseError, UnreachableError."""
    answer = ask("GET", "/v1/shared")
    try:
        return {str(one["recording"]) for one in answer.json["rows"]}
    except (TypeError, KeyError) as error:
        raise UnreachableError("error.house.no_service", status=answer.status) from error
