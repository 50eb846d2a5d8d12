"""The words everything else is built from: purposes, bases, reasons and the rules they cite.

These lists are closed, so that desk, audit log and reports say the same.
"""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """Why a call is recorded (G01)."""

    DOCUMENTATION = "documentation"
    TRAINING = "training"


class KeyRole(StrEnum):
    """For whom a wrapped key opens a recording: a purpose, or custody (holds, access, objections)."""

    DOCUMENTATION = "documentation"
    TRAINING = "training"
    CUSTODY = "custody"


class Basis(StrEnum):
    """The lawful ground of one purpose (G02)."""

    LEGAL_OBLIGATION = "legal_obligation"
    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"
    PUBLIC_TASK = "public_task"

    @property
    def can_be_objected_to(self) -> bool:
        """Art. 21 exists on interest and public task only (G23)."""
        return self in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK)


class Language(StrEnum):
    DA = "da"
    EN = "en"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class OnFailure(StrEnum):
    """What happens to a call if the law requires its recording and a failure prevents it."""

    WARN = "warn"
    END = "end"
    GO_ON = "go_on"


class Headline(StrEnum):
    """The one thing the status card says; red and `RECORDING` whenever anything is being recorded."""

    NOT_RECORDING = "not_recording"
    NOTICE = "notice"
    ASKED = "asked"
    RECORDING = "recording"
    PAUSED = "paused"
    FAILED = "failed"


class Reason(StrEnum):
    """Why the status is what it is: a closed list, each tied to its rule by `rule`."""

    # recording
    OBLIGATION = "obligation"
    ASSESSMENT = "assessment"
    PUBLIC_TASK = "public_task"
    CONSENT = "consent"
    TRAINING_SAMPLE = "training_sample"
    SPECIAL_CIRCUMSTANCES = "special_circumstances"
    # not (yet) recording
    WAITING_FOR_NOTICE = "waiting_for_notice"
    NO_PERSON_CONFIRMED = "no_person_confirmed"
    WAITING_FOR_ANSWER = "waiting_for_answer"
    NO_ANSWER = "no_answer"
    DECLINED_BY_KEY = "declined_by_key"
    DECLINED_BY_VOICE = "declined_by_voice"
    DECLINED_BY_SIP = "declined_by_sip"
    DECLINED_EARLIER = "declined_earlier"
    WITHDRAWN = "withdrawn"
    KEPT_OUT_OF_TRAINING = "kept_out_of_training"
    OBJECTION = "objection"
    GROUNDS_GIVEN = "grounds_given"
    NOT_UNDERSTOOD = "not_understood"
    NOT_IN_SAMPLE = "not_in_sample"
    REVIEWERS_HAVE_ENOUGH = "reviewers_have_enough"
    CALL_BACK = "call_back"
    VOICEMAIL = "voicemail"
    INTERNAL = "internal"
    PRIVATE = "private"
    NEVER_RECORD = "never_record"
    EMERGENCY = "emergency"
    LINE_NOT_RECORDED = "line_not_recorded"
    LINE_UNCLEAR = "line_unclear"
    EMPLOYEES_NOT_INFORMED = "employees_not_informed"
    HOUSE_UNREACHABLE = "house_unreachable"
    # paused (`objection` stands above)
    HELD = "held"
    SENSITIVE = "sensitive"
    NOT_TOLD = "not_told"
    NO_AGENT = "no_agent"
    NO_DESK = "no_desk"
    NO_SOUND = "no_sound"
    SOURCE_CHANGED = "source_changed"
    # failed
    POLICY_MISSING = "policy_missing"
    POLICY_FAULTY = "policy_faulty"
    POLICY_UNSIGNED = "policy_unsigned"
    RULEBOOK_FAILED = "rulebook_failed"
    NOTICE_FAILED = "notice_failed"
    NO_KEY = "no_key"
    STORAGE_FAILED = "storage_failed"
    RECORDER_FAILED = "recorder_failed"
    BROKE_OFF = "broke_off"
    # locked or restricted
    DISPUTE_PARTY = "dispute_party"
    DISPUTE_CONTROLLER = "dispute_controller"
    HOLD_ONLY = "hold_only"
    CASE_OPEN = "case_open"
    # ended by itself
    PAST_ITS_DATE = "past_its_date"
    # beside any of them
    NO_ASSESSMENT = "no_assessment"

    @property
    def rule(self) -> str:
        """The row of the guideline's list that this reason follows."""
        return _RULES[self]


_RULES: dict[Reason, str] = {
    Reason.OBLIGATION: "G02",
    Reason.ASSESSMENT: "G20",
    Reason.PUBLIC_TASK: "G02",
    Reason.CONSENT: "G03",
    Reason.TRAINING_SAMPLE: "G34",
    Reason.SPECIAL_CIRCUMSTANCES: "G32",
    Reason.WAITING_FOR_NOTICE: "G05",
    Reason.NO_PERSON_CONFIRMED: "G05",
    Reason.WAITING_FOR_ANSWER: "G03",
    Reason.NO_ANSWER: "G03",
    Reason.DECLINED_BY_KEY: "G31",
    Reason.DECLINED_BY_VOICE: "G31",
    Reason.DECLINED_BY_SIP: "G31",
    Reason.DECLINED_EARLIER: "G31",
    Reason.WITHDRAWN: "G04",
    Reason.KEPT_OUT_OF_TRAINING: "G33",
    Reason.OBJECTION: "G23",
    Reason.GROUNDS_GIVEN: "G32",
    Reason.NOT_UNDERSTOOD: "G05",
    Reason.NOT_IN_SAMPLE: "G34",
    Reason.REVIEWERS_HAVE_ENOUGH: "G33",
    Reason.CALL_BACK: "N4",
    Reason.VOICEMAIL: "G05",
    Reason.INTERNAL: "G01",
    Reason.PRIVATE: "G01",
    Reason.NEVER_RECORD: "G01",
    Reason.EMERGENCY: "G01",
    Reason.LINE_NOT_RECORDED: "G01",
    Reason.LINE_UNCLEAR: "G01",
    Reason.EMPLOYEES_NOT_INFORMED: "L1",
    Reason.HOUSE_UNREACHABLE: "G31",
    Reason.HELD: "L5",
    Reason.SENSITIVE: "G09",
    Reason.NOT_TOLD: "G05",
    Reason.NO_AGENT: "L5",
    Reason.NO_DESK: "G31",
    Reason.NO_SOUND: "G10",
    Reason.SOURCE_CHANGED: "G05",
    Reason.POLICY_MISSING: "G11",
    Reason.POLICY_FAULTY: "G11",
    Reason.POLICY_UNSIGNED: "G11",
    Reason.RULEBOOK_FAILED: "G11",
    Reason.NOTICE_FAILED: "G05",
    Reason.NO_KEY: "G11",
    Reason.STORAGE_FAILED: "G11",
    Reason.RECORDER_FAILED: "G11",
    Reason.BROKE_OFF: "G11",
    Reason.DISPUTE_PARTY: "G10",
    Reason.DISPUTE_CONTROLLER: "G10",
    Reason.HOLD_ONLY: "G10",
    Reason.CASE_OPEN: "G23",
    Reason.PAST_ITS_DATE: "G10",
    Reason.NO_ASSESSMENT: "G22",
}
