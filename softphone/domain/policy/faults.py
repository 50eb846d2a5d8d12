"""What can be wrong with a policy file, as codes with a line, a key and the rule behind it. The sentences live in the
`policy` catalog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from softphone.domain.errors import KlartoneError, Param

KeyPath = tuple[str | int, ...]
"""where a value stands: ("line", 0, "training", "sample"); numbers count the entries of a list from 0"""

WARNING = "policy.warning."
FAULT = "policy.fault."


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One fault (`policy.fault…`) or one doubt (`policy.warning…`).

    `code` is a message key; `line` counts from 1, None where the whole file is meant.
    """

    line: int | None
    key: str
    code: str
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])
    hash: str = ""
    """of a doubt that a person can confirm: the confirmation names it by this"""
    by: str = ""
    on: date | None = None
    """who has confirmed it, and when"""

    @property
    def rule(self) -> str:
        """The row of the guideline's list that it would break, or that makes it doubtful.

        It is that of its kind, else of its key, else G11: the policy must show what it decided.
        """
        given = self.params.get("rule")
        if isinstance(given, str):
            return given
        kind = _OF_A_KIND.get(self.code.removeprefix(FAULT).removeprefix(WARNING))
        return kind or _of_key(self.key) or "G11"


@dataclass(frozen=True, slots=True)
class NamedSound:
    """A sound file, named by a line, that could not be read whole; `line` and `key` as for a fault."""

    line: int | None
    key: str
    file: str


class PolicyError(KlartoneError):
    """A policy file that cannot be used. `faults` holds every fault found, in the order of the file; `sounds` are still
    unread."""

    def __init__(
        self,
        faults: Sequence[PolicyFault],
        code: str = "error.policy.faulty",
        *,
        sounds: Sequence[NamedSound] = (),
    ) -> None:
        if not faults:
            raise ValueError("a policy error tells of at least one fault")
        super().__init__(code, count=len(faults))
        self.faults: tuple[PolicyFault, ...] = in_file_order(faults)
        self.sounds = tuple(sounds)


class PolicyUnsigned(PolicyError):  # noqa: N818 - as it is said: the policy is unsigned
    """The policy must be signed and has no valid signature: nothing is recorded, whatever else it says."""

    def __init__(self, fault: PolicyFault) -> None:
        super().__init__([fault], "error.policy.unsigned")


def in_file_order(faults: Sequence[PolicyFault]) -> tuple[PolicyFault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.line or 0, fault.key, fault.code)))


def spelled(path: KeyPath) -> str:
    """A key path in the form a person looks for: `line[2].training.sample`, entries counted from 1."""
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


def _of_key(key: str) -> str | None:
    names = [name for name in re.split(r"[.\[\]\d]+", key) if name]
    for n in range(len(names), 0, -1):
        rule = _OF_A_KEY.get(".".join(names[max(0, n - 2) : n])) or _OF_A_KEY.get(names[n - 1])
        if rule is not None:
            return rule
    return None


