"""What waits for the house's archive, in words: how much, since when, and why it does not go. No widget."""

from __future__ import annotations

from datetime import timedelta

from softphone.ui.days import day_of
from softphone.ui.view import View, lower_first

_SOON = timedelta(minutes=1)
"""what goes within it is nobody's concern"""
_LATE = timedelta(minutes=10)
"""from then on it is said why"""

_GRAVE = ("error.house.log_rewritten", "error.house.head_unsigned")
"""said also where nothing waits"""


def waiting_words(view: View) -> str:
    """Empty: nothing waits."""
    shipping = view.snapshot.shipping if view.snapshot and view.connected else None
    if shipping is None or shipping.since is None or not shipping.count or view.now - shipping.since < _SOON:
        return ""
    texts = view.texts
    parts = [texts(f"shipping.{name}", count=count) for name, count in (
        ("recordings", shipping.recordings), ("changes", shipping.told)
    ) if count]  # fmt: skip
    day = day_of(view, shipping.since)
    code = "shipping.waits.today" if day == texts("history.today") else "shipping.waits"
    words = texts(code, what=", ".join(parts), day=lower_first(day), time=texts.clock(shipping.since))
    late = view.now - shipping.since >= _LATE and shipping.signed_in
    if late and shipping.trouble is not None:
        words += f" {texts(shipping.trouble.code, **shipping.trouble.params)}"
    return words


def faults(view: View) -> list[str]:
    """What somebody has to do something about."""
    shipping = view.snapshot.shipping if view.snapshot else None
    if shipping is None:
        return []
    said = [view.texts("error.house.signed_out")] if not shipping.signed_in else []
    if shipping.trouble is not None and shipping.trouble.code in _GRAVE:
        said.append(view.texts(shipping.trouble.code, **shipping.trouble.params))
    if shipping.failed:
        why = view.texts(shipping.refusal.code, **shipping.refusal.params) if shipping.refusal else ""
        said.append(view.texts("shipping.refused", count=shipping.failed, why=why))
    return said
