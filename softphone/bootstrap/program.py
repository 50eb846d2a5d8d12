"""How this program starts another process of itself: from a checkout, a wheel, or a frozen program that has no other way in."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def klartone_command() -> Sequence[str]:
    """Klartone's own command line, to which a command is added."""
    return (sys.executable,) if _frozen() else (sys.executable, "-m", "softphone.cli")


def plugin_host_command() -> Sequence[str]:
    """The plugin host's, to which the plugins' folders are added."""
    return (sys.executable, "plugin-host") if _frozen() else (sys.executable, "-m", "softphone.plugin.host")


def _frozen() -> bool:
    return bool(getattr(sys, "frozen", False))
