"""One relayed call as values: what the next relay needs, and the engine keeps as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

from softphone.edge.relay.source import Address


@dataclass(frozen=True, slots=True)
class RelayState:
    """What another relay needs to go on with a call where this one ended. The engine keeps it."""

    outer_port: int
    inner_port: int
    peer: Address | None
    pinned: Address | None
    inner: Address | None
    payloads: tuple[int, ...]
    event_payloads: tuple[int, ...]
    offer_answer: int
    answered: bool
    held: bool
    presence: str
    """whether its sound is there, as this relay has reported"""
    own_payloads: tuple[int, ...] = ()
    own_event_payloads: tuple[int, ...] = ()
    doubted: Address | None = None
    """the party, once the agent says that it is the same caller"""
    before_hold: str | None = None
    peer_rtcp: Address | None = None
    secure: bool = False
    """by SRTP; its key stays in the process that read it"""
    by_ice: bool = False
    """whose agent ends with its process: the next relay sends to `peer`, until ICE has begun anew"""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> RelayState:
        """What `to_json` gave, even after JSON has made lists of its tuples. Raises TypeError for anything else."""
        made: dict[str, Any] = {name: _tuple(one) for name, one in fields.items()}
        return cls(**made)


def _tuple(one: object) -> object:
    return tuple(cast("list[object]", one)) if isinstance(one, list) else one
