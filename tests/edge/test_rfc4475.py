"""The torture messages of RFC 4475: what the edge's parser, and a whole edge, make of each, as `rfc4475.txt` says.

A real edge process, with a pjsua2 that is written by hand; the messages come by UDP from an accepted address.
"""

from __future__ import annotations

import queue
import re
import sys
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from softphone.edge.channel import EdgeAccount, FromEdge, Ready
from softphone.edge.sip.body import session_description
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.sdp import SessionDescription
from softphone.engine.edge import Edge
from tests.edge.rfc4475 import ENTRIES, MESSAGES, Entry
from tests.edge.test_resolver import name_server
from tests.peers.wire import Wire, header, wire

LOOPBACK = "127.0.0.1"
EDGE = (
    "import sys; from softphone.edge import admission, process, switch; "
    "admission.NEW_CALLS = 100.0, 100.0; switch.SETTLES = 0.0; sys.exit(process.main())"
)
"""these calls come faster than a phone takes new ones, and than pjsua2 frees a place"""
NAMES = ("host5.example.net", "host15.example.net")
"""those in the Contacts of what goes on to pjsua2"""
INVALID = "3.1.2."
TOLERATED = {"baddate"}
"""invalid, and not to be refused for it: the RFC says so"""


def parsed(data: bytes) -> str:
    try:
        message = parse(data)
    except Malformed as refused:
        return f"{refused.status} {refused.reason}{'' if refused.message else ' silent'}"
    assert parse(write(message)) == message
    return "read"


def test_the_table_is_whole_and_says_what_the_rfc_does() -> None:
    assert len(MESSAGES) == 49
    for one in ENTRIES:
        assert one.said.keys() >= {"rfc", "parse", "edge"}, one.name
        if one.section.startswith(INVALID):
            assert (one.said["parse"] == "read") == (one.name in TOLERATED), one.name
    # A body is as long as its message says, but where that is what is wrong with it (or, in multi01, also).
    for one in ENTRIES:
        head, _, body = one.data.partition(b"\r\n\r\n")
        said = re.search(rb"^(?:Content-Length|l) *: *(-?\d+)\r?$", head, re.MULTILINE | re.IGNORECASE)
        wrong = one.name in {"clerr", "ncl", "mcl01", "multi01", "dblreq"}
        assert said is None or (int(said[1]) == len(body)) != wrong, one.name


@pytest.mark.parametrize("one", ENTRIES, ids=[one.name for one in ENTRIES])
def test_each_is_read_or_refused(one: Entry) -> None:
    assert parsed(one.data) == one.said["parse"]


@pytest.fixture(scope="module")
def phone_and_port() -> Generator[tuple[Wire, int, tuple[str, int]]]:
    """Who stands for pjsua2, the edge's public port, and its inner place."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        server = stack.enter_context(name_server({(name, "A"): ["192.0.2.9"] for name in NAMES}))
        patch.setenv("KLARTONE_NAMESERVER", "{}:{}".format(*server))
        phone = stack.enter_context(wire())
        told: queue.Queue[FromEdge] = queue.Queue()
        edge = Edge(LOOPBACK, 0, [sys.executable, "-c", EDGE], ("127.0.0.0/8",))
        inner = edge.inner
        inner.bind((LOOPBACK, 0))
        inner.connect((LOOPBACK, phone.port))
        edge.bind()
        stack.callback(edge.close)
        edge.know(EdgeAccount("own", f"own@{LOOPBACK}", ""))
        edge.start(told.put, lambda _: None)
        while not isinstance(told.get(timeout=20), Ready):
            pass
        edge.beat(busy=False)
        yield phone, edge.port, inner.getsockname()


@pytest.mark.parametrize("one", ENTRIES, ids=[one.name for one in ENTRIES])
def test_what_a_whole_edge_does_with_each(one: Entry, phone_and_port: tuple[Wire, int, tuple[str, int]]) -> None:
    phone, port, inner = phone_and_port
    named = re.search(rb"^Via: +SIP/2.0/UDP [^;:\r]+:(\d+)", one.data, re.MULTILINE)
    host = f"127.0.4.{ENTRIES.index(one) + 1}"
    with wire(host, int(named[1]) if named else 5060) as peer, wire("127.0.4.99") as other:
        peer.socket.sendto(one.data, (LOOPBACK, port))
        if one.said["edge"] == "phone":
            asked = phone.wait_for("INVITE")
            assert header(asked, "Via").startswith(f"SIP/2.0/UDP {inner[0]}:{inner[1]}")
            phone.send(phone.answer(asked, "488 Not Acceptable Here"), inner)
            peer.wait_for("SIP/2.0 488")
            return
        if one.said["edge"] != "nothing":
            answered = peer.wait_for("SIP/2.0 ")
            assert answered.split()[1] == one.said["edge"], answered
            assert (header(answered, "Unsupported") != "") == (one.said["edge"] == "420")
            assert (header(answered, "Allow") != "") == (one.said["edge"] in ("200", "405"))
        # By then all that came before has been dealt with.
        other.send(other.request("OPTIONS", port), (LOOPBACK, port))
        other.wait_for("SIP/2.0 200")
        assert peer.silent(0)
        assert phone.silent(0)


def test_a_tortuous_invite_is_written_plainly() -> None:
    message = parse(MESSAGES["wsinv"])
    assert message.headers == [
        ("To", "<sip:vivekg@chair-dnrc.example.com>;tag=1918181833n"),
        ("From", r'"J Rosenberg \\\"" <sip:jdrosen@example.com>;tag=98asjd8'),
        ("Max-Forwards", "68"),
        ("Call-ID", "wsinv.ndaksdj@192.0.2.1"),
        ("CSeq", "9 INVITE"),
        ("Via", "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw"),
        ("Subject", ""),
        ("Newfangledheader", "newfangled value continued newfangled value"),
        ("Unknownheaderwithunusualvalue", ";;,,;;,;"),
        ("Content-Type", "application/sdp"),
        ("Route", "<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"),
        ("Via", "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8"),
        ("Via", "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239"),
        ("Contact", r'"Quoted string \"\"" <sip:jdrosen@example.com>;newparam=newvalue;secondparam;q=0.33'),
    ]
    session = SessionDescription.parse(message.body)
    assert session.audio_address() == ("192.0.2.4", 49217)
    assert session.rewritten("127.0.0.1", 4000, 4001) == (
        b"v=0\r\no=mhandley 29739 7272939 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 4000 RTP/AVP 0 12\r\nm=video 0 RTP/AVP 31\r\n"
    )


def test_an_escaped_control_character_in_a_name_is_left_out() -> None:
    assert parse(MESSAGES["intmeth"]).get("To") == (
        '"BEL: NUL: DEL:" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>'
    )


def test_what_follows_a_message_in_its_datagram_is_left() -> None:
    message = parse(MESSAGES["dblreq"])
    assert (message.method, message.body) == ("REGISTER", b"")


def test_of_a_multipart_body_the_session_description_alone_goes_on() -> None:
    assert parse(MESSAGES["mpart01"]).body == b""
    parts = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b \r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n"
    )
    assert session_description('multipart/mixed;boundary="b"', parts) == b"v=0\r\n"
    assert session_description("multipart/mixed", parts) is None
