"""What a phone and an account need to know before they start. Values only; nothing here calls SIP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from softphone.wire.snapshot import Srtp

Transport = Literal["udp", "tcp", "tls"]

CLOCK_RATE = 16_000
"""samples a second of all sound in this program"""
FRAME_MS = 20

CODEC_ORDER = ("G722/16000/1", "PCMA/8000/1", "PCMU/8000/1")


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """Where the phone listens. Port 0 takes a free one, the same for UDP and TCP if possible.

    `address` is a local IP address; empty means every interface. A phone that is `record_aware` says so to its peers (RFC
    7866). `jitter_ms` is how late a packet may come and still be heard: less is quicker talk, more is a recording without
    gaps on a busy machine or network. A phone that stands `behind_edge` is on loopback alone, and the edge has address and
    port.
    """

    address: str = ""
    port: int = 0
    codecs: tuple[str, ...] = CODEC_ORDER
    user_agent: str = "Klartone"
    record_aware: bool = False
    jitter_ms: int = 40
    behind_edge: bool = False


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One SIP account. `address` is `user@host[:port]`, with or without `sip:`.

    `user` is the digest user (empty: the address's user part), `registrar` and `proxy` are
    `host[:port]` (empty: the address's host, and none). An account with `register` off can call
    and be called directly. Seconds are seconds.
    """

    address: str
    user: str = ""
    password: str = field(default="", repr=False)
    transport: Transport = "udp"
    registrar: str = ""
    proxy: str = ""
    display_name: str = ""
    register: bool = True
    expires: int = 300
    retry_seconds: int = 15
    """an unreachable registrar is tried again after a fifth of it, then ever later, up to eight times it"""
    accept_from: tuple[str, ...] = ()
    """addresses and networks whose calls are taken, beside the account's own server; for an edge"""
    srtp: Srtp = "optional"
    """by TLS alone, where nobody else reads the keys; elsewhere `optional` counts as off, and `required` refuses each call"""
    ice: bool = False
    """its sound takes the way that both sides have checked (RFC 8445); by the edge"""
    mailbox: bool = False
    """ask its exchange for messages that wait (RFC 3842)"""
    authority: str = ""
    """file of the only authorities that the server's certificate may come from; empty: the system's"""

    @property
    def keys_sound(self) -> Srtp:
        return self.srtp if self.transport == "tls" else "off"

    @property
    def lacks_tls(self) -> bool:
        """Its sound has to be encrypted, and cannot be."""
        return self.srtp == "required" and self.transport != "tls"
