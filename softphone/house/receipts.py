"""The house's receipt for a recording: a JWS that is believed only by a key that the signed policy names.

It says that file and rows have arrived, or that the house has erased them. That they cannot be lost any more, a signed head
says later.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from softphone.domain.errors import HouseError
from softphone.domain.purpose import Purpose
from softphone.domain.retention import Ended

TYPE = "klartone-receipt"
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """`entry`, `hash`: of the house's log, where it tells of this recording. `wraps`: the digest of all that was sealed."""

    entry: int
    hash: str
    wraps: str


def checked(told: str, keys: Sequence[str], recording: str, sha256: str) -> Receipt:
    """Raises HouseError: no policy names a key, or none of these has signed just this."""
    payload = _signed(told, keys, recording, sha256, "received")
    if type(payload.get("head")) is not int:
        raise HouseError("error.house.receipt_wrong")
    return Receipt(payload["head"], str(payload.get("head_hash")), str(payload.get("wraps")))


def check_erased(told: str, keys: Sequence[str], recording: str, sha256: str) -> None:
    """The only copy may lie here: whoever merely answers in the house's place ends none. Raises as `checked`."""
    _signed(told, keys, recording, sha256, "erased")


def ended(told: str, keys: Sequence[str], recording: str, sha256: str) -> dict[Purpose, tuple[Ended, str]]:
    """Purposes that have ended in the house, though it has the recording: how, and why. Raises as `checked`."""
    payload = _signed(told, keys, recording, sha256, "ended")
    try:
        return {Purpose(one): (Ended(how), str(why)) for one, (how, why) in payload["purposes"].items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise HouseError("error.house.receipt_wrong") from None


def sha256_of(told: str) -> str:
    """Of the file that a receipt is of, as it stood when it was checked."""
    payload = told.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sha256"]


def _signed(told: str, keys: Sequence[str], recording: str, sha256: str, state: str) -> dict[str, Any]:
    if not keys:
        raise HouseError("error.house.no_receipt_key")
    for key in keys:
        with suppress(JoseError, ValueError, KeyError, TypeError):
            x = base64.urlsafe_b64encode(base64.b64decode(key, validate=True)).rstrip(b"=").decode("ascii")
            public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
            found = jws.deserialize_compact(told[:_LONGEST], public, algorithms=["Ed25519"])
            payload: Any = json.loads(found.payload)
            said = (payload["recording"], payload["sha256"], payload["state"])
            if found.protected.get("typ") == TYPE and said == (recording, sha256, state):
                return payload
    raise HouseError("error.house.receipt_wrong")
