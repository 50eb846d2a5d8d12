"""A party whose phone sends keys only as tones, through the real engine: a yes needs the agent's word, a no does not."""

from __future__ import annotations

import pytest

from softphone.audio.dtmf import keys_as_sound
from softphone.domain.purpose import Headline, Purpose
from softphone.domain.status import Action
from softphone.wire import Act
from tests.journeys.lines import NUMBERS
from tests.journeys.stage import LOOPBACK, Stage, shared
from tests.peers.plain_phone import plain_phone

pytestmark = [pytest.mark.journey, pytest.mark.calm]

on = shared(lines=("n3",))


@pytest.mark.rule("G03")
@pytest.mark.rule("G31")
def test_a_tone_is_a_yes_only_by_the_agents_word_and_tones_take_it_back_by_themselves(on: Stage) -> None:
    desk = on.desk
    with plain_phone() as phone:
        phone.keys = False
        phone.call(LOOPBACK, on.sip_port, NUMBERS["n3"])
        call = desk.answer().id
        desk.wait_event("audit.asked", call=call)
        phone.say(keys_as_sound("1"))
        assert desk.wait_event("audit.tone_heard", call=call).params["key"] == "1"
        assert not desk.told("recorder_started", call=call)
        asked = desk.wait_status(lambda one: Action.SAID_YES in one.actions, "to be confirmed", call)
        assert asked.headline is Headline.ASKED
        desk.do(Act, call=call, version=asked.version, action=Action.SAID_YES, purpose=Purpose.TRAINING)
        desk.wait_event("first_sample", call=call)
        (given,) = desk.told("audit.consent_given", call=call)
        assert given.params["how"] == "tone, confirmed by the agent"
        phone.say(keys_as_sound("*9", 0.06))
        status = desk.wait_status(lambda one: not one.recording, "taken back", call)
        assert status.headline is Headline.NOT_RECORDING
        phone.hang_up()
        desk.wait_event("ended", call=call)
