"""Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial 0x11b: any `need` shares give the secret, fewer
tell nothing. A share is the values and, as its last byte, their point.

It does not know whether shares belong together: who combines must be able to tell the secret from another.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

MOST = 255


def split(
    secret: bytes, shares: int, need: int, *, randomness: Callable[[int], bytes] = secrets.token_bytes
) -> list[bytes]:
    """`shares` shares of len(secret) + 1 bytes. ValueError unless 2 <= need <= shares <= 255."""
    if not 2 <= need <= shares <= MOST or not secret:
        raise ValueError(need, shares)
    rows = [secret, *(randomness(len(secret)) for _ in range(need - 1))]
    made: list[bytes] = []
    for point in range(1, shares + 1):
        values = bytearray(len(secret))
        for row in reversed(rows):
            for at, coefficient in enumerate(row):
                values[at] = multiply(values[at], point) ^ coefficient
        made.append(bytes(values) + bytes([point]))
    return made


def combine(shares: Sequence[bytes]) -> bytes:
    """The value at 0. ValueError: no shares, of different lengths, or two of one point."""
    points = [share[-1] for share in shares if share]
    sizes = {len(share) for share in shares}
    if not points or len(sizes) != 1 or sizes <= {1} or len(set(points)) != len(points) or 0 in points:
        raise ValueError(len(shares))
    secret = bytearray(sizes.pop() - 1)
    for share, point in zip(shares, points, strict=True):
        weight = 1
        for other in points:
            if other != point:
                weight = multiply(weight, multiply(other, inverse(other ^ point)))
        for at in range(len(secret)):
            secret[at] ^= multiply(share[at], weight)
    return bytes(secret)


def multiply(a: int, b: int) -> int:
    """In GF(2^8), FIPS 197 section 4.2. The same steps whatever the values: no branch and no table shows them."""
    product = 0
    for _ in range(8):
        product ^= -(b & 1) & a
        a = ((a << 1) ^ (-(a >> 7) & 0x11B)) & 0xFF
        b >>= 1
    return product


def inverse(a: int) -> int:
    """a^254; 0 for 0."""
    result = a
    for _ in range(6):
        result = multiply(multiply(result, result), a)
    return multiply(result, result)
