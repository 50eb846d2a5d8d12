"""What honest peers write, each in its way, is read: a defence that turns customers away would cost more than it protects."""

from __future__ import annotations

import pytest

from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import write
from softphone.edge.sip.reading import parse
from softphone.edge.sip.sdp import SessionDescription


def text(lines: str) -> bytes:
    return lines.removeprefix("\n").encode().replace(b"\n", b"\r\n")


PLAIN = {
    "Via": "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
    "Max-Forwards": "70",
    "From": "<sip:a@10.0.0.1>;tag=1",
    "To": "<sip:b@10.0.0.2>",
    "Call-ID": "1@10.0.0.1",
    "CSeq": "1 INVITE",
    "Contact": "<sip:a@10.0.0.1>",
}


def said(name: str, value: str) -> list[str]:
    """The header as pjsua2 would read it."""
    lines = [f"{key}: {value if key == name else own}" for key, own in PLAIN.items()]
    lines += [] if name in PLAIN else [f"{name}: {value}"]
    message = parse("\r\n".join(("INVITE sip:b@10.0.0.2 SIP/2.0", *lines, "", "")).encode())
    assert parse(write(message)) == message
    return message.all(name)


KEPT = [
    ("From", '"Hansen, Søren" <sip:+4533445566@pbx.example.com;user=phone>;tag=sip+1+a9f~-.'),
    ("From", '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=as5e0f7d2a'),
    ("From", "<tel:+45-33-44-55-66;phone-context=example.com>;tag=1;epid=3fa8"),
    ("Contact", "<sip:4521@10.0.0.1:5060;transport=udp;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"),
    (
        "Contact",
        '<sip:a@10.0.0.1;ob>;+sip.instance="<urn:uuid:0-1>";reg-id=1;methods="INVITE,ACK";audio;q=0.5;expires=300',
    ),
    ("Contact", "<sip:[2001:db8::9]:5062>"),
    (
        "Via",
        "SIP/2.0/TLS sbc_1.example.com:5061;branch=z9hG4bK-x.y;psrrposn=2;received=10.0.0.9;ep;alias;keep;rport=5061",
    ),
    ("Via", "SIP/2.0/TCP [2001:db8::9]:5062;branch=z9hG4bK.2;received=2001:db8::9"),
    ("Record-Route", "<sip:10.0.0.1:5060;transport=udp;r2=on;lr=on;ftag=as5e;did=8a1.7b2;nat=yes>"),
    ("Call-ID", "3d9485ad0c49859b==@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA=="),
    ("Session-Expires", "1800;refresher=uac"),
    ("Supported", ""),
    ("Allow", "INVITE,ACK, BYE,CANCEL"),
    ("Accept", "application/sdp, */*;q=0.5"),
    ("Content-Type", "APPLICATION/SDP"),
    ("P-Asserted-Identity", '"Anna" <sip:+4533445566@10.0.0.1;user=phone>'),
    ("Diversion", "Bob, of sales <sip:4522@10.0.0.1>;reason=unconditional;counter=1"),
    ("Remote-Party-ID", '"Anna" <sip:4522@10.0.0.1>;party=calling;screen=yes;privacy=off'),
    ("P-Charging-Vector", "icid-value=1234;icid-generated-at=10.0.0.1"),
    ("User-Agent", "Exchange/20 (2026-11-28) – Århus"),
    ("X-Whatever", 'a,b;c="d'),
]
MENDED = [
    ("From", 'Anna  Hansen<sip:a@10.0.0.1> ;tag=1 ; x = "y z"', "Anna Hansen <sip:a@10.0.0.1>;tag=1;x=\"y z\""),
    ("From", "Anna (sales) @home <sip:a@10.0.0.1>;tag=1", '"Anna (sales) @home" <sip:a@10.0.0.1>;tag=1'),
    ("From", '""<sip:a@10.0.0.1>;tag=1', '"" <sip:a@10.0.0.1>;tag=1'),
    ("From", "sip:a@10.0.0.1;tag=1", "<sip:a@10.0.0.1>;tag=1"),
    ("Contact", "<sip:cal%6Cer@10.0.0.1;%6C%72;n%61me=v%2541>", "<sip:caller@10.0.0.1;lr;name=v%2541>"),
    ("Contact", "sip:a@10.0.0.1:5062;expires=60", "<sip:a@10.0.0.1:5062>;expires=60"),
    ("Via", "SIP / 2.0 / UDP  10.0.0.1 : 5062 ; branch=z9hG4bK1", "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1"),
    ("CSeq", "0001  INVITE", "1 INVITE"),
    ("Max-Forwards", "070", "70"),
    ("Content-Type", "application / sdp ; charset = utf-8", "application/sdp;charset=utf-8"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), KEPT)
def test_what_is_well_formed_stays_as_it_is(name: str, value: str) -> None:
    assert said(name, value) == [value]


