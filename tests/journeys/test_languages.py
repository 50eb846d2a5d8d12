"""The notice's language: the party changes it with a key, it is remembered, and the agent can give it in another."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import Language
from softphone.domain.status import Action, InformedPhase
from softphone.wire.from_engine import Refused
from softphone.wire.to_engine import Act
from tests.journeys.stage import CUSTOMER, Stage, shared

pytestmark = pytest.mark.journey

on = shared(lines=("n7",), each='language_key = "8"\nlanguage_by_country = true', notice_seconds=4.0)


def _language(on: Stage, call: str) -> Language:
    notice = on.desk.call(call).notice
    assert notice is not None
    return notice.language


@pytest.mark.rule("G05")
def test_a_key_begins_the_notice_anew_in_the_other_language_and_the_next_call_begins_in_it(on: Stage) -> None:
    desk = on.desk
    call = on.call("n7", CUSTOMER)
    desk.wait_event("notice_started", call=call)
    assert _language(on, call) is Language.DA
    on.customer.do("digits", digits="8")
    desk.wait_until(lambda: len(desk.told("notice_started", call=call)) == 2, "the notice anew")
    desk.wait_call(lambda one: one.notice and one.notice.language is Language.EN, "in English", call)
    assert desk.call(call).other_languages == (Language.DA,)
    desk.wait_event("audit.language_chosen", call=call)
    heard = desk.wait_event("notice_ended", call=call).at
    assert desk.wait_event("recorder_started", call=call).at >= heard
    on.over(call)

    again = on.call("n7", CUSTOMER)
    desk.wait_event("notice_started", call=again)
    assert _language(on, again) is Language.EN
    # What was begun is stopped by the agent and read in the other language.
    status = desk.wait_status(lambda one: "stop_notice" in one.actions, "the notice", again)
    desk.act(again, "stop_notice")
    status = desk.wait_status(lambda one: "read_instead" in one.actions, "stopped", again)
    refused = desk.ask(Act, call=again, version=status.version, action=Action.READ_INSTEAD, language=Language.EN)
    assert isinstance(refused, Refused)
    desk.act(again, "read_instead", Language.DA)
    status = desk.wait_status(lambda one: one.notice and one.notice.told is InformedPhase.READING, "reading", again)
    assert _language(on, again) is Language.DA
    on.over(again)


def test_the_notice_begins_in_the_language_of_the_numbers_country_and_a_newcomer_is_told_briefly(
    on: Stage,
) -> None:
    desk = on.desk
    for number, language in (("+46701234567", Language.EN), ("+4520123457", Language.DA)):
        call = on.call("n7", number=number)
        desk.wait_event("first_sample", call=call)
        assert _language(on, call) is language
        if language is Language.EN:
            on.over(call)
    whole = desk.call(call).notice
    assert whole is not None
    desk.wait_status(lambda one: "new_person" in one.actions, "somebody may join", call)
    desk.act(call, "new_person")
    paused = desk.wait_status(lambda one: not one.recording, "paused", call)
    assert paused.notice is not None
    assert paused.notice.newcomer
    short = desk.call(call).notice
    assert short is not None
    assert len(short.text) < 0.75 * len(whole.text)
    before = len(desk.told("notice_started", call=call))
    desk.act(call, "play_again")
    desk.wait_until(lambda: len(desk.told("notice_started", call=call)) > before, "the short notice")
    played = desk.told("notice_started", call=call)[-1].params["seconds"]
    desk.wait_call(lambda one: one.notice and one.notice.seconds == played and one.notice.words, "its words", call)
    assert not desk.wait_status(lambda one: one, "not yet recorded", call).recording
    on.over(call)
