"""The torture messages of RFC 4475: what the edge says of each.

`read` goes on to pjsua2, written anew. For the others the reason of the refusal stands here, with the status of the answer;
`silent` is one to which no answer can be made. Stricter than the RFC asks: a display name with a comma and no quotes (baddn),
white space within brackets (badaspec), a name in maddr (inv2543), which pjsua2 would look up on its only thread.
"""

from __future__ import annotations

import pytest

from softphone.edge.sip.body import session_description
from softphone.edge.sip.message import Malformed, parse, write
from softphone.edge.sip.sdp import SessionDescription
from tests.edge.rfc4475 import MESSAGES
from tests.edge.rfc4475.valid import VALID

SAID = {
    "badinv01": "Via 400 silent",
    "clerr": "Content-Length 400",
    "ncl": "Content-Length 400",
    "scalar02": "CSeq 400",
    "scalarlg": "CSeq 400",
    "quotbal": "To 400",
    "ltgtruri": "request_uri 400",
    "lwsruri": "start_line 400",
    "lwsstart": "start_line 400",
    "trws": "start_line 400",
    "escruri": "request_uri 400",
    "regbadct": "Contact 400",
    "badaspec": "To 400",
    "baddn": "From 400",
    "badvers": "version 505 silent",
    "mismatch01": "CSeq 400",
    "mismatch02": "CSeq 400",
    "bigcode": "start_line 400 silent",
    "insuf": "no From 400 silent",
    "unkscm": "scheme 416",
    "novelsc": "scheme 416",
    "unksm2": "To 400",
    "multi01": "CSeq 400",
    "mcl01": "Content-Length 400",
    "inv2543": "Record-Route 400",
}


def said(data: bytes) -> str:
    try:
        message = parse(data)
    except Malformed as refused:
        return f"{refused.reason} {refused.status}{'' if refused.message else ' silent'}"
    assert parse(write(message)) == message
    return "read"


def test_there_are_forty_nine() -> None:
    assert len(MESSAGES) == 49
    assert not VALID.keys() & SAID.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_each_is_read_or_refused(name: str) -> None:
    assert said(MESSAGES[name]) == SAID.get(name, "read")


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
