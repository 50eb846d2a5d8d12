"""Ends, at the phone that has answered, a call that nobody here has: ACK and BYE in the dialog that its 2xx makes, and on that
dialog's way (RFC 3261 13.2.2.4). pjsua2 hears nothing of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from zlib import crc32

from softphone.edge.dialogs import tag_of
from softphone.edge.sent import Sent
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

REPEATS = (0.5, 1.5, 3.5)
"""seconds until UDP repeats a BYE that is not answered"""
MOST = 32


class UnwantedCalls:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._open: OrderedDict[str, list[asyncio.TimerHandle]] = OrderedDict()
        """BYEs without an answer, by their branch"""

    def end(self, answer: SipMessage, source: Hop, sent: Sent, *, begun: bool) -> None:
        """`begun`: the call stands here. Its answer is acknowledged, and no more."""

        async def close() -> None:
            hop = await self._way(answer, source)
            number = int((answer.get("CSeq") or "0").split(" ")[0])
            self._switch.to_network(_within(answer, "ACK", number, hop, sent), hop)
            if not begun:
                self._say_bye(_within(answer, "BYE", number + 1, hop, sent), hop)

        self._switch.later(close())

    def knows(self, branch: str) -> bool:
        return branch in self._open

    def answered(self, branch: str) -> None:
        for timer in self._open.pop(branch, ()):
            timer.cancel()

    async def _way(self, answer: SipMessage, source: Hop) -> Hop:
        """By TLS there is one. Elsewhere it is the first route, or whom the answer names."""
        routes = answer.all("Record-Route")
        try:
            uri = SipUri.parse(NameAddr.parse(routes[-1] if routes else answer.get("Contact") or "").uri)
        except Malformed:
            return source
        transport = (uri.param("transport") or source.transport).lower()
        if source.transport == "tls" or transport not in ("udp", "tcp"):
            return source
        hops = await self._switch.resolver.look_up(uri.host, uri.port, transport)
        return hops[0] if hops else source

    def _say_bye(self, bye: SipMessage, hop: Hop) -> None:
        branch = Via.parse(bye.get("Via") or "").branch
        self.answered(branch)  # its 2xx came once more
        loop = asyncio.get_running_loop()
        again = REPEATS if hop.transport == "udp" else ()
        self._open[branch] = [loop.call_later(after, self._switch.to_network, bye, hop) for after in again]
        while len(self._open) > MOST:
            self.answered(next(iter(self._open)))
        self._switch.to_network(bye, hop)


def _within(answer: SipMessage, method: str, cseq: int, hop: Hop, sent: Sent) -> SipMessage:
    # Several may answer one INVITE: each BYE is a transaction of its own.
    branch = f"{Via.parse(answer.get('Via') or '').branch}.{crc32(tag_of(answer, 'To').encode()):x}.{method}"
    via = Via(hop.transport.upper(), *sent.public).with_param("rport").with_param("branch", branch)
    headers = [("Via", str(via)), ("Max-Forwards", "70")]
    headers += [("Route", one) for one in reversed(answer.all("Record-Route"))]
    headers += [("From", answer.get("From") or ""), ("To", answer.get("To") or "")]
    headers += [("Call-ID", answer.get("Call-ID") or ""), ("CSeq", f"{cseq} {method}")]
    try:
        uri = str(SipUri.parse(NameAddr.parse(answer.get("Contact") or "").uri))
    except Malformed:
        uri = sent.uri
    return SipMessage(method, uri, headers=headers)
