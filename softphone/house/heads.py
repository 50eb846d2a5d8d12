"""Whether a house's log is still the one that this desk saw: signed heads, held against the last that was kept.

One head says where the log stood, and names the head before. A house that wrote its log anew would have to show others than it
showed before.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from softphone.domain.errors import HouseError
from softphone.domain.heads import Head


@dataclass(frozen=True, slots=True)
class Followed:
    """`newest`: to be kept. `restored_from`: the house's database was restored since; entries after this one are not those of
    before. Whatever has a receipt with a later entry is to be sent again."""

    newest: Head
    restored_from: int | None = None


def asked_since(seen: Head | None) -> int:
    """What `GET /v1/heads?since=` takes: the head that was seen comes again, as the first."""
    return seen.serial - 1 if seen else 0


def follow(seen: Head | None, told: Sequence[Head], key: str) -> Followed | None:
    """`told`: what the house answers, asked by `asked_since`. `key`: the public key that the policy names for heads, base64.

    None: the house has signed none yet. The newest vouches for all before it, so a house may change its key. Raises HouseError:
    `head_unsigned`, or `log_rewritten` where it shows another log than it showed before.
    """
    if seen is not None and (not told or told[0] != seen):
        raise HouseError("error.house.log_rewritten", number=seen.number)
    restored: int | None = None
    for before, after in pairwise(told):
        if after.serial != before.serial + 1 or after.previous != before.digest() or not _goes_on(before, after):
            raise HouseError("error.house.log_rewritten", number=after.number)
        if after.epoch > before.epoch:
            restored = min(after.restored_from, after.restored_from if restored is None else restored)
    if told and told[-1] != seen and not _is_signed(told[-1], key):
        raise HouseError("error.house.head_unsigned", serial=told[-1].serial)
    return Followed(told[-1], restored) if told else None


def _goes_on(before: Head, after: Head) -> bool:
    if after.epoch != before.epoch:
        return after.epoch > before.epoch and after.restored_from <= after.number
    same = after.number == before.number
    return (
        after.number >= before.number
        and after.durable_to >= before.durable_to
        and (not same or after.hash == before.hash)
    )


def _is_signed(head: Head, key: str) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(head.signature, validate=True), head.to_sign())
    except (InvalidSignature, ValueError):
        return False
    return head.key == key
