"""Lengths of time as a policy writes them (ISO 8601: `P3M`, `P14D`, `PT8S`), and the day on which such a length ends.

Months and years are calendar time: they have no length in days until they are counted from a day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_ISO = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
    re.ASCII,
)
_DAY = 86_400
_LONGEST_YEARS = 100


@dataclass(frozen=True, slots=True)
class Period:
    """A non-negative length: calendar months, days and seconds, kept apart."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `P[n]Y[n]M[n]W[n]D[T[n]H[n]M[n]S]`, whole numbers only. ValueError for anything else, or over 100 years."""
        match = _ISO.fullmatch(text)
        if match is None:
            raise ValueError(text)
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        period = cls(years * 12 + months, weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
        if period.months / 12 + (period.days + period.seconds / _DAY) / 365 > _LONGEST_YEARS:
            raise ValueError(text)
        return period

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        hours, rest = divmod(self.seconds, 3600)
        minutes, seconds = divmod(rest, 60)
        day_part = "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n)
        time_part = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
        if not day_part and not time_part:
            return "PT0S"
        return f"P{day_part}" + (f"T{time_part}" if time_part else "")

    def length(self) -> timedelta:
        """As a fixed length. Raises ValueError if it holds calendar months."""
        if self.months:
            raise ValueError(str(self))
        return timedelta(days=self.days, seconds=self.seconds)

    def after(self, day: date) -> date:
        """The day this period ends when counted from `day`; a month without that day ends on its last (31 January + P1M)."""
        month = day.month - 1 + self.months
        year, month = day.year + month // 12, month % 12 + 1
        start = date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
        return start + timedelta(days=self.days + self.seconds // _DAY)

    def never_longer_than(self, other: Period) -> bool:
        """Whether this ends no later than `other`, whichever day both are counted from."""
        mine, others = ((one.months, one.days + one.seconds // _DAY) for one in (self, other))
        # Only more months and fewer days, or the other way round, take a look at each day.
        if mine[0] <= others[0] and mine[1] <= others[1]:
            return True
        if mine[0] >= others[0] and mine[1] >= others[1]:
            return False
        first = date(2023, 1, 1)
        return all(self.after(day) <= other.after(day) for day in (first + timedelta(days=n) for n in range(731)))
