"""Messages with something wrong in them, the same for the same seed: bytes, values and headers changed, repeated, exchanged."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from softphone.edge.sip.framing import StreamFramer
from softphone.edge.sip.malformed import Malformed

BAD = (
    *(
        b"<sip:p@[]>",
        b"<sip:>",
        b"<http://x>",
        b"<tel:+4533445566>",
        b"[]",
        b"[::1]",
        b";hide",
        b";lr",
        b";maddr=[]",
        b"*",
        b"<>",
        b'"',
    ),
    *(
        b"\\",
        b"%00",
        b"%",
        b"\0",
        b"\r",
        b"\n",
        b"\r\n ",
        b"\t",
        b"\xff",
        "é".encode(),
        b",",
        b";",
        b"=",
        b"@",
        b":",
        b"?",
        b"/",
        b" ",
    ),
    *(
        b"0",
        b"-1",
        b"4294967295",
        b"4294967296",
        b"99999999999999999999",
        b"2147483647",
        b"a" * 130,
        b"x" * 600,
        b";a=b" * 40,
    ),
    *(
        b"Digest",
        b"100rel",
        b"application/dtmf-relay",
        b"multipart/mixed;boundary=b",
        b"gzip",
        b"INVITE",
        b"CANCEL",
        b"SIP/2.0 200 OK",
    ),
)
_VALUE = re.compile(rb"(?<=: )[^\r]*")
_NUMBER = re.compile(rb"[0-9]+")


def mutations(messages: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(count):
        data = chance.choice(messages)
        for _ in range(chance.choice((1, 1, 1, 1, 2, 3))):
            data = chance.choice(_WAYS)(data, chance, messages)
        yield _length(data) if chance.random() < 0.8 else data


def _byte(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 1, 2, 5, 20)) :] or data


def _insert(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.choice(BAD) + data[at:]


def _value(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    """A header's value, or a part of it."""
    found = list(_VALUE.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    start = one.start() if chance.random() < 0.5 else chance.randint(one.start(), one.end())
    end = one.end() if chance.random() < 0.5 else chance.randint(start, one.end())
    return data[:start] + chance.choice(BAD) + data[end:]


def _number(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    return (
        data[: one.start()] + chance.choice((b"", b"0", b"65536", b"4294967295", b"9" * 20, b"-5")) + data[one.end() :]
    )


def _lines(data: bytes, chance: random.Random, messages: Sequence[bytes]) -> bytes:
    """A line gone, many times, elsewhere, or from another message."""
    lines = data.split(b"\r\n")
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines[at:at] = [lines[at]] * chance.choice((1, 2, 20, 70))
        case 2:
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
        case _:
            lines.insert(at, chance.choice(chance.choice(messages).split(b"\r\n")))
    return b"\r\n".join(lines)


def _length(data: bytes) -> bytes:
    """Content-Length put right again, so that the body is read too."""
    head, end, body = data.partition(b"\r\n\r\n")
    return re.sub(rb"(?i)(\r\n(?:content-length|l)\s*:\s*)[^\r]*", rb"\g<1>%d" % len(body), head) + end + body


def _exchange(data: bytes, chance: random.Random, messages: Sequence[bytes]) -> bytes:
    """A header as another message has it."""
    lines = data.split(b"\r\n")
    others = {line.partition(b":")[0]: line for line in chance.choice(messages).split(b"\r\n") if b":" in line}
    both = [at for at, line in enumerate(lines) if line.partition(b":")[0] in others]
    if both:
        at = chance.choice(both)
        lines[at] = others[lines[at].partition(b":")[0]]
    return b"\r\n".join(lines)


_WAYS = (_byte, _cut, _insert, _value, _value, _value, _number, _lines, _lines, _exchange, _exchange, _exchange)


def framed(data: bytes) -> bytes:
    """The same message where it ends as it says, so that a stream goes on behind it; else nothing."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not re.match(rb"(content-length|l)[ \t]*:", line, re.IGNORECASE)]
    whole = b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + end + body
    with suppress(Malformed):
        if end and list(StreamFramer().feed(whole)) == [whole]:
            return whole
    return b""
