"""The policy applied to one call: which line it belongs to, whether it is exempt, and the terms the session works under.

Pure: the rulebook decides what is recorded, the session enforces it.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from softphone.domain.decision import How, NoticeId
from softphone.domain.events import Terms
from softphone.domain.notice import asks
from softphone.domain.policy.checks import CONSENT_KEYS, explicit_consent
from softphone.domain.policy.model import Line, Policy
from softphone.domain.policy.purposes import OptOut
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason

_DANISH = ("+45", "+298", "+299")
"""Denmark, the Faroes, Greenland"""


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
    if direction not in line.calls:
        return Reason.INTERNAL if direction is Direction.INTERNAL else Reason.LINE_NOT_RECORDED
    return None


def day_of(policy: Policy, at: datetime) -> date:
    """The day of a call at `at` (aware), in the policy's time zone: what holds for it, holds on that day."""
    return at.astimezone(ZoneInfo(policy.time_zone)).date()


def language_for(policy: Policy, line: Line, number: str | None, chosen: Language | None = None) -> Language:
    """In which language the notice begins: the party's own earlier choice, else its number's country where the line goes by
    that, else the line's. `number` is E.164, or None where it is withheld."""
    if chosen is not None:
        return chosen
    if line.language_by_country and number is not None and number.startswith("+"):
        return Language.DA if number.startswith(_DANISH) else Language.EN
    return policy.language_of(line)


def notice_way(line: Line, direction: Direction) -> How:
    """How this line's notice reaches the party: as the line says, for our own calls as its `outbound` says."""
    return How(line.outbound.notice if direction is Direction.OUTBOUND else line.notice)


def may_train(line: Line) -> bool:
    """Whether a yes to training is an explicit one where it must be (G09). `line`: with the words that are really used."""
    worded = {notice.value: {one.value: words for one, words in by.items()} for notice, by in line.wording.items()}
    return not explicit_consent((), line.sensitive, line.training, line.documentation, worded)


def terms(
    policy: Policy,
    line: Line,
    notice: NoticeId | None,
    *,
    language: Language,
    day: date,
    reading_time: float = 12.0,
    newcomer_reading_time: float | None = None,
) -> Terms:
    """What the session needs to know of the line, fixed when it rings. `language`: the notice's; `day`: the call's, in the
    policy's time zone; reading times: seconds, of the notice's text and of the short one for a newcomer, where there is one."""
    asked = asks(notice)
    return Terms(
        answer_time=line.answer_time.length().total_seconds(),
        repeat=line.repeat,
        reading_time=reading_time,
        newcomer_reading_time=newcomer_reading_time,
        other_language=next(one for one in Language if one is not language) if line.language_key else None,
        language_key=line.language_key,
        consent_keys=tuple(zip(CONSENT_KEYS, asked, strict=False)),
        opt_out_key=line.opt_out_key,
        opt_out_calls_back=line.training is not None and line.training.opt_out is OptOut.CALL_BACK,
        objection_stops=line.objection_in_call == "stop",
        on_failure=line.on_failure,
        spoken_consent=line.spoken_consent,
        special_circumstances=line.special_circumstances_on(day),
        sensitive_pause=line.sensitive.pause.length().total_seconds(),
        sensitive_resumes=line.sensitive.resumes,
        hold_after_refusal=policy.hold_after_refusal.length(),
        hold_unconfirmed=policy.hold_unconfirmed.length(),
        wrap_up=line.wrap_up.length().total_seconds(),
        starts_by_itself=line.outbound.starts_by_itself,
        warning_tone=line.warning_tone.length().total_seconds() if line.warning_tone else 0.0,
        agent_tones=line.agent_tones,
        obligation=line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION,
    )
