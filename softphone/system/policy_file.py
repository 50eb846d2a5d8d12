"""Reads a policy file from disk. Whatever lies there, the answer is a policy or its faults, never anything else.

`domain.policy` knows what the policy means, `signature` whether its signature holds, `plugin.notices` whether its sound
files are sounds.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from softphone.domain.errors import Param
from softphone.domain.policy import (
    KeyPath,
    LoadedPolicy,
    PolicyError,
    PolicyFault,
    PolicyUnsigned,
    key_lines,
    policy_from,
)
from softphone.domain.purpose import KeyRole
from softphone.system.guarded import settled, who_else
from softphone.system.signature import Signed
from softphone.system.toml import broken

LARGEST = 1_000_000
"""bytes; a policy for hundreds of lines has a tenth of it"""

SOME_KEYS = {role: base64.b64encode(bytes([n] + 31 * [0])).decode("ascii") for n, role in enumerate(KeyRole, 9)}
"""public keys as good as any, one for each purpose, where nothing is sealed: Curve25519's base point and its neighbours"""


def load_policy(path: Path, *signers: str, guarded: bool = False) -> LoadedPolicy:
    """The policy in `path`. If it cannot be used, PolicyError and nothing else: every fault found, each with line and key.

    `guarded`: it must lie where nobody but administrators can write. Elsewhere it is not even read, as one that must be
    signed and is not.

    `signers`: public keys (Ed25519, 32 bytes in base64) that must each have signed it, as the settings and the archive ask.
    Without the signature in `<path>.sig` the file is not even read: PolicyUnsigned.
    """
    if guarded:
        path = _guarded(path)  # its signature and its sounds lie beside it there
    raw = read_policy(path)
    signed = Signed(raw, path)
    for one in signers:
        if one:
            signed.check(one)
    loaded = policy_in(raw, path)
    return replace(loaded, policy=loaded.policy.as_signed(signed))


def policy_in(raw: bytes, path: Path) -> LoadedPolicy:
    """The policy in the bytes that were read from `path`. PolicyError as for `load_policy`."""
    return parse_policy(_decoded(raw), str(path), hashlib.sha256(raw).hexdigest())


def parse_policy(text: str, path: str = "", sha256: str = "") -> LoadedPolicy:
    """The policy in `text`. PolicyError as for `load_policy`."""
    if not text.strip():
        raise _whole("file_empty")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([broken(text, str(error))]) from None
    except (ValueError, RecursionError):
        raise _whole("broken_somewhere") from None
    if not data:
        raise _whole("file_empty")
    return policy_from(data, _lines(text, data), datetime.now(UTC), path, sha256)


def filled(template: str, keys: Mapping[KeyRole, str]) -> str:
    """A policy's text from a template, with public keys (base64) for `$documentation_key`, `$training_key` and
    `$custody_key`.

    Another controller's, such as `$fiber_custody_key`, becomes a key that nobody holds: enough to explain the policy.
    """
    others = re.sub(rf"\$[a-z]+_(?:{'|'.join(KeyRole)})_key\b", _nobodys, template)
    return Template(others).safe_substitute({f"{role.value}_key": key for role, key in keys.items()})


def _nobodys(named: re.Match[str]) -> str:
    return base64.b64encode(hashlib.sha256(named[0].encode()).digest()).decode("ascii")


def read_policy(path: Path) -> bytes:
    """The file's bytes, whatever they are. Raises PolicyError if no file can be read."""
    try:
        if path.is_dir():
            raise _whole("not_a_file")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _whole("file_missing", path=str(path)) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if len(raw) > LARGEST:
        raise _whole("too_large", most=LARGEST // 1000)
    return raw


def _guarded(path: Path) -> Path:
    """Where it really lies, where only administrators can write."""
    try:
        whole = settled(path)
        others = who_else(whole)
    except FileNotFoundError:
        raise _whole("file_missing", path=str(path)) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if others is not None:
        raise PolicyUnsigned(PolicyFault(None, "", "policy.fault.unguarded", {"path": str(others)}))
    return whole


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _whole("binary") from None
    if "\0" in text:
        raise _whole("binary")
    return text


def _lines(text: str, data: Mapping[str, Any]) -> Mapping[KeyPath, int]:
    try:
        return key_lines(text) if data else {}
    except RecursionError:
        return {}


def _unreadable(path: Path, error: OSError | ValueError) -> PolicyError:
    return _whole("unreadable", path=str(path), detail=getattr(error, "strerror", None) or type(error).__name__)


def _whole(code: str, **params: Param) -> PolicyError:
    return PolicyError([PolicyFault(None, "", f"policy.fault.{code}", params)])
