"""What a program says, on an output that cannot take every character: Windows' cp1252 in a pipe, a Latin-1 locale."""

from __future__ import annotations

import codecs
import io
import sys

_SPELT = {"✓": "ok", "✗": "!!", "·": "-", "…": "...", "–": "-", "—": "-", "→": "->", "“": '"', "”": '"', "’": "'"}
_HANDLER = "klartone.spelt"


def speak_anyway() -> None:
    """Spell what stdout and stderr cannot encode, or put `?` for it. A windowed program on Windows has neither of them."""
    codecs.register_error(_HANDLER, _spelt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SPELT.get(one, "?") for one in error.object[error.start : error.end]), error.end
