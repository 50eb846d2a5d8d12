"""A desk of the tests: a key, proofs, sealed recordings as the program makes them, and plain HTTP without the service's code."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray
from uuid_utils import uuid7

from softphone.archive.crypto.challenges import open_challenge
from softphone.archive.crypto.note_seals import seal_note
from softphone.archive.crypto.number_seals import READ_BY, NumberSeal, seal_number
from softphone.archive.crypto.wraps import SUITE, Recipient, Wrap, data_key, fingerprint, wrap
from softphone.archive.files.container import Content, Header, Sealer
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import expires_on
from tests.days import house_day

PART = 5 << 20
NUMBER = "+4570101010"


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a refusal; empty: it is none."""
        return str(self.json["code"]).removeprefix("error.team.") if self.status >= 400 else ""


@dataclass
class Desk:
    """`address` is the service's public one, which proofs name; `port` where this instance listens on loopback."""

    address: str
    port: int
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    id: str = field(default_factory=lambda: str(uuid7()))
    token: str = ""
    refresh: str = ""
    proofs: list[str] = field(default_factory=list[str])
    authority: str = ""
    """by TLS, where there is one"""

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def proof(self, method: str, path: str, token: str | None = None, **other: Any) -> str:
        header = {
            "alg": "Ed25519",
            "typ": "dpop+jwt",
            "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64url(self.public)},
        }
        claims: dict[str, Any] = {"htm": method, "htu": self.address + path, "iat": int(time.time())}
        claims["jti"] = secrets.token_urlsafe(16)
        if token is not None:
            claims["ath"] = b64url(hashlib.sha256(token.encode()).digest())
        header |= other.pop("header", {})
        told = ".".join(b64url(json.dumps(one).encode()) for one in (header, claims | other))
        self.proofs.append(f"{told}.{b64url(self.key.sign(told.encode()))}")
        return self.proofs[-1]

    def with_token(self, token: str) -> Desk:
        """The same machine, which shows this one."""
        return Desk(self.address, self.port, self.key, self.id, token, authority=self.authority)

    def headers_of(self, method: str, path: str, data: bytes) -> dict[str, str]:
        """Of a part that a test sends by itself."""
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        told = {"Content-Length": str(len(data)), "Content-Digest": f"sha-256=:{digest}:"}
        return {**told, "Authorization": f"DPoP {self.token}", "DPoP": self.proof(method, path, self.token)}

    def ask(self, method: str, path: str, body: Any = None, *, proof: str | None = None, **headers: str) -> Answer:
        """With this desk's token, and a fresh proof unless one is given (empty: none)."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"DPoP {self.token}"
        shown = self.proof(method, path.partition("?")[0], self.token or None) if proof is None else proof
        if shown:
            sent["DPoP"] = shown
        if isinstance(body, (bytes, type(None))):
            raw = body
        else:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if self.authority:
            trusted = ssl.create_default_context(cafile=self.authority)
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=trusted)
        try:
            connection.request(method, path, raw, sent)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def take(self, code: str) -> Answer:
        """Joins by a one-time code."""
        return self._taken(self.ask("POST", "/v1/token", {"grant": "invitation", "code": code, "desk": self.id}))

    def renew(self) -> Answer:
        self.token = ""
        return self._taken(self.ask("POST", "/v1/token", {"grant": "refresh", "refresh_token": self.refresh}))

    def _taken(self, answer: Answer) -> Answer:
        if answer.status == 200:
            self.token, self.refresh = answer.json["access_token"], answer.json["refresh_token"]
        return answer

    def challenge(self, role: KeyRole, private: X25519PrivateKey) -> Answer:
        """To prove that this key is here."""
        return self.ask("POST", "/v1/keys/challenge", {"role": role.value, "key_id": _key_id(private)})

    def nonce(self, challenge: Answer, role: KeyRole, private: X25519PrivateKey) -> bytes | None:
        """As whoever has the key reads it. None: it is not for them."""
        sealed = base64.b64decode(challenge.json["sealed"])
        return open_challenge(sealed, private.private_bytes_raw(), role, _key_id(private), self.id)

    def answer(self, role: KeyRole, private: X25519PrivateKey, nonce: bytes) -> Answer:
        told = {"role": role.value, "key_id": _key_id(private), "nonce": base64.b64encode(nonce).decode()}
        return self.ask("POST", "/v1/keys/answer", told)

    def prove(self, role: KeyRole, private: X25519PrivateKey) -> Answer:
        """By the key itself."""
        asked = self.challenge(role, private)
        return self.answer(role, private, self.nonce(asked, role, private) or b"") if asked.status == 200 else asked

    def begin(self, made: Made, **other: Any) -> Answer:
        told = {name: made.told[name] for name in ("recording", "bytes", "sha256")} | other
        return self.ask("POST", "/v1/recordings", told)

    def upload(self, made: Made, **other: Any) -> Answer:
        """As the courier does: whole, or in parts, of which none that is there is sent again."""
        if len(made.parts) == 1:
            return self.whole(made, **other)
        begun = self.begin(made)
        if begun.status != 200 or begun.json["state"] != "going_on":
            return begun
        for number in begun.json["missing"]:
            sent = self.part(made, number)
            if sent.status != 204:
                return sent
        return self.finish(made, **other)

    def half(self, made: Made) -> Callable[[], Answer]:
        """Its beginning is sent, and what is returned sends the rest."""
        data, path = sent_whole(made), f"/v1/recordings/{made.recording}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest("PUT", path)
        for name, value in self.headers_of("PUT", path, data).items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(data[:1_000])

        def rest() -> Answer:
            with closing(connection):
                connection.send(data[1_000:])
                answer = connection.getresponse()
                return Answer(answer.status, dict(answer.getheaders()), answer.read())

        return rest

    def whole(self, made: Made, **other: Any) -> Answer:
        return self.ask("PUT", f"/v1/recordings/{made.recording}", sent_whole(made, **other))

    def part(self, made: Made, number: int, data: bytes | None = None, of: bytes | None = None) -> Answer:
        """`of`: whose digest is told."""
        data = made.parts[number - 1] if data is None else data
        digest = base64.b64encode(hashlib.sha256(data if of is None else of).digest()).decode()
        path = f"/v1/recordings/{made.recording}/parts/{number}"
        return self.ask("PUT", path, data, Content_Digest=f"sha-256=:{digest}:")

    def finish(self, made: Made, **other: Any) -> Answer:
        return self.ask("POST", f"/v1/recordings/{made.recording}/finish", made.told | other)


@dataclass
class Made:
    """A recording as a desk has it: the file, and what it tells of it."""

    file: bytes
    told: dict[str, Any]

    @property
    def recording(self) -> str:
        return str(self.told["recording"])

    @property
    def parts(self) -> list[bytes]:
        return [self.file[at : at + PART] for at in range(0, len(self.file), PART)]


def sent_whole(made: Made, **other: Any) -> bytes:
    """A line of JSON, and the file behind it."""
    return json.dumps(made.told | other).encode() + b"\n" + made.file


@dataclass(frozen=True)
class Spoken:
    """Sound as a desk codes it: what a container's header says of it, and its chunks."""

    head: bytes
    delay: int
    chunks: tuple[Content, ...]


