"""Plays a case of the tables: the real reader, rulebook, terms and session, driven by what happens, told in words.

The words below are the tables' vocabulary. What they lead to is no business of this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from plugins import datatilsynet
from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.decision import Decision, Facts, NoticeId, not_recorded
from softphone.domain.policy import LoadedPolicy
from softphone.domain.policy.calls import day_of, exempt
from softphone.domain.policy.terms import terms
from softphone.domain.purpose import Direction, Language, Purpose, Reason
from softphone.domain.session import State, describe, step
from softphone.domain.status import InformedPhase, OptOutKind, Status
from softphone.plugin.rulebook import carried
from tests.guideline.shelf import Shelf

AT = datetime(2026, 11, 25, 10, 41, tzinfo=ZoneInfo("UTC"))
SETTLES = 1.5


def decide(loaded: LoadedPolicy, facts: Facts, *, drawn: bool) -> Decision:
    """As the engine asks: what is exempt never reaches the rulebook, and what the policy does not carry is no answer."""
    policy = loaded.policy
    line = policy.line[0]
    reason = exempt(policy, line, facts.direction, facts.number)
    if reason is not None:
        return not_recorded(reason)
    decision = datatilsynet.decide(facts, line, drawn)
    assert carried(decision, facts, line, drawn=drawn)
    return decision


def facts_of(loaded: LoadedPolicy, call: dict[str, object]) -> Facts:
    """What is known while it rings, from a case's `call`: an incoming call from a mobile phone unless it says otherwise."""
    at = datetime.fromisoformat(str(call["at"])) if "at" in call else AT
    return Facts(
        line=loaded.policy.line[0].id,
        direction=Direction(str(call.get("direction", "inbound"))),
        number=str(call.get("number", "+4520123456")) or None,
        language=Language.DA,
        declined_earlier=bool(call.get("declined_earlier", False)),
        at=at.astimezone(ZoneInfo(loaded.policy.time_zone)),
        reviewers_have_enough=bool(call.get("reviewers_have_enough", False)),
    )


class Call:
    """One call under a policy, and what is left of it. It rings when it is made."""

    def __init__(self, loaded: LoadedPolicy, call: dict[str, object]) -> None:
        facts = facts_of(loaded, call)
        line = loaded.policy.line[0]
        self.decision = decide(loaded, facts, drawn=bool(call.get("drawn", True)))
        day = day_of(loaded.policy, facts.at)
        under = terms(loaded.policy, line, self.decision.notice, language=facts.language, day=day)
        self.shelf = Shelf()
        self.state = State()
        self.seconds = 0.0
        self.ended_by_policy = False
        self._at = facts.at
        refused = [Purpose(str(name)) for name in _list(call.get("refused_at_another_desk"))]
        passport = e.CarriedAnswers(refused=tuple(refused)) if refused else None
        self(e.Rang("c", facts.direction, facts.language, self.decision, under, passport))

    @property
    def now(self) -> e.Now:
        return e.Now(self._at + timedelta(seconds=self.seconds), self.seconds)

    @property
    def status(self) -> Status:
        return describe(self.state, self.now)

    @property
    def recorded(self) -> str:
        return ", ".join(self.status.recording) or "nothing"

    def __call__(self, *events: e.Event) -> None:
        for event in events:
            self.state, effects = step(self.state, event, self.now)
            self._carry_out(effects)

    def _carry_out(self, effects: Iterable[f.Effect]) -> None:
        for effect in effects:
            match effect:
                case c.Commit():
                    self.shelf.write(effect)
                    self(e.Committed(effect.ticket))
                case f.StartRecorder():
                    assert self.status.notice is not None
                    assert self.status.notice.told is InformedPhase.INFORMED, (
                        "not a sample before the party is informed"
                    )
                    self(e.FirstSample(effect.recording, effect.segment))
                case f.EndCall():
                    self.ended_by_policy = True
                case _:
                    pass

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def happens(self, words: str) -> None:
        """One thing of the vocabulary; KeyError where it is none."""
        for pattern, play in _PLAYS:
            if match := re.fullmatch(pattern, words):
                play(self, *match.groups())
                return
        self(*_PLAIN[words])


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


# --- the vocabulary ------------------------------------------------------------------------------------------

_ESSENTIALS, _QUESTION = e.NoticeReached(e.Mark.ESSENTIALS), e.NoticeReached(e.Mark.QUESTION)

