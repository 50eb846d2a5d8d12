"""What a command prints in columns. No library: `rich` took seconds for a thousand rows (ADR 037)."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

from softphone.texts import plain

_BETWEEN = "  "
_LEAST = 24
"""columns of a terminal that the last cell needs to be folded under itself"""


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """A line a row, and a column that is empty in all of them is left out. Only on a terminal is a last cell that does not
    fit folded under itself."""
    columns = [[plain(cell) for cell in column] for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(len, column)) for column in columns[:-1]]
    indent = sum(widths) + len(_BETWEEN) * len(widths)
    room = shutil.get_terminal_size().columns - indent if sys.stdout.isatty() else 0
    for *cells, last in zip(*columns, strict=True):
        before = "".join(cell.ljust(width) + _BETWEEN for cell, width in zip(cells, widths, strict=True))
        folded = (
            textwrap.wrap(last, room, break_long_words=False, break_on_hyphens=False)
            if len(last) > room >= _LEAST
            else [last]
        )
        print((before + f"\n{' ' * indent}".join(folded)).rstrip())  # noqa: T201
