"""What both directions share: accounts, requests under way, calls that stand, and the ways out of the edge."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Coroutine
from typing import Any

from softphone.edge.admission import ConnectionLimiter
from softphone.edge.answers import answer, reply_hop, seen_from
from softphone.edge.call_ice import load_ice
from softphone.edge.channel import (
    CallMoved,
    Configure,
    EdgeAccount,
    FlowLost,
    FromEdge,
    Heartbeat,
    NotConnected,
    PeerKnown,
)
from softphone.edge.dialogs import Dialog, Dialogs
from softphone.edge.keep_alive import KeepAlive
from softphone.edge.mailbox import Mailboxes
from softphone.edge.memory import Memory
from softphone.edge.network import ANYWHERE, NetworkWatch
from softphone.edge.options_probe import OptionsProbe
from softphone.edge.paths import LocalAddresses
from softphone.edge.relay.stun import DEFAULT_PORT as STUN_PORT
from softphone.edge.relay.stun import load_stun
from softphone.edge.resolver import Resolver, split_server
from softphone.edge.sdp_ports import MediaSessions
from softphone.edge.sent import Sent
from softphone.edge.servers import Servers
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.tls import ConnectionFault, TlsServer
from softphone.edge.transports import Failed, Hop, Transports

MOST_SENT = 512
SENT_FOR = 40.0
"""seconds that a request may wait for its answer, and an answer for its repetition; SIP gives up after 32. An INVITE may
ring"""
FRESH = 5.0
"""seconds after the engine's last heartbeat in which it counts as alive"""
MOST_CALLS = 4
"""that pjsua2 can have at once"""
MOST_LET_GO = 32
SETTLES = 0.2
"""seconds for which an ended call still takes a place: a new one in its place, read in the same poll, would be ended with it"""


