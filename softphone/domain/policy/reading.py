"""From a policy file's contents to a `Policy`, or to every fault in it at once, each with its line and key.

Takes plain data and the lines of its keys; who reads the file is `system.policy_file`.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from softphone.domain.errors import Param
from softphone.domain.policy import checks
from softphone.domain.policy.faults import KeyPath, PolicyError, PolicyFault, line_of, spelled
from softphone.domain.policy.fields import LocalText, PolicyPart
from softphone.domain.policy.model import (
    Assessment,
    Controller,
    Documentation,
    Factors,
    Line,
    Need,
    Outbound,
    Policy,
    Recipient,
    Training,
)

_TABLES: Mapping[str, type[PolicyPart]] = {
    "": Policy,
    "controller": Controller,
    "recipient": Recipient,
    "line": Line,
    "outbound": Outbound,
    "documentation": Documentation,
    "training": Training,
    "assessment": Assessment,
    "G20": Need,
    "G21": Factors,
}
_WANTED = {
    "string_type": "text",
    "int_type": "number",
    "int_from_float": "number",
    "bool_type": "yes_no",
    "tuple_type": "list",
    "mapping_type": "table",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
    "is_instance_of": "text",
}
_OWN = frozenset(
    {"period", "period_of_days", "share", "number", "short_number", "public_key", "page", "keys", "time_zone"}
)

_NESTED = 5
"""tables within tables, at most: so often can a part be pruned before nothing is left of it"""

Part = TypeVar("Part", bound=PolicyPart)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that can be used. `remarks` are no faults: what it says of itself that a person should know (G22)."""

    policy: Policy
    remarks: tuple[PolicyFault, ...]
    lines: Mapping[KeyPath, int]
    """where each key stands in the file"""
    path: str = ""


def policy_from(data: Mapping[str, Any], lines: Mapping[KeyPath, int], path: str = "") -> LoadedPolicy:
    """Validate the file's contents. PolicyError holds every fault found."""
    findings: list[checks.Finding] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        findings += [_finding(one) for one in error.errors(include_url=False)]
    told = {finding.path for finding in findings}
    findings += [finding for finding in _cross_checks(data) if finding.path not in told]
    meant = {(*finding.path[:-1], finding.params["near"]) for finding in findings if "near" in finding.params}
    findings = [finding for finding in findings if finding.path not in meant]
    if findings or policy is None:
        raise PolicyError([_fault(finding, lines) for finding in findings])
    remarks = [_fault(finding, lines) for finding in checks.remarks(policy)]
    return LoadedPolicy(policy, tuple(remarks), lines, path)


def fault_at(loaded: LoadedPolicy, path: KeyPath, code: str, /, **params: Param) -> PolicyFault:
    """A fault of a policy that was read without one: found later, by looking at what it points to (a sound file)."""
    return _fault(checks.Finding(path, code, params), loaded.lines)


def _fault(finding: checks.Finding, lines: Mapping[KeyPath, int]) -> PolicyFault:
    return PolicyFault(
        line_of(lines, finding.path), spelled(finding.path), f"policy.fault.{finding.code}", finding.params
    )


def _finding(error: ErrorDetails) -> checks.Finding:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind = error["type"]
    context = error.get("ctx", {})
    key = spelled(path[-1:]).strip("[]")
    if kind == "missing":
        return checks.Finding(path, "missing", {"name": key})
    if kind == "extra_forbidden":
        return _unknown_key(path, key)
    if kind in ("enum", "literal_error"):
        if path[-2:] == ("training", "basis") and error["input"] == "legal_obligation":
            return checks.Finding(path, "obligation_training")
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        return checks.Finding(path, "not_one_of", {"value": str(error["input"])[:60], "allowed": allowed})
    if kind in ("greater_than_equal", "less_than_equal"):
        return checks.Finding(path, "not_one_of", {"value": str(error["input"])[:60], "allowed": "0, 1"})
    if kind == "string_too_short":
        return checks.Finding(path, "empty", {"name": key})
    if kind == "string_too_long":
        return checks.Finding(path, "too_long", {"most": int(context.get("max_length", 0))})
    if kind == "string_pattern_mismatch":
        return checks.Finding(path, "id", {"value": str(error["input"])[:60]})
    if kind in _OWN:
        return checks.Finding(path, kind, {name: str(value) for name, value in context.items()})
    return checks.Finding(path, f"wanted_{_WANTED.get(kind, 'other')}", {"name": key})


def _unknown_key(path: KeyPath, key: str) -> checks.Finding:
    names = [part for part in path[:-1] if isinstance(part, str)]
    table = names[-1] if names else ""
    known = list(_TABLES.get(table, LocalText).model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return checks.Finding(path, "unknown_key_near", {"name": key[:60], "near": near[0]})
    return checks.Finding(path, "unknown_key", {"name": key[:60], "known": ", ".join(known)})


def _cross_checks(data: Mapping[str, Any]) -> list[checks.Finding]:
    """The checks between values, on all that can be read, so that one fault does not hide another."""
    lines = _parts(Line, data, "line")
    recipients = _parts(Recipient, data, "recipient")
    findings = checks.doubles(lines, recipients)
    for path, _, raw in lines:
        documentation = _part(Documentation, raw.get("documentation"))
        if documentation:
            findings += checks.documentation(
                (*path, "documentation"), documentation, "retention" in raw["documentation"]
            )
        training = _part(Training, raw.get("training"))
        if training:
            findings += checks.training((*path, "training"), training)
        findings += checks.keys(path, raw.get("opt_out_key"))
    if all(part is not None for _, part, _ in recipients):
        findings += checks.openers(data, lines, recipients)
    return findings


def _parts(kind: type[Part], data: Mapping[str, Any], name: str) -> list[checks.Placed[Part]]:
    entries: Any = data.get(name)
    if not isinstance(entries, list):
        return []
    placed: list[checks.Placed[Part]] = []
    for n, raw in enumerate(cast("list[Any]", entries)):
        table = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
        placed.append(((name, n), _part(kind, table), table))
    return placed


def _part(kind: type[Part], raw: Any) -> Part | None:
    """The part as far as it can be read: what is wrong in it is left out, None where it cannot do without."""
    if not isinstance(raw, dict):
        return None
    rest = copy.deepcopy(cast("dict[str, Any]", raw))
    for _ in range(_NESTED):
        try:
            return kind.model_validate(rest)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                path = tuple(step for step in one["loc"] if step != "[key]")
                # a table that lacks something goes as a whole
                _prune(rest, path[:-1] if one["type"] == "missing" else path)
    return None


def _prune(table: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        if isinstance(table, dict):
            table = cast("dict[Any, Any]", table).get(part)
        elif isinstance(table, list) and isinstance(part, int):
            # entries keep their places, so the whole list goes with its faulty entry
            cast("list[Any]", table).clear()
            return
    if isinstance(table, dict) and path:
        cast("dict[Any, Any]", table).pop(path[-1], None)
    elif isinstance(table, list):
        cast("list[Any]", table).clear()
