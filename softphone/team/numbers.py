"""What a number is found by in the house: a keyed hash. The key lies with the service alone, outside the database.

There are 10^8 Danish numbers: without a key whoever has the rows could try them all.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class NumberKey:
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(len(self.secret))

    def hash_of(self, number: str) -> bytes:
        """Of a number in E.164."""
        return hmac.digest(self.secret, b"klartone team number 1\0" + number.encode("ascii"), "sha256")
