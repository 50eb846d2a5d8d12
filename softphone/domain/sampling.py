"""Whether a call is in the sample: drawn while it rings, from a share and a roll that cannot be guessed (G33, G34).

Pure: the secret and the call's id come from outside; the same two always give the same answer.
"""

from __future__ import annotations

import hashlib
import hmac
from fractions import Fraction

_SIDES = 1 << 64


def roll(secret: bytes, call: str) -> Fraction:
    """A number in [0, 1) that belongs to this call: even over many calls, unknowable without the secret."""
    digest = hmac.new(secret, call.encode(), hashlib.sha256).digest()
    return Fraction(int.from_bytes(digest[:8]), _SIDES)


def drawn(share: Fraction, rolled: Fraction) -> bool:
    """Whether a call with this roll is in a sample of `share` (0 to 1): none at 0, every one at 1."""
    return rolled < share
