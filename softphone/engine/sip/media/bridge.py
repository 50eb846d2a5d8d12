"""Who hears whom: the rules of our own bridge, for all calls at once. Pure.

A call's leg hears its own stream and nothing else, whatever state any call is in. The leg is what a recording is made from, so
no other call's sound can get into it. Other voices reach a party, or the agent's ear, past the leg. `wiring` carries out what
is wanted here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Node = tuple[str, str]
"""kind and call. `stream`: the party. `leg`: the agent's side of that call, and its tap. Without a call: `device` (the agent's
ear, and the clock), `tone`, `ringing`."""
Wire = tuple[Node, Node]
"""source, sink"""

DEVICE: Node = ("device", "")
TONE: Node = ("tone", "")
RINGING: Node = ("ringing", "")


@dataclass(frozen=True, slots=True)
class CallSide:
    """What the rules must know of one call.

    `hearing`: its stream brings sound. `talking`: its stream takes sound. `attended`: the agent takes part in it. `held`: by
    either side. `notice`: one is played or about to be. `rings`: at the other end.
    """

    call: str
    hearing: bool
    talking: bool
    attended: bool
    held_by_us: bool
    held_by_them: bool
    notice: bool
    rings: bool

    @property
    def open(self) -> bool:
        """Agent and party hear each other."""
        return self.hearing and self.talking and self.attended and not (self.held_by_us or self.held_by_them)


def wanted(sides: Iterable[CallSide], *, notice_in_ear: bool = True) -> set[Wire]:
    """`notice_in_ear`: the agent hears a notice where speech is heard, and not on a loudspeaker of its own."""
    calls = [*sides]
    # The device's port gives no sound. Its wire to itself makes it the first that is asked at each tick.
    wires: set[Wire] = {(DEVICE, DEVICE)} if calls else set()
    for one in calls:
        stream, leg = ("stream", one.call), ("leg", one.call)
        if one.hearing:
            wires.add((stream, leg))
            if one.attended and not one.held_by_us:
                wires.add((stream, DEVICE))
        if one.talking:
            # Also when held or not attended: the leg then gives silence, which keeps packets going.
            wires.add((leg, stream))
        if one.open:
            wires |= {(TONE, stream), (TONE, DEVICE)}
            if one.notice and notice_in_ear:
                wires.add((leg, DEVICE))
        if one.rings and one.attended:
            wires.add((RINGING, DEVICE))
    together = [one for one in calls if one.open]
    for one in together:
        for other in together:
            if one is not other:
                wires.add((("stream", one.call), ("stream", other.call)))
                if one.notice:
                    # Whoever joins is told by the same notice.
                    wires.add((("leg", one.call), ("stream", other.call)))
    return wires
