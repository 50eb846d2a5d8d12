"""What became of this desk's sample, told to the house in counts alone: drawn, recorded, declined, expired unheard (G33, G34).

What is reviewed, or ends, once it has been shipped the house counts itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from softphone.archive.archive import Archive
from softphone.archive.changes.tally import of_desk
from softphone.house.shipping import Asks

_MONTHS = 3
"""that the figures at the house are of"""
_AT_ONCE = 500
Tallies = Sequence[Mapping[str, str | int]]


def of_this_desk(archive: Archive, now: datetime) -> Tallies:
    """Its own counts, as they stand now."""
    with archive.catalog.reading() as connection:
        return of_desk(connection, archive.desk, now, _MONTHS)


def tell(ask: Asks, tallies: Tallies) -> None:
    """Whole: what was told before of the same is replaced. Raises HouseError."""
    for begin in range(0, len(tallies), _AT_ONCE):
        ask("PUT", "/v1/sample/tallies", {"tallies": list(tallies[begin : begin + _AT_ONCE])})
