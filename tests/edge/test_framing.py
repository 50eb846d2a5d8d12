"""Messages out of a stream, its limits, and digits out of a body."""

from __future__ import annotations

import pytest

from softphone.edge.sip.dtmf import read_digit
from softphone.edge.sip.framing import PING, PONG, StreamFramer
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.reading import MOST_BYTES, MOST_HEADER, MOST_HEADERS, parse

MESSAGE = b"OPTIONS sip:a@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2\r\nl :\r\n 4\r\n\r\nbody"


def test_messages_and_keep_alives_come_out_in_their_order() -> None:
    framer = StreamFramer()
    assert list(framer.feed(PING + MESSAGE + PONG + MESSAGE[:20])) == [PING, MESSAGE, PONG]
    assert framer.waiting == 20
    assert list(framer.feed(MESSAGE[20:])) == [MESSAGE]


@pytest.mark.parametrize(
    "broken",
    [
        MESSAGE.replace(b"l :", b"X:"),
        MESSAGE.replace(b"l :", b"Content-Length: 5\r\nl :"),
        MESSAGE.replace(b"l :", b"Content-Length: x\r\nl :"),
        MESSAGE.replace(b" 4", b" -4"),
        MESSAGE.replace(b" 4", b" 4x"),
        MESSAGE.replace(b" 4", b" 65536"),
        MESSAGE.replace(b"Via", b"X" * MOST_BYTES),
        b"\rX",
        b"\nX",
    ],
    ids=[
        "none",
        "two",
        "two, one unreadable",
        "negative",
        "no number",
        "too long",
        "endless head",
        "half a line end",
        "line feed",
    ],
)
def test_a_stream_is_at_its_end_where_the_next_message_cannot_be_found(broken: bytes) -> None:
    found: list[bytes] = []
    with pytest.raises(Malformed):
        found.extend(StreamFramer().feed(broken))
    framer = StreamFramer()
    feed = framer.feed(MESSAGE + broken)
    assert next(feed) == MESSAGE, "what came before the fault is given out"
    with pytest.raises(Malformed):
        list(feed)


def test_a_message_that_never_ends_takes_no_more_than_one_message_may() -> None:
    framer = StreamFramer()
    piece = b"OPTIONS " * 100
    while framer.waiting + len(piece) < MOST_BYTES:
        assert list(framer.feed(piece)) == []
    with pytest.raises(Malformed):
        list(framer.feed(piece))


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"X: a\r\n" * MOST_HEADERS, 513),
        (b"X: %s\r\n" % (b"a" * MOST_HEADER), 513),
        (b"Record-Route: <sip:10.0.0.1;lr>\r\n" * 17, 400),
        (b"Subject: %s\r\n" % (b"a" * MOST_BYTES), 513),
    ],
    ids=["headers", "header", "routes", "bytes"],
)
def test_a_message_has_its_limits(more: bytes, status: int) -> None:
    with pytest.raises(Malformed) as refused:
        parse(MESSAGE.replace(b"l :", more + b"l :"))
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal=5", "5"),
        ("application/dtmf-relay; charset=utf-8", b"Duration = 250\nSignal = *\n", "*"),
        ("Application/DTMF-Relay", b"signal= 11\r\nduration= 40\r\n\r\n", "#"),
        ("application/dtmf-relay", b"Signal=d\r\n", "D"),
        ("application/dtmf", b"7\r\n", "7"),
        ("application/dtmf", b"10", "*"),
        ("application/dtmf-relay", b"Signal=1\r\nSignal=2\r\n", None),
        ("application/dtmf-relay", b"Signal=16\r\n", None),
        ("application/dtmf-relay", b"Duration=160\r\n", None),
        ("application/dtmf-relay", b"Signal=5\0\r\n", None),
        ("application/dtmf", b"", None),
        ("application/dtmf", b"55", None),
        ("text/plain", b"5", None),
    ],
)
def test_a_digit_of_an_info_with_a_line_end_or_without(kind: str, body: bytes, digit: str | None) -> None:
    assert read_digit(kind, body) == digit
