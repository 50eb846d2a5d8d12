"""What the archive has to know of a call, from the call as the engine holds it and the policy under which it rang."""

from __future__ import annotations

import re

from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.archive.crypto.wraps import Recipient
from softphone.calls.live import LiveCall
from softphone.domain.policy import AtEnd, Line
from softphone.domain.purpose import Purpose

_CALL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def facts_of(call: LiveCall) -> CallFacts:
    line = call.line
    return CallFacts(
        call=call.id,
        line=line.id if line else None,
        direction=call.direction,
        number=call.e164,
        started_at=call.arrived_at,
        language=call.language,
        time_zone=call.policy.time_zone if call.policy else "UTC",
        retention={one: kept for one in Purpose if line and (kept := line.retention(one))},
        notice=call.notice_id,
        recipients=recipients_of(call),
        agent=call.agent or call.account,
        ends=_ends(line) if line else {},
        group=_group(call),
    )


def _group(call: LiveCall) -> str:
    """As other desks name it. A passport of a phone that numbers its calls in its own way names none that they have."""
    return call.group if call.group != call.id and _CALL.fullmatch(call.group) else ""


def recipients_of(call: LiveCall) -> tuple[Recipient, ...]:
    """Those whom its policy lets open recordings of its line."""
    if call.policy is None or call.line is None:
        return ()
    those = [one for one in call.policy.recipient if one.opens(call.line)]
    return tuple(Recipient.from_policy(one.id, one.purpose, one.public_key) for one in those)


def _ends(line: Line) -> dict[Purpose, PurposeEnd]:
    """What the line's policy says of the end of each purpose."""
    ends: dict[Purpose, PurposeEnd] = {}
    if line.documentation:
        ends[Purpose.DOCUMENTATION] = PurposeEnd(line.documentation.at_end is AtEnd.REVIEW)
    if line.training:
        ends[Purpose.TRAINING] = PurposeEnd(line.training.at_end is AtEnd.REVIEW, line.training.keep_reviewed)
    return ends
