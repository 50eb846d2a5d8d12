"""Why a call came to nothing or broke off, as far as the other side says: SIP's code (RFC 3261 21), `Reason` (RFC 3326) and
`Retry-After`. Pure. What the other side writes in words is not shown: anybody may have written it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST_AGAIN = 86_400
"""seconds; to come back in a week is no advice to an agent"""


class Ending(StrEnum):
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    NOT_THERE = "not_there"
    """known, and reached by no phone now"""
    UNKNOWN = "unknown"
    """nobody has that number"""
    NOT_ALLOWED = "not_allowed"
    NO_COMMON_SOUND = "no_common_sound"
    NETWORK = "network"
    """an exchange or a line does not work, or has no room"""
    MOVED = "moved"
    ELSEWHERE = "elsewhere"
    """a call to us that another phone has answered"""
    FAILED = "failed"


_BY_SIP = {
    **dict.fromkeys((486, 600), Ending.BUSY),
    **dict.fromkeys((603, 607, 608), Ending.DECLINED),
    **dict.fromkeys((408, 487), Ending.NO_ANSWER),
    480: Ending.NOT_THERE,
    **dict.fromkeys((404, 410, 414, 416, 484, 485, 604), Ending.UNKNOWN),
    **dict.fromkeys((401, 402, 403, 407, 433), Ending.NOT_ALLOWED),
    **dict.fromkeys((415, 488, 606), Ending.NO_COMMON_SOUND),
}
_BY_Q850 = {
    1: Ending.UNKNOWN,
    17: Ending.BUSY,
    18: Ending.NO_ANSWER,
    19: Ending.NO_ANSWER,
    20: Ending.NOT_THERE,
    21: Ending.DECLINED,
    22: Ending.UNKNOWN,
    26: Ending.ELSEWHERE,
    28: Ending.UNKNOWN,
    **dict.fromkeys((27, 34, 38, 41, 42, 44, 47, 102), Ending.NETWORK),
}
_VAGUE = frozenset({Ending.NOT_THERE, Ending.NETWORK, Ending.FAILED})
"""SIP codes that gateways send for much; a telephone network's own word says more"""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_REASON = re.compile(r"\s*(SIP|Q\.850)\s*;(?:[^,]*;)?\s*cause\s*=\s*(\d{1,3})\s*(?:;[^,]*)?", re.IGNORECASE)
_SECONDS = re.compile(r"\s*(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Said:
    """0 where nothing is said. `again`: seconds after which a new try may do better."""

    sip: int = 0
    q850: int = 0
    again: int = 0


def read_said(reasons: Iterable[str], retry_after: str = "") -> Said:
    """Of a message's headers `Reason` and `Retry-After`, whatever is in them; the first cause of each kind counts."""
    causes: dict[str, int] = {}
    for value in reasons:
        for one in _QUOTED.sub('""', value[:1024]).split(","):
            if found := _REASON.fullmatch(one):
                causes.setdefault(found[1].upper(), int(found[2]))
    seconds = _SECONDS.match(retry_after)
    return Said(causes.get("SIP", 0), causes.get("Q.850", 0), min(int(seconds[1]), LONGEST_AGAIN) if seconds else 0)


def ending_of(code: int, said: Said, *, incoming: bool, answered: bool, by_us: bool) -> Ending | None:
    """None where there is nothing to say: the call was talked and somebody hung up, or a caller gave up."""
    if by_us:
        return None
    by_network = _BY_Q850.get(said.q850)
    if answered:
        broke = by_network is Ending.NETWORK or said.sip in (408, 500, 503, 504)
        return Ending.NETWORK if broke else None
    if incoming:
        # Another phone's "no" leaves the caller without an answer: the call counts as missed.
        return Ending.ELSEWHERE if said.sip == 200 or (not said.sip and by_network is Ending.ELSEWHERE) else None
    if 300 <= code < 400:
        return Ending.MOVED
    by_sip = _BY_SIP.get(code, Ending.NETWORK if code >= 500 or code == 0 else Ending.FAILED)
    if by_sip in _VAGUE and by_network not in (None, Ending.ELSEWHERE):
        return by_network
    return by_sip
