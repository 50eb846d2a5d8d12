"""Days as people say them. No widget."""

from __future__ import annotations

from datetime import datetime, timedelta

from softphone.ui.view import View


def day_of(view: View, at: datetime, *, short: bool = False) -> str:
    """I dag, I går, 23. nov.; in another year with the year. `short`: the time instead of today, as in a narrow column."""
    day, today = at.astimezone(view.texts.zone).date(), view.now.astimezone(view.texts.zone).date()
    if short and day == today:
        return view.texts.clock(at)
    if day in (today, today - timedelta(days=1)):
        return view.texts("history.today" if day == today else "history.yesterday")
    text = view.texts.day(day)
    return text.rpartition(" ")[0] if day.year == today.year else text
