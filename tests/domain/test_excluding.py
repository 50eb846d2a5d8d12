"""What a decision becomes where a purpose may not be recorded for after all: the notice that tells of just what is left."""

import pytest

from softphone.domain.decision import Decision, LookupResult, NoticeDelivery, NoticeId, PlanState
from softphone.domain.excluding import unless_upheld, until_employees_are_informed
from softphone.domain.purpose import Basis, Purpose, Reason
from softphone.domain.session import State, step
from softphone.domain.status import PurposePhase
from tests.domain.walk_scenes import DOC, NOW, SCENES, TRAIN

EVERY = [name for name, it in SCENES.items() if it.notice]


@pytest.mark.rule("L1")
@pytest.mark.parametrize("name", EVERY)
def test_until_the_employees_are_informed_only_what_the_law_obliges_to_is_recorded(name: str) -> None:
    scene = SCENES[name]
    narrowed = until_employees_are_informed(scene.decision)
    if scene.bases.get(DOC) is Basis.LEGAL_OBLIGATION:
        assert narrowed.notice is NoticeId.N1
        assert narrowed.documentation == scene.decision.documentation
        trains = TRAIN in scene.bases
        assert (narrowed.training.reason is Reason.EMPLOYEES_NOT_INFORMED) is trains
    else:
        assert (narrowed.notice, narrowed.how) == (None, NoticeDelivery.NONE)
        assert narrowed.reasons[0] is Reason.EMPLOYEES_NOT_INFORMED
    assert narrowed.training.state is PlanState.OFF


LEFT = {"N6": NoticeId.N3, "N7": NoticeId.N4, "N8": NoticeId.N5, "N1": None, "N4": NoticeId.N4}


@pytest.mark.rule("G23")
@pytest.mark.parametrize(("name", "notice"), LEFT.items())
def test_an_upheld_objection_binds_later_calls_and_the_notice_tells_of_the_rest_alone(
    name: str, notice: NoticeId | None
) -> None:
    scene = SCENES[name]
    narrowed = unless_upheld(scene.decision, LookupResult(upheld=frozenset({DOC})))
    assert narrowed.notice is notice
    assert narrowed.training == scene.decision.training
    state, _ = step(State(), scene.rang, NOW)
    assert state.live == frozenset(scene.bases)
    planned = SCENES[name].rang.__class__("c", scene.direction, state.language, narrowed, scene.terms)
    state, _ = step(State(), planned, NOW)
    assert state.documentation.phase is PurposePhase.OFF
    assert state.live == (frozenset({TRAIN}) if notice else frozenset())


@pytest.mark.rule("G23")
def test_what_binds_says_so_by_its_rule() -> None:
    narrowed = unless_upheld(SCENES["N1"].decision, LookupResult(upheld=frozenset({DOC})))
    assert narrowed.reasons == (Reason.DECLINED_EARLIER,)
    assert unless_upheld(narrowed, LookupResult(upheld=frozenset({DOC}))) is narrowed


@pytest.mark.rule("G02")
def test_an_objection_upheld_before_a_law_obliged_the_line_leaves_no_obligation_unrecorded() -> None:
    decision = SCENES["N1 obligation"].decision
    assert unless_upheld(decision, LookupResult(upheld=frozenset({DOC}))) is decision


@pytest.mark.parametrize("name", EVERY)
def test_what_may_be_recorded_for_is_left_as_it_was_chosen(name: str) -> None:
    decision: Decision = SCENES[name].decision
    assert unless_upheld(decision, LookupResult()) is decision
    only = unless_upheld(decision, LookupResult(upheld=frozenset({Purpose.TRAINING})))
    assert only.training.state is PlanState.OFF
    assert only.documentation.state is decision.documentation.state
