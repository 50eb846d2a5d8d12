"""A finding in words: the sentence that the desk says too, what to do and by whom; and the same as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softphone.cli.doctor.faults import Status, by_of, status_of
from softphone.cli.doctor.finding import Finding
from softphone.texts import Texts, plain

_MARKS = {Status.OK: "✓", Status.WARN: "·", Status.FAIL: "✗"}


def as_data(check: str, finding: Finding, texts: Texts) -> dict[str, Any]:
    """`sentence` is all of it, as the desk says it; `remedy` its end, what to do; `by` whom."""
    _, remedy = texts.halves(finding.code, **finding.params)
    return {
        "check": check,
        "code": finding.code,
        "status": status_of(finding.code),
        "sentence": texts(finding.code, **finding.params),
        "remedy": remedy,
        "by": by_of(finding.code),
        "params": finding.params,
        "below": [{"code": one.code, "text": one.text} for one in finding.below],
    }


def lines(finding: Finding, texts: Texts) -> Iterator[str]:
    what, remedy = texts.halves(finding.code, **finding.params)
    yield f"{_MARKS[status_of(finding.code)]} {plain(what)}"
    for one in finding.below:
        yield f"    {plain(one.text)}"
    by = by_of(finding.code)
    if by and remedy:
        yield f"    {texts(f'doctor.by.{by}')}: {plain(remedy)}"
