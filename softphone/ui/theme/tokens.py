"""The colours of the two looks, read from `resources/themes/tokens.json`. No Qt object is made here and no widget is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Tone:
    """The four colours of a meaning: a pale ground, its edge, the words on it, and the mark on the window's surface.

    Red alone has a solid ground, for it says that recording goes on; its `edge` is the band on the card's left.
    """

    fill: str
    edge: str
    ink: str
    mark: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One look. All colours are `#rrggbb`; text on its ground reaches AA contrast (tests/ui/test_look.py computes it)."""

    dark: bool
    window: str
    surface: str
    line: str
    text: str
    muted: str
    disabled: str
    outline: str
    """the edge of a field: without it nobody sees where to type"""
    accent: str
    on_accent: str
    chosen: str
    """the ground of the answer that holds, under the accent's words"""
    danger: str
    ok: str
    neutral: Tone
    amber: Tone
    red: Tone
    blue: Tone
    hang_up: Tone
    lock_ink: str
    lock_fill: str

    def tone(self, name: str) -> Tone:
        """`neutral`, `amber`, `red`, `blue`, or `fault`: strong, and not the red of recording."""
        if name == "fault":
            return Tone(self.surface, self.text, self.text, self.amber.mark)
        found = getattr(self, name)
        assert isinstance(found, Tone)
        return found

    def card(self, name: str) -> Tone:
        """The same as the status card has it: recording is solid, all else an outline on the surface."""
        tone = self.tone(name)
        if name == "red":
            return Tone(tone.fill, tone.edge, tone.ink, tone.ink)
        return Tone(self.surface, self.outline if name == "neutral" else tone.edge, self.text, tone.mark)


def load_themes(folder: Path) -> tuple[Theme, Theme]:
    """Light and dark, from `<folder>/tokens.json`."""
    tokens: dict[str, Any] = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    return _theme(tokens["light"], dark=False), _theme(tokens["dark"], dark=True)


def _theme(colours: dict[str, Any], *, dark: bool) -> Theme:
    names = ("neutral", "amber", "red", "blue", "hang_up")
    tones: dict[str, Any] = {name: Tone(**{"mark": colours[name]["ink"], **colours[name]}) for name in names}
    lock: dict[str, str] = colours["lock"]
    plain: dict[str, Any] = {
        f.name: colours[f.name] for f in fields(Theme) if f.name in colours and f.name not in tones
    }
    return Theme(dark=dark, lock_ink=lock["ink"], lock_fill=lock["fill"], **plain, **tones)
