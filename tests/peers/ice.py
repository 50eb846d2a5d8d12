"""A party with ICE whose checks a test holds back: it answers none, and nominates nothing, until told to."""

from __future__ import annotations

import contextlib
import select
import threading
from types import TracebackType
from typing import Self

from aioice import stun

from softphone.edge.sip.sdp import SessionDescription
from tests.edge.test_relay import Peer
from tests.peers.wire import SDP

HOST = "127.0.0.1"


class IcePeer:
    """`heard`: packets of RTP that have come. `silent`: it answers no check."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.ufrag, self.password = "abcd", "p" * 22
        self.heard, self.silent = 0, True
        self.asked_by: set[str] = set()
        """by which of its names it was checked"""
        self.quiet: set[str] = set()
        """of these, those by which it answers nothing"""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def description(self, version: int = 1) -> str:
        port = self.peer.address[1]
        lines = [f"ice-ufrag:{self.ufrag}", f"ice-pwd:{self.password}"]
        lines += [f"candidate:x {one} udp {2130706432 - one} {HOST} {port + one - 1} typ host" for one in (1, 2)]
        named = SDP.replace("40000", str(port)).replace("=- 1 1", f"=- 1 {version}")
        return named + "".join(f"a={line}\r\n" for line in lines)

    def answer_checks(self, own: SessionDescription | None = None) -> None:
        """From now on. With the other side's description: it nominates too, since it called."""
        self.silent = False
        place, names = (own.audio_address(), own.ice()) if own is not None else (None, None)
        if place is None or names is None:
            return
        for component, one in enumerate((self.peer.rtp, self.peer.rtcp)):
            check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            check.attributes |= {"USERNAME": f"{names[0]}:{self.ufrag}", "PRIORITY": 1, "ICE-CONTROLLING": 1}
            check.attributes["USE-CANDIDATE"] = None
            check.add_message_integrity(names[1].encode())
            one.sendto(bytes(check), (place[0], place[1] + component))

    def _serve(self) -> None:
        while not self._over.is_set():
            for one in select.select([self.peer.rtp, self.peer.rtcp], [], [], 0.05)[0]:
                with contextlib.suppress(BlockingIOError):
                    self._take(one, *one.recvfrom(2048))

    def _take(self, one: object, data: bytes, source: tuple[str, int]) -> None:
        if data[0] >= 4:
            self.heard += one is self.peer.rtp
            return
        asked = stun.parse_message(data)
        named = str(asked.attributes.get("USERNAME")).partition(":")[0]
        self.asked_by.add(named)
        if self.silent or named in self.quiet or asked.message_class != stun.Class.REQUEST:
            return
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = source
        answer.add_message_integrity(self.password.encode())
        (self.peer.rtp if one is self.peer.rtp else self.peer.rtcp).sendto(bytes(answer), source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(1)
        self.peer.close()
