"""The text and the sound of a call's notice at the moment: by its language, and by whom it is for.

It follows the session, and keeps nothing of its own. The call's own book holds the notices.
"""

from __future__ import annotations

from softphone.calls.live import LiveCall
from softphone.domain.decision import Decision
from softphone.domain.notice import NoticeText, asks
from softphone.domain.purpose import Language
from softphone.domain.status import InformedPhase


class CallNotices:
    def has(self, call: LiveCall, decision: Decision) -> bool:
        """Whether this decision's notice has a text: without one the party cannot be told."""
        return decision.notice is not None and call.text_of(decision.notice, call.language) is not None

    def take(self, call: LiveCall, decision: Decision) -> None:
        """The notice of this decision, in the call's language."""
        call.notice_id = decision.notice
        self._set(call, call.language, newcomer=False)

    def take_anew(self, call: LiveCall) -> None:
        """The choice made while it rang may have another sound for this party."""
        if call.notice_id is not None:
            self._set(call, call.language, newcomer=call.newcomer)

    def follow(self, call: LiveCall) -> None:
        """After a step: the party chose another language, a newcomer gets the short text, or the agent reads it."""
        if call.notice_id is None:
            return
        language = call.state.language
        newcomer = call.state.pauses.newcomer_not_informed and not asks(call.notice_id)
        if (language, newcomer) != (call.language, call.newcomer):
            self._set(call, language, newcomer=newcomer)
        call.reads_aloud = call.state.informing.phase is InformedPhase.READING

    def other_languages(self, call: LiveCall) -> tuple[Language, ...]:
        """The languages in which the call's notice can be given too."""
        notice = call.notice_id
        if notice is None:
            return ()
        return tuple(one for one in Language if one is not call.language and call.text_of(notice, one) is not None)

    def newcomer_text(self, call: LiveCall) -> NoticeText | None:
        """The short text for somebody who joins; None if the notice asks, since that one is given whole."""
        if call.notice_id is None or asks(call.notice_id):
            return None
        text = call.text_of(call.notice_id, call.language, newcomer=True)
        return text if text is not call.text else None

    def _set(self, call: LiveCall, language: Language, *, newcomer: bool) -> None:
        call.language, call.newcomer = language, newcomer
        call.text = call.notice = None
        call.objection_answer = ""
        if call.notice_id is not None:
            call.text = call.text_of(call.notice_id, language, newcomer=newcomer)
            call.notice = call.sound_of(call.notice_id, language, newcomer=newcomer)
            call.objection_answer = call.answer_to_objection(language)
        call.other_languages = self.other_languages(call)
