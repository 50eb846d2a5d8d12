"""Asks a silent party whether it is still there: OPTIONS in its dialog (RFC 3261 11), by the edge itself.

pjsua2 does not know of it. The request has the number of the last one sent in the dialog, so the peer's count stays as it
was. A peer that minds refuses it, and so has answered.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from softphone.edge.dialogs import Dialog
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import NameAddr, Via
from softphone.edge.transports import Hop

REPEATS = (0.5, 1.5, 3.5)
"""seconds until UDP repeats it"""
LIMIT = 8.0
"""seconds without any answer after which the party is gone"""
GONE = frozenset({408, 481})
MOST = 64


@dataclass(slots=True)
class _DialogPath:
    """What a request in the dialog needs."""

    uri: str = ""
    routes: tuple[str, ...] = ()
    ours: str = ""
    theirs: str = ""
    number: int = 0


@dataclass(slots=True)
class _Probe:
    call_id: str
    timers: list[asyncio.TimerHandle]


class OptionsProbe:
    """`send` takes the request to the network. `tell` gets the Call-ID, and whether the party is there."""

    def __init__(self, send: Callable[[SipMessage, Dialog], Hop | None], tell: Callable[[str, bool], None]) -> None:
        self._send = send
        self._tell = tell
        self._ways: OrderedDict[str, _DialogPath] = OrderedDict()
        self._open: dict[str, _Probe] = {}

    # --- what passes --------------------------------------------------------------------------------

    def invited(self, invite: SipMessage) -> None:
        """An INVITE of the peer's, as it came."""
        contact = invite.get("Contact")
        if contact is None:
            return
        way = self._way(invite)
        way.uri, way.theirs = NameAddr.parse(contact).uri, invite.get("From") or ""
        if not way.ours:
            way.routes = tuple(invite.all("Record-Route"))

    def accepted(self, answer: SipMessage) -> None:
        """Our 2xx to it."""
        self._way(answer).ours = answer.get("To") or ""

    def sent(self, request: SipMessage) -> None:
        """A request of pjsua2's in a dialog, as it leaves."""
        way = self._way(request)
        way.uri, way.routes = request.uri, tuple(request.all("Route"))
        way.ours, way.theirs = request.get("From") or "", request.get("To") or ""
        way.number = int((request.get("CSeq") or "0").split(" ")[0])

    def knows(self, branch: str) -> bool:
        """Whether it answers an open question of ours."""
        return branch in self._open

    def answered(self, branch: str, code: int) -> None:
        if code >= 200:
            self._close(branch, code not in GONE)

    # --- the question -------------------------------------------------------------------------------

    def ask(self, call_id: str, dialog: Dialog | None) -> None:
        """The party is there but cannot be asked: an edge that began in mid-call has seen too little of the dialog."""
        way = self._ways.get(call_id)
        if dialog is None or dialog.over or way is None or not (way.uri and way.ours and way.theirs):
            self._tell(call_id, True)
            return
        branch = f"z9hG4bKo{secrets.token_hex(8)}"
        headers = [("Via", str(Via("UDP", "0.0.0.0", 0).with_param("rport").with_param("branch", branch)))]  # noqa: S104
        headers += [("Max-Forwards", "70"), *(("Route", one) for one in way.routes)]
        headers += [("From", way.ours), ("To", way.theirs), ("Call-ID", call_id), ("CSeq", f"{way.number} OPTIONS")]
        question = SipMessage("OPTIONS", way.uri, headers=headers)
        loop = asyncio.get_running_loop()
        hop = self._send(question, dialog)
        again = REPEATS if hop is not None and hop.transport == "udp" else ()
        timers = [loop.call_later(after, self._send, question, dialog) for after in again]
        timers.append(loop.call_later(LIMIT, self._close, branch, False))
        self._open[branch] = _Probe(call_id, timers)

    def _close(self, branch: str, there: bool) -> None:
        question = self._open.pop(branch, None)
        if question is not None:
            for timer in question.timers:
                timer.cancel()
            self._tell(question.call_id, there)

    def _way(self, message: SipMessage) -> _DialogPath:
        call_id = message.get("Call-ID") or ""
        way = self._ways.setdefault(call_id, _DialogPath())
        self._ways.move_to_end(call_id)
        while len(self._ways) > MOST:
            self._ways.popitem(last=False)
        return way
