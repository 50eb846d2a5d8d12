"""A session description (RFC 8866), read strictly and rewritten: one audio stream, its address moved to the relay.

Attributes that PJMEDIA parses have patterns. One that does not fit is left out: a slip in a detail costs no call. Other
attributes stay as they are. i=, u=, e=, p=, r=, z= and k= are left out too. Other media than audio, and a second audio, get
port 0 and no attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from softphone.edge.sip import grammar
from softphone.edge.sip.malformed import Malformed

MOST_MEDIA = 16
MOST_FORMATS = 32
MOST_ATTRIBUTES = 256
MOST_BANDWIDTHS = 4
"""PJMEDIA's own limits. It leaves out attributes beyond 68, so those may be more"""

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_RTP = frozenset(
    {"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"},
)

_TOKEN = r"[!#-'*+\-.0-9A-Z^-~]++"  # noqa: S105 - RFC 8866's token
_TEXT = r"[^\x00-\x1f\x7f]*+"
_PAYLOAD = r"(?:12[0-7]|1[01][0-9]|[1-9]?[0-9])"
_NUMBER = r"[0-9]{1,20}"
_ORIGIN = re.compile(rf"([^\x00-\x20\x7f]++) ({_NUMBER}) ({_NUMBER}) IN (IP4|IP6) ({grammar.HOST}|[0-9A-Fa-f:.]++)")
_CONNECTION = re.compile(r"IN (IP4|IP6) ([0-9A-Fa-f:.]{2,45})")
_TIME = re.compile(rf"{_NUMBER} {_NUMBER}")
_BANDWIDTH = re.compile(rf"({_TOKEN}):([0-9]{{1,9}})")
_MEDIA = re.compile(rf"({_TOKEN}) ([0-9]{{1,5}})(?:/[0-9]{{1,3}})? ({_TOKEN}(?:/{_TOKEN})*+)((?: ++{_TOKEN})*+)")
_ATTRIBUTE = re.compile(rf"({_TOKEN})(?::({_TEXT}))?")
_HEX = r"[0-9A-Fa-f]{2}"
_PARSED = {
    name: re.compile(pattern)
    for name, pattern in {
        "rtpmap": rf"{_PAYLOAD} {_TOKEN}/[1-9][0-9]{{0,6}}(?:/[1-9][0-9]?)?",
        "fmtp": rf"{_PAYLOAD} [^\x00-\x20\x7f]{_TEXT}",
        "rtcp": r"[0-9]{1,5}(?: IN IP[46] [0-9A-Fa-f:.]{2,45})?",
        "rtcp-fb": rf"(?:\*|{_PAYLOAD}) {_TOKEN}(?: {_TEXT})?",
        "ssrc": rf"[0-9]{{1,10}} {_TOKEN}(?::{_TEXT})?",
        "ptime": r"[0-9]{1,4}(?:\.[0-9]{1,3})?",
        "maxptime": r"[0-9]{1,4}(?:\.[0-9]{1,3})?",
        "crypto": rf"[0-9]{{1,9}} {_TOKEN} inline:[A-Za-z0-9+/=]{{1,128}}[^\x00-\x20\x7f]{{0,128}}(?: {_TEXT})?",
        "candidate": r"[A-Za-z0-9+/]{1,32} [1-9][0-9]{0,2} [A-Za-z\-]{1,16} [0-9]{1,10} [0-9A-Fa-f:.]{2,45} [0-9]{1,5}"
        rf" typ [a-z]{{1,8}}(?: {_TEXT})?",
        "ice-ufrag": r"[A-Za-z0-9+/]{4,256}",
        "ice-pwd": r"[A-Za-z0-9+/]{22,256}",
        "fingerprint": rf"[A-Za-z0-9\-]{{1,16}} {_HEX}(?::{_HEX}){{15,63}}",
        "setup": r"active|passive|actpass|holdconn",
        "mid": rf"{_TOKEN}",
        "record": r"on|off|paused",
        "recordpref": r"on|off|pause|nopreference",
        **dict.fromkeys((*DIRECTIONS, "rtcp-mux", "rtcp-rsize", "ice-lite"), ""),
    }.items()
}
_NUMBERS = 2**32
"""PJMEDIA refuses a session id of 64 bits, which browsers write"""
_ICE = frozenset({"ice-ufrag", "ice-pwd", "ice-lite", "ice-options", "ice-mismatch", "candidate", "remote-candidates"})
_MOVED = _ICE | {"rtcp", "rtcp-mux", "end-of-candidates"}
"""the relay always has a port for RTCP beside RTP's; ICE is between it and the other side alone"""

