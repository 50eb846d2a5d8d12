"""What the edge's switch leaves to the next edge, and which account a call is for."""

from __future__ import annotations

import json

from softphone.edge.channel import EdgeAccount, FromEdge, Remember
from softphone.edge.dialogs import Dialog
from softphone.edge.outward import Outward
from softphone.edge.paths import LocalAddresses
from softphone.edge.resolver import Resolver
from softphone.edge.sent import Sent
from softphone.edge.sip.message import SipMessage
from softphone.edge.sip.reading import parse
from softphone.edge.switch import Switch
from softphone.edge.transports import Hop

KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
INVITE = (
    "INVITE sip:bo@pbx.example SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:anna@pbx.example>;tag=a\r\n"
    "To: <sip:bo@pbx.example>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}"
)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"
)


class _NoSounds:
    def written(self, call_id: str) -> None:
        pass


PORTS = (("first", 5060), ("second", 5070))


def test_the_next_edge_gets_a_ringing_invite_without_the_keys_of_its_sound() -> None:
    told: list[FromEdge] = []
    switch = _switch(told)
    invite = parse(INVITE.format(len(SDP), SDP).encode())
    switch.dialogs.add(Dialog("one", "anna", False, Hop("tls", "192.0.2.1", 5061)))
    hop = Hop("tls", "192.0.2.1", 5061, "anna")
    switch.note_sent("z9hG4bK1", Sent("INVITE", "anna", (hop,), invite.uri, invite, branch="z9hG4bK1"))
    switch.remember(at_once=True)
    (remember,) = (one for one in told if isinstance(one, Remember))
    ((_, account, _, _, written),) = json.loads(remember.state)["rings"]
    assert account == "anna"
    assert "Call-ID: one" in written
    assert KEY not in remember.state
    assert KEY.encode() in invite.body, "the one that rings keeps its own"


def test_of_two_accounts_of_one_name_the_one_is_called_whose_server_calls() -> None:
    switch = _switch([])
    for name in ("first", "second"):
        switch.accounts[name] = EdgeAccount(name, f"anna@{name}.example", f"{name}.example")
    switch.flows = {"first": Hop("udp", "192.0.2.1", 5060), "second": Hop("udp", "192.0.2.2", 5060)}
    for number, name in enumerate(("first", "second"), 1):
        message = parse(INVITE.replace("sip:bo@", "sip:anna@", 1).format(0, "").encode())
        assert switch.account_called(message, Hop("udp", f"192.0.2.{number}", 5060)) == name
    # Two exchanges on one machine, which only their ports tell apart.
    switch.accounts = {one: EdgeAccount(one, f"anna@pbx.example:{port}", f"pbx.example:{port}") for one, port in PORTS}
    switch.flows = {one: Hop("udp", "192.0.2.1", port) for one, port in PORTS}
    for name, port in PORTS:
        message = parse(INVITE.replace("sip:bo@", "sip:anna@", 1).format(0, "").encode())
        assert switch.account_called(message, Hop("udp", "192.0.2.1", port)) == name


def test_what_comes_before_the_accounts_are_known_waits_and_never_leaves_in_the_clear() -> None:
    switch = _switch([])
    answered: list[SipMessage] = []
    left: list[Sent] = []
    switch.to_phone = answered.append  # type: ignore[method-assign]
    outward = Outward(switch)
    outward._depart = lambda message, sent: left.append(sent)  # type: ignore[method-assign]
    bye = INVITE.replace("INVITE", "BYE").replace("bo@pbx.example>\r\nCall", "bo@pbx.example>;tag=b\r\nCall")
    bye = bye.replace("sip:bo@pbx.example SIP", "sip:bo@192.0.2.9 SIP").format(0, "")
    route = f"Route: <sip:127.0.0.1:5060;lr;x-account={b'anna'.hex()}>"
    outward.take(bye.replace("\r\nVia", f"\r\n{route}\r\nVia", 1).encode())
    assert (left, answered) == ([], [])
    switch.accounts["anna"] = EdgeAccount("anna", "anna@pbx.example", "pbx.example", transport="tls")
    for waiting in switch.on_configured:
        waiting()
    assert left == []
    assert [one.code for one in answered] == [503], "it has no connection yet, and no other way"
    outward.take(bye.replace("\r\nVia", f"\r\n{route.replace(b'anna'.hex(), b'gone'.hex())}\r\nVia", 1).encode())
    assert left == []
    assert [one.code for one in answered] == [503, 503], "an account that was removed"


def _switch(told: list[FromEdge]) -> Switch:
    place = LocalAddresses(("127.0.0.1", 5060), ("127.0.0.1", 5062))
    switch = Switch(place, Resolver(), told.append, lambda _: None)
    switch.sounds = _NoSounds()  # type: ignore[assignment]
    return switch
