"""Rows on the rulebook's choice: taken over when the call rings, as far as line and notice carry it; the rest is off (G02,
G05).

A rulebook chooses, the session enforces: a decision that contradicts itself records nothing.
"""

from __future__ import annotations

from dataclasses import replace

from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan
from softphone.domain.events import CarriedAnswers, Rang, Terms
from softphone.domain.purpose import Basis, Direction, Purpose, Reason
from softphone.domain.session.state import (
    DOCUMENTATION,
    TRAINING,
    PurposeState,
    Stage,
)
from softphone.domain.session.table import ASKS, COVERS, SPECIAL, covered_purposes
from softphone.domain.session.turn import Turn
from softphone.domain.status import InformedBy, PurposePhase

_GROUNDS: dict[Basis, Reason] = {
    Basis.LEGAL_OBLIGATION: Reason.OBLIGATION,
    Basis.CONSENT: Reason.CONSENT,
    Basis.LEGITIMATE_INTEREST: Reason.ASSESSMENT,
    Basis.PUBLIC_TASK: Reason.PUBLIC_TASK,
}


def rang(turn: Turn, event: Rang) -> None:
    """The sample is drawn, the lists are looked up and the rulebook has answered with `decision`."""
    if turn.state.stage is not Stage.NEW:
        return
    turn.set(
        call=event.call,
        stage=Stage.RINGING,
        ours=event.ours or event.direction is Direction.OUTBOUND,
        withheld=event.withheld,
        language=event.language,
        terms=event.terms,
    )
    plan(turn, event.decision)
    if event.carried is not None:
        _carry_on(turn, event.carried)


def _carry_on(turn: Turn, passport: CarriedAnswers) -> None:
    """A refusal at another desk binds this one. What was said and agreed there need not be said and asked again.

    An obligation cannot be refused there either: that the party said no is noted, for the agent to know.
    """
    for purpose in passport.refused:
        it = turn.state.purpose(purpose)
        if it.live and it.basis is Basis.LEGAL_OBLIGATION:
            turn.set(request_noted=True)
            turn.note("request_noted", "G23", purpose=purpose)
            continue
        if it.live:
            turn.set_phase(purpose, PurposePhase.ENDED, Reason.DECLINED_EARLIER)
        elif it.reason is not Reason.DECLINED_EARLIER:
            continue
        turn.note("refused_earlier", Reason.DECLINED_EARLIER.rule, purpose=purpose)
    if passport.notice is None:
        return
    same = covered_purposes(passport.notice, turn.state.decision.notice) & frozenset(passport.informed)
    informed = same & turn.state.live
    if informed:
        turn.set(
            informing=replace(
                turn.state.informing,
                informed_elsewhere=informed,
                consented_elsewhere=frozenset(passport.consented) & informed,
                elsewhere=InformedBy.COLLEAGUE,
                elsewhere_at=passport.told_at,
            )
        )
        names = " ".join(one for one in Purpose if one in informed)
        turn.note("told_by_colleague", "G05", notice=passport.notice, purposes=names)


def plan(turn: Turn, decision: Decision) -> None:
    """Take over the decision, as far as the line and its notice say what it plans; the rest is off (G02, G05)."""
    terms = turn.state.terms
    turn.set(
        decision=decision,
        documentation=_planned(DOCUMENTATION, decision.documentation, decision, terms),
        training=_planned(TRAINING, decision.training, decision, terms),
    )
    notice = decision.notice.value if decision.notice and turn.state.live else None
    turn.note("decided", decision.reasons[0].rule if decision.reasons else "G11", notice=notice)
    if Reason.NO_ASSESSMENT in decision.reasons:
        turn.note("no_assessment", Reason.NO_ASSESSMENT.rule)


def _planned(purpose: Purpose, it: PurposePlan, decision: Decision, terms: Terms) -> PurposeState:
    if it.state is PlanState.OFF:
        return PurposeState(PurposePhase.OFF, it.basis, it.reason, it.reason)
    notice = decision.notice
    if (
        notice is None
        or decision.how is NoticeDelivery.NONE
        or it.basis is None
        or not _fits(purpose, it.basis, it.state, notice, terms)
    ):
        return PurposeState(PurposePhase.OFF, it.basis, Reason.RULEBOOK_FAILED, Reason.RULEBOOK_FAILED)
    ground = ground_of(purpose, it.basis, notice)
    return PurposeState(PurposePhase.PLANNED, it.basis, Reason.WAITING_FOR_NOTICE, ground)


def ground_of(purpose: Purpose, basis: Basis, notice: NoticeId | None) -> Reason:
    """The reason that it is recorded for, once it is."""
    if purpose is TRAINING and basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        return Reason.SPECIAL_CIRCUMSTANCES if notice in SPECIAL else Reason.TRAINING_SAMPLE
    return _GROUNDS[basis]


def _fits(purpose: Purpose, basis: Basis, state: PlanState, notice: NoticeId, terms: Terms) -> bool:
    """The notice speaks of this purpose, and asks for it exactly when it rests on consent (G02, G03, G05).

    It leaves out no right of this line's party: only an obligation has no objection, only special circumstances no opt-out
    (G23, G32).
    """
    if basis is Basis.LEGAL_OBLIGATION and (purpose is TRAINING or not terms.obligation):
        return False
    if purpose is TRAINING and notice in SPECIAL and not terms.special_circumstances:
        return False
    asks = purpose in ASKS[notice]
    consent = basis is Basis.CONSENT
    return purpose in COVERS[notice] and asks is consent and (state is PlanState.ASKED) is consent
