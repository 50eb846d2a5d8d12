"""What holds for every message: written and read again it is the same, and no value leaves its line. Of bytes, however bad, comes
nothing but Malformed, and soon.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from softphone.edge.sip.dtmf import DTMF_TYPES, read_digit
from softphone.edge.sip.framing import StreamFramer
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage, write
from softphone.edge.sip.reading import MOST_BYTES, parse
from softphone.edge.sip.sdp import SessionDescription
from softphone.edge.sip.uri import NameAddr, SipUri, Via
from tests.edge.mutations import mutations
from tests.edge.rfc4475 import MESSAGES
from tests.peers.wire import SDP

TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
HOSTS = st.sampled_from(
    ("10.0.0.1", "pbx.example.com", "a-1.b", "[2001:db8::1]", "my_pbx", "x.example.", "[::ffff:1.2.3.4]")
)
PORTS = st.integers(0, 65_535)
USERS = st.text("abc019-_.!~*'()&=+$,;?/#", max_size=10).map(lambda text: text + "%2F" if text else "")
QUOTED = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).filter(
    lambda text: text == text.strip(" ")
)
PARAMS = st.lists(
    st.tuples(TOKENS.filter(lambda name: name.lower() not in RESERVED), st.none() | TOKENS), max_size=3
).map(tuple)
RESERVED = {"tag", "maddr", "ttl", "transport", "hide", "expires", "q", "branch", "rport", "received"}
URI_PARAMS = st.lists(
    st.sampled_from((("lr", None), ("transport", "tcp"), ("x", "a:b"), ("maddr", "10.0.0.9"))), max_size=3
)
URIS = st.builds(SipUri, st.sampled_from(("sip", "sips")), USERS, HOSTS, PORTS, URI_PARAMS.map(tuple), st.just(""))
ADDRESSES = st.builds(NameAddr, QUOTED, URIS.map(str), PARAMS)
VIAS = st.builds(Via, st.sampled_from(("UDP", "TCP", "TLS")), HOSTS, PORTS, PARAMS).map(
    lambda via: str(via.with_param("branch", "z9hG4bK1").with_param("rport"))
)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(lambda text: text.strip(" "))
HEADERS = st.one_of(
    st.tuples(st.sampled_from(("Route", "Record-Route", "Service-Route")), ADDRESSES.map(str)),
    st.tuples(st.just("Contact"), ADDRESSES.map(lambda one: str(one.with_uri(one.uri.replace("sips:", "sip:"))))),
    st.tuples(st.just("Via"), VIAS),
    st.tuples(st.sampled_from(("X-Own", "User-Agent", "Subject", "Date")), TEXTS),
    st.tuples(
        st.sampled_from(("Supported", "Allow", "Require")), st.lists(TOKENS, min_size=1, max_size=4).map(", ".join)
    ),
    st.tuples(
        st.just("Reason"),
        st.tuples(TOKENS, st.text("aæ <>;,", max_size=9)).map('{0[0]};text="{0[1]}"'.format),
    ),
)
SINGLE = st.one_of(
    st.tuples(st.sampled_from(("Max-Forwards", "Expires", "Min-Expires")), st.integers(0, 255).map(str)),
    st.tuples(st.just("P-Asserted-Identity"), ADDRESSES.map(str)),
    st.tuples(st.just("Content-Type"), st.just("application/sdp")),
)


@st.composite
def messages(draw: st.DrawFn) -> SipMessage:
    method = draw(st.sampled_from(("INVITE", "OPTIONS", "NOTIFY", "O!w~n")))
    needed = [
        ("Via", draw(VIAS)),
        ("From", str(draw(ADDRESSES).with_param("tag", draw(TOKENS)))),
        ("To", str(draw(ADDRESSES))),
        ("Call-ID", draw(TOKENS)),
        ("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
    ]
    headers = needed + draw(st.lists(HEADERS, max_size=5)) + draw(st.lists(SINGLE, max_size=1))
    body = draw(st.binary(max_size=40))
    if draw(st.booleans()):
        uri = str(draw(st.builds(SipUri, st.just("sip"), USERS, HOSTS, PORTS, st.just(()), st.just(""))))
        return SipMessage(method, uri, headers=headers, body=body)
    return SipMessage(method, code=draw(st.integers(100, 699)), phrase=draw(TEXTS), headers=headers, body=body)


@given(messages())
def test_a_written_message_is_read_as_it_was(message: SipMessage) -> None:
    data = write(message)
    assert parse(data) == message
    head = data.partition(b"\r\n\r\n")[0]
    assert len(re.split(rb"[\r\n]+", head)) == len(message.headers) + 2
    assert b"\0" not in head


@given(messages(), st.integers(1, 60))
def test_a_stream_gives_whole_messages_however_it_is_cut(message: SipMessage, size: int) -> None:
    one = write(message)
    stream = b"\r\n\r\n" + one + one + b"\r\n" + one
    framer = StreamFramer()
    found = [got for at in range(0, len(stream), size) for got in framer.feed(stream[at : at + size])]
    assert [got for got in found if got.strip()] == [one] * 3
    assert framer.waiting == 0


def survived(data: bytes) -> None:
    """Nothing but Malformed comes of it; and what is read comes back the same."""
    with suppress(Malformed):
        message = parse(data)
        assert parse(write(message)) == message
        for via in message.all("Via"):
            assert str(Via.parse(via)) == via
        for route in message.all("Record-Route"):
            assert str(SipUri.parse(NameAddr.parse(route).uri))
        session = SessionDescription.parse(message.body)
        assert SessionDescription.parse(session.written()) == session
        assert SessionDescription.parse(session.rewritten("127.0.0.1", 4000, 4003, 1)).media
    with suppress(Malformed):
        list(StreamFramer().feed(data))
    for kind in DTMF_TYPES:
        read_digit(kind, data)


@given(st.binary(max_size=300))
def test_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    survived(data)


def test_mutated_messages_are_read_or_refused() -> None:
    for data in mutations(list(MESSAGES.values()), 13, 3_000):
        survived(data)


@given(st.binary(max_size=200).map(lambda tail: SDP.encode()[:40] + tail))
def test_a_session_description_is_read_or_refused(data: bytes) -> None:
    with suppress(Malformed):
        session = SessionDescription.parse(data)
        assert SessionDescription.parse(session.written()) == session


_START = b"INVITE sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n"
_NAMES = (
    b"From",
    b"Via",
    b"Contact",
    b"Route",
    b"Accept",
    b"WWW-Authenticate",
    b"Replaces",
    b"Content-Type",
    b"X",
    b"Call-ID",
)
_PIECES = (
    *(
        b"a",
        b" ",
        b"a ",
        b'"',
        b"\\",
        b'\\"',
        b"<",
        b"<a>,",
        b";a",
        b";a=b",
        b"a,",
        b"sip:a@b;",
        b"sip:%s@" % (b"a" * 300),
        b"-",
        b".",
    ),
    *(b"a.", b"[", b"1", b"1.", b":", b"=", b"%41", b'"a" <', b";tag=", b"a=b, ", b"sip:a:", b"?a=b&", b"/", b"\xff"),
)
_WHOLE = (
    b"\r\n" * 30_000,
    b"INVITE " * 9_000,
    _START + b" \r\n" * 20_000 + b"\r\n\r\n",
    _START + b"a:\r\n" * 15_000 + b"\r\n",
    _START + b"a" * 65_000,
    b"SIP/2.0 200 " + b" SIP/2.0" * 8_000 + b"\r\n\r\n",
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n" + b"a=" * 30_000,
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\nm=audio 9 RTP/AVP" + b" 8" * 30_000,
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\na=candidate:" + b"1 " * 30_000,
)


def test_no_input_is_slow() -> None:
    """An ordinary message takes a twentieth of a millisecond, so one of the largest has no excuse for a thousand times that."""
    headed = (
        _START + name + b": " + piece * (8_000 // len(piece)) + b"\r\n\r\n" for name in _NAMES for piece in _PIECES
    )
    crowded = (_START + (name + b": " + b"<a>," * 2_000 + b"\r\n") * 7 + b"\r\n" for name in _NAMES)
    for data in (*headed, *crowded, *_WHOLE):
        assert len(data) <= MOST_BYTES
        began = time.process_time()
        survived(data)
        with suppress(Malformed):
            SessionDescription.parse(data)
        assert time.process_time() - began < 0.05, data[:100]
