"""Whether a policy file is as its signer left it: an Ed25519 signature over the file's bytes, base64, in `<file>.sig`.

Makes and checks signatures. Where the private key lies is `secrets`; who must have signed is a setting.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softphone.domain.errors import Param
from softphone.domain.policy import PolicyError, PolicyFault, PolicyUnsigned

_SIGNATURE_BYTES = 64
_KEY_BYTES = 32
_LARGEST = 1000
"""bytes of a signature's file; a signature has 88"""


def signature_path(path: Path) -> Path:
    """`rules.toml` has its signature in `rules.toml.sig`."""
    return path.with_name(f"{path.name}.sig")


def check_signature(content: bytes, path: Path, signer: str) -> None:
    """PolicyUnsigned unless `signer` (public key, base64) has signed exactly these bytes of the file at `path`."""
    beside = signature_path(path)
    try:
        public = Ed25519PublicKey.from_public_bytes(_decoded(signer, _KEY_BYTES))
    except ValueError:
        raise _unsigned("signer_malformed") from None
    try:
        with beside.open("rb") as file:
            written = file.read(_LARGEST)
    except FileNotFoundError:
        raise _unsigned("signature_missing", path=str(beside)) from None
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        raise _unsigned("signature_unreadable", path=str(beside), detail=detail) from None
    try:
        signature = _decoded(written, _SIGNATURE_BYTES)
    except ValueError:
        raise _unsigned("signature_malformed", path=str(beside)) from None
    try:
        public.verify(signature, content)
    except InvalidSignature:
        raise _unsigned("signature_wrong", path=str(beside)) from None


def new_signing_key() -> bytes:
    """A private key, 32 bytes, for the keyring."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_half(private: bytes) -> str:
    """Its public key in base64, for the setting `policy_signer`."""
    return base64.b64encode(_private(private).public_key().public_bytes_raw()).decode("ascii")


def sign(content: bytes, path: Path, private: bytes) -> Path:
    """Writes the signature of `content` beside the policy at `path`, whole or not at all; its own path is returned.
    PolicyError where it cannot be written there."""
    beside = signature_path(path)
    signature = base64.b64encode(_private(private).sign(content)) + b"\n"
    fresh = beside.with_name(f"{beside.name}.new")
    try:
        fresh.write_bytes(signature)
        fresh.replace(beside)
    except OSError as error:
        fault = PolicyFault(None, "", "policy.fault.unwritable", {"path": str(beside), "detail": error.strerror or ""})
        raise PolicyError([fault]) from None
    return beside


def _private(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


def _decoded(text: str | bytes, size: int) -> bytes:
    """ValueError for whatever is not `size` bytes in base64."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(size) from error
    if len(raw) != size:
        raise ValueError(size)
    return raw


def _unsigned(code: str, **params: Param) -> PolicyUnsigned:
    return PolicyUnsigned(PolicyFault(None, "", f"policy.fault.{code}", params))