class Switch:
    def __init__(
        self,
        place: LocalAddresses,
        resolver: Resolver,
        tell: Callable[[FromEdge], None],
        to_phone: Callable[[bytes], None],
    ) -> None:
        self.place = place
        self.resolver = resolver
        self.tell = tell
        self._to_phone = to_phone
        self.counters: Counter[str] = Counter()
        self.admission = ConnectionLimiter(tell)
        self.dialogs = Dialogs(lambda dialog: self.sounds.close(dialog.call_id))
        self.accounts: dict[str, EdgeAccount] = {}
        self.sent: OrderedDict[str, Sent] = OrderedDict()
        self.flows: dict[str, Hop] = {}
        """the connection that registered each account"""
        self.servers = Servers()
        self.network = NetworkWatch()
        self.tried: dict[str, str] = {}
        """the host that an account's last request went to"""
        self.bound: dict[str, str] = {}
        """the Contact by which each account's registrar knows it"""
        self.seen_as: dict[str, tuple[str, int]] = {}
        """an account's address as its registrar sees it (NAT)"""
        self.transports: Transports
        self.sounds: MediaSessions
        self.asking = OptionsProbe(self._ask, lambda call_id, there: self.sounds.party_answers(call_id, there))
        self.keeping = KeepAlive(self._ask_server, self._server_gone, self._server_changed)
        self.mailboxes = Mailboxes(tell)
        self.mapped: tuple[str, int] | None = None
        """this phone's own port as others see it, by the STUN server"""
        self._stun = ""
        self.keep_alive_every = 0
        self.on_configured: list[Callable[[], None]] = []
        self.on_lost: Callable[[Sent, ConnectionFault], None] = lambda _, __: None
        self.no_outbound: set[str] = set()
        """accounts whose way to the registrar does not know RFC 5626"""
        self._let_go: deque[str] = deque(maxlen=MOST_LET_GO)
        self._heard = time.monotonic()
        self._busy = False
        self.ends = False
        """the engine does: it takes no call any more"""
        self._memory = Memory(self)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- from the engine -------------------------------------------------------------------------

    def configure(self, configure: Configure) -> None:
        for gone in set(self.accounts) - {one.id for one in configure.accounts}:
            self.admission.forget(gone)
            self.flows.pop(gone, None)
            self.servers.forget(gone)
            self.seen_as.pop(gone, None)
            self.bound.pop(gone, None)
            self.tried.pop(gone, None)
            self.keeping.forget(gone)
            self.mailboxes.forget(gone)
            self.transports.close(gone)
            self.no_outbound.discard(gone)
        for account in configure.accounts:
            before = self.accounts.get(account.id)
            if before != account:
                self.mailboxes.forget(account.id)
            if before is not None and _server(before) != _server(account):
                self.transports.close(account.id)
        self.accounts = {one.id: one for one in configure.accounts}
        self.keep_alive_every = configure.keep_alive
        accepted = [*configure.accept_from, *(one for account in configure.accounts for one in account.accept_from)]
        self.admission.accept(accepted)
        for account in configure.accounts:
            self.learn(account)
        if any(account.ice for account in configure.accounts):
            self.later(load_ice())
        self.sounds.use_ports(configure.rtp_first, configure.rtp_last)
        if configure.stun != self._stun:
            self._stun = configure.stun
            self.later(self._find_stun())
        if configure.remembered:
            self._memory.recall(configure.remembered)
        for waiting in self.on_configured:
            waiting()

    def heartbeat(self, beat: Heartbeat) -> None:
        self._heard, self._busy, self.ends = time.monotonic(), beat.busy, beat.ends

    @property
    def alive(self) -> bool:
        return time.monotonic() - self._heard < FRESH and not self.ends

    @property
    def busy(self) -> bool:
        """Whether pjsua2 has no place for one more call. The engine's word may be older than the end of its calls: without a
        call it counts for nothing."""
        return len(self.dialogs.taken(SETTLES)) >= MOST_CALLS or (self._busy and bool(self.dialogs.active()))

    def let_go(self, call_id: str) -> None:
        """The engine wants no more of this call. Its INVITE may still wait for a name or a connection."""
        self._let_go.append(call_id)
        self.call_over(call_id)

    def is_let_go(self, call_id: str) -> bool:
        return call_id in self._let_go

    def call_over(self, call_id: str) -> None:
        self.dialogs.end(call_id)
        self.sounds.close(call_id)
        self.remember()

    # --- accounts --------------------------------------------------------------------------------

    def account_called(self, message: SipMessage, source: Hop) -> str:
        """The account that is called. Whose connection it came by is beyond doubt. Else the user counts before the server that it
        comes from, and that before the host of To: one server may have two names."""
        if source.account in self.accounts:
            return source.account
        user, host = _user_and_host(message.uri)[0], _user_and_host(NameAddr.parse(message.get("To") or "").uri)[1]

        def fits(one: EdgeAccount) -> tuple[bool, bool, bool, bool]:
            own, flow = _user_and_host(f"sip:{one.address}"), self.flows.get(one.id)
            at_server = flow is None or flow.host == source.host
            return own[0] == user, at_server, flow == source, own[1] == host

        return max(self.accounts.values(), key=fits).id if self.accounts else ""

    def learn(self, account: EdgeAccount) -> None:
        """The addresses of its server, by SRV and A. By TLS nobody is let in for an address."""
        if account.transport == "tls":
            return
        host, port = split_server(account.next_server or account.address.rpartition("@")[2])
        if (hops := self.resolver.known(host, port, account.transport)) is not None:
            self.admission.learn(account.id, (hop.host for hop in hops))
            return

        async def ask() -> None:
            hops = await self.resolver.look_up(host, port, account.transport)
            if hops and account.id in self.accounts:
                self.admission.learn(account.id, (hop.host for hop in hops))

        self.later(ask())

    def public(self, hop: Hop, account: str) -> tuple[str, int]:
        """The address at which the peer reaches this phone. By TLS it is this end of the connection: nobody else listens."""
        if hop.transport == "tls":
            return self.transports.place(hop) or (self.transports.local_host(hop.host), self.transports.port)
        flow = self.flows.get(account)
        if (seen := self.seen_as.get(account)) is not None and (flow is None or flow.host == hop.host):
            return seen
        mapped = self.mapped if hop.transport == "udp" else None
        if mapped and (":" in mapped[0]) is (":" in hop.host) and self.sounds.stun.counts_for(hop.host):
            return mapped
        return self.transports.local_host(hop.host), self.transports.port

    def server(self, account: str) -> TlsServer:
        """What an account's server must prove."""
        return _server(self.accounts[account]) if account in self.accounts else TlsServer("")

    def peer_known(self, call_id: str, source: Hop, replaces: str = "") -> PeerKnown:
        name = self.server(source.account).name if source.transport == "tls" else ""
        return PeerKnown(call_id, source.host, source.port, source.transport, name, replaces)

    def transport_of(self, account: str) -> str:
        """The only one that an account may use: one by TLS is never called, and never calls, by another."""
        return "tls" if account in self.accounts and self.accounts[account].transport == "tls" else ""

    def refuses_plain(self, account: str) -> bool:
        return account in self.accounts and self.accounts[account].srtp == "required"

    def takes_keys(self, account: str, source: Hop) -> bool:
        """Of SRTP: others than the server may have read what did not come by TLS."""
        off = account in self.accounts and self.accounts[account].srtp == "off"
        return source.transport == "tls" and not off

    def has_ice(self, account: str) -> bool:
        return account in self.accounts and self.accounts[account].ice

    def not_connected(self, account: str, why: ConnectionFault) -> None:
        if account in self.accounts:
            self.counters[f"account.{why.code}"] += 1
            self.tell(NotConnected(account, self.accounts[account].next_server, why.code, why.detail))

    def flow_lost(self, hop: Hop, why: ConnectionFault | None) -> None:
        """A connection of ours has gone: requests that wait for an answer on it wait in vain."""
        for sent in [one for one in self.sent.values() if one.hop == hop and not one.answered]:
            self.on_lost(sent, why or ConnectionFault("lost"))
        for account, flow in [*self.flows.items()]:
            if flow == hop:
                del self.flows[account]
                self.tell(FlowLost(account))

    # --- another network -------------------------------------------------------------------------

    def look_around(self) -> None:
        """Once a second: an account whose way to its server has changed registers anew, and its calls follow."""
        ways = {account: self._way_of(account) for account in self.accounts}
        hosts = {*ways.values(), *self.dialogs.hosts(), *ANYWHERE}
        slept = self.network.slept()
        changed = self.network.look(hosts)
        if not slept and not changed:
            return
        self.counters["network.slept" if slept else "network.changed"] += 1
        gone = hosts if slept else changed
        self.transports.moved(gone)
        self.sounds.moved()
        self.servers.moved()
        self.resolver.forget()
        if self._stun:
            self.later(self._find_stun())
        for account, host in ways.items():
            if not self.accounts[account].register:
                self.tell_moved(account)
            elif host in gone:
                self.seen_as.pop(account, None)
                self.tell(FlowLost(account))

    def _way_of(self, account: str) -> str:
        flow = self.flows.get(account)
        return flow.host if flow is not None else self.tried.get(account, ANYWHERE[0])

    def tell_moved(self, account: str) -> None:
        """The calls of an account whose other side still has an address of ours that is no longer so."""
        for dialog in self.dialogs.active():
            told = dialog.told if dialog.account == account and dialog.established else None
            if told is None or self.network.is_lost(dialog.peer.host):
                continue
            if told != self.public(dialog.peer, account):
                self.tell(CallMoved(dialog.call_id))

    # --- requests on their way -------------------------------------------------------------------

    def note_sent(self, branch: str, sent: Sent) -> None:
        self.sent[branch] = sent
        if len(self.sent) > MOST_SENT:
            self.sent.popitem(last=False)

    # --- out -------------------------------------------------------------------------------------

    def to_phone(self, message: SipMessage) -> None:
        self._to_phone(write(message))

    def to_network(self, message: SipMessage, hop: Hop, failed: Failed = lambda _: None) -> None:
        self.transports.send(write(message), hop, failed)

    def reply(self, message: SipMessage, source: Hop, code: int, *headers: tuple[str, str], phrase: str = "") -> None:
        """To a request from the network that pjsua2 does not get."""
        if message.method != "ACK":
            hop = reply_hop(message, source)
            seen_from(message, source)
            self.to_network(answer(message, code, *headers, phrase=phrase), hop)

    def _ask(self, question: SipMessage, dialog: Dialog) -> Hop:
        """A request of the edge's own, to the source of the party's last message."""
        hop = dialog.peer
        host, port = self.public(hop, dialog.account)
        via = Via.parse(question.get("Via") or "")
        question.set_first("Via", str(via._replace(transport=hop.transport.upper(), host=host, port=port)))
        self.to_network(question, hop)
        return hop

    def remember(self, *, at_once: bool = False) -> None:
        """For the next edge."""
        self._memory.changed(at_once=at_once)

    def later(self, deed: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- clocks and memory -----------------------------------------------------------------------

    def tick(self) -> None:
        """Once a second."""
        self.dialogs.sweep()
        self.look_around()
        self.sounds.look_at_resumed()
        limit = time.monotonic() - SENT_FOR
        for branch in [branch for branch, one in self.sent.items() if one.at < limit and not self.rings(one)]:
            del self.sent[branch]
        self._memory.tell()

    def rings(self, sent: Sent) -> bool:
        """Whether it is an INVITE, whose answer may take as long as people do."""
        if sent.method != "INVITE" or sent.message is None:
            return False
        dialog = self.dialogs.get(sent.message.get("Call-ID") or "")
        return dialog is not None and not dialog.over

    def keep_alive(self) -> None:
        """Keep the way from each registrar open through a NAT or a firewall."""
        for account, hop in self.flows.items():
            if hop.transport == "udp" and account in self.accounts:
                self.keeping.ask(account, self.accounts[account].address, hop)
        self.transports.ping()
        if self._stun:
            self.later(self._look_at_mapping() if self.sounds.stun.address else self._find_stun())

    async def _find_stun(self) -> None:
        """Its name, and what it says of this phone's own port."""
        self.sounds.stun.address = self.mapped = None
        host, port = split_server(self._stun) if self._stun else ("", 0)
        if not host:
            return
        hops = await self.resolver.look_up(host, port or STUN_PORT, "udp")
        await load_stun()
        if hops:
            self.sounds.stun.address = hops[0].host, hops[0].port
            await self._look_at_mapping()

    async def _look_at_mapping(self) -> None:
        seen = await self.sounds.stun.ask(lambda data, to: self.transports.send(data, Hop("udp", *to)))
        if seen is None or seen == self.mapped:
            return
        changed, self.mapped = self.mapped is not None, seen
        self.counters["stun.mapped"] += 1
        if changed:
            self.sounds.moved()
        for account in self.accounts if changed else ():
            if not self.accounts[account].register:
                self.tell_moved(account)

    def _ask_server(self, question: SipMessage, hop: Hop, account: str) -> None:
        host, port = self.public(hop, account)
        question.set_first("Via", str(Via.parse(question.get("Via") or "")._replace(host=host, port=port)))
        self.to_network(question, hop)

    def _server_gone(self, account: str) -> None:
        self.counters["server.silent"] += 1
        self.servers.lost(account)
        # It is asked on: once it answers, nobody waits for the engine's next try.
        self.tell(FlowLost(account))

    def _server_changed(self, account: str) -> None:
        """It is back and may have forgotten this phone, or a NAT has forgotten the way."""
        self.counters["server.anew"] += 1
        self.seen_as.pop(account, None)
        self.tell(FlowLost(account))


def _user_and_host(uri: str) -> tuple[str, str]:
    try:
        found = SipUri.parse(uri)
    except Malformed:
        return "", ""
    return found.user, found.host.lower()


def _server(account: EdgeAccount) -> TlsServer:
    """Its configured host, whatever DNS makes of that (RFC 5922 7.3)."""
    return TlsServer(split_server(account.next_server)[0], account.authority)