_PLAIN: dict[str, tuple[e.Event, ...]] = {
    "answered": (e.Answered(), e.NoticeStarted(16.0)),
    "a person answered": (e.PersonAnswered(), e.NoticeStarted(16.0)),
    "a machine answered": (e.VoicemailAnswered(),),
    "the notice says that it is recorded and why": (_ESSENTIALS,),
    "the notice comes to its question": (_ESSENTIALS, _QUESTION),
    "the notice is heard": (_ESSENTIALS, _QUESTION, e.NoticeHeard()),
    "the notice breaks off": (e.NoticeFailed(),),
    "the agent stops the notice": (e.NoticeStopped(),),
    "the agent says the rest of the notice": (e.FinishedOrally(),),
    "the notice is given anew": (e.NoticeAgain(),),
    "the notice is given in English": (e.NoticeAgain(language=Language.EN),),
    "the agent claims at once to have read it": (e.NoticeRead(),),
    "the agent reads the notice": (e.TimedOut(e.Timer.READABLE), e.NoticeRead()),
    "an exchange that is not listed vouches": (e.UpstreamIgnored(),),
    "the party's phone refuses recording": (e.PreferenceSignalled(False),),
    "the party's phone allows recording": (e.PreferenceSignalled(True),),
    "the party objects": (e.Objected(),),
    "the agent keeps it out of training": (e.KeptOutOfTraining(),),
    "the call is private": (e.PrivateCall(),),
    "the agent raises a dispute": (e.DisputeRaised(c.HoldBy.CONTROLLER, "anna"),),
    "the party raises a dispute": (e.DisputeRaised(c.HoldBy.PARTY, "anna"),),
    "the party wants it kept": (e.Chosen("kept_for_complaint", "keep"),),
    "the party wants it deleted": (e.Chosen("kept_for_complaint", "delete"),),
    "sensitive information begins": (e.SensitivePaused(),),
    "the pause's time is up": (e.TimedOut(e.Timer.SENSITIVE), e.TimedOut(e.Timer.SENSITIVE_WARNING)),
    "the agent resumes": (e.Resumed(),),
    "the call is held": (e.HoldSignalled(True),),
    "the call is taken up again": (e.HoldSignalled(False),),
    "the agent's line is gone": (e.AgentMediaChanged(False),),
    "the agent's line is back": (e.AgentMediaChanged(True),),
    "a consultation begins": (e.ConsultationChanged(True),),
    "the consultation is over": (e.ConsultationChanged(False),),
    "a new person joins": (e.NewPerson(),),
    "the party did not understand": (e.NotUnderstood(),),
    "the desk is gone": (e.DeskChanged(False),),
    "the desk is back": (e.DeskChanged(True),),
    "the store fails": (e.RecorderFailed(Reason.STORAGE_FAILED),),
    "the store works again": (e.StorageWorks(),),
    "the call is handed over": (e.HandedOver(),),
    "the call ends": (e.CallEnded(),),
    "wrap-up ends": (e.WrapUpEnded(),),
}


def _press(call: Call, keys: str) -> None:
    """In one breath, and then none for as long as it takes to see that no more comes."""
    for key in keys:
        call(e.DigitPressed(key, call.seconds))
    call.wait(SETTLES)
    call(e.TimedOut(e.Timer.KEY_SETTLES))


def _silence(call: Call) -> None:
    """Until nothing more is asked: the answer's time, the question once more where it is repeated, and its time."""
    for _ in range(3):
        call.wait(call.state.terms.answer_time)
        call(e.TimedOut(e.Timer.ANSWER), e.NoticeHeard())


def _presses_the_button(call: Call) -> None:
    """Whatever the one opt-out button does now."""
    call(e.OptedOut(call.status.opt_out.kind))


def _gives_no_grounds(call: Call) -> None:
    call(e.OptedOut(OptOutKind.NOTE_REQUEST))


def _says(call: Call, answer: str, purpose: str) -> None:
    call(e.SpokenAnswer(Purpose(purpose), yes=answer == "yes"))


def _takes_back(call: Call, purpose: str) -> None:
    call(e.Withdrawn(Purpose(purpose)))


def _vouches(call: Call, notice: str, keys: str | None) -> None:
    call(e.UpstreamVouched(NoticeId(notice), keys or ""))


def _asks_to_be_recorded(call: Call) -> None:
    call(e.PartyAsksForRecording(call.decision))


_PLAYS: tuple[tuple[str, Callable[..., None]], ...] = (
    (r"the party presses ([0-9*#]+)", _press),
    (r"the party says nothing", _silence),
    (r"the party says (yes|no) to (documentation|training)", _says),
    (r"the party takes back its yes to (documentation|training)", _takes_back),
    (r"the party says no, and the agent presses the button", _presses_the_button),
    (r"the party gives no grounds", _gives_no_grounds),
    (r"the exchange vouches for (N[\dN+]+)(?:, key ([0-9*#]+))?", _vouches),
    (r"the party asks to be recorded", _asks_to_be_recorded),
)


def vocabulary() -> list[str]:
    """All that can happen in a case, as patterns."""
    return [*map(re.escape, _PLAIN), *(pattern for pattern, _ in _PLAYS)]
