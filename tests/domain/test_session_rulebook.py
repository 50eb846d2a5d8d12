"""A rulebook that lies, or changes its mind in mid-call: the session takes over what line and notice carry, and nothing else.

Any decision at all, by any events: the *Never* list is held against what the guideline's table carries of it (`TELLS`).
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.purpose import Basis, Direction, Headline, Language, Purpose, Reason
from softphone.domain.session import State, step
from softphone.domain.status import PurposePhase
from tests.domain.walk import Bounds, Node, Walk
from tests.domain.walk_call import Call
from tests.domain.walk_scenes import (
    ASKED,
    BALANCED,
    CONSENT,
    DOC,
    NOW,
    OBLIGATION,
    SCENES,
    TELLS,
    TRAIN,
    UNDER_SPECIAL,
    Scene,
    alphabet,
)
from tests.domain.walk_world import World
from tests.domain.walk_world import replace as world_replace

PLANS = some.builds(
    PurposePlan, some.sampled_from(PlanState), some.sampled_from([None, *Basis]), some.sampled_from(Reason)
)
DECISIONS = some.builds(
    Decision,
    PLANS,
    PLANS,
    some.sampled_from([None, *NoticeId]),
    some.sampled_from(NoticeDelivery),
    some.lists(some.sampled_from(Reason), max_size=2).map(tuple),
)
TERMS = some.builds(e.Terms, obligation=some.booleans(), special_circumstances=some.booleans())
TOLD = (e.Answered(), e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION), e.NoticeHeard())


def carried(decision: Decision, terms: e.Terms) -> dict[Purpose, Basis]:
    """What of a decision its notice says as it must be said, and the line's party may be told."""
    out: dict[Purpose, Basis] = {}
    for purpose, plan in ((DOC, decision.documentation), (TRAIN, decision.training)):
        way = (
            TELLS[decision.notice].get(purpose) if decision.notice and decision.how is not NoticeDelivery.NONE else None
        )
        if way is None or plan.basis is None:
            continue
        if way == ASKED:
            fits = plan.state is PlanState.ASKED and plan.basis is CONSENT
        elif plan.state is not PlanState.PLANNED:
            fits = False
        elif plan.basis is OBLIGATION:
            fits = purpose is DOC and terms.obligation
        else:
            fits = plan.basis in BALANCED and (way != UNDER_SPECIAL or terms.special_circumstances)
        if fits:
            out[purpose] = plan.basis
    return out


def seen(decision: Decision, terms: e.Terms) -> Scene:
    """The call as it would be if the decision said no more than it may."""
    bases = carried(decision, terms)
    tells = TELLS.get(decision.notice, {}) if decision.notice else {}
    use = bases.get(TRAIN) is CONSENT and bases.get(DOC, CONSENT) is not CONSENT
    special = tells.get(TRAIN) == UNDER_SPECIAL
    return Scene("lie", decision.notice, bases, terms, special=special, use=use, how=decision.how)


def rang(decision: Decision, terms: e.Terms) -> e.Rang:
    return e.Rang("c", Direction.INBOUND, Language.DA, decision, terms)


@pytest.mark.rule("G02")
@pytest.mark.rule("G05")
@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(DECISIONS, DECISIONS, TERMS, some.data())
def test_whatever_a_rulebook_says_first_and_later_nothing_happens_that_must_never(
    first: Decision, second: Decision, terms: e.Terms, data: some.DataObject
) -> None:
    terms = replace(terms, consent_keys=(("1", DOC), ("2", TRAIN)))
    scene = seen(first, terms)
    walk = Walk(scene, Bounds(opt_out_key="*9"), step)
    node = walk.written(walk.one(Node(State(), World(walk.scene), walk.status(State())), rang(first, walk.scene.terms)))
    for purpose, plan in ((DOC, first.documentation), (TRAIN, first.training)):
        if plan.state is not PlanState.OFF and purpose not in scene.bases:
            assert node.status.purposes[purpose].phase is PurposePhase.OFF
            assert node.status.purposes[purpose].reason is Reason.RULEBOOK_FAILED
    asks = e.PartyAsksForRecording(second)
    happens = [it for it in alphabet(walk.scene) if not isinstance(it, e.Rang | e.PartyAsksForRecording)]
    events = data.draw(some.lists(some.sampled_from([*happens, asks, asks, rang(second, terms)]), max_size=25))
    for event in (*(TOLD if data.draw(some.booleans()) else ()), *events):
        if event is asks and "party_asks_for_recording" in node.status.actions:
            told = replace(seen(second, terms), terms=walk.scene.terms)
            node = Node(node.state, world_replace(node.world, scene=told), node.status)
        node = walk.written(walk.one(node, event))


