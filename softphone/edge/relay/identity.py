"""Whether the machine at the other end is still the same one, by the names it gives itself: SSRC in RTP, CNAME in RTCP.

Honest calls change one without the other. If both are new after a hold, or after the peer named another address, it looks
like being put through to somebody else.
"""

from __future__ import annotations


class Identity:
    def __init__(self) -> None:
        self._known: tuple[int, bytes] | None = None
        self._ssrc: int | None = None
        self._moved = False

    @property
    def ssrc(self) -> int | None:
        """Of the RTP that comes now."""
        return self._ssrc

    def moved(self) -> None:
        """The peer signalled another address, or a hold is over."""
        self._moved = True

    def rtp(self, ssrc: int) -> None:
        self._ssrc = ssrc

    def is_another(self, ssrc: int, cname: bytes | None) -> bool:
        """The names in an RTCP packet; True once, if they are another machine's."""
        if cname is None or ssrc != self._ssrc:
            return False
        now, before = (ssrc, cname), self._known
        moved, self._moved = self._moved, False
        self._known = now
        return moved and before is not None and before[0] != ssrc and before[1] != cname
