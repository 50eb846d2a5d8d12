"""A reader of recordings written from docs/container.md alone: it imports nothing of the program. Keep it under 160 lines.

`wraps_in(catalog, master, recording)` gives what a catalog has sealed, and `read(data, wraps, private)` what an export holds:
(n, 2) samples, agent and party. A wrap is (recording, segment, role, key_id, suite, sealed); `private` is 32 bytes of X25519.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlcipher3 import dbapi2

Wrap = tuple[str, int, str, str, str, bytes]
SQLCIPHER: Any = dbapi2
HPKE = "X25519-HKDF-SHA256-AES256GCM"
SLOTS = b"klartone archive 1 slots"


@dataclass
class Part:
    """A segment: `packets` by number, `gaps` in frames (at, length), `samples` None while no final chunk was seen."""

    origin: int = 0
    packets: dict[int, bytes] = field(default_factory=dict[int, bytes])
    gaps: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    samples: int | None = None
    fed: int = 0


def header(data: bytes) -> tuple[dict[str, Any], bytes]:
    if data[:8] != b"KLARTONE":
        raise ValueError("no recording")
    version, length = struct.unpack_from(">HI", data, 8)
    if version != 2:
        raise ValueError(f"version {version}")
    raw = data[: 14 + length]
    told = json.loads(raw[14:])
    if told["seal"] != "AES-256-GCM" or told["codec"]["name"] != "opus" or told["codec"]["mapping_family"] != 255:
        raise ValueError("unknown seal or codec")
    return told, raw


def data_key(wrap: Wrap, private: bytes) -> bytes:
    recording, segment, role, key_id, suite, sealed = wrap
    if suite != HPKE:
        raise ValueError(f"suite {suite}")
    bound = {"recording": recording, "segment": segment, "role": role, "key_id": key_id, "suite": suite}
    info = b"klartone wrap 1\0" + json.dumps(bound, sort_keys=True, separators=(",", ":")).encode("ascii")
    hpke = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    return hpke.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info)


def wraps_in(catalog: Path, master: bytes, recording: str) -> list[Wrap]:
    key = HKDF(SHA256(), 32, None, b"klartone archive 1 catalog").derive(master)
    database = SQLCIPHER.connect(str(catalog))
    try:
        database.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        columns = "recording, segment, role, key_id, suite, slot"
        rows = [*database.execute(f"SELECT {columns} FROM wraps WHERE recording = ?", (recording,))]
    finally:
        database.close()
    file, lid = catalog.with_name("wraps.bin").read_bytes(), AESGCM(HKDF(SHA256(), 32, None, SLOTS).derive(key))
    found: list[Wrap] = []
    for *place, slot in rows:
        record = file[128 * slot : 128 * slot + 108]
        found.append((*place, lid.decrypt(record[:12], record[12:], "\0".join(map(str, place)).encode())))
    return found


def chunks(data: bytes, at: int) -> Iterator[tuple[int, int, int, bytes]]:
    """segment, index, final, sealed; what is damaged is passed over."""
    while (at := data.find(b"KTCH", at)) >= 0:
        if at + 17 <= len(data):
            segment, index, final, length = struct.unpack_from(">IIBI", data, at + 4)
            end = at + 17 + length
            if end + 4 <= len(data) and zlib.crc32(data[at:end]) == struct.unpack_from(">I", data, end)[0]:
                yield segment, index, final, data[at + 17 : end]
                at = end + 4
                continue
        at += 1


def parts(data: bytes, keys: dict[int, bytes]) -> dict[int, Part]:
    told, raw = header(data)
    found: dict[int, Part] = {}
    fixed = hashlib.sha256(raw).digest() + hashlib.sha256(told["recording"].encode()).digest()
    for segment, index, final, sealed in chunks(data, len(raw)):
        if segment not in keys:
            continue
        bound = fixed + struct.pack(">IIB", segment, index, final)
        try:
            content = AESGCM(keys[segment]).decrypt(index.to_bytes(12, "big"), sealed, bound)
        except InvalidTag:
            continue
        origin, first, samples, gaps, packets = struct.unpack_from(">QQQHH", content)
        part = found.setdefault(segment, Part())
        part.origin, part.fed, at = origin, max(part.fed, samples), 28
        for _ in range(gaps):
            part.gaps.append(struct.unpack_from(">qI", content, at))
            at += 12
        for number in range(first, first + packets):
            (length,) = struct.unpack_from(">H", content, at)
            part.packets[number] = content[at + 2 : at + 2 + length]
            at += 2 + length
        if final:
            part.samples = samples
    return found


def sound(part: Part, codec: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.int16]]:
    head, frame, delay = base64.b64decode(codec["head"]), codec["frame"], codec["delay"]
    decoder = AudioCodecContext.create("libopus", "r")
    decoder.extradata = head[:10] + b"\0\0" + head[12:]
    decoder.sample_rate, decoder.layout = 48_000, "stereo"
    blocks: list[Any] = []
    for number in range(max(part.packets) + 1):
        frames: list[Any] = decoder.decode(av.Packet(part.packets[number]))  # pyright: ignore[reportUnknownMemberType]
        blocks += [one.to_ndarray().reshape(-1, 2)[::3] for one in frames]
    whole = np.concatenate(blocks)[delay:]
    length = part.samples if part.samples is not None else min(part.fed, (max(part.packets) + 1) * frame - delay)
    return whole[:length]


def read(data: bytes, wraps: Iterable[Wrap], private: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    told, _ = header(data)
    key_id = hashlib.sha256(X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()).hexdigest()
    keys = {wrap[1]: data_key(wrap, private) for wrap in wraps if wrap[3] == key_id[:32]}
    in_order = sorted(parts(data, keys).values(), key=lambda part: part.origin)
    at, blocks = in_order[0].origin * told["codec"]["frame"], list[Any]()
    for part in in_order:
        start = part.origin * told["codec"]["frame"]
        heard = sound(part, told["codec"])
        blocks += [np.zeros((start - at, 2), np.int16), heard]
        at = start + len(heard)
    return np.concatenate(blocks)
