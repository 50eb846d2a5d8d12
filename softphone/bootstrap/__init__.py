"""The only place that knows which part is plugged into which.

Its modules are imported when their command is given (`cli`): the desk must appear quickly, and the engine needs no Qt.
"""

from __future__ import annotations

from softphone.bootstrap.home import Home, speak_command_line, texts

__all__ = ["Home", "speak_command_line", "texts"]
