"""N3 through the real processes: training on consent alone. Silence is no yes, another key is no yes, and a yes taken back
leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from softphone.audio.dtmf import keys_as_sound
from softphone.domain.purpose import Headline, KeyRole, Purpose, Reason
from softphone.domain.status import Action, PurposePhase
from softphone.wire.to_engine import Act
from tests.journeys.lines import NUMBERS
from tests.journeys.listening import jumps, numbers, spoken
from tests.journeys.stage import LOOPBACK, Stage, shared
from tests.journeys.traces import note
from tests.journeys.watched_engine import WATCHED, watched
from tests.peers.counter import CYCLE
from tests.peers.plain_phone import plain_phone
from tests.peers.second_phone import talk

pytestmark = pytest.mark.journey

SETTLES = 1.5


on = shared(lines=("n3",), program=WATCHED)


@pytest.mark.rule("G03")
@pytest.mark.rule("G30")
@pytest.mark.parametrize("keys", ["", "5", "15"], ids=["silent", "other-key", "another-key-after-it"])
def test_without_the_key_that_was_asked_for_not_one_chunk_is_written_and_the_desk_says_why(
    on: Stage, keys: str
) -> None:
    before = _files(on)
    call = on.call("n3")
    if keys:
        on.press_when_asked(call, keys)
    status = on.desk.wait_status(
        lambda one: one.purposes[Purpose.TRAINING].phase is PurposePhase.ENDED, "no answer", call
    )
    assert status.headline is Headline.NOT_RECORDING
    assert status.reasons[0].reason is Reason.NO_ANSWER
    assert status.recording == ()
    assert on.desk.told("audit.asked", call=call)
    talk(on.customer, 25)
    assert _files(on) == before
    on.over(call)
    assert _files(on) == before
    assert not on.desk.told("recorder_started", call=call)
    assert on.row(call) is None


@pytest.mark.rule("G03")
@pytest.mark.rule("G05")
def test_after_a_yes_it_is_recorded_from_one_and_a_half_seconds_after_that_key(on: Stage) -> None:
    call = on.call("n3")
    on.consent(call)
    status = on.desk.call(call).status
    assert status is not None
    assert (status.headline, status.recording) == (Headline.RECORDING, (Purpose.TRAINING,))
    assert status.reasons[0].reason is Reason.CONSENT
    on.sealed(call, 1)
    on.over(call)
    row = on.row(call)
    assert row is not None
    assert set(row.opens_for) == {KeyRole.TRAINING, KeyRole.CUSTODY}
    with on.archive() as archive:
        given = [entry for entry in archive.audit_of(call=call) if entry.event == "consent_given"]
    assert [entry.rule for entry in given] == ["G03"]
    sound = on.exported(row.recording)
    assert jumps(sound[:, 0].copy()) == []
    seen = watched(on, call)
    (pressed,) = seen["digits"]
    said = numbers(sound[:, 1].tobytes())
    first = spoken(said)[0]
    kept = said[first]
    assert kept is not None
    after = (kept - first - _heard_at(seen, pressed)) % CYCLE
    print(f"the recording begins {after} frames after the one that was heard with the key")
    # No frame sooner; how much later is a matter of how busy the machine is.
    assert SETTLES * 50 - 1 <= after <= (SETTLES + 2) * 50


@pytest.mark.rule("G04")
@pytest.mark.rule("G31")
@pytest.mark.parametrize("opted_out", [True, False], ids=["opted-out", "control"])
def test_a_yes_that_is_taken_back_leaves_neither_file_nor_wraps_nor_content(on: Stage, opted_out: bool) -> None:
    before = _files(on)
    call = on.call("n3")
    on.consent(call)
    on.sealed(call, 2)
    recording = str(on.desk.wait_event("recorder_started", call=call).params["recording"])
    traces = note(on, recording)
    assert len(traces.chunks) >= 2
    assert {role for role, _ in traces.wraps} == {KeyRole.TRAINING, KeyRole.CUSTODY}
    if opted_out:
        on.desk.opt_out(call)
        status = on.desk.wait_status(lambda one: not one.kept, "gone", call)
        assert status.headline is Headline.NOT_RECORDING
        assert status.reasons[0].reason is Reason.WITHDRAWN
        talk(on.customer, 25)
    on.over(call)
    expected = 0 if opted_out else len(traces.chunks)
    assert traces.found_chunks(on.folder) == expected
    assert traces.found_wraps(on) == (0 if opted_out else len(traces.wraps))
    assert (on.row(call) is None) is opted_out
    assert _files(on) == (before if opted_out else sorted([*before, recording]))
    assert on.verified()["ok"]
    if opted_out:
        with on.archive() as archive:
            told = [(entry.event, entry.rule) for entry in archive.audit_of(call=call)]
        assert ("recording_discarded", "G04") in told


@pytest.mark.rule("G31")
def test_who_declined_is_not_asked_again_on_the_next_call(on: Stage) -> None:
    number, another = "+4520999998", "+4520999999"
    call = on.call("n3", number)
    on.consent(call)
    on.desk.opt_out(call)
    on.desk.wait_status(lambda one: not one.kept, "gone", call)
    on.over(call)
    again = on.call("n3", number)
    status = on.desk.wait_status(lambda one: one, "a status", again)
    assert status.headline is Headline.NOT_RECORDING
    assert status.reasons[0].reason is Reason.DECLINED_EARLIER
    assert not on.desk.told("notice_started", call=again)
    on.over(again)
    other = on.call("n3", another)
    on.desk.wait_event("notice_started", call=other)
    on.over(other)


def _heard_at(seen: dict[str, Any], moment: float) -> int:
    """The party's counter then. While a key sounds no voice is sent: it is counted on from the last that was heard."""
    frames: list[tuple[int, float, int | None]] = seen["frames"]
    now = max(index for index, at, _ in frames if at <= moment)
    last, number = max((index, number) for index, _, number in frames if index <= now and number is not None)
    return number + now - last


def _files(on: Stage) -> list[str]:
    return sorted(path.stem for path in (on.archive_folder / "recordings").glob("*.ktr"))


@pytest.mark.calm
@pytest.mark.rule("G03")
@pytest.mark.rule("G31")
def test_a_key_that_comes_as_a_tone_is_a_yes_only_by_the_agents_word_and_a_no_without_it(
    on: Stage,
) -> None:
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
