"""The edge's parser and writer: what is read, how it is written anew, and what is refused."""

from __future__ import annotations

import pytest

from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.uri import NameAddr, SipUri, Via

INVITE = (
    b"INVITE sip:4521@10.0.0.7:5060;transport=udp SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK3b1a.5e0f,SIP/2.0/TCP [2001:db8::9]:5062;received=2001:db8::9;rport=5062\r\n"
    b"Max-Forwards: 69\r\n"
    b'f: "S\xf8ren H." <sip:+4533445566@pbx.example.com>;tag=as5e\r\n'
    b"t:sip:4521@pbx.example.com\r\n"
    b"m: Anna(home) <sip:+4533445566@10.0.0.2:5062;ob> ; q = 0.5\r\n"
    b"Call-ID: 5e0f7d2a@10.0.0.2\r\n"
    b"CSeq:\r\n 0102 INVITE\r\n"
    b"X-lower: kept , as it is\r\n"
    b"c: application/sdp\r\n"
    b"l: 5\r\n"
    b"\r\n"
    b"v=0\r\nwhat follows is no part of it"
)


def test_a_request_is_read_and_written_anew() -> None:
    message = parse(INVITE)
    assert (message.method, message.uri, message.is_request) == ("INVITE", "sip:4521@10.0.0.7:5060;transport=udp", True)
    assert message.headers == [
        ("Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK3b1a.5e0f"),
        ("Via", "SIP/2.0/TCP [2001:db8::9]:5062;received=2001:db8::9;rport=5062"),
        ("Max-Forwards", "69"),
        ("From", '"Søren H." <sip:+4533445566@pbx.example.com>;tag=as5e'),
        ("To", "<sip:4521@pbx.example.com>"),
        ("Contact", '"Anna(home)" <sip:+4533445566@10.0.0.2:5062;ob>;q=0.5'),
        ("Call-ID", "5e0f7d2a@10.0.0.2"),
        ("CSeq", "102 INVITE"),
        ("X-Lower", "kept , as it is"),
        ("Content-Type", "application/sdp"),
    ]
    assert message.body == b"v=0\r\n"
    assert parse(write(message)) == message


def test_a_response_has_the_method_of_its_cseq() -> None:
    message = parse(write(parse(INVITE)).replace(INVITE.partition(b"\r\n")[0], b"SIP/2.0 486 Optaget \xc3\xa6"))
    assert (message.method, message.uri, message.code, message.phrase) == ("INVITE", "", 486, "Optaget æ")
    assert parse(write(message)) == message


def test_a_fault_says_which_and_keeps_what_an_answer_needs() -> None:
    with pytest.raises(Malformed) as refused:
        parse(INVITE.replace(b"t:sip:4521@pbx.example.com", b"t: <sip:p@[]>"))
    assert (refused.value.reason, refused.value.status) == ("To", 400)
    assert refused.value.message is not None
    assert refused.value.message.get("To") == "<sip:p@[]>"
    assert {name for name, _ in refused.value.message.headers} == {"Via", "From", "To", "Call-ID", "CSeq"}


def test_no_header_set_later_breaks_out_of_its_line() -> None:
    message = parse(INVITE)
    message.set_first("Contact", "<sip:a@10.0.0.1>\r\nX: y")
    with pytest.raises(ValueError, match="line end"):
        write(message)


def test_parts_are_changed_one_at_a_time() -> None:
    via = Via.parse("SIP/2.0/UDP pbx.example.com:5062;rport;branch=z9hG4bK1")
    assert str(via.with_param("rport", "40000").with_param("received", "10.0.0.2")) == (
        "SIP/2.0/UDP pbx.example.com:5062;rport=40000;branch=z9hG4bK1;received=10.0.0.2"
    )
    assert via.branch == "z9hG4bK1"
    contact = NameAddr.parse('"Anna \\"A\\"" <sip:anna:x@[2001:db8::9]:5062;ob;transport=TCP?h=v>;expires=60')
    assert contact.display == 'Anna "A"'
    uri = SipUri.parse(contact.uri)
    assert (uri.user, uri.host, uri.port, uri.param("transport"), uri.headers) == (
        "anna:x",
        "[2001:db8::9]",
        5062,
        "TCP",
        "?h=v",
    )
    moved = uri.without_param("ob", "transport")._replace(host="10.0.0.1", port=0)
    assert str(contact.with_uri(moved)) == '"Anna \\"A\\"" <sip:anna:x@10.0.0.1?h=v>;expires=60'


def test_an_answer_of_the_phone_may_repeat_the_longest_that_was_let_in() -> None:
    route = f"Record-Route: <sip:10.0.0.1;lr;x={'y' * 950}>\r\n".encode()
    longest = INVITE.replace(
        b"Max-Forwards: 69\r\n", route * 2 + b"Record-Route: <sip:10.0.0.1;lr;x=%s>\r\n" % (b"y" * 600)
    )
    message = parse(longest)
    message.insert_before("Via", "SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKe0123456789")
    message.insert_before("Record-Route", "<sip:127.0.0.1:40000;lr>")
    with pytest.raises(Malformed):
        parse(write(message))
    assert parse(write(message), bounded=False) == message
