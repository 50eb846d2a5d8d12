"""pjsua2's requests on their way to a server (RFC 3261's client transactions): where each went, and what may still be sent
elsewhere. It sends nothing."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field

from softphone.edge.sip.message import SipMessage
from softphone.edge.transports import Hop


@dataclass(slots=True)
class Sent:
    """A request of pjsua2's under way. `message` is as pjsua2 wrote it, for another server; gone once answered."""

    method: str
    account: str
    hops: tuple[Hop, ...]
    uri: str
    message: SipMessage | None
    public: tuple[str, int] = ("", 0)
    contact: str = ""
    """pjsua2's own, of a REGISTER"""
    bound: str = ""
    """and as the registrar got it"""
    ends: bool = False
    """a REGISTER that ends the registration"""
    asks: int = 0
    """seconds for which a REGISTER asks; 0: it does not say"""
    branch: str = ""
    """pjsua2's own"""
    routes: tuple[str, ...] = ()
    """those that it left with"""
    request: SipMessage | None = None
    """of an INVITE, as pjsua2 wrote it; it stays when the INVITE is answered"""
    tries: int = 0
    """servers that were given up"""
    times: int = 1
    provisional: bool = False
    answered: bool = False
    refused: bool = False
    """for good, by the peer or by the edge in its place: a phone that says yes to it afterwards is ended there"""
    given_up: bool = False
    """the agent has ended the call before a server answered: what one still says is ended there"""
    at: float = field(default_factory=time.monotonic)

    @property
    def network_branch(self) -> str:
        """Each server has a transaction of its own."""
        return f"{self.branch}.{self.tries}" if self.tries else self.branch

    @property
    def hop(self) -> Hop:
        return self.hops[0]


def copied(message: SipMessage) -> SipMessage:
    """A copy whose headers may be changed without changing the first."""
    twin = copy.copy(message)
    twin.headers = [*message.headers]
    return twin
