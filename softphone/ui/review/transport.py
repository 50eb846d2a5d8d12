"""The row under the picture of the sound: play, position, speed, skipping silences, a comment, back and forth."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from softphone.audio.playback import SPEEDS
from softphone.texts import Texts
from softphone.ui.fields import TextLabel
from softphone.ui.review import words
from softphone.ui.review.pills import Pill, PlayButton
from softphone.ui.theme.style import BODY
from softphone.ui.view import View

NARROW = 660
"""px below which its words are shorter"""


class Transport(QWidget):
    """pressed(what): play, speed, skip, comment, back, on."""

    pressed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[View, bool, float, bool, bool] | None = None
        self.play = PlayButton("play")
        self.time = TextLabel("time", size=BODY, tabular=True)
        self.time.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.speed = Pill("speed")
        self.skip = Pill("skipSilence")
        self.skip.setCheckable(True)
        self.comment = Pill("commentHere", "C")
        self.back, self.on = Pill("back"), Pill("on")
        for step in (self.speed, self.back, self.on):
            step.take_every_press()
        layout = QHBoxLayout(self)
        self.answers = False
        """for the call's agent: a comment is an answer"""
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.play, self.time, self.speed, self.skip, self.comment):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(self.back)
        layout.addWidget(self.on)
        for what, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, what=what: self.pressed.emit(what))

    @property
    def buttons(self) -> dict[str, Pill | PlayButton]:
        return {
            "play": self.play,
            "speed": self.speed,
            "skip": self.skip,
            "comment": self.comment,
            "back": self.back,
            "on": self.on,
        }

    def render_view(self, view: View, *, plays: bool, speed: float, skips: bool, comments: bool) -> None:
        """`comments`: whether one may be written."""
        texts = view.texts
        self._shown = view, plays, speed, skips, comments
        self.play.plays = plays
        space, left, right = texts("review.key.space"), "←", "→"
        for button, keys in (
            (self.play, space),
            (self.speed, "S"),
            (self.skip, "K"),
            (self.back, left),
            (self.on, right),
        ):
            button.set_keys(keys)
        self.play.show_as(view, "", name=texts("review.stop" if plays else "review.play"))
        text = speed_words(texts, speed)
        fastest = speed == SPEEDS[-1]
        self.speed.show_as(
            view, text, name=texts("review.speed", speed=text), why=texts("review.speed.why") if fastest else ""
        )
        self.skip.setChecked(skips)
        narrow = self.width() < NARROW
        short = ".short" if narrow else ""
        self.skip.show_as(view, texts(f"review.skip{short}"), name=texts("review.skip"))
        self.comment.show_key("" if narrow else "C")
        answers = ".shared" if self.answers else ""
        why = "" if comments else texts("review.comment.shared.none")
        said = texts(f"review.comment{answers}{short}")
        self.comment.show_as(view, said, name=texts(f"review.comment{answers}"), enabled=comments, why=why)
        self.back.show_as(view, texts("review.back"), name=texts("review.back.name"))
        self.on.show_as(view, texts("review.on"), name=texts("review.on.name"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._shown is not None:
            view, plays, speed, skips, comments = self._shown
            self.render_view(view, plays=plays, speed=speed, skips=skips, comments=comments)

    def show_time(self, at: float, of: float, *, fetches: bool = False) -> None:
        """`fetches`: nothing lies ready to be heard."""
        end = round(of)  # in the list's words
        text = f"{words.length(end if at >= of else at)} / {words.length(end)}"
        if fetches and self._shown is not None:
            text = self._shown[0].texts("review.fetching")
        if text != self.time.text():
            self.time.setText(text)
            # Wide enough that nothing beside it moves as it counts.
            widest = f"{words.length(end)} / {words.length(end)}"
            metrics = self.time.fontMetrics()
            self.time.setFixedWidth(max(map(metrics.horizontalAdvance, (widest, text))) + 6)


def speed_words(texts: Texts, speed: float) -> str:
    return f"{texts.decimal(speed, 'g')}×"