def _decision(notice: NoticeId, documentation: Basis | None, training: Basis | None) -> Decision:
    def plan(basis: Basis | None) -> PurposePlan:
        if basis is None:
            return PurposePlan(PlanState.OFF, None, Reason.NOT_IN_SAMPLE)
        return PurposePlan(PlanState.ASKED if basis is CONSENT else PlanState.PLANNED, basis, Reason.ASSESSMENT)

    return Decision(plan(documentation), plan(training), notice, NoticeDelivery.PLAY, (Reason.ASSESSMENT,))


@pytest.mark.rule("G32")
def test_special_circumstances_that_the_line_does_not_have_record_nothing_for_training() -> None:
    call = Call(replace(SCENES["N5"], terms=SCENES["N4"].terms)).hear()
    assert call.recorded == set()
    assert call.reasons[0] is Reason.RULEBOOK_FAILED
    assert call.status.headline is Headline.FAILED


@pytest.mark.rule("G23")
def test_an_obligation_that_the_line_does_not_have_takes_nobodys_right_to_object() -> None:
    call = Call(replace(SCENES["N1 obligation"], terms=SCENES["N1"].terms)).hear()
    assert call.recorded == set()
    assert call.reasons[0] is Reason.RULEBOOK_FAILED


def test_a_second_decision_in_mid_call_changes_nothing() -> None:
    call = Call("N1").hear()
    before = call.status
    call(rang(_decision(NoticeId.N7, Basis.LEGITIMATE_INTEREST, Basis.LEGITIMATE_INTEREST), call.scene.terms))
    assert call.last == ()
    assert call.status == before


def test_a_party_that_asks_is_not_recorded_on_a_decision_that_does_not_fit_its_notice() -> None:
    lie = _decision(NoticeId.N1, Basis.LEGITIMATE_INTEREST, Basis.LEGITIMATE_INTEREST)
    call = Call("N4").hear().opt_out()(e.PartyAsksForRecording(lie), e.NoticeHeard())
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].reason is Reason.RULEBOOK_FAILED


@pytest.mark.rule("G03")
def test_a_party_that_asks_answers_with_the_keys_of_the_notice_it_then_hears() -> None:
    asks = replace(SCENES["N3"].terms, consent_keys=(("1", TRAIN),))
    call = Call("N4").hear().opt_out()
    call(e.PartyAsksForRecording(SCENES["N3"].decision, asks), e.NoticeHeard()).say_yes("1")
    assert call.recorded == {TRAIN}
    assert [it.recording for it in call.log if isinstance(it, f.StartRecorder)] == ["c-1", "c-2"]


@pytest.mark.rule("G33")
def test_what_the_agent_kept_out_of_training_stays_out_when_the_party_asks_for_a_recording() -> None:
    call = Call("N2+N4").hear()(e.KeptOutOfTraining(), e.SpokenAnswer(DOC, yes=False))
    call(e.PartyAsksForRecording(call.scene.decision), e.NoticeHeard()).say_yes("1")
    assert call.recorded == {DOC}
    assert call.status.purposes[TRAIN].reason is Reason.KEPT_OUT_OF_TRAINING


def test_the_start_of_a_state_is_that_of_no_call() -> None:
    assert step(State(), e.Answered(), NOW) == (State(), ())
