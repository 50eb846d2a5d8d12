"""Who may do what with recordings: the roles of the house, and the permissions of each.

Pure. A role is proved by a private key that opens what is sealed for it; an agent and IT hold none. The archive proves it,
and logs every opening and every refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from softphone.domain.purpose import KeyRole


class Role(StrEnum):
    """One person may have several."""

    AGENT = "agent"
    CASE_HANDLER = "case_handler"
    LEAD = "lead"
    CUSTODY = "custody"
    IT = "it"


class Permission(StrEnum):
    FIND_OWN = "find_own"
    """own calls of the last days, without sound"""
    FIND_DOCUMENTATION = "find_documentation"
    """living documentation recordings, by number or time"""
    FIND_TRAINING = "find_training"
    """living training recordings of the own team, without numbers"""
    FIND_ALL = "find_all"
    OPEN_DOCUMENTATION = "open_documentation"
    """giving a reason"""
    OPEN_TRAINING = "open_training"
    OPEN_CASE = "open_case"
    """what a case names; the case is given"""
    REVIEW = "review"
    TAKE_BACK = "take_back"
    """carry out an opt-out or a withdrawn consent for a party, on any day after the call"""
    RAISE_HOLD = "raise_hold"
    """lock a recording after a complaint"""
    DECIDE_HOLD = "decide_hold"
    """confirm and lift"""
    DECIDE_CASE = "decide_case"
    """an objection, or grounds under special circumstances"""
    JUDGE = "judge"
    """what has reached its day and is not simply deleted"""
    BELIEVE_CLOCK = "believe_clock"
    """say that the date is right, and let it delete, after the clock has jumped"""
    READ_NOTES = "read_notes"
    """agents' notes about a party's calls, for the party's access to them and their erasure"""
    READ_LOG = "read_log"
    """all of it"""
    READ_OPERATIONS = "read_operations"
    """of a house's log, what looks after the house and says nothing of a call"""
    CHOOSE_SIGNER = "choose_signer"
    """say whose signature a policy must have on this archive"""


FINDS = (Permission.FIND_ALL, Permission.FIND_DOCUMENTATION, Permission.FIND_TRAINING, Permission.FIND_OWN)
OPENS = {
    KeyRole.DOCUMENTATION: Permission.OPEN_DOCUMENTATION,
    KeyRole.TRAINING: Permission.OPEN_TRAINING,
    KeyRole.CUSTODY: Permission.OPEN_CASE,
}
"""what a role needs to hear a recording"""
_MAY: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset({Permission.FIND_OWN, Permission.RAISE_HOLD}),
    Role.CASE_HANDLER: frozenset(
        {Permission.FIND_DOCUMENTATION, Permission.OPEN_DOCUMENTATION, Permission.TAKE_BACK, Permission.RAISE_HOLD}
    ),
    Role.LEAD: frozenset(
        {Permission.FIND_TRAINING, Permission.OPEN_TRAINING, Permission.REVIEW, Permission.RAISE_HOLD}
    ),
    Role.CUSTODY: frozenset(
        {
            Permission.FIND_ALL,
            Permission.OPEN_CASE,
            Permission.TAKE_BACK,
            Permission.RAISE_HOLD,
            Permission.DECIDE_HOLD,
            Permission.DECIDE_CASE,
            Permission.JUDGE,
        }
        | {Permission.BELIEVE_CLOCK, Permission.READ_LOG, Permission.READ_NOTES, Permission.CHOOSE_SIGNER}
    ),
    Role.IT: frozenset({Permission.READ_OPERATIONS}),
}
_BY_KEY = {
    KeyRole.DOCUMENTATION: Role.CASE_HANDLER,
    KeyRole.TRAINING: Role.LEAD,
    KeyRole.CUSTODY: Role.CUSTODY,
}


def role_of(key: KeyRole) -> Role:
    """The person whose key opens what is sealed for `key`."""
    return _BY_KEY[key]


def may(roles: Iterable[Role], permission: Permission) -> bool:
    return any(permission in _MAY[role] for role in roles)
