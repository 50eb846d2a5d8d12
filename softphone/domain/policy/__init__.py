"""The policy file as a contract: its model, its faults, and what it says of a call. Not how the file is read from disk."""

from softphone.domain.policy.calls import exempt, notice_way, terms, which_line
from softphone.domain.policy.faults import KeyPath, PolicyError, PolicyFault
from softphone.domain.policy.fields import LocalText, share_text
from softphone.domain.policy.model import Controller, Line, Policy, Recipient, Training
from softphone.domain.policy.period import Period
from softphone.domain.policy.reading import LoadedPolicy, fault_at, policy_from
from softphone.domain.policy.toml_lines import key_lines

__all__ = [
    "Controller",
    "KeyPath",
    "Line",
    "LoadedPolicy",
    "LocalText",
    "Period",
    "Policy",
    "PolicyError",
    "PolicyFault",
    "Recipient",
    "Training",
    "exempt",
    "fault_at",
    "key_lines",
    "notice_way",
    "policy_from",
    "share_text",
    "terms",
    "which_line",
]
