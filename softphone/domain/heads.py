"""Where a house's log stood at a moment, as it is signed: what desks keep to find out a log that was written anew.

Values alone. Who signs and who checks is elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

_FOR = b"klartone log head 1\0"
"""so that the signature is good for nothing else"""


@dataclass(frozen=True, slots=True)
class Head:
    """`number`, `hash`: the log's newest entry. `durable_to`: the entry up to which the database has said that it is safe.

    `epoch`: how often the database was restored, and `restored_from`: the last entry that counts of what was before. `previous`:
    the digest of the head before, whose `serial` is one less.
    """

    serial: int
    number: int
    hash: str
    at: datetime
    durable_to: int
    epoch: int
    restored_from: int
    previous: str
    key: str
    signature: str = ""

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"at": self.at.astimezone(UTC).isoformat(timespec="microseconds")}

    def to_sign(self) -> bytes:
        told = self.told()
        del told["signature"]
        return _FOR + _text(told)

    def digest(self) -> str:
        return hashlib.sha256(_text(self.told())).hexdigest()

    @classmethod
    def of(cls, told: dict[str, Any]) -> Head:
        """Raises ValueError where it is none."""
        try:
            numbers = {name: told[name] for name in ("serial", "number", "durable_to", "epoch", "restored_from")}
            words = {name: told[name] for name in ("hash", "previous", "key", "signature")}
            at = datetime.fromisoformat(told["at"])
        except (KeyError, TypeError) as error:
            raise ValueError("no head") from error
        right = all(type(one) is int for one in numbers.values()) and all(type(one) is str for one in words.values())
        if not right or at.tzinfo is None:
            raise ValueError("no head")
        return cls(at=at, **numbers, **words)


def _text(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
