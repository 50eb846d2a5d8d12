"""What became of this desk's sample, told to the house in counts alone: drawn, recorded, declined, expired unheard (G33, G34).

What is reviewed, or ends, once it has been shipped the house counts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.changes.tally import Tallied, month_before
from softphone.archive.schema.tables import sample_tallies
from softphone.house.shipping import Asks

_WHAT = (Tallied.DRAWN, Tallied.RECORDED, Tallied.DECLINED, Tallied.EXPIRED_UNSEEN)
_MONTHS = 3
"""that the figures at the house are of"""
_AT_ONCE = 500


def of_this_desk(archive: Archive, now: datetime) -> list[dict[str, Any]]:
    """Its own counts, as they stand now."""
    asked = select(sample_tallies).where(
        sample_tallies.c.desk == archive.desk,
        sample_tallies.c.what.in_([one.value for one in _WHAT]),
        sample_tallies.c.month >= month_before(now, _MONTHS),
        sample_tallies.c.agent != "",
    )
    with archive.catalog.reading() as connection:
        rows = connection.execute(asked).all()
    return [
        {"line": row.line, "agent": row.agent, "month": row.month, "what": row.what, "count": row.count} for row in rows
    ]


def tell(ask: Asks, tallies: Sequence[dict[str, Any]]) -> None:
    """Whole: what was told before of the same is replaced. Raises HouseError."""
    for begin in range(0, len(tallies), _AT_ONCE):
        ask("PUT", "/v1/sample/tallies", {"tallies": list(tallies[begin : begin + _AT_ONCE])})
