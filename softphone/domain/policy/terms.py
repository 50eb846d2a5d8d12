"""The terms that the session of one call works under, as its line has them.

A module of its own, so that a reader of policies need not import the session's events.
"""

from __future__ import annotations

from datetime import date

from softphone.domain.decision import NoticeId
from softphone.domain.events import Terms
from softphone.domain.notice import asks
from softphone.domain.policy.checks import CONSENT_KEYS
from softphone.domain.policy.model import Line, Policy
from softphone.domain.policy.purposes import OptOut
from softphone.domain.purpose import Basis, Language, Purpose


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
    """What the session needs to know of the line, fixed when it rings.

    `language`: the notice's; `day`: the call's, in the policy's time zone. Reading times are seconds: of the notice's text,
    and of the short text for a newcomer if there is one.
    """
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


def terms_afterwards(policy: Policy | None) -> Terms:
    """For a call that is taken up after its end. How long a hold may stand is the policy's today; the rest was the call's."""
    if policy is None:
        return Terms()
    return Terms(
        hold_after_refusal=policy.hold_after_refusal.length(), hold_unconfirmed=policy.hold_unconfirmed.length()
    )
