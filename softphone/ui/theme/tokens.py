"""The colours of the two looks, read from `resources/themes/tokens.json`. No Qt object is made here and no widget is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Tone:
    """The four colours of a card. They go together, and follow its meaning only."""

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
    accent: str
    on_accent: str
    danger: str
    hang_up: str
    ok: str
    neutral: Tone
    amber: Tone
    red: Tone
    blue: Tone
    lock_ink: str
    lock_fill: str

    def tone(self, name: str) -> Tone:
        """`neutral`, `amber`, `red`, `blue`, or `fault`: an outline on the surface, never the red of recording."""
        if name == "fault":
            return Tone(self.surface, self.danger, self.text, self.danger)
        found = getattr(self, name)
        assert isinstance(found, Tone)
        return found


def load_themes(folder: Path) -> tuple[Theme, Theme]:
    """Light and dark, from `<folder>/tokens.json`."""
    tokens: dict[str, Any] = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
    return _theme(tokens["light"], dark=False), _theme(tokens["dark"], dark=True)


def _theme(colours: dict[str, Any], *, dark: bool) -> Theme:
    tones: dict[str, Any] = {name: Tone(**colours[name]) for name in ("neutral", "amber", "red", "blue")}
    lock: dict[str, str] = colours["lock"]
    plain: dict[str, Any] = {
        f.name: colours[f.name] for f in fields(Theme) if f.name in colours and f.name not in tones
    }
    return Theme(dark=dark, lock_ink=lock["ink"], lock_fill=lock["fill"], **plain, **tones)
