"""Recordings whose end custody judges, as a call of such a line leaves them."""

from __future__ import annotations

from datetime import datetime

from uuid_utils import uuid7

from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.domain.changes import CloseRecording
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Direction, Language, Purpose
from tests.archive.scene import AT, NUMBER, Scene

ZONE = "Europe/Copenhagen"


def to_judge(
    desk: Scene,
    *purposes: Purpose,
    review: tuple[Purpose, ...] | None = None,
    retention: str = "P3M",
    at: datetime = AT,
) -> str:
    """A recording of one second, closed. `review`: of which purposes; None: of all."""
    call = str(uuid7())
    periods = dict.fromkeys(Purpose, Period.parse(retention))
    ends = {one: PurposeEnd(review=True) for one in (purposes if review is None else review)}
    facts = CallFacts(
        call,
        "salg",
        Direction.INBOUND,
        NUMBER,
        at,
        Language.DA,
        ZONE,
        periods,
        recipients=tuple(desk.policy_recipients),
        ends=ends,
    )
    desk.ledger.register_call(facts)
    recording = desk.recorded(1, *purposes, call=call, at=at)
    desk.commit(CloseRecording(recording, at, purposes), recording=recording)
    desk.ledger.forget_keys(recording)
    return recording
