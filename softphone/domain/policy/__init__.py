"""The policy file as a contract: its model, its faults, and what it says of a call. Not how the file is read from disk."""

from softphone.domain.policy.calls import day_of, exempt, language_for, may_train, notice_way, which_line
from softphone.domain.policy.faults import KeyPath, PolicyError, PolicyFault, PolicyUnsigned
from softphone.domain.policy.fields import LocalText, share_text
from softphone.domain.policy.model import (
    Confirmed,
    Controller,
    Line,
    Policy,
    Recipient,
    ScoreItem,
    SoundFile,
    Team,
    Wording,
)
from softphone.domain.policy.period import Period
from softphone.domain.policy.purposes import AtEnd, OptOut, Training
from softphone.domain.policy.reading import (
    LoadedPolicy,
    PolicyPartlyRead,
    fault_at,
    policy_from,
    unsigned_sounds,
    warning_at,
)
from softphone.domain.policy.toml_lines import key_lines

__all__ = [
    "AtEnd",
    "Confirmed",
    "Controller",
    "KeyPath",
    "Line",
    "LoadedPolicy",
    "LocalText",
    "OptOut",
    "Period",
    "Policy",
    "PolicyError",
    "PolicyFault",
    "PolicyPartlyRead",
    "PolicyUnsigned",
    "Recipient",
    "ScoreItem",
    "SoundFile",
    "Team",
    "Training",
    "Wording",
    "day_of",
    "exempt",
    "fault_at",
    "key_lines",
    "language_for",
    "may_train",
    "notice_way",
    "policy_from",
    "share_text",
    "unsigned_sounds",
    "warning_at",
    "which_line",
]