@pytest.mark.parametrize(("name", "value", "anew"), MENDED)
def test_another_honest_spelling_is_written_plainly(name: str, value: str, anew: str) -> None:
    assert said(name, value) == [anew]


def test_what_pjsip_keeps_as_text_costs_no_call_where_it_is_wrong() -> None:
    assert said("P-Asserted-Identity", "<tel:+45 33 44>, <sip:p@[]>") == []
    assert said("Reason", "Q.850;cause=") == []
    assert said("WWW-Authenticate", 'Bearer realm="x"') == []
    with pytest.raises(Malformed):
        said("Session-Expires", "soon")


def test_a_slip_in_a_session_description_costs_no_call() -> None:
    session = SessionDescription.parse(
        text(
            """
v=0
o=Exchange 4611731400430051336 2 IN IP4 pbx.example.com\x20
s=
c=IN IP4 10.0.0.1\x20
b=CT:
t=0 0
a=group:BUNDLE audio
m=audio 4000 RTP/AVP 9  8 101\x20
a=rtpmap:9 G722/8000
a=rtpmap:8
a=rtpmap:101 telephone-event/8000
a=fmtp
a=rtcp:x
a=ptime:
a=rtcp-mux
a=label:1
a=sendonly
m=video 0 RTP/AVP
a=rtpmap:96 VP8/90000
"""
        )
    )
    assert (session.direction, session.held, session.telephone_events) == ("sendonly", True, (101,))
    # Neither side ever agrees to rtcp-mux: the edge leaves it out of what it writes.
    assert (session.audio_address(), session.rtcp_address()) == (("10.0.0.1", 4000), ("10.0.0.1", 4001))
    session.media[0].port = 65_535
    session.media[0].attributes = [one for one in session.media[0].attributes if one[0] != "rtcp"]
    assert session.rtcp_address() == ("10.0.0.1", 65_535), "no port is higher"
    session.media[0].port = 4000
    assert session.rewritten("127.0.0.1", 6000, 6001, 1) == text(
        """
v=0
o=Exchange 1378213896 3 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
a=group:BUNDLE audio
m=audio 6000 RTP/AVP 9 8 101
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=label:1
a=sendonly
m=video 0 RTP/AVP 0
"""
    )


@pytest.mark.parametrize(
    ("lines", "direction", "address"),
    [
        ("c=IN IP4 0.0.0.0\nt=0 0\nm=audio 4000 RTP/AVP 8\n", "sendonly", None),
        ("c=IN IP4 10.0.0.1\nt=0 0\nm=audio 0 RTP/AVP 8\n", "inactive", None),
        ("c=IN IP4 10.0.0.1\nt=0 0\na=inactive\nm=audio 4000 RTP/AVP 8\n", "inactive", ("10.0.0.1", 4000)),
        (
            "t=0 0\na=inactive\nm=audio 4000 RTP/AVP 8\nc=IN IP6 2001:db8::1\na=recvonly\n",
            "recvonly",
            ("2001:db8::1", 4000),
        ),
        ("t=0 0\nm=audio 0 RTP/AVP 8\nm=audio 4002 RTP/SAVP 8\nc=IN IP4 10.0.0.1\n", "sendrecv", ("10.0.0.1", 4002)),
        ("c=IN IP4 10.0.0.1\nt=0 0\nm=video 4000 RTP/AVP 31\n", "inactive", None),
    ],
)
def test_where_sound_goes_and_whether_it_is_held(lines: str, direction: str, address: tuple[str, int] | None) -> None:
    session = SessionDescription.parse(text("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\n" + lines))
    assert (session.direction, session.audio_address()) == (direction, address)
    moved = SessionDescription.parse(session.rewritten("127.0.0.1", 6000, 6001))
    assert moved.direction == direction


@pytest.mark.parametrize(
    "lines",
    [
        "c=IN IP4 ::1\nt=0 0\nm=audio 4000 RTP/AVP 8\n",
        "c=IN IP4 pbx.example.com\nt=0 0\nm=audio 4000 RTP/AVP 8\n",
        "c=IN IP4 224.0.0.1/127\nt=0 0\nm=audio 4000 RTP/AVP 8\n",
        "c=IN IP4 10.0.0.1\nt=0 0\nm=audio 65536 RTP/AVP 8\n",
        "c=IN IP4 10.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 128\n",
        "c=IN IP4 10.0.0.1\nt=0 0\n" + "m=audio 4000 RTP/AVP 8\n" * 17,
        "c=IN IP4 10.0.0.1\nt=soon\nm=audio 4000 RTP/AVP 8\n",
        "c=IN IP4 10.0.0.1\nt=0 0\n",
    ],
)
def test_a_session_description_that_leads_nowhere_is_refused(lines: str) -> None:
    with pytest.raises(Malformed, match="sdp"):
        SessionDescription.parse(text("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\n" + lines))
