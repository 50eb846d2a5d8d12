"""The way from each registrar is kept open: by datagrams it is asked for a sign of life (OPTIONS, RFC 3261 11), which also says
how others see this phone now.

A registrar that has answered once and falls silent has gone; one that comes back may have forgotten who was registered.
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
MOST_MISSED = 2
"""questions in a row without an answer, and the server has gone"""


@dataclass(slots=True)
class _Flow:
    hop: Hop
    answers: bool = False
    missed: int = 0
    seen: tuple[str, int] = ("", 0)
    """our address, as it sees us"""


@dataclass(slots=True)
class _Question:
    account: str
    flow: _Flow
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
        question = SipMessage(
            "OPTIONS",
            f"sip:{domain}",
            headers=[
                ("Via", str(Via("UDP", "0.0.0.0", 0).with_param("rport").with_param("branch", branch))),  # noqa: S104
                # The next server answers, and asks nobody behind it.
                ("Max-Forwards", "0"),
                ("From", f"<sip:{user}@{domain}>;tag={secrets.token_hex(6)}"),
                ("To", f"<sip:{domain}>"),
                ("Call-ID", branch),
                ("CSeq", "1 OPTIONS"),
            ],
        )
        loop = asyncio.get_running_loop()
        asked = self._open[branch] = _Question(account, flow)
        asked.timers = [loop.call_later(after, self._send, question, hop, account) for after in REPEATS]
        asked.timers.append(loop.call_later(LIMIT, self._missed, branch))
        self._send(question, hop, account)

    def forget(self, account: str) -> None:
        self._flows.pop(account, None)

    def knows(self, branch: str) -> bool:
        return branch in self._open

    def answered(self, via: Via) -> None:
        asked = self._close(via.branch)
        if asked is None or self._flows.get(asked.account) is not asked.flow:
            return
        flow, port = asked.flow, via.param("rport") or ""
        seen = ((via.param("received") or via.host).strip("[]"), int(port) if port.isdigit() else 0)
        anew = flow.missed > 0 or (flow.answers and seen != flow.seen)
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
