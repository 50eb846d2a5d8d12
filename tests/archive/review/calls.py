"""Calls of a training sample, for tests of its review."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from softphone.archive.changes.call import PurposeEnd
from softphone.archive.changes.lookups import PartyQuery
from softphone.domain.changes import UseDraw
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Purpose
from tests.archive.lines import asked, line
from tests.archive.scene import AT, TRAINING, Scene

ANNA, JONAS = "anna@example.dk", "jonas@example.dk"
CARD = (("listened", 5), ("clear", 3))


def reviewable(
    desk: Scene,
    *purposes: Purpose,
    at: datetime = AT,
    agent: str | None = ANNA,
    of: str = "salg",
    keep: str | None = None,
    retention: str = "P3M",
    seconds: float = 1,
) -> str:
    """A recording whose call is over. `keep`: how long a reviewed one is kept on."""
    purposes = purposes or (TRAINING,)
    ends = {TRAINING: PurposeEnd(keep_reviewed=Period.parse(keep) if keep else None)}
    of_call = {"agent": agent, "line": of, "ends": ends, "retention": retention}
    return desk.closed(*purposes, seconds=seconds, at=at, **of_call)


def rings(desk: Scene, share: str = "100 %", *, agent: str = ANNA, of: str = "salg", at: datetime = AT) -> PartyQuery:
    """A call that has its place in the sample, and that the store knows of."""
    call = asked(line(share, id=of), call=str(uuid4()), agent=agent, at=at)
    desk.call(call.call, at=at, agent=agent, line=of)
    desk.archive.lookups.look_up(call)
    return call


def answered(desk: Scene, share: str = "100 %", *, agent: str = ANNA, of: str = "salg", at: datetime = AT) -> str:
    call = rings(desk, share, agent=agent, of=of, at=at).call
    desk.commit(UseDraw(call, at))
    return call
