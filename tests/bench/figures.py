"""A measured figure beside its goal, and the table they make. It judges nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` and `goal` as they are printed; `how` says what was measured, in a line."""

    what: str
    value: str
    goal: str
    how: str


def spread(values: Sequence[float], unit: str, digits: int = 1) -> str:
    """Median and worst of several."""
    return f"{statistics.median(values):.{digits}f} {unit} (worst {max(values):.{digits}f})"


def table(figures: Iterable[Figure]) -> str:
    """As Markdown."""
    rows = [("measure", "here", "goal", "how"), *((one.what, one.value, one.goal, one.how) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
