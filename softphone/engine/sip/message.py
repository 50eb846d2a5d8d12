"""What the phone itself reads from a SIP message and its SDP: who called, and RFC 7866's attributes.

PJSIP has parsed and accepted the message before. This reads a few fields of its text and never raises on what it does not
understand. It is not a SIP stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from softphone.domain.ending import Said, read_said
from softphone.engine.sip.events import Headers, PeerRecordingState, RecordWish

_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}

# Credentials never leave the SIP layer; nothing above it needs routing and framing.
_KEPT_BACK = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "via",
        "route",
        "record-route",
        "max-forwards",
        "content-length",
        "cseq",
    }
)

_NAME_ADDR = re.compile(r'^\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^<"]*?))\s*<(?P<uri>[^>]*)>')
_RECORD = re.compile(r"^a=record:(on|off|paused)\s*$", re.MULTILINE)
_KEYS = re.compile(r"^a=rtpmap:\d+ telephone-event/", re.MULTILINE | re.IGNORECASE)
_PREFERENCE = re.compile(r"^a=recordpref:(on|off|pause|nopreference)\s*$", re.MULTILINE)

_TAG = re.compile(r"^(From|To|f|t)[ \t]*:[^\r\n]*?;[ \t]*tag=([^;\s]+)", re.MULTILINE | re.IGNORECASE)
_NATIONAL = 8
"""the fewest digits of a number without its country"""
MOST_WORDS = 128
"""the most characters of a name, a user or a reason: those of two hundred calls fit into one line to the desk"""
MOST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class Message:
    start_line: str
    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    user: str
    host: str


def mended(text: str, most: int = MOST_WORDS) -> str:
    """Text from the wire, fit to be shown, stored and passed on; at most `most` characters.

    pjsua2 hands over a byte that is not UTF-8 as a lone surrogate (PEP 383). It is read as Latin-1, in which older exchanges
    write names. White space becomes a space. Other invisible characters, such as those that turn the writing's direction,
    are left out.
    """
    signs = (chr(ord(sign) - 0xDC00) if "\udc80" <= sign <= "\udcff" else sign for sign in text[:most])
    return "".join(" " if sign.isspace() else sign for sign in signs if sign.isspace() or sign.isprintable())


def parse_message(text: str) -> Message:
    """Split a received SIP message. Folded lines are joined, compact names spelt out, values cleaned; the body stays as it
    was."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    start_line, _, rest = head.partition("\n")
    fields: dict[str, tuple[str, ...]] = {}
    for line in re.sub(r"\n[ \t]+", " ", rest).split("\n"):
        name, colon, value = line.partition(":")
        key = mended(name).strip().lower()
        key = _COMPACT.get(key, key)
        if colon and key not in _KEPT_BACK:
            fields[key] = (*fields.get(key, ()), mended(value, MOST_HEADER).strip())
    return Message(start_line.strip(), Headers(fields), body)


def parse_address(value: str) -> Address:
    """A From, To or Contact value, or a bare URI; sip, sips and tel (RFC 3261 25.1, RFC 3966)."""
    matched = _NAME_ADDR.match(value)
    if matched:
        quoted = cast("str | None", matched["quoted"])
        plain = cast("str | None", matched["plain"])
        name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").strip()
        uri = cast("str", matched["uri"])
    else:
        name, uri = "", value.split(";")[0]
    scheme, colon, rest = uri.strip().partition(":")
    if not colon:
        scheme, rest = "sip", uri.strip()
    if scheme.lower() == "tel":
        return _address(name, rest.split(";")[0], "")
    user, at, host = rest.rpartition("@")
    # To be shown; what a policy goes by is `called_as`.
    user = user.split(":")[0].split(";")[0] if at else ""
    return _address(name, user, re.split(r"[;?]", host)[0])


def _address(name: str, user: str, host: str) -> Address:
    """Cleaned last: an escaped byte of the user (RFC 3261 19.1.2) can be any."""
    return Address(mended(name), mended(unquote(user, errors="surrogateescape")), mended(host))


