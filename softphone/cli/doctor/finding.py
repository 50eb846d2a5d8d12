"""What a check has found: a code with its parameters. `faults` says how grave it is; `telling` makes words of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softphone.cli.doctor.faults import FAULTS, By
from softphone.domain.errors import KlartoneError, Param

if TYPE_CHECKING:
    from softphone.cli.doctor.machine import Machine


@dataclass(frozen=True, slots=True)
class Below:
    """A line below a finding, such as one fault of several in a file. `code` is empty for one that has only words."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    params: dict[str, Param] = field(default_factory=dict[str, Param])
    below: tuple[Below, ...] = ()
    remedy: str = ""
    """the code of what to do, where the window's words would send its reader to the doctor, or to what is locked"""
    by: By | None = None
    """who does that, if it is not who the list of faults says"""

    @classmethod
    def of(cls, error: KlartoneError, **more: Param) -> Finding:
        """What the desk would say for it. Some codes come without their first word."""
        code = error.code if error.code in FAULTS or f"error.{error.code}" not in FAULTS else f"error.{error.code}"
        return cls(code, {**error.params, **more})


@dataclass(frozen=True, slots=True)
class Check:
    """`look` runs on a thread of its own, and may take `seconds`. What it has not found by then is not waited for."""

    name: str
    look: Callable[[Machine], Iterable[Finding]]
    seconds: float = 10.0
