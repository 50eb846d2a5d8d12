"""Which port of a call hears which: the wanted wires, and the steps to them from the present ones.

The party is the stream. The device port is the agent's microphone and speaker. The tap hears the party alone. `tone` keeps
packets going while nobody speaks, and warns. `ringing` is what a caller hears before the answer. The phone knows why a wire
is wanted.
"""

from __future__ import annotations

import contextlib

import pjsua2 as pj

from softphone.engine.sip.media.ports import CallPorts

Wire = tuple[str, str]
"""source, sink: stream, device, tap, tone, ringing, notice."""


class Wires:
    """One call's connections. `connected` is what was last asked of pjmedia, with success."""

    def __init__(self) -> None:
        self.connected: set[Wire] = set()

    def wanted(self, *, hearing: bool, talking: bool, microphone: bool, notice: bool, waiting: bool) -> set[Wire]:
        wires: set[Wire] = set()
        if hearing:
            wires |= {("stream", "device"), ("stream", "tap")}
        if talking:
            wires |= {("tone", "stream"), ("tone", "device")}
        if microphone:
            wires.add(("device", "stream"))
        if waiting:
            wires.add(("ringing", "device"))
        if notice:
            wires |= {("notice", "stream"), ("notice", "device")}
        return wires

    def connect(
        self,
        wanted: set[Wire],
        ports: CallPorts,
        stream: pj.AudioMedia | None,
        *,
        renewed: bool,
    ) -> list[str]:
        """Take away what is not wanted, then add what is; the status of each that failed.

        A `renewed` stream may be a new port under the old number, so everything is connected again, which harms no wire that
        still stands. Without a stream its wires are gone by themselves.
        """
        media = _by_name(ports, stream)
        for source, sink in sorted(self.connected - wanted):
            if source in media and sink in media:
                with contextlib.suppress(pj.Error):
                    media[source].stopTransmit(media[sink])
            self.connected.discard((source, sink))
        faults: list[str] = []
        for source, sink in sorted(wanted if renewed else wanted - self.connected):
            if source in media and sink in media:
                try:
                    media[source].startTransmit(media[sink])
                except pj.Error as error:
                    faults.append(str(error.status))
                else:
                    self.connected.add((source, sink))
        return faults


def _by_name(ports: CallPorts, stream: pj.AudioMedia | None) -> dict[str, pj.AudioMedia]:
    media: dict[str, pj.AudioMedia] = {
        "device": ports.device,
        "tap": ports.tap,
        "notice": ports.notice,
        "tone": ports.tone,
        "ringing": ports.ringing,
    }
    if stream is not None:
        media["stream"] = stream
    return media
