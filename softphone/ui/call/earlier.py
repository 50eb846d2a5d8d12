"""A dispute about earlier calls with this number: who needs it. In the call's menu, and beside the rights of one that is over."""

from __future__ import annotations

from functools import partial
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from softphone.ui.controls import Change
from softphone.ui.rows import Entry, RowMenu
from softphone.ui.theme.scale import px
from softphone.ui.view import View, new_id, upper_first
from softphone.wire.snapshot import CallState, PastCall
from softphone.wire.to_engine import LockEarlier

_By = Literal["party", "controller"]


class EarlierMenu(RowMenu):
    """command(LockEarlier). A press takes effect at once, so the button never stands where the one that opened it was."""

    command = Signal(object)

    def __init__(self, prefix: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(f"{prefix}EarlierMenu")
        self.menuAction().setObjectName(f"{prefix}LockEarlier")
        self._change = Change()
        self._call = ""
        whose: tuple[_By, ...] = ("party", "controller")
        self.by: dict[_By, Entry] = {by: Entry(self, f"{prefix}Earlier_{by}") for by in whose}
        for by, action in self.by.items():
            self.addAction(action)
            action.triggered.connect(partial(self._lock, by))
        self.aboutToShow.connect(self._change.happened)

    def render_view(self, view: View, call: CallState) -> None:
        if self._call != call.id:
            self._call = call.id
            self._change.happened()
        why, texts = why_not_lock(view, call), view.texts
        self.setTitle(f"{texts('earlier.lock')} – {texts(why)}" if why else texts("earlier.lock.name"))
        self.setIcon(view.icons.icon("lock", view.theme.text, px(18)))
        entry = self.menuAction()
        entry.setEnabled(not why)
        entry.setToolTip(self.title() if why else texts("earlier.lock.why"))
        party = view.party(call)
        for by, action in self.by.items():
            title = texts(f"choice.dispute_by.{by}", party=party, Party=upper_first(party))
            action.show_as(view, title, texts("earlier.lock.for_good"), icon="lock")

    @property
    def takes_presses(self) -> bool:
        """Whether it has stood there for longer than a double click lasts."""
        return not self._change.is_fresh

    def _lock(self, by: _By, _checked: bool = False) -> None:
        if self.takes_presses:
            self.command.emit(LockEarlier(new_id(), self._call, by))


def why_not_lock(view: View, call: CallState) -> str:
    """The code of the reason that there is nothing to lock, or that it cannot be done; empty if it can."""
    return why_not(view, call) or ("" if call.recorded_before else "why_not.none_before")


def why_not(view: View, call: CallState | PastCall) -> str:
    """The code of the reason that nothing can be done with the call's number; empty if it can."""
    if not view.connected:
        return "why_not.no_engine"
    return "" if call.number else "why_not.no_number"
