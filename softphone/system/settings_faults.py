"""What is wrong with a settings file: all of it, each with its line, its key and what to write."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from softphone.domain.policy import KeyPath, PolicyFault, key_lines
from softphone.domain.policy.faults import in_file_order, line_of, spelled
from softphone.system.toml import broken
from softphone.wire.snapshot import Account, Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from softphone.domain.errors import Param

_WANTED = {
    "string_type": "text",
    "int_type": "number",
    "int_parsing": "number",
    "int_from_float": "number",
    "bool_type": "yes_no",
    "bool_parsing": "yes_no",
    "tuple_type": "list",
    "dataclass_type": "table",
}


def faults_of(text: str | None, error: ValueError | RecursionError | None) -> tuple[PolicyFault, ...]:
    """`text`: None if it is not text; `error`: its reader's message. In the order of the file."""
    if text is None:
        return (PolicyFault(1, "", "settings.fault.binary"),)
    if isinstance(error, tomllib.TOMLDecodeError):
        return (broken(text, str(error)),)
    if not isinstance(error, ValidationError):
        # tomllib does not survive thousands of brackets, or of digits.
        return (PolicyFault(1, "", "policy.fault.broken_somewhere"),)
    try:
        lines = key_lines(text)
    except RecursionError:
        lines = {}
    return in_file_order([_fault(one, lines) for one in error.errors(include_url=False)])


def _fault(error: ErrorDetails, lines: Mapping[KeyPath, int]) -> PolicyFault:
    path: KeyPath = error["loc"]
    name, kind = str(path[-1])[:60] if path else "", error["type"]
    params: Mapping[str, Param] = {"name": name}
    match kind:
        case "unexpected_keyword_argument":
            known = [one.name for one in fields(Account if len(path) > 1 else Settings)]
            near = difflib.get_close_matches(name, known, n=1)
            code = "unknown_key_near" if near else "unknown_key"
            params = {"name": name, "near": near[0]} if near else {"name": name, "known": ", ".join(known)}
        case "enum" | "literal_error":
            context: dict[str, Any] = error.get("ctx", {})
            allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
            code, params = "not_one_of", {"value": str(error["input"])[:60], "allowed": allowed}
        case "missing" | "missing_argument":
            code = "missing"
        case _:
            code = f"wanted_{_WANTED.get(kind, 'other')}"
    return PolicyFault(line_of(lines, path), spelled(path), f"policy.fault.{code}", params)
