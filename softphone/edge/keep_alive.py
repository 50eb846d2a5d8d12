"""The way from each registrar is kept open: by datagrams it is asked for a sign of life (OPTIONS, RFC 3261 11), which also says
how others see this phone now.

A registrar that has answered once and falls silent has gone; one that comes back may have forgotten who was registered. One
that was away for too short a time to be missed is found out too: every few questions goes to the account's own address. A
registrar that knows the account sends it here, or answers it; one that did so and then says that nobody is there has forgotten.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.uri import Via
from softphone.edge.transports import Hop

REPEATS = (0.5, 1.5)
"""seconds until UDP repeats it"""
LIMIT = 4.0
"""seconds without any answer"""
ROUND = 4
"""questions, of which the first goes round"""
FORGOTTEN = frozenset({404, 410, 480})
MOST_MISSED = 2
"""questions in a row without an answer, and the server has gone"""


@dataclass(slots=True)
class _Flow:
    hop: Hop
    answers: bool = False
    missed: int = 0
    asked: int = 0
    knows: bool = False
    """the registrar has found the account at its own address"""
    seen: tuple[str, int] = ("", 0)
    """our address, as it sees us"""


@dataclass(slots=True)
class _Question:
    account: str
    flow: _Flow
    round: bool = False
    timers: list[asyncio.TimerHandle] = field(default_factory=list[asyncio.TimerHandle])


class KeepAlive:
    """`send` takes a question out. `gone` and `changed` get the account: its server is away; it must register anew."""

    def __init__(
        self,
        send: Callable[[SipMessage, Hop, str], None],
        gone: Callable[[str], None],
        changed: Callable[[str], None],
    ) -> None:
        self._send = send
        self._gone = gone
        self._changed = changed
        self._flows: dict[str, _Flow] = {}
        self._open: dict[str, _Question] = {}

    def ask(self, account: str, address: str, hop: Hop) -> None:
        """The registrar of this account, at its `address`."""
        flow = self._flows.get(account)
        if flow is None or flow.hop != hop:
            flow = self._flows[account] = _Flow(hop)
        if any(one.flow is flow for one in self._open.values()):
            return
        branch = f"z9hG4bKk{secrets.token_hex(8)}"
        user, _, domain = address.partition("@")
        flow.asked += 1
        goes_round = flow.asked % ROUND == 1
        whom = f"sip:{address}" if goes_round else f"sip:{domain}"
        question = SipMessage(
            "OPTIONS",
            whom,
            headers=[
                ("Via", str(Via("UDP", "0.0.0.0", 0).with_param("rport").with_param("branch", branch))),  # noqa: S104
                # Else the next server answers, and asks nobody behind it.
                ("Max-Forwards", "20" if goes_round else "0"),
                ("From", f"<sip:{user}@{domain}>;tag={secrets.token_hex(6)}"),
                ("To", f"<{whom}>"),
                ("Call-ID", branch),
                ("CSeq", "1 OPTIONS"),
            ],
        )
        loop = asyncio.get_running_loop()
        asked = self._open[branch] = _Question(account, flow, goes_round)
        asked.timers = [loop.call_later(after, self._send, question, hop, account) for after in REPEATS]
        asked.timers.append(loop.call_later(LIMIT, self._missed, branch))
        self._send(question, hop, account)

    def forget(self, account: str) -> None:
        self._flows.pop(account, None)

    def knows(self, branch: str) -> bool:
        return branch in self._open

    def answered(self, via: Via, code: int) -> None:
        if code < 200:
            return
        asked = self._close(via.branch)
        if asked is None or self._flows.get(asked.account) is not asked.flow:
            return
        flow, port = asked.flow, via.param("rport") or ""
        seen = ((via.param("received") or via.host).strip("[]"), int(port) if port.isdigit() else 0)
        forgotten = asked.round and flow.knows and code in FORGOTTEN
        if asked.round:
            flow.knows = code < 300
        anew = forgotten or flow.missed > 0 or (flow.answers and seen != flow.seen)
        flow.answers, flow.missed, flow.seen = True, 0, seen
        if anew:
            self._changed(asked.account)

    def _missed(self, branch: str) -> None:
        asked = self._close(branch)
        if asked is None or not asked.flow.answers or self._flows.get(asked.account) is not asked.flow:
            return
        asked.flow.missed += 1
        if asked.flow.missed == MOST_MISSED:
            self._gone(asked.account)

    def _close(self, branch: str) -> _Question | None:
        asked = self._open.pop(branch, None)
        for timer in asked.timers if asked is not None else ():
            timer.cancel()
        return asked
