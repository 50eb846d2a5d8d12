"""Whether a policy file is as its signer left it: an Ed25519 signature over the file's bytes, base64, in `<file>.sig`.

It makes and checks signatures. `secrets` keeps the private key; a setting names the signer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from softphone.domain.errors import Param
from softphone.domain.policy import PolicyError, PolicyFault, PolicyUnsigned
from softphone.replacing import replace_file

_SIGNATURE_BYTES = 64
_KEY_BYTES = 32
_LARGEST = 1000
"""bytes of a signature's file; a signature has 88"""


def signature_path(path: Path) -> Path:
    """`rules.toml` has its signature in `rules.toml.sig`."""
    return path.with_name(f"{path.name}.sig")


class Signed:
    """A file's bytes and its signature file, as they were read. `key in signed` says whether that key signed it."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        self._beside = signature_path(path)
        self._found = _read(self._beside)
        self._known: dict[object, bool] = {}

    def __contains__(self, signer: object) -> bool:
        """A public key, base64. An invalid one has signed nothing."""
        if signer not in self._known:
            try:
                self.check(str(signer))
            except PolicyUnsigned:
                self._known[signer] = False
            else:
                self._known[signer] = True
        return self._known[signer]

    def check(self, signer: str) -> None:
        """Raises PolicyUnsigned unless `signer` (public key, base64) has signed exactly these bytes."""
        try:
            public = Ed25519PublicKey.from_public_bytes(_point(signer))
        except ValueError:
            raise PolicyUnsigned(_fault("signer_malformed")) from None
        if isinstance(self._found, PolicyFault):
            raise PolicyUnsigned(self._found)
        try:
            public.verify(self._found, self._content)
        except InvalidSignature:
            raise PolicyUnsigned(_fault("signature_wrong", path=str(self._beside))) from None


def is_signed(content: bytes, signature: bytes, signer: str) -> bool:
    """Whether `signer` (public key, base64) made that signature (base64) of exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(_point(signer)).verify(_decoded(signature, _SIGNATURE_BYTES), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_signature(content: bytes, path: Path, signer: str) -> None:
    """Raises PolicyUnsigned unless `signer` (public key, base64) has signed exactly the bytes of the file at `path`."""
    Signed(content, path).check(signer)


def new_signing_key() -> bytes:
    """A private key, 32 bytes, for the keyring."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_half(private: bytes) -> str:
    """Its public key in base64, for the setting `policy_signer`."""
    return base64.b64encode(_private(private).public_key().public_bytes_raw()).decode("ascii")


def public_key(text: str) -> str:
    """A public key as `public_half` writes it. Raises ValueError for an invalid one."""
    return base64.b64encode(_point(text)).decode("ascii")


def sign(content: bytes, path: Path, private: bytes) -> Path:
    """Writes the signature of `content` beside the policy at `path`, whole or not at all, and returns its path.

    Raises PolicyError if it cannot be written there.
    """
    beside = signature_path(path)
    signature = base64.b64encode(_private(private).sign(content)) + b"\n"
    fresh = beside.with_name(f"{beside.name}.new")
    try:
        fresh.write_bytes(signature)
        replace_file(fresh, beside)
    except OSError as error:
        fault = PolicyFault(None, "", "policy.fault.unwritable", {"path": str(beside), "detail": error.strerror or ""})
        raise PolicyError([fault]) from None
    return beside


def succession(private: bytes, successor: str) -> str:
    """The holder's word that another key signs the policies from now on: a signature, base64. Raises ValueError for what is
    no key."""
    return base64.b64encode(_private(private).sign(_SUCCEEDS + _point(successor))).decode("ascii")


def succeeds(word: str, signer: str, successor: str) -> bool:
    """Whether `signer` has given that word."""
    try:
        public = Ed25519PublicKey.from_public_bytes(_point(signer))
        public.verify(_decoded(word, _SIGNATURE_BYTES), _SUCCEEDS + _point(successor))
    except (InvalidSignature, ValueError):
        return False
    return True


def signer_fingerprint(public: str) -> str:
    """What stands for a signer in a link: 16 bytes of its SHA-256, in hex. Raises ValueError for an invalid key."""
    return hashlib.sha256(_point(public)).hexdigest()[:32]


_SUCCEEDS = b"klartone policy signer 1\0"
_SMALL = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)
"""points of Ed25519 under which anybody can sign, without the bit that stands for a sign"""


def _private(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


def _point(text: str) -> bytes:
    """Raises ValueError for an invalid public key, or one under which anybody can sign."""
    raw = _decoded(text, _KEY_BYTES)
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL:
        raise ValueError(text)
    return raw


def _decoded(text: str | bytes, size: int) -> bytes:
    """Raises ValueError unless it is `size` bytes in base64."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(size) from error
    if len(raw) != size:
        raise ValueError(size)
    return raw


def _read(beside: Path) -> bytes | PolicyFault:
    """The signature, or the reason that there is none."""
    try:
        with beside.open("rb") as file:
            return _decoded(file.read(_LARGEST), _SIGNATURE_BYTES)
    except FileNotFoundError:
        return _fault("signature_missing", path=str(beside))
    except OSError as error:
        return _fault("signature_unreadable", path=str(beside), detail=error.strerror or type(error).__name__)
    except ValueError:
        return _fault("signature_malformed", path=str(beside))


def _fault(code: str, **params: Param) -> PolicyFault:
    return PolicyFault(None, "", f"policy.fault.{code}", params)