def noise(seconds: int, packet: int) -> Spoken:
    """No sound at all: as many bytes. `packet`: of each of the fifty in a second."""
    one = (secrets.token_bytes(packet),) * 50
    return Spoken(b"OpusHead", 40, tuple(Content(0, 50 * at, 16_000 * (at + 1), one) for at in range(seconds)))


@cache
def spoken(seconds: int) -> Spoken:
    """The two tones of `voices`."""
    from tests.archive.scene import voices

    return coded(voices(seconds))


def coded(sound: NDArray[np.int16]) -> Spoken:
    """`sound`: (n, 2), whole seconds at 16 kHz."""
    from softphone.archive.files.opus import Encoder, codec_header
    from tests.archive.scene import FRAME

    encoder = Encoder()
    sides = [np.ascontiguousarray(sound[:, side]).tobytes() for side in (0, 1)]
    packets = list[bytes]()
    for at in range(0, len(sound) * 2, FRAME * 2):
        packets += encoder.encode(*(one[at : at + FRAME * 2] for one in sides))
    packets += encoder.flush()
    firsts = range(0, 50 * (len(sound) // 16_000), 50)
    chunks = (
        Content(0, at, 16_000 * (at // 50 + 1), tuple(packets[at : at + 50] if at != firsts[-1] else packets[at:]))
        for at in firsts
    )
    return Spoken(*codec_header(), tuple(chunks))


@dataclass
class House:
    """Whose public keys a policy names."""

    keys: dict[KeyRole, X25519PrivateKey] = field(
        default_factory=lambda: {role: X25519PrivateKey.generate() for role in KeyRole}
    )

    def recipient(self, role: KeyRole) -> Recipient:
        return Recipient(role.value, role, self.keys[role].public_key().public_bytes_raw())


def made(
    house: House,
    *,
    agent: str = "sip:anna@klartone.test",
    line: str = "support",
    number: str | None = NUMBER,
    seconds: int = 3,
    packet: int = 80,
    started: datetime | None = None,
    purposes: tuple[str, ...] = ("documentation", "training"),
    sound: Spoken | None = None,
    kept: str = "",
) -> Made:
    """A real container under real keys. `sound`: None, noise of `packet` bytes for each of the fifty in a second.

    `kept`: how long, for each purpose.
    """
    at = (started or datetime.now(UTC)).replace(microsecond=0)
    call, recording = str(uuid7()), str(uuid7())
    key, zone = data_key(), "Europe/Copenhagen"
    sound = sound or noise(seconds, packet)
    seconds = len(sound.chunks)
    header = Header(recording, at, sound.head, sound.delay, zone).pack()
    sealer = Sealer(header, recording, 1, key)
    records = [sealer.seal(index, index == seconds - 1, one) for index, one in enumerate(sound.chunks)]
    file = header + b"".join(records)
    wraps = [
        wrap(key, house.recipient(role), recording, 1)
        for role in KeyRole
        if role is KeyRole.CUSTODY or role.value in purposes
    ]
    period = dict.fromkeys(purposes, kept) if kept else {"documentation": "P3Y", "training": "P3M"}

    def ends(purpose: str) -> date:
        return expires_on(at, Period.parse(period[purpose]), zone)

    readers = [role for role in READ_BY if role is KeyRole.CUSTODY or role.value in purposes] if number else []
    seals = [seal_number(number or "", house.recipient(role), call) for role in readers]

    told = {
        "recording": recording,
        "clock": datetime.now(UTC).isoformat(),
        "opened_at": at.isoformat(),
        "closed_at": (at + timedelta(seconds=seconds)).isoformat(),
        "call": {
            "call": call,
            "call_group": call,
            "line": line,
            "direction": "inbound",
            "number": number,
            "number_seals": [_sealed(one) for one in seals],
            "started_at": at.isoformat(),
            "notice": "N7",
            "language": "da",
            "time_zone": zone,
            "agent": agent,
        },
        "segments": [
            {
                "segment": 1,
                "opened_at": at.isoformat(),
                "purposes": list(purposes),
                "chunks": seconds,
                "sound": hashlib.sha256(file).hexdigest()[:32],
            }
        ],
        "purposes": [
            {
                "purpose": one,
                "basis": "legitimate_interest",
                "retention": period[one],
                "expires_on": ends(one).isoformat(),
                "stands": "keeps",
            }
            for one in purposes
        ],
        "wraps": [{"segment": one.segment, **_sealed(one)} for one in wraps],
        "bytes": len(file),
        "sha256": hashlib.sha256(file).hexdigest(),
    }
    return Made(file, told)


def _sealed(one: Wrap | NumberSeal) -> dict[str, str]:
    sealed = base64.b64encode(one.sealed).decode()
    return {"role": one.role.value, "key_id": one.key_id, "suite": one.suite, "sealed": sealed}


def _key_id(private: X25519PrivateKey) -> str:
    return fingerprint(private.public_key().public_bytes_raw())


def port_of(address: str) -> int:
    return urlsplit(address).port or 443


def noted(desk: Desk, house: House, text: str, agent: str = "sip:anna@klartone.test") -> None:
    """An agent's note about a call with `NUMBER`."""
    call, custody, now = str(uuid7()), house.recipient(KeyRole.CUSTODY), datetime.now(UTC)
    sealed = base64.b64encode(seal_note(text, custody, call)).decode("ascii")
    told = {
        "agent": agent,
        "number": NUMBER,
        "at": now.isoformat(),
        "until": str(house_day(now) + timedelta(days=7)),
        "time_zone": "Europe/Copenhagen",
        "seals": [{"key_id": custody.key_id, "suite": SUITE, "sealed": sealed}],
    }
    assert desk.ask("PUT", f"/v1/notes/{call}", told).status == 204
