"""The checks between a policy's values: what the guideline and the keys demand of them together.

Each gives findings with the path of a key; `reading` puts the line to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from softphone.domain.errors import Param
from softphone.domain.policy.faults import KeyPath
from softphone.domain.policy.model import THREE_MONTHS, Documentation, Line, Policy, Recipient, Training
from softphone.domain.purpose import Basis, KeyRole

Part = TypeVar("Part")
Placed = tuple[KeyPath, Part | None, Mapping[str, Any]]
"""where it stands, the part where it could be read, and its raw table"""

CONSENT_KEYS = ("1", "2")
"""the keys that say yes, in the order in which a notice asks"""


@dataclass(frozen=True, slots=True)
class Finding:
    path: KeyPath
    code: str
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])


def documentation(path: KeyPath, part: Documentation, retention_given: bool) -> list[Finding]:
    """On obligation the other rule's period is stated, never assumed (G10)."""
    if part.basis is Basis.LEGAL_OBLIGATION and not retention_given:
        return [Finding((*path, "retention"), "retention_needed")]
    return []


def training(path: KeyPath, part: Training) -> list[Finding]:
    """Three months, or a reason (G36); special circumstances on interest only (G32)."""
    found: list[Finding] = []
    if not part.retention.never_longer_than(THREE_MONTHS) and part.why_longer is None:
        found.append(Finding((*path, "retention"), "why_longer", {"value": str(part.retention)}))
    if part.special_circumstances is not None and part.basis is Basis.CONSENT:
        found.append(Finding((*path, "special_circumstances"), "special_on_consent"))
    return found


def keys(path: KeyPath, opt_out_key: object) -> list[Finding]:
    """The opt-out keys are matched first, so they must not swallow a yes."""
    if isinstance(opt_out_key, str) and opt_out_key[:1] in CONSENT_KEYS:
        return [Finding((*path, "opt_out_key"), "key_is_a_yes", {"value": opt_out_key[:60]})]
    return []


def doubles(lines: Sequence[Placed[Line]], recipients: Sequence[Placed[Recipient]]) -> list[Finding]:
    """An id names one thing, a number belongs to one line."""
    found: list[Finding] = []
    ids: set[tuple[str, str]] = set()
    owners: dict[str, str] = {}
    for path, line, _ in lines:
        if line is None:
            continue
        found += _id_again(ids, "line", line.id, path)
        for n, number in enumerate(line.numbers):
            if number in owners:
                params = {"value": number, "other": owners[number]}
                found.append(Finding((*path, "numbers", n), "number_twice", params))
            owners.setdefault(number, line.id)
    for path, recipient, _ in recipients:
        if recipient is not None:
            found += _id_again(ids, "recipient", recipient.id, path)
    return found


def _id_again(ids: set[tuple[str, str]], kind: str, name: str, path: KeyPath) -> list[Finding]:
    if (kind, name) in ids:
        return [Finding((*path, "id"), "id_twice", {"value": name})]
    ids.add((kind, name))
    return []


def openers(
    data: Mapping[str, Any], lines: Sequence[Placed[Line]], recipients: Sequence[Placed[Recipient]]
) -> list[Finding]:
    """Somebody of its own can open each purpose in use, and somebody has custody."""
    if "recipient" not in data and not lines:
        return []
    there = {recipient.purpose for _, recipient, _ in recipients if recipient is not None}
    found: list[Finding] = []
    used: dict[KeyRole, KeyPath] = {}
    for path, _, raw in lines:
        for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING):
            if role.value in raw:
                used.setdefault(role, (*path, role.value))
    for role, path in used.items():
        if role not in there:
            found.append(Finding(path, "no_recipient", {"role": role.value}))
    if used and KeyRole.CUSTODY not in there:
        found.append(Finding(("recipient",), "no_custody"))
    return found


def remarks(policy: Policy) -> list[Finding]:
    """What is no fault and yet to be known: documentation without a whole assessment asks for consent (G22)."""
    found: list[Finding] = []
    for n, line in enumerate(policy.line):
        part = line.documentation
        if part is not None and part.lacks_assessment:
            lacking = ", ".join(part.assessment.lacks) if part.assessment else "assessment"
            found.append(Finding(("line", n, "documentation"), "no_assessment", {"lacking": lacking}))
    return found
