"""Who may do what with recordings that were made: the roles of the house, and the deeds of each.

Pure. A role is proved by a private key that opens what is sealed for it; an agent and IT hold none. How that is found out, and
that every opening and every refusal is in the audit log, is the archive's.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from softphone.domain.purpose import KeyRole


class Role(StrEnum):
    """Somebody may have several."""

    AGENT = "agent"
    CASE_HANDLER = "case_handler"
    LEAD = "lead"
    CUSTODY = "custody"
    IT = "it"


class Deed(StrEnum):
    FIND_OWN = "find_own"
    """own calls of the last days, without sound"""
    FIND_DOCUMENTATION = "find_documentation"
    """living documentation recordings, by number or time"""
    FIND_TRAINING = "find_training"
    """living training recordings of the own team, without numbers"""
    FIND_ALL = "find_all"
    OPEN_DOCUMENTATION = "open_documentation"
    """naming why"""
    OPEN_TRAINING = "open_training"
    OPEN_CASE = "open_case"
    """what a case names, which is told"""
    REVIEW = "review"
    TAKE_BACK = "take_back"
    """an opt-out, or a consent that is withdrawn, for a party, on any day after the call"""
    RAISE_HOLD = "raise_hold"
    """whoever takes the complaint"""
    DECIDE_HOLD = "decide_hold"
    """confirm and lift"""
    DECIDE_CASE = "decide_case"
    """an objection, or grounds under special circumstances"""
    JUDGE = "judge"
    """what has come to its day and is not simply deleted"""
    BELIEVE_CLOCK = "believe_clock"
    """say that a date by which something is deleted is right, where the clock has jumped"""
    READ_LOG = "read_log"
    """all of it"""
    CHOOSE_SIGNER = "choose_signer"
    """say whose signature a policy must have to count on this archive"""
    KEEP = "keep"
    """sweep, verify, back up, restore: the archive's health, and nothing of a call"""


FINDS = (Deed.FIND_ALL, Deed.FIND_DOCUMENTATION, Deed.FIND_TRAINING, Deed.FIND_OWN)
OPENS = {
    KeyRole.DOCUMENTATION: Deed.OPEN_DOCUMENTATION,
    KeyRole.TRAINING: Deed.OPEN_TRAINING,
    KeyRole.CUSTODY: Deed.OPEN_CASE,
}
"""what it takes to hear a recording in each role"""
_MAY: dict[Role, frozenset[Deed]] = {
    Role.AGENT: frozenset({Deed.FIND_OWN, Deed.RAISE_HOLD}),
    Role.CASE_HANDLER: frozenset({Deed.FIND_DOCUMENTATION, Deed.OPEN_DOCUMENTATION, Deed.TAKE_BACK, Deed.RAISE_HOLD}),
    Role.LEAD: frozenset({Deed.FIND_TRAINING, Deed.OPEN_TRAINING, Deed.REVIEW, Deed.RAISE_HOLD}),
    Role.CUSTODY: frozenset(
        {Deed.FIND_ALL, Deed.OPEN_CASE, Deed.TAKE_BACK, Deed.RAISE_HOLD, Deed.DECIDE_HOLD, Deed.DECIDE_CASE, Deed.JUDGE}
        | {Deed.BELIEVE_CLOCK, Deed.READ_LOG, Deed.CHOOSE_SIGNER}
    ),
    Role.IT: frozenset(),
}
_BY_KEY = {
    KeyRole.DOCUMENTATION: Role.CASE_HANDLER,
    KeyRole.TRAINING: Role.LEAD,
    KeyRole.CUSTODY: Role.CUSTODY,
}


def role_of(key: KeyRole) -> Role:
    """Whose key opens what is sealed for `key`."""
    return _BY_KEY[key]


def may(roles: Iterable[Role], deed: Deed) -> bool:
    """The archive's health is everybody's who can open the archive at all."""
    return deed is Deed.KEEP or any(deed in _MAY[role] for role in roles)
