"""The rulebook: Datatilsynet's guideline on recording telephone calls, as decisions and notices.

It chooses; the session enforces. The words of the notices lie in `texts/`.
"""

from __future__ import annotations

from softphone.domain.decision import Decision, Facts, NoticeId
from softphone.domain.notice import Judgement, NoticeText, NoticeVariant
from softphone.domain.policy.model import Controller, Line, Wording
from softphone.domain.purpose import Language
from softphone.plugin.spec import hookimpl

from .checking import judge
from .composing import standard, text_for
from .rules import decision_for


@hookimpl
def decide(facts: Facts, line: Line, drawn: bool) -> Decision:
    return decision_for(facts, line, drawn=drawn)


@hookimpl
def notice_text(
    controller: Controller, line: Line, notice: NoticeId, language: Language, variant: NoticeVariant
) -> NoticeText | None:
    return text_for(controller, line, notice, language, variant)


@hookimpl
def judge_notice(line: Line, notice: NoticeId, language: Language, wording: Wording | None) -> Judgement:
    return judge(line, notice, language, wording or standard(line, notice, language))
