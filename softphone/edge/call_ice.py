"""ICE of one call as its descriptions say it (RFC 8839): when an agent begins, begins anew, and ends.

`relay.ice` makes the checks. It, and the library below it, are loaded where an account has ICE.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from softphone.edge.relay import RelayedCall
from softphone.edge.relay.source import Address
from softphone.edge.sip.sdp import Attribute, SessionDescription

if TYPE_CHECKING:
    from softphone.edge.relay.ice import IceAgent, RemoteIce

ANEW_AFTER = (0.5, 4.0, 16.0)
"""seconds from a lost way to our offer that begins ICE anew, and to the next; without a way in between there is no fourth"""
THEIR_TURN = 2.0
"""seconds more for whoever does not lead: both sides notice the loss"""


async def load_ice() -> None:
    """Beside the loop: it takes some tenths of a second, and sound does not wait for that."""
    await asyncio.to_thread(importlib.import_module, "softphone.edge.relay.ice")


class CallIce:
    """`begin_anew` is called when our next offer should be made soon, since the way has gone."""

    def __init__(
        self,
        relayed: RelayedCall,
        count: Callable[[str], None],
        begin_anew: Callable[[], None] = lambda: None,
        *,
        resumed: bool = False,
    ) -> None:
        """`resumed`: the relay before this one had ICE, whose agent went with it."""
        self._relayed = relayed
        self._count = count
        self._begin_anew = begin_anew
        self._agent: IceAgent | None = None
        """whose names our last description has"""
        self._former: IceAgent | None = None
        """the one before, whose pair has the sound until the agent has one"""
        self._theirs: RemoteIce | None = None
        """of the peer's last offer"""
        self._stale = resumed
        """our next offer begins anew"""
        self._way = False
        """whether the agent has nominated a pair"""
        self._lost = 0
        """how often, without a way since"""
        self._waits: asyncio.TimerHandle | None = None

    # --- what the peer says ------------------------------------------------------------------------

    def offered(self, sdp: SessionDescription) -> None:
        """What is agreed changes with our answer."""
        if sdp.audio_address() is not None:  # else a hold of old, which names nothing
            self._theirs = _read(sdp)

    def answered(self, sdp: SessionDescription, *, final: bool = True) -> None:
        """Before the final answer another phone may ring, and say otherwise: ICE ends with the final one alone."""
        agent = self._agent
        if agent is None or sdp.audio_address() is None:
            return
        remote = _read(sdp)
        if remote is None and final:
            self.end()
        elif remote is None:
            self._relayed.ice(False)
        elif agent.remote is None:
            self._begin(remote, controlling=True)
        elif not _same(agent.remote, remote) or not self._relayed.by_ice:  # another phone of those that rang
            agent.close()
            self._agent = self._new_agent(agent.host, agent.names)
            self._begin(remote, controlling=True)

    # --- what we say -------------------------------------------------------------------------------

    def offer(self, host: str, *, established: bool) -> list[Attribute]:
        """`established`: the call stands without ICE, and goes on so."""
        if self._agent is None and established and not self._stale:
            return []
        if self._agent is None or self._agent.host != host or self._stale:
            self._anew(host)
        return self._lines()

    def answer(self, host: str) -> list[Attribute]:
        theirs, agent = self._theirs, self._agent
        if theirs is None:
            self.end()
            return []
        if agent is None or agent.host != host or agent.remote is None or not _same(agent.remote, theirs):
            self._anew(host)
            self._begin(theirs, controlling=False)
        return self._lines()

    def refused(self) -> None:
        """Our offer was refused: the agent whose pair has the sound goes on."""
        if self._agent is not None and self._agent.remote is None and self._former is not None:
            self._agent.close()
            self._agent, self._former, self._way = self._former, None, True

    def has_moved(self) -> None:
        """What our description names is elsewhere now."""
        self._stale = self._agent is not None

    def end(self) -> None:
        """The sound goes by what the descriptions name."""
        self._stale = False
        self._give_up_waiting()
        for one in (self._agent, self._former):
            if one is not None:
                one.close()
        if self._agent is not None:
            self._agent = self._former = self._relayed.control = None
            self._relayed.ice(False)

    # --- the agents --------------------------------------------------------------------------------

    def _anew(self, host: str) -> None:
        """Sound keeps the way that it has until the new agent has one (RFC 8445 9). The former answers checks as long."""
        self._give_up_waiting()
        if self._agent is not None and self._way:
            self._drop_former()
            self._former = self._agent
        elif self._agent is not None:
            self._agent.close()
        self._agent, self._stale = self._new_agent(host), False

    def _new_agent(self, host: str, names: tuple[str, str] | None = None) -> IceAgent:
        from softphone.edge.relay.ice import IceAgent

        relayed = self._relayed
        mapped = tuple(one if one and (":" in one[0]) is (":" in host) else None for one in relayed.mapped)
        self._way = False
        relayed.control = self._received
        return IceAgent(host, relayed.outer_ports, mapped, nominated=self._nominated, lost=self._has_lost, names=names)

    def _received(self, component: int, data: bytes, source: Address) -> None:
        for one in (self._agent, self._former):
            if one is not None:
                one.received(component, data, source)

    def _begin(self, remote: RemoteIce, *, controlling: bool) -> None:
        if self._agent is not None:
            self._relayed.ice(True)
            self._agent.begin(remote, controlling=controlling)

    def _nominated(self, agent: IceAgent, rtp: Address, rtcp: Address | None) -> None:
        if agent is self._agent:
            self._drop_former()
            self._way, self._lost = True, 0
        elif agent is not self._former:
            return
        self._relayed.nominated(rtp, rtcp)

    def _has_lost(self, agent: IceAgent) -> None:
        """A former agent's way may outlast an agent that finds none."""
        if agent not in (self._agent, self._former):
            return
        self._count("ice.lost")
        if agent is self._former:
            self._former = None
        else:
            self._way, self._stale = False, True
        if self._former is None and not self._way:
            self._relayed.nominated(None)
        if self._stale and self._waits is None and self._lost < len(ANEW_AFTER):
            leads = self._agent is not None and self._agent.leads
            after = ANEW_AFTER[self._lost] + (0.0 if leads else THEIR_TURN)
            self._waits = asyncio.get_running_loop().call_later(after, self._waited)
            self._lost += 1

    def _waited(self) -> None:
        self._waits = None
        if self._stale:
            self._count("ice.anew")
            self._begin_anew()

    def _give_up_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _drop_former(self) -> None:
        if self._former is not None:
            self._former.close()
            self._former = None

    def _lines(self) -> list[Attribute]:
        return self._agent.lines() if self._agent is not None else []


def _read(sdp: SessionDescription) -> RemoteIce | None:
    from softphone.edge.relay.ice import RemoteIce, usable

    found = sdp.ice()
    if found is None:
        return None
    ufrag, password, candidates, lite = found
    return RemoteIce(ufrag, password, usable(candidates), lite)


def _same(one: RemoteIce, other: RemoteIce) -> bool:
    """Whether it is the same session of ICE: new names begin another (RFC 8839 4.4.1.1)."""
    return (one.ufrag, one.password) == (other.ufrag, other.password)
