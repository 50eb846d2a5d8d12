"""The settings of the network: the port, signs of life, and who may call beside the accounts' servers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from softphone.domain.errors import Param
from softphone.system.settings_schema import doubts
from softphone.ui.fields import TextLabel
from softphone.ui.settings.forms import Section, line_field
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View
from softphone.wire.snapshot import Settings


class NetworkSection(Section):
    """Each is saved when its field is left. What cannot be used is said, and stays in its field."""

    def __init__(self) -> None:
        super().__init__("network")
        self.port = line_field("networkPort")
        self.keep_alive = line_field("networkKeepAlive")
        self.stun = line_field("networkStun")
        self.accept = line_field("networkAcceptFrom")
        self.state = TextLabel("networkState", size=SMALL, role="muted", wrap=True)
        self.field("settings.network.port", self.port)
        self.field("settings.network.keep_alive", self.keep_alive)
        self.field("settings.network.stun", self.stun)
        self.field("settings.network.accept_from", self.accept)
        self.body.addSpacing(6)
        self.body.addWidget(self.state)
        for line in (self.port, self.keep_alive, self.stun, self.accept):
            line.editingFinished.connect(self._take)
        self._loaded: tuple[int, int, str, tuple[str, ...]] | None = None
        self._said: tuple[str, Mapping[str, Param]] = ("settings.network.next_start", {})
        self._view: View | None = None

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        now = self.settings.port, self.settings.keep_alive, self.settings.stun, self.settings.accept_from
        if now != self._loaded:
            self._loaded = now
            self.port.setText(str(now[0]) if now[0] else "")
            self.keep_alive.setText(str(now[1]))
            self.stun.setText(now[2])
            self.accept.setText(", ".join(now[3]))
            self._tell("settings.network.next_start", {})
        self.hint(self.port, view.texts("settings.network.port.free"))
        self.hint(self.stun, view.texts("settings.network.stun.none"))
        self.hint(self.accept, view.texts("settings.network.accept_from.none"))
        self.state.setText(view.texts(self._said[0], **self._said[1]))
        for line in (self.port, self.keep_alive, self.stun, self.accept):
            line.setEnabled(view.connected and self.can_change(line))

    def _take(self) -> None:
        wanted = replace(
            self.settings,
            port=_number(self.port.text(), 0),
            keep_alive=_number(self.keep_alive.text(), Settings().keep_alive),
            stun=self.stun.text().strip().removeprefix("stun:"),
            accept_from=tuple(one for one in re.split(r"[\s,;]+", self.accept.text()) if one),
        )
        if wanted == self.settings:
            return
        # As it was typed: a number may be none.
        typed = {"port": {"port": self.port.text().strip()}, "keep_alive": {"seconds": self.keep_alive.text().strip()}}
        for path, code, params in doubts(wanted):
            if path[0] in ("port", "keep_alive", "stun", "accept_from"):
                self._tell(code, typed.get(str(path[0]), params), "danger")
                return
        self._tell("settings.network.next_start", {})
        self.save.emit(wanted)

    def _tell(self, code: str, params: Mapping[str, Param], role: str = "muted") -> None:
        self._said = code, params
        self.state.set_role(role)
        if self._view is not None:
            self.state.setText(self._view.texts(code, **params))


def _number(text: str, empty: int) -> int:
    """-1, which no setting takes, for what is no number."""
    text = text.strip()
    if not text:
        return empty
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1