_SPACES = re.compile(r" {2,}")
_WITH_ADDRESS = frozenset({"rtcp", "candidate"})
_ADDRESSES = re.compile(r"(?<= )[0-9A-Fa-f.]*+[:.][0-9A-Fa-f:.]++(?= |$)")
_TEXT_LINE = re.compile(_TEXT)

Attribute = tuple[str, str | None]


@dataclass(slots=True)
class Media:
    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str = ""
    """of its own c= line, if it has one"""
    bandwidths: list[str] = field(default_factory=list[str])
    attributes: list[Attribute] = field(default_factory=list[Attribute])

    def values(self, attribute: str) -> list[str]:
        return [value or "" for name, value in self.attributes if name == attribute]


@dataclass(slots=True)
class SessionDescription:
    user: str
    session: str
    version: int
    host: str
    """of o=, as it came"""
    name: str = "-"
    address: str = ""
    time: str = "0 0"
    bandwidths: list[str] = field(default_factory=list[str])
    attributes: list[Attribute] = field(default_factory=list[Attribute])
    media: list[Media] = field(default_factory=list[Media])

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """Raises Malformed `sdp`."""
        try:
            return _read(body)
        except ValueError:
            raise Malformed("sdp") from None

    @property
    def audio(self) -> Media | None:
        """The one that a call has: the first by RTP that is not refused, else the first."""
        ours = [one for one in self.media if one.kind == "audio" and one.protocol in _RTP]
        return next((one for one in ours if one.port), ours[0] if ours else None)

    def audio_address(self) -> tuple[str, int] | None:
        """Where the other side wants its RTP; None if it wants none (no audio, port 0, held by 0.0.0.0)."""
        audio = self.audio
        if audio is None or not audio.port:
            return None
        host = audio.address or self.address
        return None if not host or ip_address(host).is_unspecified else (host, audio.port)

    def rtcp_address(self) -> tuple[str, int] | None:
        """Where it wants RTCP: by a=rtcp (RFC 3605), or the port above RTP's.

        `rewritten` leaves rtcp-mux out, so neither side ever agrees to it.
        """
        address, audio = self.audio_address(), self.audio
        if address is None or audio is None:
            return None
        said = next(iter(audio.values("rtcp")), "").split(" ")
        if said[0] and 0 < int(said[0]) <= 65_535:
            return (said[-1] if len(said) > 1 else address[0]), int(said[0])
        return address[0], min(address[1] + 1, 65_535)

    @property
    def direction(self) -> str:
        """As its sender says: `sendonly` means that the sender holds. So does 0.0.0.0 (RFC 2543)."""
        audio = self.audio
        of_audio = audio.attributes if audio else []
        said = next((name for name, _ in (*of_audio, *self.attributes) if name in DIRECTIONS), "sendrecv")
        if audio is None or not audio.port:
            return "inactive"
        if self.audio_address() is None:
            return {"sendrecv": "sendonly", "recvonly": "inactive"}.get(said, said)
        return said

    @property
    def held(self) -> bool:
        """The sender of this takes no sound."""
        return self.direction in {"sendonly", "inactive"}

    def payload_types(self, encoding: str) -> tuple[int, ...]:
        """The audio's formats of that name, as `telephone-event` or `CN`, in any case."""
        audio = self.audio
        if audio is None:
            return ()
        named = {
            int(payload)
            for payload, _, name in (value.partition(" ") for value in audio.values("rtpmap"))
            if name.partition("/")[0].lower() == encoding.lower()
        }
        if encoding.upper() == "CN":
            named.add(13)
        return tuple(int(one) for one in audio.formats if int(one) in named)

    @property
    def telephone_events(self) -> tuple[int, ...]:
        return self.payload_types("telephone-event")

    def ice(self) -> tuple[str, str, tuple[str, ...], bool] | None:
        """Of audio by ICE (RFC 8839): ufrag, password, candidates, whether it is *lite*. None without, or where the address
        that it names is none of its candidates: somebody on the way has changed one of them and not the other."""
        audio, place = self.audio, self.audio_address()
        if audio is None or place is None:
            return None
        ufrag, password = (
            next((one for part in (audio, self) for name, one in part.attributes if name == wanted and one), "")
            for wanted in ("ice-ufrag", "ice-pwd")
        )
        candidates = tuple(audio.values("candidate"))
        named = {(one.split(" ")[4], one.split(" ")[5]) for one in candidates if one.split(" ")[1] == "1"}
        if not ufrag or not password or (place[0], str(place[1])) not in named:
            return None
        return ufrag, password, candidates, any(name == "ice-lite" for name, _ in self.attributes)

    def cnames(self) -> frozenset[str]:
        """RFC 5576."""
        said = (value.partition(" ")[2] for value in (self.audio.values("ssrc") if self.audio else ()))
        return frozenset(one.partition(":")[2] for one in said if one.startswith("cname:"))

    def drop_keys(self) -> None:
        """Of SRTP (RFC 4568), which whoever reads the message would have."""
        for part in (self, *self.media):
            part.attributes = [one for one in part.attributes if one[0] != "crypto"]

    def rewritten(
        self, host: str, port: int, rtcp_port: int, version_step: int = 0, more: Iterable[Attribute] = ()
    ) -> bytes:
        """Rewritten, with the audio at the relay; a hold by 0.0.0.0 or port 0 stays one. `more`: attributes of the audio's."""
        audio = self.audio
        held = audio is not None and audio.port != 0 and self.audio_address() is None
        here = ("::" if ":" in host else "0.0.0.0") if held else host  # noqa: S104 - an address in SDP, nothing is bound
        version = (self.version + version_step) % _NUMBERS
        moved = SessionDescription(self.user, str(int(self.session) % _NUMBERS), version, host, self.name, here)
        moved.bandwidths, moved.attributes = self.bandwidths, [one for one in self.attributes if one[0] not in _MOVED]
        for one in self.media:
            there = Media(one.kind, 0, one.protocol, one.formats)
            if one is audio:
                there.port = port if one.port else 0
                there.bandwidths = one.bandwidths
                there.attributes = [kept for kept in one.attributes if kept[0] not in _MOVED]
                if rtcp_port != port + 1 or one.values("rtcp"):
                    there.attributes.append(("rtcp", f"{rtcp_port} IN {_family(host)} {host}"))
                there.attributes += more
            moved.media.append(there)
        return moved.written()

    def written(self) -> bytes:
        lines = ["v=0", f"o={self.user} {self.session} {self.version} IN {_family(self.host)} {self.host}"]
        lines.append(f"s={self.name}")
        lines += _tail(self.address, self.bandwidths, (), self.time)
        lines += _tail("", (), self.attributes)
        for one in self.media:
            lines.append(f"m={one.kind} {one.port} {one.protocol} {' '.join(one.formats)}")
            lines += _tail(one.address, one.bandwidths, one.attributes)
        return "".join(f"{line}\r\n" for line in lines).encode()


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _tail(
    address: str,
    bandwidths: tuple[str, ...] | list[str],
    attributes: tuple[Attribute, ...] | list[Attribute],
    time: str = "",
) -> list[str]:
    return [
        *([f"c=IN {_family(address)} {address}"] if address else ()),
        *(f"b={one}" for one in bandwidths),
        *([f"t={time}"] if time else ()),
        *(f"a={name}" if value is None else f"a={name}:{value}" for name, value in attributes),
    ]


