"""How the messages of RFC 4475 are written down here: line by line, CRLF put in, and the SDP that most of them share."""


def text(lines: str) -> bytes:
    return lines.removeprefix("\n").encode().replace(b"\n", b"\r\n")


def sip(head: str, body: bytes = b"") -> bytes:
    return text(head) + b"\r\n" + body


def sdp(origin: str, *, connection: str = "", time: str = "0 0") -> bytes:
    return text(
        f"""
v=0
o=mhandley 29739 7272939 IN IP4 {origin}
s=-
c=IN IP4 {connection or origin}
t={time}
m=audio 49217 RTP/AVP 0 12
m=video 3227 RTP/AVP 31
a=rtpmap:31 LPC
"""
    )
