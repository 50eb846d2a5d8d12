"""Carries out what the bridge wants: the steps from the wires that stand to those that are wanted. It knows no rule."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set

import pjsua2 as pj

from softphone.engine.sip.media.bridge import Node, Wire


class Wires:
    """`connected` is what was last asked of pjmedia, with success. `media` finds a port; None: it is gone, and its wires with
    it."""

    def __init__(self, media: Callable[[Node], pj.AudioMedia | None]) -> None:
        self._media = media
        self.connected: set[Wire] = set()

    def connect(self, wanted: Set[Wire], renewed: Node | None = None) -> list[str]:
        """Take away what is not wanted, then add what is; the status of each that failed.

        A `renewed` stream may be a new port under the old number, so its wires are connected again, which harms none that
        still stands.
        """
        found: dict[Node, pj.AudioMedia | None] = {}

        def media(node: Node) -> pj.AudioMedia | None:
            if node not in found:
                found[node] = self._media(node)
            return found[node]

        for wire in sorted(self.connected - wanted):
            source, sink = media(wire[0]), media(wire[1])
            if source is not None and sink is not None:
                with contextlib.suppress(pj.Error):
                    source.stopTransmit(sink)
            self.connected.discard(wire)
        faults: list[str] = []
        for wire in sorted(one for one in wanted if one not in self.connected or renewed in one):
            source, sink = media(wire[0]), media(wire[1])
            if source is not None and sink is not None:
                try:
                    source.startTransmit(sink)
                except pj.Error as error:
                    faults.append(str(error.status))
                else:
                    self.connected.add(wire)
        return faults
