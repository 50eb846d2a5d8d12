"""The calls that the walk goes through: decisions with their terms, and which events can meet them. No rule is here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import Decision, How, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.purpose import Basis, Direction, Language, Purpose, Reason

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING
NOW = e.Now(datetime(2026, 3, 2, 9, 41, tzinfo=UTC), 1000.0)
INTEREST, CONSENT, OBLIGATION = Basis.LEGITIMATE_INTEREST, Basis.CONSENT, Basis.LEGAL_OBLIGATION


@dataclass(frozen=True)
class Scene:
    """A call as planned, in the walk's own words: `bases` of what is planned, `use` where training's yes is a yes to use."""

    name: str
    notice: NoticeId | None
    bases: dict[Purpose, Basis]
    terms: e.Terms = field(default_factory=e.Terms)
    special: bool = False
    use: bool = False
    direction: Direction = Direction.INBOUND
    how: How = How.PLAY
    why_not: Reason = Reason.NOT_IN_SAMPLE

    @property
    def decision(self) -> Decision:
        if self.notice is None:
            return not_recorded(self.why_not)
        return Decision(self._plan(DOC), self._plan(TRAIN), self.notice, self.how, (Reason.ASSESSMENT,))

    def _plan(self, purpose: Purpose) -> PurposePlan:
        basis = self.bases.get(purpose)
        if basis is None:
            return PurposePlan(PlanState.OFF, None, Reason.NOT_IN_SAMPLE)
        state = PlanState.ASKED if basis is CONSENT else PlanState.PLANNED
        return PurposePlan(state, basis, Reason.ASSESSMENT)

    @property
    def rang(self) -> e.Rang:
        return e.Rang("c", self.direction, Language.DA, self.decision, self.terms)


def _terms(**more: object) -> e.Terms:
    base = e.Terms(consent_keys=(("1", DOC), ("2", TRAIN)))
    return replace(base, **more)


SCENES = {
    scene.name: scene
    for scene in (
        Scene("none", None, {}, _terms()),
        Scene("N1", NoticeId.N1, {DOC: INTEREST}, _terms()),
        Scene("N1 goes on", NoticeId.N1, {DOC: INTEREST}, _terms(objection_stops=False)),
        Scene("N1 obligation", NoticeId.N1, {DOC: OBLIGATION}, _terms(on_failure="end")),
        Scene("N2", NoticeId.N2, {DOC: CONSENT}, _terms()),
        Scene("N3", NoticeId.N3, {TRAIN: CONSENT}, _terms(repeat=0)),
        Scene("N4", NoticeId.N4, {TRAIN: INTEREST}, _terms()),
        Scene("N4 call back", NoticeId.N4, {TRAIN: INTEREST}, _terms(opt_out_calls_back=True)),
        Scene("N5", NoticeId.N5, {TRAIN: INTEREST}, _terms(), special=True),
        Scene("N6", NoticeId.N6, {DOC: INTEREST, TRAIN: CONSENT}, _terms(), use=True),
        Scene("N7", NoticeId.N7, {DOC: INTEREST, TRAIN: INTEREST}, _terms()),
        Scene("N7 obligation", NoticeId.N7, {DOC: OBLIGATION, TRAIN: INTEREST}, _terms()),
        Scene("N8", NoticeId.N8, {DOC: INTEREST, TRAIN: INTEREST}, _terms(objection_stops=False), special=True),
        Scene("N2+N3", NoticeId.N2_N3, {DOC: CONSENT, TRAIN: CONSENT}, _terms()),
        Scene("N2+N4", NoticeId.N2_N4, {DOC: CONSENT, TRAIN: INTEREST}, _terms()),
        Scene("N1 read, outgoing", NoticeId.N1, {DOC: INTEREST}, _terms(), direction=Direction.OUTBOUND, how=How.READ),
        Scene("N3 read", NoticeId.N3, {TRAIN: CONSENT}, _terms(), how=How.READ),
    )
}


class Start(StrEnum):
    """Where a walk sets out, so that a near circle also goes round what lies late in a call."""

    RINGS = "from ringing"
    TOLD = "from a party that has been told, and asked"
    HALF = "from a yes to one purpose, and a question that is open for the other"
    RECORDED = "from a call that is recorded"
    HELD = "from a call that is recorded and held"
    ENDED = "from a call that has ended"


def way_to(scene: Scene, start: Start) -> tuple[e.Event, ...]:
    """The events of an ordinary call up to there: told, and asked and said yes to where a yes is needed."""
    if start is Start.RINGS:
        return ()
    person = (e.PersonAnswered(),) if scene.direction is Direction.OUTBOUND else ()
    read = (e.TimedOut(e.Timer.READABLE), e.NoticeRead())
    played = (e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION), e.NoticeHeard())
    keys = tuple(e.DigitPressed(k, NOW.mono) for k, p in scene.terms.consent_keys if scene.bases.get(p) is CONSENT)
    keys = {Start.TOLD: (), Start.HALF: keys[:-1]}.get(start, keys)
    answers = (*keys, e.TimedOut(e.Timer.KEY_SETTLES)) if keys else ()
    then = {Start.HELD: (e.DisputeRaised(HoldBy.CONTROLLER, "anna"),), Start.ENDED: (e.CallEnded(),)}.get(start, ())
    told = read if scene.how is How.READ else played
    return (scene.rang, e.Answered(), *person, *told, *answers, *then)


FEW = (
    e.Rang,
    e.Answered,
    e.NoticeReached,
    e.NoticeHeard,
    e.NoticeRead,
    e.DigitPressed,
    e.DigitsWanted,
    e.TimedOut,
    e.OptedOut,
    e.Withdrawn,
    e.DisputeRaised,
    e.DisputeUndone,
    e.Chosen,
    e.HoldSignalled,
    e.NewPerson,
    e.PrivateCall,
    e.SpokenAnswer,
    e.CallEnded,
    e.WrapUpEnded,
)


def alphabet(scene: Scene) -> tuple[e.Event, ...]:
    """Every event that does not carry a ticket or a recording of the state it meets; those are `walk.acknowledgements`."""
    kinds = ("said_no", "training_ends", "stop_and_delete", "call_back", "grounds", "note_request", "objection", "none")
    asks = tuple(purpose for purpose, basis in scene.bases.items() if basis is CONSENT)
    return (
        scene.rang,
        e.Answered(),
        e.PersonAnswered(),
        e.VoicemailAnswered(),
        e.NoticeStarted(8.0),
        e.NoticeReached(e.Mark.ESSENTIALS),
        e.NoticeReached(e.Mark.QUESTION),
        e.NoticeHeard(),
        e.NoticeFailed(),
        e.NoticeStopped(),
        e.NoticeAgain(),
        e.NoticeAgain(read=True),
        e.FinishedOrally(),
        e.NoticeRead(),
        *(e.NoticeRead(said_yes=(purpose,)) for purpose in asks),
        e.UpstreamVouched((DOC,)),
        e.UpstreamVouched((DOC, TRAIN), "2"),
        *(e.DigitPressed(digit, NOW.mono) for digit in "125*9"),
        e.DigitsWanted(True),
        e.DigitsWanted(False),
        *(e.SpokenAnswer(purpose, yes) for purpose in asks for yes in (True, False)),
        e.AskedAgain(),
        e.PreferenceSignalled(True),
        e.PreferenceSignalled(False),
        *(e.OptedOut(kind) for kind in kinds),
        e.Objected(),
        e.Withdrawn(DOC),
        e.Withdrawn(TRAIN),
        e.KeptOutOfTraining(),
        e.DisputeRaised(HoldBy.CONTROLLER, "anna"),
        e.DisputeRaised(HoldBy.PARTY, "bo"),
        e.DisputeUndone("anna"),
        e.Chosen("dispute_by", "party"),
        e.Chosen("dispute_by", "controller"),
        e.Chosen("kept_for_complaint", "keep"),
        e.Chosen("kept_for_complaint", "delete"),
        e.SensitivePaused(),
        e.MoreTime(),
        e.Resumed(),
        e.HoldSignalled(True),
        e.HoldSignalled(False),
        e.AgentMediaChanged(False),
        e.AgentMediaChanged(True),
        e.ConsultationChanged(True),
        e.ConsultationChanged(False),
        e.DeskChanged(False),
        e.DeskChanged(True),
        e.NewPerson(),
        e.NotUnderstood(),
        e.PrivateCall(),
        e.PartyAsksForRecording(scene.decision),
        e.RecorderFailed(Reason.RECORDER_FAILED),
        e.StorageWorks(),
        *(e.TimedOut(timer) for timer in e.Timer),
        e.HandedOver(),
        e.CallEnded(),
        e.WrapUpEnded(),
    )
