"""The calls that the walk goes through: decisions with their terms, and which events can meet them. No rule is here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import Decision, NoticeDelivery, NoticeId, PlanState, PurposePlan, not_recorded
from softphone.domain.purpose import Basis, Direction, Language, OnFailure, Purpose, Reason
from softphone.domain.status import OptOutKind

DOC, TRAIN = Purpose.DOCUMENTATION, Purpose.TRAINING
NOW = e.Now(datetime(2026, 3, 2, 9, 41, tzinfo=UTC), 1000.0)
INTEREST, CONSENT, OBLIGATION = Basis.LEGITIMATE_INTEREST, Basis.CONSENT, Basis.LEGAL_OBLIGATION
PUBLIC = Basis.PUBLIC_TASK
BALANCED = (INTEREST, PUBLIC)
"""the grounds that can be objected to, or opted out of"""


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
    ours: bool = False
    withheld: bool = False
    how: NoticeDelivery = NoticeDelivery.PLAY
    why_not: Reason = Reason.NOT_IN_SAMPLE
    carried: e.CarriedAnswers | None = None
    """what another desk has told, and heard"""

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
        ring = e.Rang("c", self.direction, Language.DA, self.decision, self.terms)
        return replace(ring, ours=self.ours, withheld=self.withheld, carried=self.carried)


def _terms(**more: object) -> e.Terms:
    base = e.Terms(consent_keys=(("1", DOC), ("2", TRAIN)))
    return replace(base, **more)


def _no(*purposes: Purpose) -> e.CarriedAnswers:
    return e.CarriedAnswers(purposes)


LANGUAGE = {"language_key": "8", "other_language": Language.EN}

SCENES = {
    scene.name: scene
    for scene in (
        Scene("none", None, {}, _terms()),
        Scene("N1", NoticeId.N1, {DOC: INTEREST}, _terms()),
        Scene("N1 goes on", NoticeId.N1, {DOC: INTEREST}, _terms(objection_stops=False, **LANGUAGE)),
        Scene("N1 public task", NoticeId.N1, {DOC: PUBLIC}, _terms()),
        Scene("N1 obligation", NoticeId.N1, {DOC: OBLIGATION}, _terms(on_failure=OnFailure.END, obligation=True)),
        Scene("N2", NoticeId.N2, {DOC: CONSENT}, _terms()),
        Scene("N3", NoticeId.N3, {TRAIN: CONSENT}, _terms(repeat=0)),
        Scene("N4", NoticeId.N4, {TRAIN: INTEREST}, _terms()),
        Scene(
            "N4 call back",
            NoticeId.N4,
            {TRAIN: INTEREST},
            _terms(opt_out_calls_back=True, warning_tone=15.0, wrap_up=30.0),
        ),
        Scene("N5", NoticeId.N5, {TRAIN: INTEREST}, _terms(special_circumstances=True), special=True),
        Scene("N6", NoticeId.N6, {DOC: INTEREST, TRAIN: CONSENT}, _terms(), use=True),
        Scene("N7", NoticeId.N7, {DOC: INTEREST, TRAIN: INTEREST}, _terms()),
        Scene("N7 obligation", NoticeId.N7, {DOC: OBLIGATION, TRAIN: INTEREST}, _terms(obligation=True)),
        Scene(
            "N8",
            NoticeId.N8,
            {DOC: INTEREST, TRAIN: INTEREST},
            _terms(objection_stops=False, special_circumstances=True, sensitive_resumes=True),
            special=True,
        ),
        Scene("N2+N3", NoticeId.N2_N3, {DOC: CONSENT, TRAIN: CONSENT}, _terms()),
        Scene("N6 obligation", NoticeId.N6, {DOC: OBLIGATION, TRAIN: CONSENT}, _terms(obligation=True), use=True),
        Scene("N2+N4", NoticeId.N2_N4, {DOC: CONSENT, TRAIN: INTEREST}, _terms()),
        Scene("N2+N5", NoticeId.N2_N5, {DOC: CONSENT, TRAIN: PUBLIC}, _terms(special_circumstances=True), special=True),
        Scene(
            "N1 read, outgoing",
            NoticeId.N1,
            {DOC: INTEREST},
            _terms(),
            direction=Direction.OUTBOUND,
            how=NoticeDelivery.READ,
        ),
        Scene("N3 read", NoticeId.N3, {TRAIN: CONSENT}, _terms(), how=NoticeDelivery.READ),
        Scene("N7 refused before", NoticeId.N7, {DOC: INTEREST, TRAIN: INTEREST}, _terms(), carried=_no(TRAIN)),
        Scene(
            "N6 told before",
            NoticeId.N6,
            {DOC: INTEREST, TRAIN: CONSENT},
            _terms(),
            use=True,
            carried=e.CarriedAnswers((), (DOC, TRAIN), (TRAIN,), NoticeId.N6, NOW.utc),
        ),
        Scene(
            "N6 told otherwise",
            NoticeId.N6,
            {DOC: OBLIGATION, TRAIN: CONSENT},
            _terms(obligation=True),
            use=True,
            carried=e.CarriedAnswers((DOC,), (TRAIN,), (TRAIN,), NoticeId.N7, NOW.utc),
        ),
    )
}

TOLD, ASKED, UNDER_SPECIAL = "told", "asked", "told, under special circumstances"
TELLS: dict[NoticeId, dict[Purpose, str]] = {
    NoticeId.N1: {DOC: TOLD},
    NoticeId.N2: {DOC: ASKED},
    NoticeId.N3: {TRAIN: ASKED},
    NoticeId.N4: {TRAIN: TOLD},
    NoticeId.N5: {TRAIN: UNDER_SPECIAL},
    NoticeId.N6: {DOC: TOLD, TRAIN: ASKED},
    NoticeId.N7: {DOC: TOLD, TRAIN: TOLD},
    NoticeId.N8: {DOC: TOLD, TRAIN: UNDER_SPECIAL},
    NoticeId.N2_N3: {DOC: ASKED, TRAIN: ASKED},
    NoticeId.N2_N4: {DOC: ASKED, TRAIN: TOLD},
    NoticeId.N2_N5: {DOC: ASKED, TRAIN: UNDER_SPECIAL},
}
"""the guideline's table: what each notice says of each purpose; what it asks, by 1 and 2 in this order"""


