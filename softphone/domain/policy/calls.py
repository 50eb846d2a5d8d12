"""The policy applied to one call: which line it belongs to, whether it is exempt, and the terms the session works under.

Pure: the rulebook decides what is recorded, the session enforces it.
"""

from __future__ import annotations

from softphone.domain.decision import How, NoticeId
from softphone.domain.events import Terms
from softphone.domain.notice import asks
from softphone.domain.policy.checks import CONSENT_KEYS
from softphone.domain.policy.model import Line, OptOut, Policy
from softphone.domain.purpose import Basis, Direction, Purpose, Reason


def which_line(
    policy: Policy, direction: Direction, *, called: str | None, account_number: str | None, chosen: str | None = None
) -> Line | None:
    """The line a call belongs to.

    Incoming: by the number that was called, else by the account's own. Outgoing and internal: the line whose numbers hold
    the account's caller id, else the agent's choice, else none (then it is not recorded). Numbers are E.164.
    """
    numbers = (called, account_number) if direction is Direction.INBOUND else (account_number,)
    for number in numbers:
        for line in policy.line:
            if number is not None and number in line.numbers:
                return line
    return policy.line_named(chosen) if chosen is not None else None


def exempt(policy: Policy, line: Line | None, direction: Direction, number: str | None) -> Reason | None:
    """Why a call with `number` is never recorded, announced or delayed; None where the rulebook is to be asked.

    `number` is the other side's: E.164, an extension or a short number.
    """
    if number is not None:
        if direction is Direction.OUTBOUND and number in policy.emergency:
            return Reason.EMERGENCY
        if number in policy.never_record or (line is not None and number in line.never_record):
            return Reason.NEVER_RECORD
    if line is None or (line.documentation is None and line.training is None):
        return Reason.LINE_NOT_RECORDED
    if direction is Direction.INTERNAL and not line.internal:
        return Reason.INTERNAL
    return None


def notice_way(line: Line, direction: Direction) -> How:
    """How this line's notice reaches the party: as the line says, for our own calls as its `outbound` says."""
    return How(line.outbound.notice if direction is Direction.OUTBOUND else line.notice)


def terms(policy: Policy, line: Line, notice: NoticeId | None, *, reading_time: float = 12.0) -> Terms:
    """What the session needs to know of the line, fixed when it rings. `reading_time`: seconds, of the notice's text."""
    asked = asks(notice)
    return Terms(
        answer_time=line.answer_time.length().total_seconds(),
        repeat=line.repeat,
        reading_time=reading_time,
        consent_keys=tuple(zip(CONSENT_KEYS, asked, strict=False)),
        opt_out_key=line.opt_out_key,
        opt_out_calls_back=line.training is not None and line.training.opt_out is OptOut.CALL_BACK,
        objection_stops=line.objection_in_call == "stop",
        on_failure=line.on_failure,
        spoken_consent=line.spoken_consent,
        special_circumstances=line.special_circumstances,
        sensitive_pause=line.sensitive_pause.length().total_seconds(),
        sensitive_resumes=line.sensitive_ground is not None,
        hold_after_refusal=policy.hold_after_refusal.length(),
        hold_unconfirmed=policy.hold_unconfirmed.length(),
        wrap_up=line.wrap_up.length().total_seconds(),
        starts_by_itself=line.outbound.starts_by_itself,
        obligation=line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION,
    )
