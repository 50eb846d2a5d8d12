"""The settings of sound: what most people need, and behind *More* how loud, which ring, and what is taken out of the
microphone's sound. Each choice holds at once, in a call too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from softphone.audio.names import device_name
from softphone.ui.controls import FilledButton, QuietButton
from softphone.ui.fields import ComboBox, TextLabel
from softphone.ui.settings.forms import Section
from softphone.ui.theme.style import SMALL
from softphone.ui.view import View, new_id
from softphone.wire.from_engine import Levels
from softphone.wire.snapshot import CallPhase, SoundDevice
from softphone.wire.to_engine import TestCall, TestTone

_SILENCE_DB = -60.0
_RINGS = ("classic", "chime", "bell", "rise", "low")
_VOLUMES = (25, 50, 75, 100, 150, 200)
_RING_VOLUMES = (0, 25, 50, 75, 100, 150, 200)
_ON, _OFF = "on", "off"

_NO_DEVICE = ("file:", "none", "ALSA: pulse", "ALSA: default")
"""what a setting may say beside a device: a sound file, nothing at all, and a sound server's own choice"""

Entry = tuple[str, str | None]
"""what is shown, and the setting's value"""


class Meter(QWidget):
    """Loudness in dBFS as a bar, -60 to 0."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._level = _SILENCE_DB
        self._view: View | None = None

    @property
    def level(self) -> float:
        return self._level

    def sizeHint(self) -> QSize:
        return QSize(80, 8)

    def render_view(self, view: View) -> None:
        self._view = view
        self.setAccessibleName(view.texts("settings.sound.level"))
        self.update()

    def set_level(self, level: float) -> None:
        self._level = min(0.0, max(_SILENCE_DB, level))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._view is None:
            return
        theme = self._view.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.neutral.fill))
        painter.drawRoundedRect(QRectF(0, 1, self.width(), 6), 3, 3)
        share = 1 - self._level / _SILENCE_DB
        painter.setBrush(QColor(theme.amber.mark if self._level > -3 else theme.ok))
        if share > 0:
            painter.drawRoundedRect(QRectF(0, 1, self.width() * share, 6), 3, 3)
        painter.end()


class SoundSection(Section):
    """command(TestTone | TestCall)."""

    command = Signal(object)

    def __init__(self) -> None:
        super().__init__("sound")
        self.microphone = ComboBox("microphone")
        self.speaker = ComboBox("speaker")
        self.ring_device = ComboBox("ringDevice")
        self.notice_device = ComboBox("noticeDevice")
        self.ring_sound = ComboBox("ringSound")
        self.ring_volume = ComboBox("ringVolume")
        self.microphone_volume = ComboBox("microphoneVolume")
        self.speaker_volume = ComboBox("speakerVolume")
        self.noise = ComboBox("noise")
        self.echo = ComboBox("echo")
        self.meter = Meter("microphoneLevel")
        self.speaker_meter = Meter("speakerLevel")
        self.tone = FilledButton("testTone", "plain", 40)
        self.own_call = FilledButton("ownCall", "plain", 40)
        self.more = QuietButton("soundMore", size=14)
        self.fault = TextLabel("soundFault", size=SMALL, role="danger", wrap=True)
        self.field("settings.sound.microphone", self.microphone)
        self.body.addWidget(self.meter)
        self.field("settings.sound.speaker", self.speaker)
        self.body.addWidget(self.speaker_meter)
        self.field("settings.sound.ring_device", self.ring_device)
        self.body.addSpacing(6)
        self.body.addWidget(self.fault)
        self.body.addWidget(self.tone)
        self.body.addSpacing(4)
        self.body.addWidget(self.own_call)
        self.body.addSpacing(2)
        self.body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._rest = QWidget()
        rest = QVBoxLayout(self._rest)
        rest.setContentsMargins(0, 0, 0, 0)
        rest.setSpacing(4)
        for name, box in self._others().items():
            self.field(f"settings.sound.{name}", box, rest)
        self.body.addWidget(self._rest)
        self._rest.hide()
        for name, box in {
            "microphone": self.microphone,
            "speaker": self.speaker,
            "ring_device": self.ring_device,
            **self._others(),
        }.items():
            box.activated.connect(lambda _=0, name=name, box=box: self._pick(name, box.currentData()))
        self.tone.clicked.connect(lambda: self.command.emit(TestTone(new_id())))
        self.own_call.clicked.connect(self._call_oneself)
        self.more.clicked.connect(self._open)
        self._view: View | None = None

    def _others(self) -> dict[str, ComboBox]:
        """Behind *More*, by the setting's name."""
        return {
            "notice_device": self.notice_device,
            "ring_sound": self.ring_sound,
            "ring_volume": self.ring_volume,
            "speaker_volume": self.speaker_volume,
            "microphone_volume": self.microphone_volume,
            "noise": self.noise,
            "echo": self.echo,
        }

    def render_view(self, view: View) -> None:
        super().render_view(view)
        self._view = view
        sound = view.snapshot.sound if view.snapshot else None
        devices = sound.devices if sound else ()
        texts, settings = view.texts, self.settings
        standard: Entry = (texts("settings.sound.default"), "")
        microphones: list[Entry] = [standard, *_listed(one for one in devices if one.microphone)]
        speakers: list[Entry] = [standard, *_listed(one for one in devices if one.speaker)]
        rings: list[Entry] = [(texts("settings.sound.ring_device.same"), ""), *speakers[1:]]
        if len(microphones) == 1:
            microphones = [(texts("settings.sound.no_microphone"), "")]
        if len(speakers) == 1:
            speakers = [(texts("settings.sound.no_speaker"), "")]
        for box, entries, chosen in (
            (self.microphone, microphones, settings.microphone),
            (self.speaker, speakers, settings.speaker),
            (self.ring_device, rings, settings.ring_device),
            (self.notice_device, rings, settings.notice_device),
        ):
            box.show_entries(view, _with_chosen(view, entries, chosen), chosen)
            if self.can_change(box):
                box.setToolTip(box.currentText())  # a long name is cut
        sounds: list[Entry] = [(texts(f"settings.sound.ring.{one}"), one) for one in _RINGS]
        if settings.ring_sound.startswith("file:"):
            sounds.append((texts("settings.sound.ring.own"), settings.ring_sound))
        self.ring_sound.show_entries(view, sounds, settings.ring_sound)
        self.ring_volume.show_entries(
            view, _volumes(view, _RING_VOLUMES, settings.ring_volume), str(settings.ring_volume)
        )
        for box, volume in (
            (self.speaker_volume, settings.speaker_volume),
            (self.microphone_volume, settings.microphone_volume),
        ):
            box.show_entries(view, _volumes(view, _VOLUMES, volume), str(volume))
        either: list[Entry] = [(texts(f"settings.sound.{one}"), one) for one in (_OFF, _ON)]
        self.noise.show_entries(view, either, _ON if settings.noise else _OFF)
        self.echo.show_entries(view, either, _ON if settings.echo else _OFF)
        self.meter.render_view(view)
        self.speaker_meter.render_view(view)
        self.fault.setVisible(sound is not None and sound.fault is not None)
        if sound and sound.fault:
            self.fault.setText(texts(sound.fault.code, **sound.fault.params))
        able = view.connected and any(device.speaker for device in devices)
        why = texts("why_not.no_engine" if not view.connected else "settings.sound.no_speaker")
        self.tone.show_as(view, texts("settings.sound.test"), icon="speaker", enabled=able, why="" if able else why)
        self._show_own_call(view, able=able, why=why)
        self._show_more(view)

    def _show_own_call(self, view: View, *, able: bool, why: str) -> None:
        state = view.snapshot
        step = state.sound.own_call if state else ""
        busy = state is not None and any(one.phase is not CallPhase.ENDED for one in state.calls)
        account = state is not None and bool(state.settings.accounts)
        words = view.texts(f"settings.sound.own_call.{step}" if step else "settings.sound.own_call")
        able = able and account and not busy
        reason = why if not account or not busy else view.texts("settings.sound.own_call.busy")
        more = view.texts("settings.sound.own_call.why")
        self.own_call.show_as(
            view, words, icon="close" if step else "phone", enabled=able, why=more if able else reason
        )

    def _call_oneself(self) -> None:
        state = self._view.snapshot if self._view is not None else None
        if state is not None and state.settings.accounts:
            own = TestCall(new_id(), state.settings.accounts[0].id, on=not state.sound.own_call)
            self.command.emit(own)

    def show_levels(self, levels: Levels) -> None:
        self.meter.set_level(levels.microphone)
        self.speaker_meter.set_level(levels.speaker)

    def _open(self) -> None:
        self._rest.setVisible(self._rest.isHidden())
        if self._view is not None:
            self._show_more(self._view)

    def _show_more(self, view: View) -> None:
        opened = not self._rest.isHidden()
        words = "less" if opened else "more"
        self.more.show_as(view, view.texts(f"settings.{words}"), icon="up" if opened else "down")

    def _pick(self, name: str, chosen: str) -> None:
        value: Any = chosen
        if name.endswith("_volume"):
            value = int(chosen)
        elif name in ("noise", "echo"):
            value = chosen == _ON
        self.save.emit(replace(self.settings, **{name: value}))


def _listed(devices: Iterable[SoundDevice]) -> list[Entry]:
    return [(one.name, one.id) for one in devices]


def _with_chosen(view: View, entries: list[Entry], chosen: str) -> list[Entry]:
    """Also a device that is set and not plugged in: the list would show another as the one that is set."""
    if chosen.startswith(_NO_DEVICE) or any(device == chosen for _, device in entries):
        return entries
    return [*entries, (view.texts("settings.sound.unplugged", device=device_name(chosen)), chosen)]


def _volumes(view: View, offered: Sequence[int], now: int) -> list[Entry]:
    """Also the one that is set, if a file says another."""
    return [
        (view.texts("settings.sound.silent" if not one else "settings.sound.volume", percent=one), str(one))
        for one in sorted({*offered, now})
    ]
