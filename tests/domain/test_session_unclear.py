"""A key that no notice named, or a signal, is not a sentence. What it refuses is unclear, so everything ends that can be,
and the agent can ask what was meant."""

from dataclasses import replace

import pytest

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import NoticeId, PlanState, PurposePlan
from softphone.domain.purpose import Basis, Direction, Headline, Language, Reason
from softphone.domain.session import describe, reopened, step
from softphone.domain.session.reopening import KeptCall, KeptPurpose, KeptRecording
from softphone.domain.status import OptOutKind, PurposePhase
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import DOC, NOW, SCENES, TRAIN

ASKS = "party_asks_for_recording"
ALONE = SCENES["N1"].decision
"""documentation, and its notice"""
KEYS = tuple(e.DigitPressed(digit, 0.0) for digit in "*9")
SIP = (e.PreferenceSignalled(False),)


def pressed(name: str, how: tuple[e.Event, ...] = SIP, **terms: object) -> Call:
    return Call(name, **terms).hear()(*how)


@pytest.mark.rule("G23")
@pytest.mark.rule("G31")
@pytest.mark.parametrize(
    ("name", "how"), [("N1", KEYS), ("N8", KEYS), ("N1", SIP), ("N6", SIP), ("N7", SIP), ("N8", SIP)]
)
def test_a_party_that_meant_only_training_is_recorded_for_documentation_again(
    name: str, how: tuple[e.Event, ...]
) -> None:
    call = pressed(name, how, objection_stops=True)
    assert call.status.headline is Headline.PAUSED
    assert call.reasons[0] is Reason.OBJECTION
    assert ASKS in call.status.actions

    call(e.PartyAsksForRecording(ALONE))
    assert ("party_asks_for_recording", "G23") in call.entries
    assert [it.notice for it in call.did(f.PlayNotice)] == [NoticeId.N1]
    assert call.recorded == set(), "recorded before the party was told anew"
    call(e.NoticeHeard())

    assert call.recorded == {DOC}
    assert call.status.headline is Headline.RECORDING
    opened = call.changed(c.OpenSegment)
    assert [(it.recording, it.purposes, it.withheld) for it in opened] == [("c-2", (DOC,), ())]
    assert "objection_received" not in call.status.notes
    assert ASKS not in call.status.actions


@pytest.mark.rule("G23")
@pytest.mark.rule("G32")
@pytest.mark.parametrize("name", ["N1", "N5", "N8", "N2+N3"])
@pytest.mark.parametrize(("how", "note"), [(KEYS, "unclear_key"), (SIP, "unclear_signal")])
def test_the_agent_sees_that_it_was_a_key_or_a_signal_until_it_is_clear_what_it_refuses(
    name: str, how: tuple[e.Event, ...], note: str
) -> None:
    call = pressed(name, how, objection_stops=True)
    assert note in call.status.notes
    answer = e.OptedOut(OptOutKind.GROUNDS) if name == "N5" else e.PartyAsksForRecording(SCENES[name].decision)
    call(answer)
    assert not [one for one in call.status.notes if one.startswith("unclear")]


@pytest.mark.rule("G31")
def test_a_key_that_can_refuse_one_thing_only_is_clear() -> None:
    for name in ("N2", "N3", "N4", "N7"):
        assert not [one for one in pressed(name, KEYS).status.notes if one.startswith("unclear")], name


@pytest.mark.rule("G23")
def test_what_was_recorded_until_then_stays_custodys_to_judge() -> None:
    call = pressed("N7")(e.PartyAsksForRecording(ALONE), e.NoticeHeard(), e.CallEnded())
    assert [(it.recording, it.reason) for it in call.ever_changed(c.Restrict)] == [("c-1", "objection")]
    assert not call.ever_changed(c.Discard)
    assert Reason.CASE_OPEN in call.reasons
    assert [(it.id, it.restricted, bool(it.undecided)) for it in call.state.recordings] == [
        ("c-1", True, True),
        ("c-2", False, False),
    ]


@pytest.mark.rule("G31")
@pytest.mark.parametrize("name", ["N1", "N7"])
def test_training_stays_refused_whatever_the_second_decision_says(name: str) -> None:
    call = pressed(name)(e.PartyAsksForRecording(SCENES["N7"].decision), e.NoticeHeard())
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].phase is not PurposePhase.ACTIVE