def _read(body: bytes) -> SessionDescription:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0].rstrip(" ") != "v=0" or len(lines) < 2 or not lines[1].startswith("o="):
        raise ValueError("no v= and o=")
    origin = _matched(_ORIGIN, lines[1][2:].rstrip(" "))
    session = SessionDescription(origin[1], origin[2], int(origin[3]), origin[5])
    part: SessionDescription | Media = session
    seen: set[str] = set()
    for line in lines[2:]:
        kind, value = line[:2], line[2:]
        match kind:
            case "m=":
                part = _media(value)
                session.media.append(part)
                seen.clear()
                continue
            case "a=":
                attribute = _attribute(value)
                part.attributes += [attribute] if attribute else []
                continue
            case "b=":
                part.bandwidths += [value] if _BANDWIDTH.fullmatch(value := value.rstrip(" ")) else []
                continue
            case "c=":
                part.address = part.address or _address(value)
                continue
            case "s=" if part is session and kind not in seen:
                session.name = _matched(_TEXT_LINE, value)[0].strip(" ") or "-"
            case "t=":
                if part is session and kind not in seen:
                    session.time = _matched(_TIME, value.rstrip(" "))[0]
                elif part is not session:
                    raise ValueError("t= of a medium")
            case "i=" | "u=" | "e=" | "p=" | "r=" | "z=" | "k=":
                _matched(_TEXT_LINE, value)
            case _:
                raise ValueError("no such line")
        seen.add(kind)
    _bounded(session)
    return session


