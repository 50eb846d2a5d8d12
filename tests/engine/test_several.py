"""Several calls at once, as PhoneCalls has them: who waits is heard, who ended stays within reach, and what is refused."""

from __future__ import annotations

import pytest

from softphone.domain.ending import Ending
from softphone.domain.errors import KlartoneError
from softphone.domain.purpose import Reason
from softphone.domain.status import Action, Headline
from softphone.engine.sip import events as sip
from softphone.wire.snapshot import CallPhase, CallRole, CodedText, ConsultEnd, TransferPhase
from tests.engine.scene import CALL, N1, N3, NUMBER, SECOND, THIRD, Scene
from tests.policies import POLICY


def talking(policy: str | None = POLICY) -> Scene:
    """A call whose party has been told, and is recorded."""
    scene = Scene(policy)
    scene.ring()
    scene.decide(N1)
    scene.calls.answer(CALL)
    scene.answer()
    scene.hear_notice()
    scene.acknowledge()
    return scene


def of(scene: Scene, call: str) -> CallPhase:
    return next(one.phase for one in scene.calls.shown() if one.id == call)


@pytest.mark.parametrize("decision", [N1, N3])
def test_a_call_that_waits_is_heard_beside_the_talk_and_never_over_a_notice_or_a_question(decision: object) -> None:
    scene = Scene()
    several = scene.calls.several
    scene.ring()
    scene.decide(decision)  # pyright: ignore[reportArgumentType]
    assert (several.ringing, several.waiting) == (True, False)
    scene.calls.answer(CALL)
    scene.answer()
    scene.ring(SECOND)
    assert [one.active for one in scene.calls.shown()] == [True, False]
    assert (several.ringing, several.waiting) == (False, False), "the notice plays"
    scene.hear_notice()
    scene.acknowledge()
    if decision is N3:
        assert not several.waiting, "the question is open"
        scene.calls.digit(sip.DigitReceived(CALL, "1", scene.seconds))
        scene.later(2.0)
        scene.acknowledge()
    assert several.waiting
    scene.calls.ended(sip.CallEnded(SECOND, 487, "Request Terminated", by_us=False))
    assert not several.waiting


def test_a_wrap_up_stays_while_another_call_goes_on_and_gives_way_to_the_next_alone() -> None:
    scene = talking()
    scene.ring(SECOND)
    scene.calls.decided(SECOND, N1)
    scene.calls.answer(SECOND)
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    scene.phone.attended = frozenset({SECOND})
    scene.calls.ended(sip.CallEnded(CALL, 200, "OK", by_us=False))
    scene.acknowledge()
    assert of(scene, CALL) is CallPhase.ENDED
    assert scene.calls.dial("a", "20123457", None)
    assert of(scene, CALL) is CallPhase.ENDED, "it could not be taken up again"


def test_a_consultation_pauses_its_party_at_once_is_never_recorded_and_ends_without_taking_the_party_up() -> None:
    scene = talking()
    assert scene.headline is Headline.RECORDING
    made = scene.calls.consult(CALL, "204")
    assert made == SECOND
    party, consultation = scene.calls.shown()
    assert party.status is not None
    assert party.status.headline is Headline.PAUSED
    assert not scene.recorder.running
    assert (consultation.role, consultation.consults_for) == (CallRole.CONSULTATION, CALL)
    assert isinstance(scene.calls.consult(CALL, "205"), CodedText), "one at a time"
    assert isinstance(scene.calls.consult(SECOND, "205"), CodedText), "not yet connected"
    for code, end in (
        (486, ConsultEnd.BUSY),
        (603, ConsultEnd.DECLINED),
        (480, ConsultEnd.NO_ANSWER),
        (500, ConsultEnd.FAILED),
    ):
        scene.phone.attended = frozenset()
        scene.calls.ended(sip.CallEnded(SECOND, code, "", by_us=False))
        (party,) = scene.calls.shown()
        assert party.consult_ended is end
        assert not party.active
        scene.phone.attended = frozenset({CALL})
        scene.calls.consult(CALL, "204")
    # The colleague's exchange sends on to another number, which the agent sees until the party is taken up again.
    scene.phone.attended = frozenset()
    scene.calls.ended(
        sip.CallEnded(SECOND, 302, "", by_us=False, redirected_to="sip:214@pbx.example", ending=Ending.MOVED)
    )
    (party,) = scene.calls.shown()
    assert (party.consult_ended, party.redirected_to) == (ConsultEnd.MOVED, "sip:214@pbx.example")
    scene.phone.attended = frozenset({CALL})
    scene.calls.consult(CALL, "204")
    party, _ = scene.calls.shown()
    assert (party.consult_ended, party.redirected_to) == (None, "")
    done = len(scene.phone.done)
    assert scene.calls.back_to_party(SECOND) is None
    assert scene.phone.done[done:] == ["hang up", "resume"]
    scene.calls.ended(sip.CallEnded(SECOND, 487, "", by_us=True))
    (party,) = scene.calls.shown()
    assert party.consult_ended is None
    assert party.active


