"""How the review shows a recording: who, when, how long, for how long still; and what a search means. No widget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from softphone.domain.archive.recordings import RATE, Mark, MarkKind
from softphone.domain.archive.reviews import Comment, SampleRow
from softphone.texts import Texts
from softphone.ui.view import duration, readable

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "maj": 5, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "okt": 10, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
_NAMED = re.compile(r"(\d{1,2})\.? ?([a-zæøå]{3,9})\.?(?: (\d{4}))?")
_BLINK = RATE // 2
"""samples of a gap that is worth a word"""
_MARKS = 5
_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})(?:[./-](\d{2}|\d{4}))?\.?")


def agent_name(address: str) -> str:
    """As a person reads it: anna.larsen@… is Anna Larsen; an extension stays its number."""
    user = address.partition("@")[0]
    parts = _name_parts(user)
    if not parts:
        return readable(user)
    return " ".join(part.capitalize() + ("." if len(part) == 1 else "") for part in parts)


def first_name(address: str) -> str:
    """Empty if the address is invalid."""
    parts = _name_parts(address.partition("@")[0])
    return parts[0].capitalize() if parts else ""


def _name_parts(user: str) -> list[str]:
    parts = [part for part in re.split(r"[._-]+", user) if part]
    return parts if all(part.isalpha() for part in parts) else []


def when(texts: Texts, row: SampleRow, now: datetime) -> str:
    """I dag 10.41, I går 15.02, 23. nov. 15.02; in the zone of the call's policy."""
    zone = ZoneInfo(row.time_zone)
    at, today = row.opened_at.astimezone(zone), now.astimezone(zone).date()
    return texts("review.at", day=_day(texts, at.date(), today), clock=texts.clock(at, zone))


def _day(texts: Texts, day: date, today: date) -> str:
    if day == today:
        return texts("review.today")
    if day == today - timedelta(days=1):
        return texts("review.yesterday")
    text = texts.day(day)
    return text.rpartition(" ")[0] if day.year == today.year else text


def left(texts: Texts, row: SampleRow, now: datetime) -> str:
    """How many days it is still kept, or nothing if no day is set."""
    if row.expires_on is None:
        return ""
    days = (row.expires_on - now.astimezone(ZoneInfo(row.time_zone)).date()).days
    return texts("review.days_left", count=days) if days > 0 else texts("review.last_day")


def length(seconds: float) -> str:
    """2:05, as it is counted beside the playhead."""
    text = duration(seconds)
    return text[1:] if text.startswith("0") else text


def spoken_length(texts: Texts, seconds: float) -> str:
    """For a screen reader: 6 minutter 12 sekunder."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    parts = [texts("review.minutes", count=minutes)] if minutes else []
    return " ".join([*parts, texts("review.seconds", count=rest)])


def mark(texts: Texts, this: Mark) -> str:
    """What it is and how long, without its place: mangler 0:02."""
    return texts(f"review.mark.{this.kind}", length=length(ceil(this.samples / RATE)))


def marks(texts: Texts, these: Sequence[Mark]) -> str:
    """All of them with their places, the worst first; a few if there are many, without the shortest."""
    worth = [one for one in these if one.kind is not MarkKind.GAP or one.samples >= _BLINK]
    worth.sort(key=lambda one: (one.kind in (MarkKind.PAUSE, MarkKind.GAP), one.at))
    lines = [
        mark(texts, one)
        if one.kind is MarkKind.LOST
        else texts("review.mark.at", mark=mark(texts, one), at=length(one.at / RATE))
        for one in worth[:_MARKS]
    ]
    more = len(worth) - len(lines)
    line = " · ".join([*lines, texts("review.mark.more", count=more)] if more else lines)
    return line[:1].upper() + line[1:]


@dataclass(frozen=True, slots=True)
class Search:
    """The search: a day of one's own zone, or a part of an agent's name or address, or of a line's name."""

    agent: str = ""
    since: datetime | None = None
    until: datetime | None = None


def searched(typed: str, texts: Texts, now: datetime, zone: str) -> Search:
    """25. nov, 25/11, 25.11.2026, 2026-11-25, i dag, i går; anything else is an agent."""
    text = " ".join(typed.split()).lower()
    if not text:
        return Search()
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    day = _typed_day(text, texts, today)
    if day is None:
        return Search(agent=text)
    begin = datetime.combine(day, time(), here)
    return Search(since=begin, until=datetime.combine(day + timedelta(days=1), time(), here))


def _typed_day(text: str, texts: Texts, today: date) -> date | None:
    if text in (texts("review.today").lower(), "i dag", "today"):
        return today
    if text in (texts("review.yesterday").lower(), "i går", "yesterday"):
        return today - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    if named := _NAMED.fullmatch(text):
        month = _MONTHS.get(named[2][:3])
        return _some_day(today, int(named[1]), month, named[3]) if month else None
    if numbers := _NUMBERS.fullmatch(text):
        return _some_day(today, int(numbers[1]), int(numbers[2]), numbers[3])
    return None


def _some_day(today: date, day: int, month: int, year: str | None) -> date | None:
    """Without a year the last such day so far."""
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        found = date(today.year, month, day)
        return found if found <= today else found.replace(year=today.year - 1)
    except ValueError:
        return None


def said(texts: Texts, comment: Comment) -> str:
    """With whose it is, where it is somebody else's; or that it cannot be read here."""
    text = comment.text or texts("review.comment.sealed")
    if comment.mine:
        return text
    if comment.of_agent:
        return texts("review.comment.of_agent", text=text)
    return texts("review.comment.by", by=comment.by or texts("review.someone"), text=text)
