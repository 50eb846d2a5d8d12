"""ICE of one call as its descriptions say it (RFC 8839): when an agent begins, begins anew, and ends.

`relay.ice` makes the checks. It, and the library below it, are loaded where an account has ICE.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from softphone.edge.relay import RelayedCall
from softphone.edge.sip.sdp import Attribute, SessionDescription

if TYPE_CHECKING:
    from softphone.edge.relay.ice import IceAgent, RemoteIce


async def load_ice() -> None:
    """Beside the loop: it takes some tenths of a second, and sound does not wait for that."""
    await asyncio.to_thread(importlib.import_module, "softphone.edge.relay.ice")


class CallIce:
    def __init__(self, relayed: RelayedCall, count: Callable[[str], None]) -> None:
        self._relayed = relayed
        self._count = count
        self._agent: IceAgent | None = None
        self._theirs: RemoteIce | None = None
        """of the peer's last offer"""

    # --- what the peer says ------------------------------------------------------------------------

    def offered(self, sdp: SessionDescription) -> None:
        """What is agreed changes with our answer."""
        if sdp.audio_address() is not None:  # else a hold of old, which names nothing
            self._theirs = _read(sdp)

    def answered(self, sdp: SessionDescription) -> None:
        if self._agent is None or sdp.audio_address() is None:
            return
        remote = _read(sdp)
        if remote is None:
            self.end()
        elif self._agent.remote is None or not _same(self._agent.remote, remote):
            if self._agent.remote is not None:  # another phone of those that rang
                self._new_agent(self._agent.host, self._agent.names)
            self._begin(remote, controlling=True)

    # --- what we say -------------------------------------------------------------------------------

    def offer(self, host: str, *, established: bool) -> list[Attribute]:
        """`established`: the call stands without ICE, and goes on so."""
        if self._agent is None and established:
            return []
        if self._agent is None or self._agent.host != host:
            self._new_agent(host)
        return self._lines()

    def answer(self, host: str) -> list[Attribute]:
        theirs, agent = self._theirs, self._agent
        if theirs is None:
            self.end()
            return []
        if agent is None or agent.host != host or agent.remote is None or not _same(agent.remote, theirs):
            self._new_agent(host)
            self._begin(theirs, controlling=False)
        return self._lines()

    def end(self) -> None:
        """The sound goes by what the descriptions name."""
        if self._agent is not None:
            self._agent.close()
            self._agent = self._relayed.control = None
            self._relayed.ice(False)

    # --- the agent ---------------------------------------------------------------------------------

    def _new_agent(self, host: str, names: tuple[str, str] | None = None) -> None:
        from softphone.edge.relay.ice import IceAgent

        if self._agent is not None:
            self._agent.close()  # sound keeps the way that it had found until the new one begins
        relayed = self._relayed

        def lost() -> None:
            self._count("ice.lost")
            relayed.nominated(None)

        mapped = tuple(one if one and (":" in one[0]) is (":" in host) else None for one in relayed.mapped)
        self._agent = IceAgent(host, relayed.outer_ports, mapped, nominated=relayed.nominated, lost=lost, names=names)
        relayed.control = self._agent.received

    def _begin(self, remote: RemoteIce, *, controlling: bool) -> None:
        if self._agent is not None:
            self._relayed.ice(True)
            self._agent.begin(remote, controlling=controlling)

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