def test_a_consultation_that_cannot_be_made_leaves_the_party_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = talking()

    def full(account: str, target: str, **more: str) -> str:
        raise KlartoneError("calls_full", most=4)

    monkeypatch.setattr(scene.phone, "dial", full)
    with pytest.raises(KlartoneError):
        scene.calls.consult(CALL, "204")
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING


@pytest.mark.rule("G05")
def test_nobody_joins_before_the_recording_is_paused_nor_into_a_newcomer_s_notice() -> None:
    scene = talking()
    scene.calls.consult(CALL, "204")
    assert isinstance(scene.calls.join(SECOND), CodedText), "the colleague has not answered"
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    assert scene.calls.join(SECOND) is None
    assert scene.phone.done[-1] == "join"
    assert not scene.recorder.running
    assert [one.conference for one in scene.calls.shown()] == [True, True]
    assert isinstance(scene.calls.join(SECOND), CodedText)
    scene.phone.attended = frozenset({SECOND})
    assert isinstance(scene.calls.join(SECOND), CodedText), "the first newcomer has not been told"
    # The agent hangs up on the party: there is no conference without them.
    scene.phone.attended = frozenset({CALL, SECOND})
    done = len(scene.phone.done)
    scene.calls.hang_up(CALL)
    assert scene.phone.done[done:] == ["hang up", "hang up"]


@pytest.mark.rule("G05")
@pytest.mark.parametrize("how", ["hangs up", "is held"])
def test_a_colleague_who_leaves_before_being_told_leaves_the_party_recorded(how: str) -> None:
    scene = talking()
    scene.calls.consult(CALL, "204")
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    scene.calls.join(SECOND)
    scene.acknowledge()
    scene.phone.attended = frozenset({CALL, SECOND})
    scene.later(0.1)
    assert not scene.recorder.running
    scene.phone.attended = frozenset({CALL})
    if how == "hangs up":
        scene.calls.ended(sip.CallEnded(SECOND, 200, "OK", by_us=False))
    scene.later(0.1)
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING
    assert scene.recorder.running


@pytest.mark.rule("G05")
def test_in_each_of_two_calls_that_are_joined_somebody_has_not_been_told() -> None:
    scene = talking()
    scene.ring(SECOND)
    scene.calls.decided(SECOND, N1)
    scene.calls.answer(SECOND)
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    scene.calls.notice_started(sip.NoticeStarted(SECOND, scene.seconds))
    scene.later(2.2)
    scene.calls.notice_played(sip.NoticePlayed(SECOND))
    assert scene.calls.join(CALL) is None
    for one in scene.calls.shown():
        assert one.status is not None
        assert Reason.NOT_TOLD in one.status.pauses, one.id


@pytest.mark.rule("G05")
def test_who_joins_a_party_that_gave_no_answer_is_not_recorded_by_asking_the_party_again() -> None:
    scene = Scene()
    scene.ring()
    scene.decide(N3)
    scene.calls.answer(CALL)
    scene.answer()
    scene.hear_notice()
    for _ in range(30):
        scene.later(2.0)
        scene.calls.notice_played(sip.NoticePlayed(CALL))
        scene.acknowledge()
    assert scene.reason is Reason.NO_ANSWER
    scene.calls.consult(CALL, "204")
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    assert scene.calls.join(SECOND) is None
    scene.acknowledge()
    assert isinstance(scene.press(Action.ASK_AGAIN), CodedText)
    scene.calls.digit(sip.DigitReceived(CALL, "1", scene.seconds))
    scene.later(2.0)
    scene.acknowledge()
    assert not scene.recorder.running
    assert scene.call.status is not None
    assert Reason.NOT_TOLD in scene.call.status.pauses
    assert Action.PARTY_ASKS_FOR_RECORDING in scene.call.status.actions, "with the whole notice, for all"


