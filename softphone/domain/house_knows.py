"""What a house knows from all its desks, and how it joins what this desk knows: of a party's number (G31), and of what waits for
its reviewers (G33)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from softphone.domain.decision import LookupResult
from softphone.domain.purpose import Language, Purpose

KEPT = "kept"
"""the value of a call back that has been made"""
_OLD = timedelta(days=1)
"""after which what was told of the reviewers' backlog says nothing of today"""


@dataclass(frozen=True, slots=True)
class HouseKnows:
    """Of one number, on one line. As `LookupResult` has it."""

    declined_earlier: bool = False
    upheld: frozenset[Purpose] = frozenset()
    language: Language | None = None
    call_back: bool = False


def with_house(known: LookupResult, house: HouseKnows | None, *, silent: bool) -> LookupResult:
    """What either knows counts: a no is never taken back by the other's silence. The language is the newer house's, which has
    heard of this desk's too. `house` None: it knows nothing, or nothing was ever heard of it."""
    known = replace(known, house_silent=silent)
    if house is None:
        return known
    return replace(
        known,
        declined_earlier=known.declined_earlier or house.declined_earlier,
        upheld=known.upheld | house.upheld,
        language=house.language or known.language,
        call_back=known.call_back or house.call_back,
    )


@dataclass(frozen=True, slots=True)
class HouseWaiting:
    """How many training recordings nobody in the house has reviewed, by line and the day they end on; told `at`."""

    at: datetime
    lines: Mapping[str, Mapping[date, int]]

    def is_new(self, now: datetime) -> bool:
        return now - self.at < _OLD
