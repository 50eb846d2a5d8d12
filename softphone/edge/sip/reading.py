"""A SIP message, read strictly and rewritten: pjsua2 reads what `write` then makes of it, never the bytes that came.

`parse` takes what RFC 3261's grammar allows of all that PJSIP will parse, and raises Malformed for the rest. It knows no
transaction and no dialog, and resolves nothing.
"""

from __future__ import annotations

import re
from collections import Counter

from softphone.edge.sip import body as bodies
from softphone.edge.sip import grammar, headers
from softphone.edge.sip.malformed import Malformed
from softphone.edge.sip.message import SipMessage

MOST_BYTES = 65_536
MOST_HEADERS = 100
MOST_HEADER = 8_192
"""characters"""

_REQUEST = re.compile(rf"({grammar.TOKEN}) ([!-~]++) SIP/2\.0", re.IGNORECASE | re.ASCII)
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ([^\x00-\x1f\x7f]*+)", re.IGNORECASE | re.ASCII)
_OTHER_VERSION = re.compile(rf"{grammar.TOKEN} [!-~]++ SIP/[0-9]++\.[0-9]++", re.IGNORECASE | re.ASCII)
_METHOD = re.compile(rf"({grammar.TOKEN}) ")
_REQUEST_URI = re.compile(rf"{grammar.SIP_URI}|{grammar.TEL_URI}")
_OTHER_SCHEME = re.compile(rf"(?!(?ai:sips?|tel):){grammar.ANY_URI}")
_OF_REGISTER = re.compile(r"(?ai:cseq) *+: *+[0-9]++ ++REGISTER *+")
_FOLD = re.compile(r"\r\n +")
_NEEDED = ("Via", "From", "To", "Call-ID", "CSeq")
_CREDENTIALS = frozenset({"WWW-Authenticate", "Proxy-Authenticate", "Authorization", "Proxy-Authorization"})
"""Only Digest goes on: PJSIP drops a whole message with another scheme, though a registrar may offer both."""
_ANSWERED = frozenset({"Via", "From", "To", "Call-ID", "CSeq", "Record-Route"})
_ASKED = frozenset({"From", "To", "Call-ID", "CSeq", "Record-Route", "Contact"})
MOST_ECHOED = 2_900
"""Characters that pjsua2 has to repeat in an answer or a request of its own, beside its own text. It has 4000 bytes, and
aborts if an ACK does not fit."""


def parse(data: bytes, *, bounded: bool = True, secure: bool = False) -> SipMessage:
    """One whole message from a datagram or a framer; what follows its Content-Length is dropped. Raises Malformed.

    `bounded` is off for pjsua2's own: it repeats what was let in, beside the edge's own Via and route. `secure`: it came by
    TLS, so a Contact may be a `sips` address, which pjsua2 must not get.
    """
    if len(data) > MOST_BYTES:
        raise Malformed("too_long", 513)
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        raise Malformed("no_end")
    lines = _text(head.lstrip(b"\r\n")).split("\r\n")
    if len(lines) > MOST_HEADERS + 1:
        raise Malformed("too_many_headers", 513)
    message, fault = _start(lines[0])
    length = -1
    count: Counter[str] = Counter()
    raw: dict[str, str] = {}
    for line in lines[1:]:
        try:
            name, colon, value = line.partition(":")
            if not colon:
                raise Malformed("header")
            name = headers.canonical(name)
            value = value.strip(" ")
            raw.setdefault(name, value)
            if len(line) > MOST_HEADER:
                raise Malformed("header_too_long", 513)
            count[name] += 1
            if name == "Content-Length":
                length = _length(value, count[name], len(body))
                continue
            if fault and name not in _NEEDED:
                continue
            rule = headers.RULES.get(name)
            if rule is None:
                if not grammar.TEXT.fullmatch(value):
                    raise Malformed("header_text")
                message.headers.append((name, value))
                continue
            if name == "Contact":
                rule = _contact_rule(message, lines, secure)
            try:
                found = headers.values(name, rule, value, bounded=bounded)
            except Malformed:
                if name in headers.LEFT_OUT:
                    continue
                raise
            if name in _CREDENTIALS and found[0][:7].lower() != "digest ":
                continue
            count[name] += len(found) - 1
            if count[name] > rule.most and (bounded or rule.most == 1):
                raise Malformed(name)
            message.headers += [(name, one) for one in found]
        except Malformed as error:
            fault = fault or error
    message.body = body if length < 0 else body[:length]
    fault = fault or _incomplete(message, count, bounded=bounded)
    if fault:
        raise Malformed(fault.reason, fault.status, _answerable(message, raw))
    kind = message.get("Content-Type")
    if kind is not None and kind[:10].lower() == "multipart/":
        _unwrap(message, kind)
    return message


