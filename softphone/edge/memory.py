"""What the next edge needs if this one dies: calls, ways, bindings and what still rings, as one text that the engine keeps."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from softphone.edge.channel import EdgeAccount, FromEdge, Remember
from softphone.edge.dialogs import Dialog, Dialogs, read_hop, read_state
from softphone.edge.sdp_ports import MediaSessions, bare
from softphone.edge.sent import Sent, copied
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.reading import parse
from softphone.edge.transports import Hop

REMEMBER_AFTER = 0.05


class Remembered(Protocol):
    """What is written, and read back."""

    dialogs: Dialogs
    sounds: MediaSessions
    accounts: dict[str, EdgeAccount]
    sent: OrderedDict[str, Sent]
    flows: dict[str, Hop]
    bound: dict[str, str]
    seen_as: dict[str, tuple[str, int]]
    counters: Counter[str]
    tell: Callable[[FromEdge], None]

    def note_sent(self, branch: str, sent: Sent) -> None: ...
    def rings(self, sent: Sent) -> bool: ...


class Memory:
    def __init__(self, switch: Remembered) -> None:
        self._switch = switch
        self._told = ""
        self._waits = False

    def changed(self, *, at_once: bool = False) -> None:
        """Soon, so that many changes go together; `at_once` if the next edge must know even if this one dies now."""
        if at_once:
            self.tell()
        elif not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(REMEMBER_AFTER, self._tell_in_time)

    def _tell_in_time(self) -> None:
        self._waits = False
        self.tell()

    def tell(self) -> None:
        switch = self._switch
        state = json.dumps(
            {
                "dialogs": switch.dialogs.written(lambda one: switch.sounds.written(one.call_id)),
                "flows": {account: list(hop) for account, hop in switch.flows.items() if hop.transport == "udp"},
                "bound": switch.bound,
                "seen_as": {account: list(place) for account, place in switch.seen_as.items()},
                "rings": [
                    [branch, one.account, list(one.hop), list(one.public), _without_body(one.message)]
                    for branch, one in switch.sent.items()
                    if one.message is not None and branch == one.network_branch and switch.rings(one)
                ],
            }
        )
        if state != self._told:
            self._told = state
            switch.tell(Remember(state))

    def recall(self, remembered: str) -> None:
        switch, state = self._switch, read_state(remembered)

        def sound(dialog: Dialog, written: Any) -> None:
            try:
                switch.sounds.read(dialog.call_id, written)
            except OSError:
                switch.counters["rtp.port_lost"] += 1

        switch.dialogs.read(state.get("dialogs", []), sound)
        for branch, account, hop, public, written in state.get("rings", []):
            with contextlib.suppress(Malformed):
                invite = parse(written.encode("latin-1"), bounded=False)
                where = read_hop(hop)
                sent = Sent("INVITE", account, (where,), invite.uri, invite, (public[0], public[1]), branch=branch)
                switch.note_sent(branch, sent)
        for account, hop in state.get("flows", {}).items():
            if account in switch.accounts:
                switch.flows[account] = read_hop(hop)
        switch.bound = {
            account: str(uri) for account, uri in state.get("bound", {}).items() if account in switch.accounts
        }
        for account, seen in state.get("seen_as", {}).items():
            if account in switch.accounts:
                switch.seen_as[account] = str(seen[0]), int(seen[1])


def _without_body(message: SipMessage) -> str:
    """For the next edge: the description of its sound may hold the keys of SRTP, which leave this process for pjsua2 alone."""
    twin = copied(message)
    bare(twin)
    return write(twin).decode("latin-1")
