"""A finding in words: the sentence that the desk says too, what to do and by whom; and the same as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from softphone.cli.doctor.faults import Status, by_of, status_of
from softphone.cli.doctor.finding import Finding
from softphone.texts import Texts, plain

_MARKS = {Status.OK: "✓", Status.WARN: "·", Status.FAIL: "✗"}
_LEAST = 24
"""columns; a narrower terminal folds by itself"""


def as_data(check: str, finding: Finding, texts: Texts) -> dict[str, Any]:
    """`sentence` is all of it, as the desk says it; `remedy` what to do, its end as a rule; `by` whom."""
    return {
        "check": check,
        "code": finding.code,
        "status": status_of(finding.code),
        "sentence": texts(finding.code, **finding.params),
        "remedy": _remedy(finding, texts),
        "by": finding.by or by_of(finding.code),
        "params": finding.params,
        "below": [{"code": one.code, "text": one.text} for one in finding.below],
    }


def _remedy(finding: Finding, texts: Texts) -> str:
    if finding.remedy:
        return texts(finding.remedy, **finding.params)
    return texts.halves(finding.code, **finding.params)[1]


def lines(finding: Finding, texts: Texts, width: int = 0) -> Iterator[str]:
    """`width`: of the terminal; 0: a line is as long as it is. What may be copied, such as a path, stays whole."""
    what, _ = texts.halves(finding.code, **finding.params)
    yield from folded(f"{_MARKS[status_of(finding.code)]} ", plain(what), width)
    for one in finding.below:
        yield from folded("    ", plain(one.text), width)
    by, remedy = finding.by or by_of(finding.code), _remedy(finding, texts)
    if by and remedy:
        yield from folded("    ", f"{texts(f'doctor.by.{by}')}: {plain(remedy)}", width)


def folded(begin: str, text: str, width: int) -> list[str]:
    if len(begin) + len(text) <= width or width <= _LEAST:
        return [begin + text]
    indent = " " * len(begin)
    return textwrap.wrap(
        text, width, initial_indent=begin, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
