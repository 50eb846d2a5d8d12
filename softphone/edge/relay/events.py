"""What the relay reports of a call's sound, beside what the engine gets as it is (`channel`), and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from softphone.edge import channel


@dataclass(frozen=True, slots=True)
class PartySilent:
    """No RTP for 5 s, which can also be a phone that suppresses silence. For the edge alone: it asks the party by OPTIONS in
    the dialog, and gives the answer to `RelayedCall.party_answers`."""

    call_id: str


RelayEvent = channel.RelayEvent | PartySilent


@dataclass(slots=True)
class Counters:
    """Of all calls since the relay began."""

    received: int = 0
    """by the network's ports"""
    forwarded: int = 0
    """either way"""
    malformed: int = 0
    strangers: int = 0
    """from a source that is not the party's"""
    unasked: int = 0
    """a payload type that was not agreed, or a key from a doubtful source"""
    rtcp: int = 0
    """RTCP that was not the party's"""
    unsent: int = 0
    """what the system refused to send"""
    latched: int = 0
    followed: int = 0
    doubted: int = 0
