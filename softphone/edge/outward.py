"""From pjsua2 to the network: where each message goes, what it says of this phone, and what pjsua2 gets if it cannot go."""

from __future__ import annotations

import asyncio

from softphone.edge import paths
from softphone.edge.answers import answer, has_tag
from softphone.edge.dialogs import Dialog, tag_of
from softphone.edge.failover import Failover
from softphone.edge.resolver import split_server
from softphone.edge.sent import Sent, copied
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.reading import parse
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from softphone.edge.switch import Switch
from softphone.edge.tls import ConnectionFault
from softphone.edge.transfers import spare_call
from softphone.edge.transports import Hop

REFER_LIMIT = 30.0
"""seconds until a REFER or its NOTIFY counts as unanswered; pjsua2 waits for 32"""
MOST_HELD = 32
"""requests that wait for their account: pjsua2's datagram may overtake it"""


class Outward:
    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._held: list[tuple[SipMessage, str]] = []
        switch.on_configured.append(self._release)
        self.failover = Failover(switch, self._depart)
        switch.on_lost = lambda sent, why: self._failed(sent, sent.hop, why)

    def take(self, data: bytes) -> None:
        if not data.strip(b"\r\n\0"):
            return
        try:
            message = parse(data, bounded=False)
        except Malformed as error:
            self._switch.counters[f"phone.{error.reason}"] += 1
            if error.message is not None and error.message.is_request and error.message.method != "ACK":
                self._switch.to_phone(answer(error.message, 400))
            return
        if message.is_request:
            self._request(message)
        else:
            self._response(message)

    # --- requests --------------------------------------------------------------------------------

    def _request(self, message: SipMessage) -> None:
        switch = self._switch
        account = paths.strip_own_route(message, switch.place)
        branch = Via.parse(message.get("Via") or "").branch
        sent = switch.sent.get(branch)
        if sent is not None and sent.given_up:
            self._refuse(message, "Request Terminated", 481 if message.method == "CANCEL" else 487)
        elif sent is not None and message.method in ("ACK", "CANCEL"):
            # They go where their INVITE went.
            self._depart(message, sent)
        elif sent is not None and sent.method == message.method:
            self._repeat(message, sent)
        elif message.method == "ACK" or has_tag(message):
            self._within(message, branch, account)
        else:
            self._begin(message, branch, account)

    def _repeat(self, message: SipMessage, sent: Sent) -> None:
        if sent.hop.transport == "udp" and not sent.public[1]:
            return  # it has not left: how others see its ports is being asked
        # pjsua2 repeats for UDP; a stream loses nothing.
        if not self.failover.repeats(sent) and sent.hop.transport == "udp":
            self._depart(message, sent)

    def _begin(self, message: SipMessage, branch: str, name: str) -> None:
        """Outside a dialog: to the account's server, by the account's transport. Nothing but its Route says whose it is: two
        accounts may have one address, and one of them no TLS."""
        if not name:
            self._refuse(message, "No account")
            return
        account = self._switch.accounts.get(name)
        if account is None:
            self._hold(message, name)
            return
        if message.method == "SUBSCRIBE" and not self._switch.mailboxes.may_ask(name):
            self._refuse(message, "No mailbox", 489)
            return
        try:
            uri = SipUri.parse(message.uri)
        except Malformed:
            self._refuse(message, "No SIP address")
            return
        transport = account.transport
        if account.outbound_proxy:
            host, port = split_server(account.outbound_proxy)
            paths.through(message, account.outbound_proxy, transport)
        elif transport != "tls" and (route := paths.first_route(message)) is not None:
            # The registrar's Service-Route (RFC 3608), which pjsua2 has put there.
            host, port, transport = route.host, route.port, (route.param("transport") or transport).lower()
        elif account.server:
            host, port = split_server(account.server)
        else:
            host, port, transport = uri.host, uri.port, (uri.param("transport") or transport).lower()
        self._resolve(message, branch, account.id, (host, port, transport))

    def _hold(self, message: SipMessage, account: str) -> None:
        """Until the engine has said which accounts there are, and which of them have TLS."""
        if len(self._held) < MOST_HELD:
            self._held.append((message, account))

    def _within(self, message: SipMessage, branch: str, account: str) -> None:
        """In a dialog: to the next Route, else to the address it names."""
        dialog = self._switch.dialogs.get(message.get("Call-ID") or "")
        accounts = self._switch.accounts
        if dialog is None and account and not accounts:
            self._hold(message, account)
            return
        if dialog is None and (account not in accounts or accounts[account].transport == "tls"):
            self._by_flow(message, branch, account)
            return
        if dialog is not None and dialog.peer.transport == "tls":
            # There is one way, whoever it names: the server that has proved its name.
            flow = self._switch.flows.get(dialog.account, dialog.peer)
            known = self._switch.transports.stands(dialog.peer)
            self._send(message, branch, dialog.account, (dialog.peer if known else flow,))
            return
        try:
            uri = paths.next_uri(message)
        except Malformed:
            self._refuse(message, "No SIP address")
            return
        host, transport = uri.host.strip("[]"), (uri.param("transport") or "").lower()
        if not transport:
            transport = dialog.peer.transport if dialog is not None and dialog.peer.host == host else "udp"
        account = dialog.account if dialog is not None else account
        if dialog is not None and transport == dialog.peer.transport == "tcp" and dialog.peer.host == host:
            there = self._switch.resolver.known(host, uri.port, "tcp") or ()
            if not any(map(self._switch.transports.stands, there)) and self._switch.transports.stands(dialog.peer):
                # The peer's own connection: behind a NAT it accepts no new one.
                self._send(message, branch, account, (dialog.peer,))
                return
        # Others than its server may call an account by TLS: their calls stay with the transport that they came by.
        plain = dialog is not None
        self._resolve(message, branch, account, (host, uri.port, transport), plain=plain)

    def _by_flow(self, message: SipMessage, branch: str, account: str) -> None:
        """A call by TLS that this edge does not know, or one that nobody knows: never in the clear."""
        flow = self._switch.flows.get(account)
        if flow is None or flow.transport != "tls":
            self._switch.counters["phone.no_way"] += 1
            self._refuse(message, "No connection")
            return
        self._send(message, branch, account, (flow,))

    def _resolve(
        self, message: SipMessage, branch: str, account: str, where: tuple[str, int, str], *, plain: bool = False
    ) -> None:
        only = "" if plain else self._switch.transport_of(account)
        if where[2] != (only or where[2]) or where[2] not in ("udp", "tcp", "tls"):
            self._refuse(message, "No such transport")
            return
        resolver = self._switch.resolver

        def send(hops: tuple[Hop, ...]) -> None:
            self._send(message, branch, account, hops, "dns_silent" if resolver.silent(*where) else "nowhere")

        async def ask() -> None:
            send(await resolver.look_up(*where))

        if (hops := resolver.known(*where)) is not None:
            send(hops)
        else:
            self._switch.later(ask())

    def _send(
        self, message: SipMessage, branch: str, account: str, hops: tuple[Hop, ...], nowhere: str = "nowhere"
    ) -> None:
        """`nowhere`: why there are no hops, if there are none."""
        switch = self._switch
        if not hops:
            switch.counters["name.nowhere"] += 1
            switch.not_connected(account, ConnectionFault(nowhere))
            self._refuse(message, "Name leads nowhere")
            return
        hops = tuple(hop._replace(account=account) if hop.transport == "tls" else hop for hop in hops)
        if branch in switch.sent and message.method != "ACK":
            return  # a repetition while its name was looked up
        if account in switch.accounts and switch.accounts[account].next_server and not has_tag(message):
            if hops[0].transport != "tls":
                switch.admission.learn(account, (hop.host for hop in hops))
            switch.tried[account] = hops[0].host
            switch.network.note(hops[0].host)
            hops = switch.servers.order(account, hops, message.method)
        sent = Sent(message.method, account, hops, message.uri, copied(message), branch=branch)
        sent.routes = tuple(message.all("Route"))
        sent.request = sent.message if message.method == "INVITE" else None
        if message.method == "REGISTER":
            contact = message.get("Contact") or "*"
            asked = (None if contact == "*" else NameAddr.parse(contact).param("expires")) or message.get("Expires")
            sent.ends = contact == "*" or asked == "0"
            sent.asks = int(asked) if asked and asked.isdigit() else 0
            sent.contact = "" if contact == "*" else NameAddr.parse(contact).uri
        if message.method != "ACK":
            switch.note_sent(branch, sent)
        if message.method == "SUBSCRIBE":
            switch.mailboxes.asked(message, account)
        if message.method in ("REFER", "NOTIFY"):
            asyncio.get_running_loop().call_later(REFER_LIMIT, self._not_answered, sent)
        asks = not has_tag(message) or switch.sounds.has_moved(message.get("Call-ID") or "")
        if message.method == "INVITE" and asks and switch.sounds.stun.answers:
            switch.later(self._depart_mapped(message, sent))
        else:
            self._depart(message, sent)

    async def _depart_mapped(self, message: SipMessage, sent: Sent) -> None:
        """Its description says how others see the call's ports."""
        await self._switch.sounds.prepare(message.get("Call-ID") or "")
        self._depart(message, sent)

    def _depart(self, message: SipMessage, sent: Sent) -> None:
        switch, hop = self._switch, sent.hop
        begins = message.method == "INVITE" and not has_tag(message) and not sent.provisional
        if begins and switch.is_let_go(message.get("Call-ID") or ""):
            self._give_up(message, sent)
            return
        if switch.network.is_lost(hop.host) and message.method != "ACK":
            self._failed(sent, hop, ConnectionFault("no_network"))
            return
        if hop.transport == "tls" and not switch.transports.stands(hop):
            # What it says of this phone depends on the connection that it goes by.
            switch.transports.reach(hop, lambda: self._depart(message, sent), lambda why: self._failed(sent, hop, why))
            return
        sent.public = switch.public(hop, sent.account)
        paths.request_out(message, hop, sent.public, sent.network_branch)
        if has_tag(message):
            switch.asking.sent(message)
        if message.method == "REFER" and (dialog := switch.dialogs.get(message.get("Call-ID") or "")) is not None:
            dialog.referring = int((message.get("CSeq") or "0").split(" ")[0])
            switch.remember()
        if message.method == "BYE" and (dialog := switch.dialogs.get(message.get("Call-ID") or "")) and dialog.ends_for:
            message.headers.append(("Reason", dialog.ends_for))
        if message.method == "INVITE":
            self._note_invite(message, sent)
        if not self._dress(message, hop, sent.public):
            self._refuse(message, "No ports for sound")
            return
        if message.method == "REGISTER":
            self._dress_register(message, sent)
        switch.to_network(message, hop, lambda why: self._failed(sent, hop, why))

    def _dress(self, message: SipMessage, hop: Hop, public: tuple[str, int]) -> bool:
        paths.contact_out(message, hop, public)
        paths.abilities_out(message)
        try:
            dialog = self._switch.dialogs.get(message.get("Call-ID") or "")
            if dialog is not None and message.get("Contact"):
                dialog.told = public
            # Sound may go by another family than SIP.
            sound = self._switch.sounds.peer_host(message.get("Call-ID") or "") if message.body else ""
            other = sound and (":" in sound) is not (":" in hop.host)
            host = self._switch.transports.local_host(sound if other else hop.host)
            ice = dialog is not None and self._switch.has_ice(dialog.account)
            call_id, secure = message.get("Call-ID") or "", hop.transport == "tls"
            self._switch.sounds.outward(message, call_id, host, secure=secure, ice=ice, peer=hop.host)
        except (Malformed, OSError):
            self._switch.counters["phone.sdp"] += 1
            return False
        return True

    def _dress_register(self, message: SipMessage, sent: Sent) -> None:
        # RFC 3327: proxies on the way may add themselves.
        message.headers.append(("Supported", "path"))
        contact = message.get("Contact") or "*"
        sent.bound = "" if contact == "*" else NameAddr.parse(contact).uri
        before = self._switch.bound.get(sent.account, "")
        if sent.hop.transport == "tls" and sent.account not in self._switch.no_outbound:
            paths.outbound_out(message, sent.account)
        elif before and sent.bound and before != sent.bound:
            # From before this machine moved: the registrar would call that address too.
            message.headers.append(("Contact", f"<{before}>;expires=0"))

    def _note_invite(self, message: SipMessage, sent: Sent) -> None:
        call_id, tag = message.get("Call-ID") or "", tag_of(message, "From")
        dialog = self._switch.dialogs.get(call_id)
        if dialog is None:
            self._switch.dialogs.add(Dialog(call_id, sent.account, False, sent.hop, ours=tag))
            self._switch.remember()
        elif not dialog.established:
            dialog.over_at = None  # again, with credentials

    def _failed(self, sent: Sent, hop: Hop, why: ConnectionFault) -> None:
        """A connection failed: try another server, or answer pjsua2."""
        message = sent.message
        if message is None or sent.answered or self.failover.lost(sent, hop):
            return
        self._switch.not_connected(sent.account, why)
        sent.answered = sent.refused = True
        self._refuse(message, f"Not connected ({why.code})")

    def _give_up(self, message: SipMessage, sent: Sent) -> None:
        """No further server is called for an agent who has hung up; those that were asked in vain may still answer."""
        self._switch.counters["invite.given_up"] += 1
        sent.answered, sent.message, sent.given_up, sent.tries = True, None, True, sent.tries + 1
        self._refuse(message, "Request Terminated", 487)

    def _not_answered(self, sent: Sent) -> None:
        """pjsua2 would end the call with its own 408. Only what the request asked for has failed (RFC 5057)."""
        if sent.answered or sent.message is None:
            return
        message, sent.answered, sent.message = sent.message, True, None
        self._refuse(message, "Not answered", 408)

    def _refuse(self, message: SipMessage, why: str, code: int = 503) -> None:
        if message.method == "ACK":
            return
        refusal = answer(message, code, phrase=why)
        spare_call(refusal)
        via = Via.parse(refusal.get("Via") or "")._replace(transport="UDP", host=self._switch.place.phone[0])
        refusal.set_first("Via", str(via._replace(port=self._switch.place.phone[1])))
        if message.method == "INVITE" and not has_tag(message):
            self._switch.call_over(message.get("Call-ID") or "")
        self._switch.to_phone(refusal)

    def _release(self) -> None:
        held, self._held = self._held, []
        for message, account in held:
            go = self._within if message.method == "ACK" or has_tag(message) else self._begin
            go(message, Via.parse(message.get("Via") or "").branch, account)

    # --- responses -------------------------------------------------------------------------------

    def _response(self, message: SipMessage) -> None:
        switch = self._switch
        hop = paths.response_out(message, switch.place)
        if hop is None:
            switch.counters["phone.nobody"] += 1
            return
        call_id = message.get("Call-ID") or ""
        dialog = switch.dialogs.get(call_id)
        if dialog is not None:
            self._note_response(message, dialog)
        account = dialog.account if dialog is not None else ""
        if not self._dress(message, hop, switch.public(hop, account)):
            return
        if dialog is not None and message.method == "INVITE" and 200 <= message.code < 300:
            switch.sounds.answered(call_id)
            switch.remember(at_once=True)
            if dialog.incoming:
                switch.asking.accepted(message)
        switch.to_network(message, hop)

    def _note_response(self, message: SipMessage, dialog: Dialog) -> None:
        if dialog.incoming and not dialog.ours and (tag := tag_of(message, "To")) and message.code > 100:
            dialog.ours = tag
        refuses = message.code >= 300
        if message.method == "INVITE" and refuses:
            dialog.offered_in = -1  # what acknowledges a refusal answers nothing
        # A phone that rang beside the one that answered ends its own ringing; before the answer pjsua2 says whether it may.
        ends = dialog.is_party(message) or (dialog.party is None and message.code < 300)
        if message.method == "INVITE" and 200 <= message.code < 300:
            dialog.established = True
        elif refuses and (message.method == "UPDATE" or (message.method == "INVITE" and dialog.established)):
            self._switch.sounds.refused_by_us(dialog.call_id)
        elif (message.method == "INVITE" and refuses) or (message.method == "BYE" and message.code >= 200 and ends):
            self._switch.call_over(dialog.call_id)
        self._switch.remember()