@pytest.mark.parametrize("refused", ["by the phone", "by the other end"])
def test_a_transfer_that_fails_beside_a_consultation_leaves_it_standing(
    refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = talking()
    scene.calls.consult(CALL, "204")
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    if refused == "by the phone":

        def impossible(call: str, target: str, **more: str) -> None:
            raise KlartoneError("transfer_not_possible")

        monkeypatch.setattr(scene.phone, "transfer", impossible)
        with pytest.raises(KlartoneError):
            scene.calls.transferring.blind(CALL, "205")
    else:
        scene.calls.transferring.blind(CALL, "205")
        scene.calls.transferring.progressed(sip.TransferChanged(CALL, "failed", 486))
    scene.acknowledge()
    assert scene.headline is Headline.PAUSED
    assert not scene.recorder.running
    # The agent talks to the party, and the colleague waits; then the other way round.
    for with_whom, headline in ((CALL, Headline.RECORDING), (SECOND, Headline.PAUSED)):
        assert scene.calls.activate(with_whom) is None
        scene.acknowledge()
        assert scene.headline is headline
        assert bool(scene.recorder.running) is (headline is Headline.RECORDING)


@pytest.mark.parametrize("outcome", ["failed", "done", None])
def test_the_party_is_taken_back_and_recorded_on_while_its_transfer_hangs(outcome: sip.TransferOutcome | None) -> None:
    scene = talking()
    scene.calls.consult(CALL, "204")
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    assert scene.calls.transferring.complete(SECOND) is None
    # A NOTIFY may overtake the answer to its REFER.
    scene.calls.transferring.progressed(sip.TransferChanged(CALL, "ringing", 180))
    scene.calls.transferring.progressed(sip.TransferChanged(CALL, "accepted", 202))
    shown = scene.calls.shown()[0].transfer
    assert shown is not None
    assert shown.phase is TransferPhase.RINGING
    scene.acknowledge()
    assert not scene.recorder.running
    done = len(scene.phone.done)
    assert scene.calls.back_to_party(SECOND) is None
    assert scene.phone.done[done:] == ["hang up", "resume"]
    scene.calls.ended(sip.CallEnded(SECOND, 200, "", by_us=True))
    scene.acknowledge()
    assert scene.headline is Headline.RECORDING
    if outcome is None:
        scene.calls.ended(sip.CallEnded(CALL, 200, "", by_us=False))
    else:
        scene.calls.transferring.progressed(sip.TransferChanged(CALL, outcome, 481 if outcome == "failed" else 200))
    assert bool(scene.told_of("handed_over")) is (outcome == "done"), (
        "who hangs up while the agent talks has gone nowhere"
    )
    assert (scene.phone.done[-1] == "hang up") is (outcome == "done")
    assert scene.phone.passports == scene.phone.passports[:1], "no second REFER for one that the agent has given up"
    scene.acknowledge()
    assert bool(scene.recorder.running) is (outcome == "failed")


def test_in_a_conference_the_agent_is_muted_to_everybody_or_to_nobody() -> None:
    scene = talking()
    scene.calls.mute(CALL, on=True)
    scene.calls.consult(CALL, "204")
    scene.calls.established(sip.CallEstablished(SECOND, record_aware=False))
    assert [one.muted for one in scene.calls.shown()] == [True, False]
    scene.calls.join(SECOND)
    assert [one.muted for one in scene.calls.shown()] == [True, True]
    for call, on in ((SECOND, False), (CALL, True)):
        done = len(scene.phone.done)
        assert scene.calls.mute(call, on=on) is None
        assert scene.phone.done[done:] == [f"muted {on}"] * 2
        assert [one.muted for one in scene.calls.shown()] == [on, on]


def test_a_desk_that_goes_pauses_training_in_each_call() -> None:
    scene = talking()
    scene.ring(SECOND)
    scene.calls.decided(SECOND, N1)
    before = len(scene.store.commits)
    scene.calls.desk(present=False)
    said = [
        entry.call for commit in scene.store.commits[before:] for entry in commit.entries if entry.event == "desk_gone"
    ]
    assert said == [CALL, SECOND]


@pytest.mark.parametrize("talks_on", [CALL, SECOND])
def test_who_comes_in_the_place_of_a_held_party_takes_the_agent_from_nobody(talks_on: str) -> None:
    scene = talking()
    scene.phone.attended = frozenset({talks_on})
    done = len(scene.phone.done)
    scene.calls.arrived(
        sip.CallArrived(
            THIRD, "a", "", "+4530405060", "pbx.example", NUMBER, sip.Headers({}), "127.0.0.1", False, replaces=CALL
        )
    )
    assert scene.phone.done[done:] == (["ring", "answer"] if talks_on == CALL else ["ring"])


def test_a_party_who_asks_is_shown_with_its_host_and_a_press_calls_whom_it_showed() -> None:
    scene = talking()
    transferring = scene.calls.transferring
    for target, shown in (
        ("sip:204@PBX.example:5080", "204"),
        ("sip:+4590909090@evil.example;x=y", "+4590909090@evil.example"),
    ):
        transferring.asked(sip.ReferAsked(CALL, target))
        assert scene.calls.shown()[0].asked_to_call == shown
    assert isinstance(transferring.follow(CALL, "204"), CodedText), "it names somebody else by now"
    assert "dial" not in "".join(scene.phone.done)
    assert transferring.follow(CALL, "+4590909090@evil.example") == {"call": SECOND}


@pytest.mark.parametrize("held", [False, True])
def test_a_call_in_the_place_of_one_that_is_held_alone_rings(held: bool) -> None:
    scene = talking()
    scene.phone.attended = frozenset({CALL})
    scene.calls.held(sip.HoldChanged(CALL, by_us=held, by_them=False))
    scene.phone.done.clear()
    host, nothing = "127.0.0.1", sip.Headers({})
    scene.calls.arrived(sip.CallArrived(SECOND, "a", "", "204", host, NUMBER, nothing, host, False, replaces=CALL))
    assert ("answer" in scene.phone.done) is not held