def caller(headers: Headers) -> Address:
    """Who calls, by From; an anonymous caller (RFC 3323) has neither name nor number."""
    address = parse_address(headers.get("from", ""))
    if address.user.lower() == "anonymous" or address.host.lower().endswith("anonymous.invalid"):
        return Address("", "", address.host)
    return address


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a message, by its own word and by its network's; each empty if it is not given. Only who: an address may
    change while the party stays."""

    claimed: str = ""
    asserted: str = ""

    def after(self, before: Identity) -> Identity:
        """What is known now: what a message leaves out has not changed."""
        return Identity(self.claimed or before.claimed, self.asserted or before.asserted)

    def is_another(self, before: Identity) -> bool:
        """If nothing was vouched for before, the new word may be about the same person."""
        known = before.asserted or before.claimed
        return _differ(self.claimed, before.claimed) or _differ(self.asserted, known)


def identity_of(message: Message) -> Identity:
    """Of From, in a request (RFC 4916), and of P-Asserted-Identity (RFC 3325). From of an answer is our own."""
    said = "" if message.start_line.startswith("SIP/2.0 ") else caller(message.headers).user
    asserted = (parse_address(one).user for one in message.headers.all_of("p-asserted-identity"))
    return Identity(said, next((one for one in asserted if one), ""))


def _differ(one: str, other: str) -> bool:
    """A number is the same with and without its country."""
    one, other = (re.sub(r"[^\w]", "", name).lower() for name in (one, other))
    numbers = one.isdecimal() and other.isdecimal() and min(len(one), len(other)) >= _NATIONAL
    return bool(one and other) and not (one == other or (numbers and one[-_NATIONAL:] == other[-_NATIONAL:]))


def said_in(message: Message) -> Said:
    return read_said(message.headers.all_of("reason"), message.headers.get("retry-after", ""))


def called(message: Message) -> str:
    """The user part that was dialled: of To, else of the request line."""
    by_to = parse_address(message.headers.get("to", "")).user
    if by_to:
        return by_to
    return parse_address(_requested(message)).user


def called_as(message: Message) -> str:
    """The URI of `called` as it came, with all its parameters: they may say that it is not the exchange's own."""
    to = message.headers.get("to", "")
    if not parse_address(to).user:
        return _requested(message)
    matched = _NAME_ADDR.match(to)
    return cast("str", matched["uri"]).strip() if matched else to.split(";")[0].strip()


def _requested(message: Message) -> str:
    parts = message.start_line.split()
    return parts[1] if len(parts) > 1 else ""


def is_record_aware(headers: Headers) -> bool:
    """RFC 7866 section 6.2: the option tag in Supported (or Require)."""
    tokens = ",".join((*headers.all_of("supported"), *headers.all_of("require")))
    return "record-aware" in {token.strip().lower() for token in tokens.split(",")}


def record_preference(sdp: str) -> RecordWish | None:
    """RFC 7866 section 7.2: what the peer would like; None if it says nothing."""
    return cast("RecordWish | None", _said_of_audio(_PREFERENCE, sdp))


def record_state(sdp: str) -> PeerRecordingState | None:
    """RFC 7866 section 7.1."""
    return cast("PeerRecordingState | None", _said_of_audio(_RECORD, sdp))


def sends_keys(sdp: str) -> bool | None:
    """Whether the audio's section names telephone-event (RFC 4733); None without such a section."""
    audio = [part for part in re.split(r"^(?=m=)", sdp, flags=re.MULTILINE) if part.startswith("m=audio")]
    return any(_KEYS.search(part) for part in audio) if audio else None


def _said_of_audio(attribute: re.Pattern[str], sdp: str) -> str | None:
    """What the audio's own section says, else what the session says for all."""
    session, *sections = re.split(r"^(?=m=)", sdp.replace("\r", ""), flags=re.MULTILINE)
    for section in (*(part for part in sections if part.startswith("m=audio")), session):
        found = cast("list[str]", attribute.findall(section))
        if found:
            return found[-1]
    return None


def with_attributes(sdp: str, attributes: tuple[str, ...]) -> str:
    """The SDP with attributes added to its last, here its only, media description."""
    if not attributes:
        return sdp
    return sdp.rstrip("\r\n") + "".join(f"\r\na={attribute}" for attribute in attributes) + "\r\n"


def tags_in(text: str) -> tuple[str, str] | None:
    """Ours and theirs, of a message of theirs in a dialog; None while one of them is missing."""
    found = {name[0].lower(): tag for name, tag in _TAG.findall(text.partition("\r\n\r\n")[0])}
    if len(found) != 2:
        return None
    return (found["f"], found["t"]) if text.startswith("SIP/2.0 ") else (found["t"], found["f"])


def host_of(address: str) -> str:
    """The host of `host:port`, with IPv6 in brackets or not."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rsplit(":", 1)[0] if address.count(":") == 1 else address
