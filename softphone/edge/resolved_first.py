"""Messages whose names are to be looked up before pjsua2 gets them: each waits for its own call's names, and for no other's."""

from __future__ import annotations

from collections.abc import Callable

from softphone.edge import paths
from softphone.edge.answers import has_tag
from softphone.edge.sip.message import SipMessage
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

MOST_HELD = 16
"""calls with messages that wait for a name, and messages of each"""
_NAMED = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY"})
"""whose Contact or Record-Route says where later messages go"""


class ResolvedFirst:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._held: dict[str, list[Callable[[], None]]] = {}

    def waits(self, call_id: str) -> bool:
        return call_id in self._held

    def when_resolved(
        self, message: SipMessage, source: Hop, action: Callable[[], None], refuse: Callable[[], None]
    ) -> None:
        """Further messages of the same call wait behind it, and no others."""
        unnamed = message.method not in _NAMED or (not message.is_request and not 101 <= message.code < 300)
        if unnamed or source.transport == "tls":  # which has one way, whatever is named
            action()
            return
        resolver, transport = self._switch.resolver, source.transport
        names = [(host, port) for host, port in paths.names_in(message) if not resolver.known(host, port, transport)]
        if not names:
            action()
            return
        call_id = message.get("Call-ID") or ""
        if len(self._held) >= MOST_HELD:
            self._switch.counters["name.too_many"] += 1
            refuse()
            return
        self._held[call_id] = []

        async def ask() -> None:
            found = [await resolver.look_up(host, port, transport) for host, port in names]
            waiting = self._held.pop(call_id, [])
            if all(found):
                action()
            else:
                self._switch.counters["name.nowhere"] += 1
                if message.is_request and not has_tag(message):
                    self._switch.call_over(call_id)
                refuse()
            for one in waiting:
                one()

        self._switch.later(ask())

    def behind(self, call_id: str, action: Callable[[], None]) -> None:
        if len(self._held[call_id]) < MOST_HELD:
            self._held[call_id].append(action)
