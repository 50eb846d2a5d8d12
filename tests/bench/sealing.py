"""What sealing a second of sound costs beside plain AES-256-GCM over the same bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softphone.archive.files.container import Content, Header, Sealer
from tests.bench.figures import Figure

PACKETS, PACKET = 50, 58
"""a second of two voices at 24 kbit/s"""


def measure(times: int = 20_000) -> list[Figure]:
    key = AESGCM.generate_key(256)
    header = Header("0" * 36, datetime.now(UTC), b"", 0, "UTC").pack()
    content = Content(0, 0, 16_000, tuple(os.urandom(PACKET) for _ in range(PACKETS)))
    sealer, plain, packed = Sealer(header, "0" * 36, 0, key), AESGCM(key), content.pack()
    seal = _each(times, lambda index: sealer.seal(index, False, content))
    bare = _each(times, lambda index: plain.encrypt(index.to_bytes(12, "big"), packed, b""))
    return [
        Figure(
            "sealing / plain AES-GCM",
            f"{seal / bare:.1f}",
            "",
            f"{seal * 1e6:.0f} µs and {bare * 1e6:.0f} µs for a second of sound ({len(packed)} bytes)",
        )
    ]


def _each(times: int, deed: Callable[[int], object]) -> float:
    """Seconds a time, the best of five rounds."""
    rounds: list[float] = []
    for turn in range(5):
        began = time.perf_counter()
        for index in range(turn * (times // 5), (turn + 1) * (times // 5)):
            deed(index)
        rounds.append((time.perf_counter() - began) / (times // 5))
    return min(rounds)
