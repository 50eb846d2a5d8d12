"""Snapshots made by hand of several calls at once: held, ringing, a call to a colleague, a conference. Data only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from softphone.domain.purpose import Direction, Headline, Reason
from softphone.wire.from_engine import Snapshot
from softphone.wire.snapshot import (
    CallPhase,
    CallRole,
    CallState,
    ConsultEnd,
    PastCall,
    Quality,
    TransferPhase,
    TransferState,
)
from tests.ui import states as s

TALKING = replace(s.call(s.RECORDING), encrypted=True)
HELD = s.status(
    Headline.PAUSED,
    s.reason(Reason.HELD),
    purposes={s.DOC: s.ACTIVE, s.TRAIN: s.TRAINING_ON},
    since="10:43",
    pauses=(Reason.HELD,),
    opt_out=s.ENDS,
    dispute=s.LOCK,
    actions=s.TALK,
)
WAITS = replace(s.call(HELD), active=False, held_by_us=True)
"""the party, while the agent talks to somebody else"""
OTHER = replace(
    s.call(HELD, name="Jens Bo Krogh", number="+4531221009", line="service"),
    id="call-2",
    active=False,
    held_by_us=True,
    answered_at=s.at("10:41:54"),
)
RINGS = replace(s.INCOMING, id="call-3", name="", number="+4540119017", arrived_at=s.NOW - timedelta(seconds=6))
COLLEAGUE = replace(
    s.call(None, name="Bo · Teknik", number="203", line=None, direction=Direction.OUTBOUND),
    id="colleague",
    role=CallRole.CONSULTATION,
    consults_for="call-1",
    answered_at=s.NOW - timedelta(seconds=22),
)
RINGING_THERE = replace(COLLEAGUE, phase=CallPhase.RINGING, answered_at=None)
BAD = Quality("bad", 48.0, 2.4, 0.08, 0.03)


def _earlier(id: str, days: int, outcome: str, line: str = "salg", seconds: float = 372) -> PastCall:
    at: datetime = s.at("09:41") - timedelta(days=days)
    return PastCall(id, Direction.INBOUND, "Mette Holm", "+4520123456", line, at, seconds, outcome)


EARLIER = (
    replace(_earlier("e1", 13, "both"), note="Flytning aftalt\nRinger selv, når datoen er på plads"),
    _earlier("e2", 22, "deleted", "service", 95),
)


def snapshot(*calls: CallState) -> Snapshot:
    """Its party called before."""
    number = EARLIER[0].number
    known = (replace(one, earlier=EARLIER) if one.number.replace(" ", "") == number else one for one in calls)
    return s.snapshot(*known, history=(*s.HISTORY[1:], *EARLIER))


STATES: dict[str, Snapshot] = {
    "several_calls": snapshot(replace(TALKING, status=s.LOCKED), OTHER, RINGS),
    "call_waiting": snapshot(TALKING, RINGS),
    "two_calls": snapshot(replace(OTHER, active=True, held_by_us=False), WAITS),
    "consultation": snapshot(WAITS, COLLEAGUE),
    "consultation_rings": snapshot(WAITS, RINGING_THERE),
    "conference": snapshot(
        replace(TALKING, status=s.NEWCOMER, conference=True), replace(COLLEAGUE, conference=True, active=False)
    ),
    "transfer_under_way": snapshot(replace(TALKING, status=HELD, transfer=TransferState(TransferPhase.RINGING, "203"))),
    "transfer_taken_back": snapshot(
        replace(TALKING, transfer=TransferState(TransferPhase.RINGING, "203", taken_back=True))
    ),
    "transfer_hangs": snapshot(replace(WAITS, transfer=TransferState(TransferPhase.ACCEPTED, "203")), COLLEAGUE),
    "colleague_busy": snapshot(replace(WAITS, consult_ended=ConsultEnd.BUSY)),
    "asked_to_call": snapshot(replace(TALKING, asked_to_call="+4533112233")),
    "bad_connection": snapshot(replace(TALKING, quality=BAD)),
}
"""every state of several calls that the desk's tests know, by name"""
