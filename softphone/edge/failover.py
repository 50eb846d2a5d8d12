"""One request, several servers: where the first is away or says 503, the next gets it as a transaction of its own (RFC 3263
4.3). pjsua2 sees one. What a server says after it was given up is answered here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from softphone.domain.ending import read_said
from softphone.edge.answers import has_tag
from softphone.edge.channel import FlowLost
from softphone.edge.sent import Sent, copied
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import Via
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

NEXT_AFTER = 2
"""times that a request is sent without an answer before it tries another server: 1.5 s by SIP's own clock"""
MOST_TRIES = 6
HANGS_UP = 0.05
"""seconds that an INVITE waits before its next server: the word that the agent has hung up may be on its way from the engine"""
ASKS_MAILBOX = "SUBSCRIBE"
"""to a mailbox: an exchange without one may say nothing, or 503, and is no less there for calls"""


class Failover:
    """`depart` sends a request once more, to the server that is now its first."""

    def __init__(self, switch: Switch, depart: Callable[[SipMessage, Sent], None]) -> None:
        self._switch = switch
        self._depart = depart

    def repeats(self, sent: Sent) -> bool:
        """pjsua2 has sent it again. Whether another server gets it now.

        Only what a server itself answers (REGISTER, OPTIONS), or passes on to whom it pleases (a new INVITE), says that it is
        away. What goes unanswered in a call, such as BYE or REFER, is the other phone's silence.
        """
        sent.times += 1
        if sent.times <= NEXT_AFTER or sent.method == ASKS_MAILBOX:
            return False
        return self._next(sent, around=True, leave=not _in_call(sent))

    def lost(self, sent: Sent, hop: Hop) -> bool:
        """Its connection has failed. Whether another server has got it."""
        return sent.hop != hop or self._next(sent)

    def refused(self, answer: SipMessage, source: Hop, sent: Sent) -> bool:
        """503: whether another server has got it; then pjsua2 hears nothing of this one.

        To a call it may be a gateway's word on that call alone. The server is left only if it says when to come back.
        """
        if answer.code != 503 or answer.method != sent.method or sent.message is None or sent.method == ASKS_MAILBOX:
            return False
        request = sent.message
        ack = self._of(request, "ACK", sent, answer.get("To"))
        again = read_said((), answer.get("Retry-After") or "").again
        leave = answer.method == "REGISTER" or (again > 0 and not _in_call(sent))
        if not self._next(sent, seconds=again, leave=leave, after=HANGS_UP if answer.method == "INVITE" else 0.0):
            return False
        if answer.method == "INVITE":
            self._switch.to_network(ack, source)
        return True

    def late(self, message: SipMessage, source: Hop, sent: Sent) -> str:
        """From a server that was given up: the method that ends it there, or nothing. A 2xx is the caller's to end."""
        self._switch.counters["server.late"] += 1
        request = sent.request
        if request is None or message.method != "INVITE" or sent.method != "INVITE":
            return ""
        method = "CANCEL" if message.code < 200 else "ACK" if message.code >= 300 else ""
        if method:
            to = message.get("To") if method == "ACK" else None
            ended = self._of(request, method, sent, to)
            ended.set_first("Via", self._via(Via.parse(message.get("Via") or "").branch, source, sent))
            self._switch.to_network(ended, source)
        return method

    def _next(
        self, sent: Sent, *, around: bool = False, seconds: float = 0.0, leave: bool = True, after: float = 0.0
    ) -> bool:
        """`around`: the first may get it again, after the last. `leave`: others than this request go elsewhere too, for so many
        `seconds`. `after`: it leaves a moment later."""
        switch, failed = self._switch, sent.hop
        if leave and switch.servers.failed(sent.account, failed, seconds) and sent.account in switch.accounts:
            # Calls would still come to the server that is away: register with one that is there.
            switch.tell(FlowLost(sent.account))
        others = sent.hops[1:]
        if sent.provisional or sent.answered or sent.message is None or not others or sent.tries >= MOST_TRIES:
            return False
        sent.hops = (*others, failed) if around else others
        sent.times, sent.tries = 1, sent.tries + 1
        switch.sent[sent.network_branch] = sent
        switch.counters["server.next"] += 1
        request = copied(sent.message)
        if after:
            asyncio.get_running_loop().call_later(after, self._depart_unless_answered, request, sent, sent.tries)
        else:
            self._depart(request, sent)
        return True

    def _depart_unless_answered(self, request: SipMessage, sent: Sent, tries: int) -> None:
        if sent.tries == tries and not sent.answered:
            self._depart(request, sent)

    def _of(self, request: SipMessage, method: str, sent: Sent, to: str | None) -> SipMessage:
        """ACK or CANCEL to an INVITE of ours, on the way that the INVITE now has."""
        number = (request.get("CSeq") or "0").split(" ")[0]
        headers = [("Via", self._via(sent.network_branch, sent.hop, sent)), ("Max-Forwards", "70")]
        headers += [("Route", one) for one in sent.routes]
        headers += [("From", request.get("From") or ""), ("To", to or request.get("To") or "")]
        headers += [("Call-ID", request.get("Call-ID") or ""), ("CSeq", f"{number} {method}")]
        return SipMessage(method, sent.uri, headers=headers)

    def _via(self, branch: str, hop: Hop, sent: Sent) -> str:
        return str(Via(hop.transport.upper(), *sent.public).with_param("rport").with_param("branch", branch))


def _in_call(sent: Sent) -> bool:
    return sent.message is not None and has_tag(sent.message)