def _bounded(session: SessionDescription) -> None:
    if len(session.media) > MOST_MEDIA or not session.media:
        raise ValueError("media")
    for part in (session, *session.media):
        if len(part.attributes) > MOST_ATTRIBUTES or len(part.bandwidths) > MOST_BANDWIDTHS:
            raise ValueError("too many lines")


def _matched(pattern: re.Pattern[str], value: str) -> re.Match[str]:
    found = pattern.fullmatch(value)
    if not found:
        raise ValueError("a line")
    return found


def _media(value: str) -> Media:
    kind, port, protocol, formats = _matched(_MEDIA, value.rstrip(" ")).groups()
    each = tuple(formats.split()) or ("0",)
    if not formats and int(port):
        raise ValueError("no format of a medium that is there")
    if int(port) > 65_535 or len(each) > MOST_FORMATS:
        raise ValueError("m=")
    if protocol in _RTP and not all(re.fullmatch(_PAYLOAD, one) for one in each):
        raise ValueError("payload types")
    return Media(kind, int(port), protocol, each)


def _address(value: str) -> str:
    """An address of c=: a name would be looked up, and multicast is not a call."""
    family, host = _matched(_CONNECTION, value.rstrip(" ")).groups()
    address = ip_address(host)
    if address.version != int(family[-1]) or address.is_multicast:
        raise ValueError("c=")
    return host


def _attribute(text: str) -> Attribute | None:
    if not _TEXT_LINE.fullmatch(text):
        raise ValueError("a=")
    found = _ATTRIBUTE.fullmatch(text.rstrip(" "))
    if not found:
        return None
    name, value = found.groups()
    pattern = _PARSED.get(name)
    if pattern is not None:
        value = _SPACES.sub(" ", value or "")
        if not pattern.fullmatch(value) or (
            name in _WITH_ADDRESS and not all(_is_address(one) for one in _ADDRESSES.findall(value))
        ):
            return None
    return name, value or None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
