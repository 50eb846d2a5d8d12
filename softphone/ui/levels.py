"""When the engine is to send levels: while somebody can see them. Else they would cost ten messages a second for nobody."""

from __future__ import annotations

from softphone.domain.purpose import Headline
from softphone.ui.view import View, new_id
from softphone.wire.to_engine import WatchLevels


class LevelsWatch:
    """`next` gives the command that is due, if any."""

    def __init__(self) -> None:
        self.settings = False
        """the settings show them"""
        self._on = False

    def forget(self) -> None:
        """The engine is another one, and watches nothing."""
        self._on = False

    def next(self, view: View, *, in_sight: bool) -> WatchLevels | None:
        call = view.call
        recorded = call is not None and call.status is not None and call.status.headline is Headline.RECORDING
        wanted = view.connected and (self.settings or (in_sight and recorded))
        if wanted == self._on or not view.connected:
            return None
        self._on = wanted
        return WatchLevels(new_id(), wanted)