def _unwrap(message: SipMessage, kind: str) -> None:
    """PJSIP parses every part of a multipart body; a phone needs only the session description."""
    found = bodies.session_description(kind, message.body)
    message.body = found or b""
    if found is None:
        message.remove("Content-Type")
    else:
        message.set_first("Content-Type", "application/sdp")


def _text(head: bytes) -> str:
    """Joins folded lines. Bytes that are not UTF-8 are read as Latin-1, in which older exchanges write names."""
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode(errors="surrogateescape")
        text = "".join(chr(ord(sign) - 0xDC00) if "\udc80" <= sign <= "\udcff" else sign for sign in text)
    text = text.replace("\t", " ")
    if "\r\n " in text:
        text = _FOLD.sub(" ", text)
    lines = text.count("\r\n")
    if not text.count("\r") == text.count("\n") == lines:
        raise Malformed("line_end")
    return text


def _start(line: str) -> tuple[SipMessage, Malformed | None]:
    if answered := _RESPONSE.fullmatch(line):
        return SipMessage("", code=int(answered[1]), phrase=answered[2]), None
    asked = _REQUEST.fullmatch(line)
    if not asked:
        if _OTHER_VERSION.fullmatch(line):
            method, uri, _ = line.split(" ")
            return SipMessage(method, uri), Malformed("version", 505)
        if line.rstrip(" ").upper().endswith(" SIP/2.0") and (almost := _METHOD.match(line)):
            return SipMessage(almost[1]), Malformed("start_line")
        raise Malformed("start_line")
    message = SipMessage(asked[1], asked[2])
    if _REQUEST_URI.fullmatch(asked[2]) and grammar.brackets_hold_addresses(asked[2]):
        return message, None
    return message, Malformed("scheme", 416) if _OTHER_SCHEME.fullmatch(asked[2]) else Malformed("request_uri")


def _length(value: str, times: int, bytes_there: int) -> int:
    if times > 1 or not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > bytes_there:
        raise Malformed("Content-Length")
    return int(value)


def _contact_rule(message: SipMessage, lines: list[str], secure: bool) -> headers.Rule:
    in_dialog = headers.SECURE_CONTACT if secure else headers.CONTACT
    if message.is_request:
        return headers.BINDING if message.method == "REGISTER" else in_dialog
    if 300 <= message.code < 400 or message.code == 485:
        return headers.ELSEWHERE
    registrar = any(_OF_REGISTER.fullmatch(line) for line in lines)
    return headers.ELSEWHERE if registrar else in_dialog


def _incomplete(message: SipMessage, count: Counter[str], *, bounded: bool) -> Malformed | None:
    for name in _NEEDED:
        if not count[name]:
            return Malformed(f"no {name}")
    method = (message.get("CSeq") or "").partition(" ")[2]
    if message.is_request and message.method != method:
        return Malformed("CSeq")
    message.method = method
    if bounded and method != "REGISTER" and any(_size(message, echoed) > MOST_ECHOED for echoed in (_ANSWERED, _ASKED)):
        return Malformed("too_long", 513)
    return None


def _size(message: SipMessage, names: frozenset[str]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in message.headers if name in names)


def _answerable(message: SipMessage, raw: dict[str, str]) -> SipMessage | None:
    """What an answer to the message needs, and nothing else. `raw` holds the first value of each header."""
    read = {name: value for name, value in reversed(message.headers) if name in _NEEDED}
    if "Via" not in read:
        return None
    kept = [one for one in message.headers if one[0] == "Via"]
    for name in _NEEDED[1:]:
        value = read.get(name) or (raw.get(name, "") if message.is_request else "")
        if value and grammar.TEXT.fullmatch(value):
            kept.append((name, value))
        elif message.is_request:
            return None
    method = message.method or dict(kept).get("CSeq", "").partition(" ")[2]
    return SipMessage(method, message.uri, message.code, message.phrase, kept)
