"""A line of a policy in that policy's own words, as the desk shows it. It decides nothing."""

from __future__ import annotations

from datetime import datetime

from softphone.domain.policy import Line, Policy, day_of, share_text
from softphone.domain.purpose import Language, Purpose
from softphone.wire.snapshot import LineState


def line_state(policy: Policy, line: Line, at: datetime) -> LineState:
    """`line` of `policy` as it holds at `at` (aware)."""
    day = day_of(policy, at)
    return LineState(
        id=line.id,
        name={one: line.name[one] for one in Language},
        numbers=line.numbers,
        party={one: policy.party_of(line)[one] for one in Language},
        why={purpose: {one: why[one] for one in Language} for purpose in Purpose if (why := line.why(purpose, day))},
        sample=share_text(line.training.sample) if line.training else "",
    )
