"""The house in the settings: which one this phone belongs to, since when, when it was last heard of; or a field for its link."""

from __future__ import annotations

from PySide6.QtCore import Signal

from softphone.domain.errors import KlartoneError
from softphone.ui.controls import FilledButton
from softphone.ui.fields import TextLabel
from softphone.ui.settings.forms import SaidLabel, Section, line_field
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View
from softphone.wire.snapshot import CodedText, HouseState

_SIGNED_OUT = "house.signed_out"


class HouseSection(Section):
    """wanted(link): the phone is to join by it; stopped: whoever is to sign in in the browser does not. `asks` says whether a
    browser is waited for, `joined` and `failed` what came of it."""

    wanted = Signal(str)
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__("house")
        self.body.setSpacing(8)
        self.state = TextLabel("houseState", size=SMALL, role="muted", wrap=True)
        self.trouble = TextLabel("houseTrouble", size=SMALL, role="danger", wrap=True)
        self.link = line_field("houseLink")
        self.join = FilledButton("joinHouse", "plain", 40)
        self.cancel = FilledButton("stopJoining", "plain", 40)
        self.said = SaidLabel("houseSaid")
        for one in (self.state, self.trouble, self.link, self.join, self.cancel, self.said):
            self.body.addWidget(one)
        self.link.textEdited.connect(self._typed)
        self.link.returnPressed.connect(self._press)
        self.join.clicked.connect(self._press)
        self.cancel.clicked.connect(self._stop)
        self.cancel.hide()
        self._works = self._asks = False
        self._failed: CodedText | None = None
        self._view: View | None = None

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        house = view.snapshot.house if view.snapshot else None
        out = house is not None and house.trouble is not None and house.trouble.code.endswith(_SIGNED_OUT)
        if house is not None and not out:
            self._failed = None  # of a try before
        place = "" if house is not None else self.place_of_lock("policy")
        self._render_state(view, house, place)
        for one in (self.link, self.join):
            one.setVisible(house is None or out)
        why = view.texts("settings.managed", place=place) if place else ""
        if self._works:
            why = view.texts("settings.house.works")
        elif not why and not out and not self.link.text().strip():
            why = view.texts("settings.house.paste")
        self.link.setEnabled(not self._works and not place)
        self.link.setPlaceholderText("https://")
        self.link.setAccessibleName(view.texts("settings.house.link"))
        label = view.texts("settings.house.again" if out else "settings.house.join")
        self.join.show_as(view, label, enabled=not why, why=why)
        self.cancel.show_as(view, view.texts("settings.house.cancel"))
        self.cancel.setVisible(self._asks)
        self.said.set_role("danger" if self._failed else "muted")
        if self._failed is not None:
            self.said.setText(view.texts(self._failed.code, **self._failed.params))
        else:
            now = "settings.house.asks" if self._asks else "settings.house.works"
            self.said.setText(view.texts(now) if self._works else "")

    def _render_state(self, view: View, house: HouseState | None, place: str) -> None:
        texts, trouble = view.texts, house.trouble if house else None
        self.trouble.setVisible(trouble is not None)
        self.trouble.setText(texts(trouble.code, **trouble.params) if trouble else "")
        if house is None:
            self.state.setText(texts("settings.managed", place=place) if place else texts("settings.house.why"))
            return
        lines = [
            texts(
                "settings.house.belongs",
                address=house.address.removeprefix("https://"),
                day=house.since.astimezone().date(),
            )
        ]
        if house.heard is None:
            lines.append(texts("settings.house.unheard"))
        elif house.heard.astimezone().date() == view.now.astimezone().date():
            lines.append(texts("settings.house.heard", at=texts.clock(house.heard)))
        else:
            lines.append(texts("settings.house.heard_day", day=house.heard.astimezone().date()))
        if house.policy:
            lines.append(texts("settings.house.policy", number=house.policy))
        self.state.setText("\n".join(lines))

    def joined(self) -> None:
        self._works, self._failed = False, None
        self.link.clear()
        self._render()

    def failed(self, error: KlartoneError) -> None:
        self._works, self._failed = False, CodedText(error.code, error.params)
        self._render()

    def asks(self, waits: bool) -> None:
        self._asks = waits
        self._render()

    def _stop(self) -> None:
        self.stopped.emit()
        self.asks(False)

    def _typed(self) -> None:
        self._failed = None
        self._render()

    def _press(self) -> None:
        link = self.link.text().strip()  # empty: in the browser, to the house that it belongs to
        if self.join.isEnabled() and not self._works:
            self._works, self._failed = True, None
            self._render()
            self.wanted.emit(link)

    def _render(self) -> None:
        if self._view is not None:
            self.render_view(self._view)