@pytest.mark.rule("G23")
def test_the_party_can_object_again() -> None:
    call = pressed("N7")(e.PartyAsksForRecording(ALONE), e.NoticeHeard())
    assert "object" in call.status.actions
    call(e.Objected())
    assert call.status.headline is Headline.PAUSED
    assert "c-2" in {it.recording for it in call.changed(c.Restrict)}
    assert ASKS not in call.status.actions, "a word is clear"


@pytest.mark.rule("G23")
@pytest.mark.parametrize(("name", "how"), [("N1", KEYS), ("N1", SIP), ("N7", SIP)])
def test_an_objection_in_words_after_a_key_is_clear_and_closes_the_way_back(
    name: str, how: tuple[e.Event, ...]
) -> None:
    call = pressed(name, how)
    assert {"object", ASKS} <= set(call.status.actions)
    call(*how)
    assert {"object", ASKS} <= set(call.status.actions), "a second key says no more than the first"

    call(e.Objected())
    assert ("objection", "G23") in call.entries
    assert [it["unclear"] for it in call.noted("objection")] == [True, False]
    assert not {"object", ASKS} & set(call.status.actions)
    assert call.status.headline is Headline.PAUSED
    assert "objection_received" in call.status.notes

    call(e.PartyAsksForRecording(ALONE), e.NoticeHeard())
    assert call.recorded == set()
    assert call(e.Objected()).entries == [], "said once, it is in the log once"


@pytest.mark.rule("G23")
def test_an_objection_in_words_is_clear_and_so_is_one_that_goes_on() -> None:
    for call in (Call("N7").hear()(e.Objected()), pressed("N1 goes on")):
        assert ASKS not in call.status.actions
        assert call(e.PartyAsksForRecording(ALONE)).last == ()


def test_a_notice_that_plays_is_not_broken_off_to_ask_what_was_meant() -> None:
    call = Call("N7").answer()(*SIP)
    assert ASKS not in call.status.actions
    call(e.NoticeHeard())
    assert ASKS in call.status.actions
    call(e.SensitivePaused())
    assert ASKS not in call.status.actions, "nobody talks"


def test_a_decision_that_does_not_fit_records_nothing() -> None:
    lie = replace(ALONE, documentation=PurposePlan(PlanState.PLANNED, None, Reason.ASSESSMENT))
    call = pressed("N7")(e.PartyAsksForRecording(lie), e.NoticeHeard())
    assert call.recorded == set()
    assert call.status.kept


@pytest.mark.rule("G23")
@pytest.mark.parametrize(("second", "objects"), [(None, True), ("objection", False)])
def test_later_that_day_the_party_can_object_to_what_followed_an_objection_taken_back(
    second: str | None, objects: bool
) -> None:
    kept = {DOC: KeptPurpose(Basis.LEGITIMATE_INTEREST, True, True)}
    recordings = KeptRecording("c-1", kept, restricted="objection"), KeptRecording("c-2", kept, restricted=second)
    later = reopened(KeptCall("c", Direction.INBOUND, Language.DA, NoticeId.N1, recordings), e.Terms())
    assert ("object" in describe(later, NOW).actions) is objects
    _, effects = step(later, e.Objected(), NOW)
    changes = [change for effect in effects if isinstance(effect, c.Commit) for change in effect.changes]
    assert ("c-2" in [it.recording for it in changes if isinstance(it, c.Restrict)]) is objects


# --- digits that the agent wants ----------------------------------------------------------------------


@pytest.mark.rule("G31")
@pytest.mark.rule("G03")
def test_a_number_that_the_agent_has_asked_for_refuses_nothing() -> None:
    call = Call("N4", opt_out_key="9").hear()(e.DigitsWanted(True)).press("4059")
    assert call.recorded == {TRAIN}
    assert not call.ever_changed(c.RememberRefusal)
    call(e.DigitsWanted(False)).press("9")
    assert call.recorded == set()
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY


@pytest.mark.rule("G31")
@pytest.mark.parametrize("keys", ["*9", "#", "**"])
def test_keys_that_no_number_begins_with_refuse_while_the_agent_wants_digits_too(keys: str) -> None:
    call = Call("N4", opt_out_key=keys).hear()(e.DigitsWanted(True)).press(f"40{keys}")
    assert call.recorded == set()
    assert call.status.purposes[TRAIN].reason is Reason.DECLINED_BY_KEY
