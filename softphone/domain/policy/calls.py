"""The policy applied to one call: which line it belongs to, whether it is exempt, and how its notice is given.

Pure: the rulebook decides what is recorded, the session enforces it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from softphone.domain.decision import NoticeDelivery
from softphone.domain.lines import Found, Names, find
from softphone.domain.policy.checks import explicit_consent
from softphone.domain.policy.model import Line, Policy
from softphone.domain.purpose import Direction, Language, Reason

_DANISH = ("+45", "+298", "+299")
"""Denmark, the Faroes, Greenland"""


def which_line(
    policy: Policy, direction: Direction, *, called: Names, account: Names, chosen: str | None = None
) -> Found[Line]:
    """The line a call belongs to.

    Incoming: by who was called, else by the account. Outgoing and internal: the line that names the account, else the
    agent's choice, else none (then it is not recorded). Where several could be meant only the agent's choice decides.
    """
    found: Found[Line] = Found()
    for named in (called, account) if direction is Direction.INBOUND else (account,):
        found = find(named, policy.line, lambda line: line.numbers)
        if found.line or found.unclear:
            break
    line = policy.line_named(chosen) if chosen is not None and not found.line else None
    return Found(line) if line else found


def exempt(
    policy: Policy, line: Line | None, direction: Direction, number: str | None, ours: Collection[str] = ()
) -> Reason | None:
    """Why a call with `number` is never recorded, announced or delayed; None where the rulebook decides.

    `number` is the other side's: E.164, an extension or a short number. `ours` are this side's: its account's and the called
    one.
    """
    if direction is Direction.OUTBOUND and number in policy.emergency:
        return Reason.EMERGENCY
    never = (*policy.never_record, *(line.never_record if line is not None else ()))
    if any(one in never for one in (number, *ours)):
        return Reason.NEVER_RECORD
    if line is None or (line.documentation is None and line.training is None):
        return Reason.LINE_NOT_RECORDED
    if direction not in line.calls:
        return Reason.INTERNAL if direction is Direction.INTERNAL else Reason.LINE_NOT_RECORDED
    return None


def day_of(policy: Policy, at: datetime) -> date:
    """The day of a call at `at` (aware), in the policy's time zone. The policy's dates are judged on that day."""
    return at.astimezone(ZoneInfo(policy.time_zone)).date()


def language_for(policy: Policy, line: Line, number: str | None, chosen: Language | None = None) -> Language:
    """The language in which the notice begins. `number` is E.164, or None where it is withheld.

    The party's own earlier choice comes first, then its number's country if the line goes by that, then the line's language.
    """
    if chosen is not None:
        return chosen
    if line.language_by_country and number is not None and number.startswith("+"):
        return Language.DA if number.startswith(_DANISH) else Language.EN
    return policy.language_of(line)


def notice_way(line: Line, direction: Direction) -> NoticeDelivery:
    """How this line's notice reaches the party. Our own calls go by the line's `outbound`."""
    return NoticeDelivery(line.outbound.notice if direction is Direction.OUTBOUND else line.notice)


def may_train(line: Line) -> bool:
    """Whether a yes to training is explicit where it must be (G09). `line`: with the words that are really used."""
    worded = {notice.value: {one.value: words for one, words in by.items()} for notice, by in line.wording.items()}
    return not explicit_consent((), line.sensitive, line.training, line.documentation, worded)
