"""Where the parts of the window stand."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget

from softphone.ui.window import DeskWindow


def place(widget: QWidget) -> QRect:
    """Where it stands on its window."""
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def places(window: DeskWindow) -> dict[str, tuple[QPoint, int]]:
    tools = window.call.tools
    parts: dict[str, QWidget] = {
        "party": window.call.party,
        "card": window.call.card,
        "optOut": window.call.rights.opt_out,
        "dispute": window.call.rights.dispute,
        "tools": window.call.tools,
        **{tool.objectName(): tool for tool in tools.tiles},
    }
    return {name: (part.mapTo(window, QPoint(0, 0)), part.width()) for name, part in parts.items()}
