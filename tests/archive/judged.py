"""Recordings whose end custody judges, as a call of such a line leaves them."""

from __future__ import annotations

from datetime import datetime

from softphone.archive.changes.call import PurposeEnd
from softphone.domain.purpose import Purpose
from tests.archive.scene import AT, Scene


def to_judge(desk: Scene, *purposes: Purpose, review: tuple[Purpose, ...] | None = None, at: datetime = AT) -> str:
    """A recording of one second, closed. `review`: of which purposes; None: of all."""
    ends = {one: PurposeEnd(review=True) for one in (purposes if review is None else review)}
    return desk.closed(*purposes, at=at, ends=ends)
