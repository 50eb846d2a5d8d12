"""Reads a policy file from disk: whatever lies there, the answer is a policy or its faults, never anything else.

What the policy means is `domain.policy`; whether a sound file it names is a sound is `plugin.notices`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from softphone.domain.errors import Param
from softphone.domain.policy import (
    KeyPath,
    LoadedPolicy,
    PolicyError,
    PolicyFault,
    fault_at,
    key_lines,
    policy_from,
)
from softphone.domain.purpose import KeyRole

LARGEST = 1_000_000
"""bytes; a policy for hundreds of lines has a tenth of it"""

_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")


def load_policy(path: Path) -> LoadedPolicy:
    """The policy in `path`. PolicyError, and nothing else, where it cannot be used: every fault found, each with line and key."""
    return parse_policy(_read(path), str(path))


def parse_policy(text: str, path: str = "") -> LoadedPolicy:
    """The policy in `text`. PolicyError as for `load_policy`."""
    if not text.strip():
        raise _whole("file_empty")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(text, str(error)) from None
    except (ValueError, RecursionError):
        raise _whole("broken_somewhere") from None
    if not data:
        raise _whole("file_empty")
    loaded = policy_from(data, _lines(text, data), path)
    try:
        ZoneInfo(loaded.policy.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        value = loaded.policy.time_zone
        raise PolicyError([fault_at(loaded, ("time_zone",), "time_zone", value=value)]) from None
    return loaded


def filled(template: str, keys: Mapping[KeyRole, str]) -> str:
    """A policy's text from a template, with public keys (base64) put in for `$documentation_key`, `$training_key` and
    `$custody_key`."""
    return Template(template).safe_substitute({f"{role.value}_key": key for role, key in keys.items()})


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise _whole("not_a_file")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _whole("file_missing", path=str(path)) from None
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or type(error).__name__
        raise _whole("unreadable", path=str(path), detail=detail) from None
    if len(raw) > LARGEST:
        raise _whole("too_large", most=LARGEST // 1000)
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


def _broken(text: str, message: str) -> PolicyError:
    last = text.count("\n") + (0 if text.endswith("\n") else 1)
    where = _WHERE.search(message)
    if where is None or "end of document" in message:
        return PolicyError([PolicyFault(last, "", "policy.fault.ends_early")])
    line, column = int(where[1]), int(where[2])
    return PolicyError([PolicyFault(line, "", "policy.fault.broken", {"column": column})])


def _whole(code: str, **params: Param) -> PolicyError:
    return PolicyError([PolicyFault(None, "", f"policy.fault.{code}", params)])
