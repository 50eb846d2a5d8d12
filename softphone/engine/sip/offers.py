"""What we want to say to a peer in an established call, one offer at a time (RFC 3264, RFC 3261 14).

Hold and `a=record` may both change while an offer is on its way; each new offer says all that is wanted by then. This
decides when and what; the phone sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softphone.engine.sip.events import PeerRecordingState

SENT_LIMIT = 35.0
"""Seconds after which an offer without a final answer is given up: a little over SIP's timer F."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`record`: None says nothing of recording. `preference` likewise, for our own wish."""

    held: bool = False
    record: PeerRecordingState | None = None
    preference: bool | None = None
    place: int = 0
    """raised whenever this machine has another address"""

    def attributes(self) -> tuple[str, ...]:
        """RFC 7866 sections 7.1 and 7.2, without the `a=`."""
        said: list[str] = []
        if self.record is not None:
            said.append(f"record:{self.record}")
        if self.preference is not None:
            said.append(f"recordpref:{'on' if self.preference else 'off'}")
        return tuple(said)


@dataclass(slots=True)
class Offers:
    """`wanted` is set freely; `agreed` is what the last accepted offer said."""

    wanted: Wish = Wish()
    agreed: Wish = Wish()
    sent: Wish | None = None
    sent_at: float = 0.0

    def next(self, now: float) -> Wish | None:
        """The wish to be offered now, or None: nothing new, or an offer is still on its way."""
        if self.sent is not None and now - self.sent_at < SENT_LIMIT:
            return None
        return self.wanted if self.wanted != self.agreed else None

    @property
    def held(self) -> bool:
        """Whether we hold it, may hold it, or shall: until the peer has agreed to the opposite of all three."""
        return self.wanted.held or self.agreed.held or (self.sent is not None and self.sent.held)

    def begin(self, wish: Wish, now: float) -> None:
        self.sent = wish
        self.sent_at = now

    def accepted(self) -> None:
        if self.sent is not None:
            self.agreed, self.sent = self.sent, None

    def collided(self) -> None:
        """491: the same wish is offered again after a pause."""
        self.sent = None

    def refused(self) -> None:
        """The peer refuses it: what was agreed before stands, and the wish is dropped."""
        if self.sent == self.wanted:
            self.wanted = self.agreed
        self.sent = None


def pause_after_glare(we_called: bool, draw: Callable[[], float]) -> float:
    """Seconds to wait after a 491 (RFC 3261 14.1); `draw` gives a number in 0..1."""
    if we_called:
        return 2.1 + round(draw() * 1.9, 2)
    return round(draw() * 2.0, 2)
