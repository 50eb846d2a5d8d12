"""What a desk gets for a recording that has arrived: a JWS by the service's key (Ed25519), to be kept until more is signed.

*Received* says that file and rows lie in the house's storage. It does not say that a backup has them: until a signed head says
*durable to here*, the desk keeps its own copy.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from joserfc import jws
from joserfc.jwk import OKPKey

from softphone.system.signature import public_half

_TYPE, _OF_LOG = "klartone-receipt", "klartone-log"


class Signer:
    """The service's key, the same in each instance."""

    def __init__(self, private: bytes) -> None:
        self.public = public_half(private)
        raw = base64.b64decode(self.public)
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": _text(raw), "d": _text(private)})
        self.id = hashlib.sha256(raw).hexdigest()[:32]

    def receipt(self, recording: str, sha256: str, wraps: str, head: tuple[int, str], at: datetime) -> str:
        """`head`: where the service's log stands with this recording in it. A log with another entry there was written anew."""
        told = {"recording": recording, "sha256": sha256, "wraps": wraps, "at": at.isoformat(), "state": "received"}
        return self.sign(_TYPE, {**told, "head": head[0], "head_hash": head[1]})

    def anew(self, recording: str, sha256: str, receipt: str) -> str:
        """What the database has kept: where a key before this one signed it, by this one. Empty: it says something else."""
        header, payload = (json.loads(base64.urlsafe_b64decode(f"{one}==")) for one in receipt.split(".")[:2])
        if (payload["recording"], payload["sha256"], payload["state"]) != (recording, sha256, "received"):
            return ""
        return receipt if header["kid"] == self.id else self.sign(_TYPE, payload)

    def erased(self, recording: str, sha256: str, at: datetime) -> str:
        """A desk ends its own copy by this word alone."""
        told = {"recording": recording, "sha256": sha256, "at": at.isoformat(), "state": "erased"}
        return self.sign(_TYPE, told)

    def ended(self, recording: str, sha256: str, purposes: Mapping[str, Sequence[str]], at: datetime) -> str:
        """A desk opens its own copy for these no more: how each stands, and why."""
        told = {
            "recording": recording,
            "sha256": sha256,
            "at": at.isoformat(),
            "state": "ended",
            "purposes": dict(purposes),
        }
        return self.sign(_TYPE, told)

    def countersigned(self, told: Mapping[str, str | int], at: datetime) -> str:
        """A desk's log as far as it has come, and the entry of the service's log that names it."""
        return self.sign(_OF_LOG, {**told, "at": at.isoformat()})

    def sign(self, kind: str, told: Mapping[str, str | int | list[str] | dict[str, Sequence[str]]]) -> str:
        header = {"alg": "Ed25519", "typ": kind, "kid": self.id}
        payload = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return jws.serialize_compact(header, payload, self._key, algorithms=["Ed25519"])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