_OF_A_KIND: Mapping[str, str] = {
    # faults
    "retention_needed": "G10",
    "retention_none": "G10",
    "keep_reviewed_longer": "G38",
    "judge_within_none": "G10",
    "audit_short": "G11",
    "obligation_training": "G02",
    "special_on_consent": "G32",
    "special_dates": "G32",
    "sensitive_training": "G09",
    "ground_lacking": "G09",
    "explicit_consent": "G09",
    "page": "G06",
    "page_spoken": "G06",
    "page_front": "G06",
    "informed_unconfirmed": "L1",
    "pause_none": "G09",
    "key_is_a_yes": "G03",
    "key_taken": "G31",
    "answer_time_none": "G03",
    "tone_too_often": "G05",
    "question_needed": "G03",
    "question_not_asked": "G03",
    "mark": "G03",
    "mark_not_asked": "G03",
    "mark_order": "G03",
    "mark_outside": "G03",
    "place": "G05",
    "which_controller": "G13",
    "no_controller": "G13",
    "no_recipient": "G10",
    "no_recipient_here": "G10",
    "no_custody": "G08",
    "no_custody_here": "G08",
    "key_of_another_purpose": "G31",
    "no_line": "L2",
    "no_lead": "L2",
    "no_team": "L2",
    "points": "L4",
    "lead_cannot_open": "L2",
    "no_authority": "G02",
    # warnings
    "no_assessment": "G22",
    "documentation_longer": "G10",
    "training_longer": "G36",
    "training_judged": "G36",
    "no_rule": "G02",
    "no_why_kept": "G11",
    "obligation_calls": "G02",
    "obligation_numbers": "G02",
    "extension_emergency": "G01",
    "extension_is_agent": "G01",
    "number_two_names": "G01",
    "every_call": "G33",
    "large_sample": "G33",
    "no_capacity": "G33",
    "special_elsewhere": "G32",
    "special_expired": "G32",
    "special_not_yet": "G32",
    "special_long": "G32",
    "page_general": "G06",
    "page_about": "G06",
    "page_host": "G06",
    "page_short": "G06",
    "page_http": "G06",
    "need_short": "G20",
    "need_otherwise": "G20",
    "authority_interest": "G02",
    "capacity_all": "G33",
    "capacity_large": "G33",
    "notice_foreign": "G05",
    "call_back_beside": "G31",
    "end_on_consent": "G03",
    "internal_consent": "G03",
    "shared_key": "G10",
    "emergency_doubtful": "G32",
    "sensitive_interest": "G09",
    "go_on_elsewhere": "G23",
    "ground_without_consent": "G09",
    "ground_authority": "G09",
    "long_notice": "G05",
    "sound_unconfirmed": "G05",
    "sound_unsigned": "G05",
    "sound_changed": "G05",
    "sound_unmarked": "G03",
    "whistle_blower": "G20",
    "whistle_blower_training": "G30",
    "not_informed": "L1",
    "informed_later": "L1",
    "informed_obliged": "L1",
    "no_hosts": "G05",
    "emergency_played": "G05",
    "long_answer_time": "G03",
    "long_wrap_up": "G31",
    "long_warning_tone": "G05",
    "opt_out_digit": "G31",
    "ground_for_nothing": "G09",
    "consent_names_nothing": "G09",
    "training_waits": "G09",
    "long_hold_after_refusal": "G04",
    "long_hold_unconfirmed": "G10",
    "long_judge_within": "G10",
    "long_own_calls": "L2",
    "audit_shorter": "G11",
    "no_emergency": "G01",
    "emergency_number": "G01",
    "confirmed_later": "G11",
    "confirmed_name": "G11",
    "not_signed": "G11",
    "signed_otherwise": "G11",
    "key_revoked": "G11",
    "key_revoked_documentation": "G11",
    "key_revoked_training": "G11",
    "key_revoked_custody": "G11",
}

_OF_A_KEY: Mapping[str, str] = {
    "basis": "G02",
    "rule": "G02",
    "training.basis": "G30",
    "retention": "G10",
    "training.retention": "G36",
    "why_longer": "G10",
    "training.why_longer": "G36",
    "sample": "G34",
    "capacity": "G33",
    "why_this_number": "G35",
    "why_kept": "G11",
    "assessment": "G22",
    "G20": "G20",
    "G21": "G21",
    "special_circumstances": "G32",
    "opt_out": "G31",
    "opt_out_key": "G31",
    "objection_in_call": "G23",
    "sensitive": "G09",
    "spoken_consent": "G03",
    "answer_time": "G03",
    "repeat": "G03",
    "notice": "G05",
    "outbound": "G05",
    "upstream": "G05",
    "house": "G05",
    "sound": "G05",
    "wording": "G05",
    "confirmed": "G05",
    "language_key": "G05",
    "page": "G06",
    "controller": "G13",
    "authority": "G02",
    "recipient": "G08",
    "calls": "G01",
    "never_record": "G01",
    "emergency": "G01",
    "hold_after_refusal": "G04",
    "hold_unconfirmed": "G10",
    "judge_within": "G10",
    "at_end": "G10",
    "training.at_end": "G36",
    "keep_reviewed": "G38",
    "audit_retention": "G11",
    "own_calls": "L2",
    "score": "L4",
    "employees_informed_on": "L1",
    "team": "L2",
}