KEYS_ARE_FOR_TRAINING = (NoticeId.N3, NoticeId.N4, NoticeId.N6, NoticeId.N7, NoticeId.N2_N4)
"""the notices after which the opt-out keys refuse training, and nothing else"""

OTHERWISE = {
    NoticeId.N1: NoticeId.N2,
    NoticeId.N2: NoticeId.N1,
    NoticeId.N3: NoticeId.N4,
    NoticeId.N4: NoticeId.N3,
    NoticeId.N5: NoticeId.N4,
    NoticeId.N6: NoticeId.N7,
    NoticeId.N7: NoticeId.N6,
    NoticeId.N8: NoticeId.N7,
    NoticeId.N2_N3: NoticeId.N2_N4,
    NoticeId.N2_N4: NoticeId.N2_N3,
    NoticeId.N2_N5: NoticeId.N2_N4,
}
"""a notice that tells of one of the purposes in another way"""


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
    told = read if scene.how is NoticeDelivery.READ else played
    return (scene.rang, e.Answered(), *person, *told, *answers, *then)


BY_PHONE = (e.NewPerson(by_phone=True), e.PersonLeft())
"""what another call of this phone does to this one, in a conference"""


def alphabet(scene: Scene) -> tuple[e.Event, ...]:
    """Every event that does not carry a ticket or a recording of the state it meets; those are `walk.acknowledgements`."""
    asks = tuple(purpose for purpose, basis in scene.bases.items() if basis is CONSENT)
    notice, terms = scene.notice or NoticeId.N1, scene.terms
    upstream = [e.UpstreamVouched(notice), e.UpstreamVouched(OTHERWISE[notice], "1")]
    upstream += [e.UpstreamVouched(notice, "1")] if asks else []
    answers = [key for key, purpose in terms.consent_keys if purpose in asks]
    digits = dict.fromkeys([*answers, "5", *terms.opt_out_key, *terms.language_key])
    languages = [e.NoticeAgain(read=read, language=Language.EN) for read in (False, True) if terms.language_key]
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
        *languages,
        e.FinishedOrally(),
        e.NoticeRead(),
        *(e.NoticeRead(said_yes=(purpose,)) for purpose in asks),
        e.UpstreamVouched(NoticeId.N1),
        *upstream,
        e.UpstreamIgnored(),
        *(e.DigitPressed(digit, NOW.mono) for digit in digits),
        e.DigitsWanted(True),
        e.DigitsWanted(False),
        *(e.SpokenAnswer(purpose, yes) for purpose in asks for yes in (True, False)),
        e.AskedAgain(),
        e.PreferenceSignalled(True),
        e.PreferenceSignalled(False),
        *(e.OptedOut(kind) for kind in OptOutKind),
        e.Objected(),
        e.Withdrawn(DOC),
        e.Withdrawn(TRAIN),
        e.KeptOutOfTraining(),
        e.RefusedBefore((DOC,), Reason.DECLINED_EARLIER),
        e.RefusedBefore((DOC, TRAIN), Reason.CALL_BACK),
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
        e.PartySoundChanged(False),
        e.PartySoundChanged(True),
        e.SourceChanged(),
        e.SourceReturned(),
        e.SameCaller(),
        e.IdentityChanged(),
        e.StoodStill(2.0),
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
