"""What can be wrong with a policy file, as codes with a line and a key. The sentences live in the `policy` catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from softphone.domain.errors import KlartoneError, Param

KeyPath = tuple[str | int, ...]
"""where a value stands: ("line", 0, "training", "sample"); numbers count the entries of a list from 0"""


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One fault: `code` is a message key (`policy.fault…`); `line` counts from 1, None where the whole file is meant."""

    line: int | None
    key: str
    code: str
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])


class PolicyError(KlartoneError):
    """A policy file that cannot be used; `faults` holds every fault that was found, in the order of the file."""

    def __init__(self, faults: Sequence[PolicyFault]) -> None:
        if not faults:
            raise ValueError("a policy error tells of at least one fault")
        super().__init__("error.policy.faulty", count=len(faults))
        self.faults: tuple[PolicyFault, ...] = tuple(
            sorted(faults, key=lambda fault: (fault.line or 0, fault.key, fault.code))
        )


def spelled(path: KeyPath) -> str:
    """A key path as a person would look for it: `line[2].training.sample`, entries counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path`, or of the nearest table around it (for a key that is missing)."""
    for length in range(len(path), 0, -1):
        found = lines.get(path[:length])
        if found is not None:
            return found
    return None
