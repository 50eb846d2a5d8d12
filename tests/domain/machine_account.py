"""What happened to a call, noted from events and effects alone: what the party was told and said, and what there is of it.

`machine_rules` says what may be and what must not. Of the session it knows events, effects and the status that the desk showed;
with the walk it shares the calls, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softphone.domain import changes as c
from softphone.domain import effects as f
from softphone.domain import events as e
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import KeyRole, Language, Purpose, Reason
from softphone.domain.status import Status
from tests.domain.walk_scenes import (
    ASKED,
    BALANCED,
    CONSENT,
    DOC,
    KEYS_ARE_FOR_TRAINING,
    OBLIGATION,
    TELLS,
    TRAIN,
    Scene,
)

KEY_SETTLES = 1.5
AGENT_OUT = {"held", "consulting", "no_agent"}
"""our agent takes no part in what is said (L5)"""
SILENT = AGENT_OUT | {"sensitive", "gone", "source_changed"}
"""no question's clock runs, no key is an answer, nothing is told"""


@dataclass
class Kept:
    """One recording in the archive, as the store was told to have it, and what the party and the agent said of it."""

    sealed: set[Purpose] = field(default_factory=set[Purpose])
    """what any talk in it was recorded for"""
    opens: set[Purpose] = field(default_factory=set[Purpose])
    """who has a key to it, custody aside"""
    taken: set[Purpose] = field(default_factory=set[Purpose])
    """of `sealed`, what was taken back"""
    holds: set[str] = field(default_factory=set[str])
    """by whom"""
    shut: set[Purpose] = field(default_factory=set[Purpose])
    """what a hold took the keys of, and no press of the agent's brings back"""
    sampled: bool = False
    gone: bool = False
    undecided: set[Purpose] = field(default_factory=set[Purpose])
    """what grounds were given against (G32), for custody to decide"""
    custody_only: bool = False
    by_refusal: bool = True
    """how its last purpose ended: a hold of ours does not stand against every refusal"""

    @property
    def left(self) -> set[Purpose]:
        return set() if self.gone else self.sealed - self.taken


class Account:
    """One call, as far as it has gone."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.terms = scene, scene.terms
        self.now = 0.0
        self.stage = "ringing"
        self.timers: dict[e.Timer, float] = {}
        # what the party was told
        self.person = scene.direction != "outbound"
        self.informed = False
        self.sound = ""
        self.marks: set[e.Mark] = set()
        self.readable = False
        self.newcomer = self.joined = self.puzzled = False
        self.before: set[Purpose] | None = None
        """the yeses that were given when somebody joined who may leave again, and nobody else is untold"""
        self.vouched: set[Purpose] = set()
        self.vouches = False
        """the exchange's last word told of something as our notice does"""
        self.language = Language.DA
        # what it said
        self.yes: set[Purpose] = set()
        self.no: set[Purpose] = set()
        self.not_its_own: set[Purpose] = set()
        """of `no`, what it cannot ask for anew: it was not its own word, or it has a case"""
        self.declines = self.no_remembered = False
        """its no to training by key or SIP, and what the archive is told of it"""
        self.withdrawn: set[Purpose] = set()
        """of `no`, what had had its yes"""
        self.unanswered: set[Purpose] = set()
        self.asked_again: set[Purpose] = set()
        self.began: set[Purpose] = set()
        self.held_up = False
        """held from the first moment: nobody has been told yet"""
        self.pressed: dict[Purpose, float] = {}
        self.remembered: set[Purpose] = set()
        self.carried: set[Purpose] = set()
        """yeses said to an exchange before us: a notice of ours that is begun anew does not take them back"""
        self.time_up = self.wants_digits = self.asks_newcomer = False
        self.deadline = 0.0
        self.digits = ""
        self.digits_at = 0.0
        self.objected = self.unclear = False
        self.complaint = ""
        # what the agent did
        self.pauses: set[str] = set()
        self.disputes: dict[str, tuple[HoldBy, bool]] = {}
        """by agent: for whom, and whether it is still armed"""
        self.undoing = ""
        # what there is
        self.kept: dict[str, Kept] = {}
        self.recording: set[Purpose] | None = None
        self.holding = self.microphone = False
        self.opened: dict[tuple[str, int], set[Purpose]] = {}
        self.on_the_way: list[c.Commit] = []
        self.owed: list[c.Commit] = []
        self.signal = f.RecordSignal.OFF
        self.failing = self.missing = False

    # --- what follows from it -----------------------------------------------------------------------

    @property
    def live(self) -> set[Purpose]:
        """Planned, and neither refused nor left without an answer."""
        return set(self.scene.bases) - self.no - self.unanswered

    def needs_yes(self, purpose: Purpose) -> bool:
        return self.scene.bases.get(purpose) is CONSENT

    @property
    def agreed(self) -> set[Purpose]:
        """Basis (G02) and, where that is consent, a yes (G03)."""
        return {it for it in self.live if not self.needs_yes(it) or it in self.yes}

    @property
    def asked(self) -> set[Purpose]:
        """The questions that are open."""
        return self.live - self.agreed if self.informed and self.stage == "talking" else set()

    @property
    def silent(self) -> bool:
        return bool(self.pauses & SILENT)

    @property
    def on(self) -> bool:
        """The recorder stores, or keeps for what comes next."""
        return self.recording is not None or self.holding

    # --- what happens -------------------------------------------------------------------------------

    def hears(self, event: e.Event, shown: Status) -> None:
        """`shown`: the desk as it was when a button was pressed."""
        self._told(event)
        self._asked(event)
        self._refused(event, shown)
        self._paused(event)
        self._disputed(event)
        self._ended(event)
        self._buried()

    def _told(self, event: e.Event) -> None:
        """Informed (G05): heard whole, read for long enough, finished orally after its essentials, or vouched for."""
        match event:
            case e.Rang(carried=e.CarriedAnswers() as said):
                self._said_before(said)
            case e.Answered():
                self.stage = "talking"
                self.held_up = self.silent and self.person
                self._if_vouched()
            case e.PersonAnswered():
                self.person = True
                self._if_vouched()
            case e.UpstreamVouched(notice=notice, keys=keys):
                self._vouched(TELLS[notice], keys)
            case e.NoticeReached(mark=mark):
                self.marks |= {e.Mark.ESSENTIALS, mark}
            case e.NoticeHeard() | e.NoticeFailed():
                was, self.sound = self.sound, ""
                if was == "question" or isinstance(event, e.NoticeHeard):
                    self._is_informed() if was == "notice" else self._counts(self.remembered)
                else:
                    self._forget_keys()
            case e.TimedOut(timer=e.Timer.READABLE):
                self.readable = True
            case e.NoticeRead(said_yes=said) if self.readable and not self.silent:
                self._is_informed()
                self.yes |= set(said) & self.asked
            case e.FinishedOrally() if e.Mark.ESSENTIALS in self.marks and not self.silent:
                if not any(self.needs_yes(it) for it in self.live):
                    self._is_informed()
            case e.NoticeAgain(language=language):
                self.language = language or self.language
                self._forget_keys()
            case e.NewPerson() | e.IdentityChanged() if self.live and self.stage == "talking":
                if event == e.NewPerson():
                    self._pause("source_changed", on=False)
                self.marks, self.readable, self.vouched, self.carried = set(), False, set(), set()
                self._forget_keys()
                self.before = self._yeses_before(event)
                if self.informed:
                    self.informed, self.newcomer, self.yes = False, True, set()
                    self.pauses |= {"not_told"}
                else:
                    self.joined = True
            case e.NewPerson() | e.IdentityChanged() if self._could_come_back():
                if event == e.NewPerson():
                    self._pause("source_changed", on=False)
                self.before = self._yeses_before(event)
                self.pauses |= {"not_told"}
            case e.PersonLeft() if self.before is not None and "not_told" in self.pauses:
                self.informed, self.newcomer, self.yes = True, False, self.before
                self.pauses -= {"not_told"}
                self.before, self.marks, self.readable, self.asks_newcomer = None, set(), False, False
                self._forget_keys()
            case e.NotUnderstood():
                self._take(TRAIN, by_refusal=False)
                if self.scene.bases.get(DOC) is not OBLIGATION:
                    self._take(DOC, by_refusal=False)
                self._is_to_be_told_anew(puzzled=True)
            case e.PartyAsksForRecording() if not self.live:
                self.no &= self.not_its_own
                self._is_to_be_told_anew()
            case e.PartyAsksForRecording() if self.unclear:
                self.no |= {TRAIN}
                self.objected = self.unclear = False
                self.pauses -= {"objection"}
                self._is_to_be_told_anew()
            case _:
                pass

    def _yeses_before(self, event: e.Event) -> set[Purpose] | None:
        return set(self.yes) if event == e.NewPerson(by_phone=True) and self.informed else None

    def _is_informed(self) -> None:
        self.informed, self.before = True, None
        self.asks_newcomer, self.newcomer, self.joined, self.puzzled = self.newcomer, False, False, False
        self.pauses -= {"not_told"}
        self.marks, self.readable, self.vouched = set(), False, set()
        self._counts(self.remembered | self.carried)
        self.carried = set()

    def _could_come_back(self) -> bool:
        """By the question alone, which tells nobody of anything."""
        return self.stage == "talking" and self.informed and bool(self.unanswered - self.asked_again)

    def _is_to_be_told_anew(self, *, puzzled: bool = False) -> None:
        self.informed = self.newcomer = self.joined = self.readable = self.asks_newcomer = False
        self.puzzled, self.before = puzzled, None
        self.yes, self.began, self.unanswered, self.vouched, self.marks = set(), set(), set(), set(), set()
        self.pauses -= {"not_told"}
        self.carried, self.asked_again = set(), set()
        self._forget_keys()

    def _said_before(self, said: e.CarriedAnswers) -> None:
        """At another desk: a no binds but against an obligation. What was told there counts if ours tells of it the same way."""
        self.no |= {it for it in said.refused if it in self.live and self.scene.bases[it] is not OBLIGATION}
        if said.notice is not None and self.scene.notice is not None:
            ours, theirs = TELLS[self.scene.notice], TELLS[said.notice]
            self.vouched = {it for it in said.informed if it in theirs and ours.get(it) == theirs[it]} & self.live
            self.carried = set(said.consented) & self.vouched

    def _vouched(self, tells: dict[Purpose, str], keys: str) -> None:
        """It covers what ours would tell of in the same way, and a key answers its own question."""
        ours = TELLS[self.scene.notice] if self.scene.notice is not None else {}
        self.vouches = False
        if not (self.informed or self.newcomer or self.joined or self.puzzled):
            covered = {it for it, way in tells.items() if ours.get(it) == way} & self.live
            asks = [it for it, way in tells.items() if way == ASKED]
            self.vouched |= covered
            self.vouches = bool(covered)
            self.carried |= {asks[int(key) - 1] for key in keys if key in "12"[: len(asks)]} & covered
            if covered and self.terms.opt_out_key not in keys:  # a no in the same report is matched first
                self._if_vouched()

    def _if_vouched(self) -> None:
        if self.stage == "talking" and self.live and self.live <= self.vouched and self.person and not self.silent:
            self._is_informed()

    def _asked(self, event: e.Event) -> None:
        """Only an active yes in time (G03): a key that no further digit follows for 1.5 s, or the party's word."""
        match event:
            case e.DigitPressed(digit=digit, since=since) if self.stage == "talking":
                self._digit(digit, since)
            case e.DigitsWanted(on=on):
                self.wants_digits = on
                self.pressed = {} if on else self.pressed
            case e.TimedOut(timer=e.Timer.KEY_SETTLES):
                settled = {it for it, since in self.pressed.items() if since + KEY_SETTLES <= self.now + 1e-6}
                self.pressed = {it: since for it, since in self.pressed.items() if it not in settled}
                self.remembered |= settled
                if self.informed and not self.sound:
                    self._counts(settled)
            case e.TimedOut(timer=e.Timer.ANSWER):
                self.time_up = True
            case e.SpokenAnswer(purpose=purpose, yes=True):
                self.yes |= {purpose} & self.asked
                self.pressed.pop(purpose, None)
            case e.AskedAgain():
                self.asks_newcomer = any(it in kept.left for it in self.unanswered for kept in self.kept.values())
                self.asked_again |= self.unanswered
                self.unanswered = set()
            case _:
                pass

    def _digit(self, digit: str, since: float) -> None:
        keys = self.terms.opt_out_key
        if not self.wants_digits or not keys[0].isdecimal():
            # What only began them is forgotten: five seconds later a key belongs to something else.
            tail = (self.digits if since - self.digits_at <= 5.0 else "") + digit
            self.digits_at = since
            self.digits = next(tail[at:] for at in range(len(tail) + 1) if keys.startswith(tail[at:]))
            if self.digits == keys:
                self.digits = ""
                self._refuses_by_keys(self.scene.notice)
                return
        if self.wants_digits:
            return
        if digit == self.terms.language_key and self.sound == "notice":
            self.language = Language.EN if self.language is Language.DA else Language.DA
            self._forget_keys()
            return
        purpose = dict(self.terms.consent_keys).get(digit)
        to_come = self.live - self.agreed if self.sound == "notice" else self.asked
        if purpose is None or purpose not in to_come:
            self.pressed = {}
        elif not self.silent and purpose not in self.remembered:
            heard = self.informed or e.Mark.QUESTION in self.marks
            in_time = e.Timer.ANSWER not in self.timers or since <= self.deadline
            if heard and in_time and not self.time_up:
                self.pressed.setdefault(purpose, since)

    def _counts(self, keys: set[Purpose]) -> None:
        self.yes |= keys & self.asked
        self.remembered = set()

    def _forget_keys(self) -> None:
        self.pressed, self.remembered = {}, set()

    def _refused(self, event: e.Event, shown: Status) -> None:
        """Opt-out (G31), objection (G23), grounds (G32), withdrawal (G04), and what else ends a purpose."""
        match event:
            case e.UpstreamVouched(notice=notice, keys=keys) if self.terms.opt_out_key in keys:
                self._refuses_by_keys(notice)
                # What it refuses it need not have been told of.
                if self.vouches and not self.informed:
                    self._if_vouched()
            case e.PreferenceSignalled(recording=False) if self.stage in ("ringing", "talking"):
                self._refuses_unclearly()
            case e.OptedOut() | e.SpokenAnswer(yes=False):
                self._opts_out(shown.opt_out.kind if isinstance(event, e.OptedOut) else event.purpose)
            case e.Objected():
                self.unclear = False
                self._objects()
            case e.Withdrawn(purpose=purpose):
                self._refuse(purpose)
            case e.KeptOutOfTraining():
                self._refuse(TRAIN, own_word=False)
            case e.RefusedBefore(purposes=purposes, reason=reason) if self.stage != "over":
                for it in purposes:
                    said_yes = self.needs_yes(it) and (
                        it in self.yes or any(it in one.left for one in self.kept.values())
                    )
                    if self.scene.bases.get(it) is not OBLIGATION and not said_yes:
                        self._refuse(it, own_word=reason is Reason.DECLINED_EARLIER)
            case e.PrivateCall():
                for it in (TRAIN, DOC):
                    self._refuse(it, own_word=False, by_refusal=False)
                    self._take(it, by_refusal=False)
            case e.VoicemailAnswered():
                for it in self.live:
                    keeps = self.scene.bases[it] is OBLIGATION
                    self._refuse(it, own_word=False, by_refusal=False, from_now_on=keeps)
            case _:
                pass

    def _opts_out(self, what: str | Purpose) -> None:
        match what:
            case Purpose():
                self._refuse(what, from_now_on=self.asks_newcomer)
            case "said_no":
                for it in self.asked:
                    self._refuse(it, from_now_on=self.asks_newcomer)
            case "training_ends" | "stop_and_delete" | "call_back":
                self._refuse(TRAIN if TRAIN in self.live else DOC)
            case "objection":
                self._objects()
            case "grounds":
                for it in self.kept.values():
                    if TRAIN in it.left:
                        it.taken, it.undecided = it.taken | {TRAIN}, it.undecided | {TRAIN}
                        it.custody_only |= not it.left
                self._refuse(TRAIN, own_word=False, from_now_on=True)
            case _:
                pass

    def _refuses_by_keys(self, heard: NoticeId | None) -> None:
        """What the notice ties them to; where none does, nobody knows what they refuse."""
        if heard in KEYS_ARE_FOR_TRAINING:
            self._declines_training()
        else:
            self._refuses_unclearly()

    def _refuses_unclearly(self) -> None:
        """By SIP, or by keys that no notice named, which is no sentence: everything ends that can be ended."""
        if not self.scene.special or self.needs_yes(TRAIN):
            self._declines_training()
        if self.needs_yes(DOC):
            self._refuse(DOC)
        elif not self.objected and self._objects():
            self.unclear = True

    def _declines_training(self) -> None:
        self.declines |= TRAIN in self.scene.bases
        self._refuse(TRAIN)

    def _objects(self) -> bool:
        """To documentation on interest or public task: a case. Whether recording goes on meanwhile, the policy says."""
        if self.objected or self.scene.bases.get(DOC) not in BALANCED or not self._can_end(DOC):
            return False
        self.objected = True
        self._refuse(TRAIN, own_word=False)
        for it in self.kept.values():
            it.custody_only |= bool(it.left or it.undecided)
        stops = self.terms.objection_stops and self.stage != "ended"
        self.pauses |= {"objection"} if stops else set()
        return stops

    def _can_end(self, purpose: Purpose) -> bool:
        return purpose in self.live | self.unanswered or any(purpose in it.left for it in self.kept.values())

    def _refuse(
        self, purpose: Purpose, *, own_word: bool = True, by_refusal: bool = True, from_now_on: bool = False
    ) -> None:
        """For good, in all that was recorded; a newcomer's no from now on."""
        if not self._can_end(purpose):
            return
        had_yes = purpose in self.yes or any(purpose in it.left for it in self.kept.values())
        marks = self.withdrawn.add if had_yes and not from_now_on else self.withdrawn.discard
        marks(purpose)
        (self.not_its_own.discard if own_word else self.not_its_own.add)(purpose)
        self.no |= {purpose}
        self.unanswered -= {purpose}
        if self.informed and not self.live and not self._could_come_back():
            self.pauses -= {"not_told"}
        self.pressed.pop(purpose, None)
        self.remembered -= {purpose}
        self.carried -= {purpose}
        if not from_now_on:
            self._take(purpose, by_refusal=by_refusal)

    def _take(self, purpose: Purpose, *, by_refusal: bool) -> None:
        for it in self.kept.values():
            if purpose in it.left | it.undecided:
                it.taken, it.by_refusal = it.taken | {purpose}, by_refusal
                it.undecided -= {purpose}
                if by_refusal and not it.left and not it.undecided and self._held_by(it, HoldBy.PARTY):
                    self.complaint = "open"

    def _paused(self, event: e.Event) -> None:
        match event:
            case e.HoldSignalled(held=on):
                self._pause("held", on)
            case e.ConsultationChanged(running=on):
                self._pause("consulting", on)
            case e.AgentMediaChanged(present=present):
                self._pause("no_agent", not present)
            case e.DeskChanged(present=present):
                self._pause("no_desk", not present)
            case e.SensitivePaused():
                self._pause("sensitive", on=True)
            case e.Resumed():
                self._pause("sensitive", on=False)
            case e.PartySoundChanged(present=True):
                self.pauses -= {"unheard"}
                self._pause("gone", on=False)
            case e.PartySoundChanged() if self.stage == "ringing":
                self.pauses |= {"unheard"}
            case e.PartySoundChanged():
                # Also before it has spoken: the way to it broke.
                self.pauses -= {"unheard"} if self.stage == "talking" else set()
                self._pause("gone", on=True)
            case e.SourceChanged():
                self._pause("source_changed", on=True)
            case e.SourceReturned() | e.SameCaller():
                self._pause("source_changed", on=False)
            case e.TimedOut(timer=e.Timer.SENSITIVE_WARNING) if self.terms.sensitive_resumes:
                self._pause("sensitive", on=False)
            case _:
                pass

    def _pause(self, which: str, on: bool) -> None:
        if self.stage == "talking" or (which in ("no_desk", "held", "no_agent") and self.stage == "ringing"):
            self.pauses = self.pauses | {which} if on else self.pauses - {which}
            if self.silent:
                self.pressed, self.time_up, self.readable = {}, False, False
                self.remembered &= set() if self.informed or self.sound else self.remembered
            elif self.held_up:
                self.held_up = False
                self._if_vouched()

    def _disputed(self, event: e.Event) -> None:
        """A hold (G10): on all that is kept of the call, and on what comes of it."""
        match event:
            case e.DisputeRaised(by=by, agent=agent) if agent not in self.disputes:
                if (self.stage == "talking" and self.live) or any(map(self._can_be_held, self.kept.values())):
                    self.disputes[agent] = by, True
            case e.DisputeUndone(agent=agent):
                if self.disputes[agent][1]:
                    del self.disputes[agent]
                else:
                    self.undoing = agent
            case e.FirstSample(recording=recording):
                self.kept[recording].sampled = True
            case e.Chosen(choice="dispute_by", option=option):
                last = list(self.disputes)[-1]
                self.disputes[last] = HoldBy(option), self.disputes[last][1]
            case e.Chosen(choice="kept_for_complaint", option=option):
                self.complaint = option
                if option == "delete":
                    held = [it for it in self.kept.values() if it.holds]
                    for agent in [it for it, (by, _) in self.disputes.items() if by is HoldBy.PARTY]:
                        self._lift(agent)
                    for it in held:
                        it.shut |= {TRAIN} if not it.holds else set()
            case _:
                pass
        for agent, (by, _) in self.disputes.items():
            for it in self.kept.values():
                if self._can_be_held(it) and agent not in it.holds:
                    it.holds.add(agent)
                    self.disputes[agent] = by, False

    def keeps(self, it: Kept) -> bool:
        """A purpose, decided on or not, or a hold that these rules allow against how the last purpose ended."""
        holds = it.holds and (not it.by_refusal or self._held_by(it, HoldBy.PARTY) or DOC in it.sealed)
        return bool(it.sealed - it.taken or it.undecided or holds)

    def _can_be_held(self, it: Kept) -> bool:
        return it.sampled and self.keeps(it)

    def _lift(self, agent: str) -> None:
        self.disputes.pop(agent, None)
        for it in self.kept.values():
            it.holds.discard(agent)

    def _buried(self) -> None:
        """A hold is gone with what it could not keep."""
        for it in self.kept.values():
            it.holds = it.holds if self.keeps(it) else set()
        standing = {agent for it in self.kept.values() for agent in it.holds}
        self.disputes = {agent: it for agent, it in self.disputes.items() if it[1] or agent in standing}

    def _held_by(self, it: Kept, by: HoldBy) -> bool:
        return any(self.disputes[agent][0] is by for agent in it.holds)

    def _ended(self, event: e.Event) -> None:
        match event:
            case e.CallEnded() | e.HandedOver() if self.stage == "talking":
                self.no |= self.live - (self.began & self.agreed)
                self.stage, self.unclear = "ended", False
                self.pauses, self.unanswered = set(), set()
                for it in self.kept.values():
                    it.sampled |= bool(it.sealed)
                self._disputed(event)
                self.disputes = {agent: it for agent, it in self.disputes.items() if not it[1]}
            case e.CallEnded() if self.stage == "ringing":
                self.stage = "over"
            case e.WrapUpEnded() | e.TimedOut(timer=e.Timer.WRAP_UP):
                self.stage = "over"
            case e.RecorderFailed():
                self.failing = self.stage in ("ringing", "talking")
            case e.StorageWorks():
                self.failing = False
            case _:
                pass

    # --- what is done about it ------------------------------------------------------------------------

    def sees(self, effects: tuple[f.Effect, ...]) -> None:
        """The loop, the recorder and the timers at work, in the order given."""
        for effect in effects:
            self._sees(effect)
        if self.time_up and not self.pressed:
            self.time_up = False
            self.unanswered |= set() if self.sound == "question" else self.asked
        if self.informed:
            self.began |= self.agreed
        self.asks_newcomer &= bool(self.asked)

    def _sees(self, effect: f.Effect) -> None:
        match effect:
            case c.Commit():
                self.no_remembered |= any(isinstance(it, c.RememberRefusal) for it in effect.changes)
                again = [it for it in self.owed if (it.changes, it.entries) == (effect.changes, effect.entries)]
                self.owed = [it for it in self.owed if it not in again]
                self.on_the_way.append(effect)
            case f.StartRecorder(recording=recording, segment=segment):
                sealed = self.opened.get((recording, segment), set())
                new = Kept(custody_only=self.objected)
                self.kept.setdefault(recording, new).sealed |= sealed
                self.recording, self.holding = sealed, False
            case f.StopRecorder(hold_frames=hold):
                self.recording, self.holding = None, hold
            case f.DropFrames():
                self.holding = False
            case f.PlayNotice(question_only=question):
                self.sound, self.marks, self.readable = "question" if question else "notice", set(), False
            case f.StopNotice():
                self.sound = ""
                self._forget_keys()
            case f.SetMicrophone(open=on):
                self.microphone = on
            case f.SignalRecording(state=state):
                self.signal = state
            case f.StartTimer(timer=timer, seconds=seconds):
                self.timers[timer] = self.now + seconds
                if timer is e.Timer.READABLE:
                    self.readable, self.marks = False, set()
                if timer is e.Timer.ANSWER:
                    self.deadline, self.time_up = self.now + self.terms.answer_time, False
            case f.StopTimer(timer=timer):
                self.timers.pop(timer, None)
            case _:
                pass

    def store_answers(self, *, written: bool) -> e.Event:
        """The oldest transaction: all of it is written, or none."""
        commit = self.on_the_way.pop(0)
        if not written:
            self.failing = True
            if not _widens(commit):
                self.owed.append(commit)
            return e.CommitFailed(commit.ticket, Reason.STORAGE_FAILED)
        for change in commit.changes:
            self._store(change)
        return e.Committed(commit.ticket)

    def _store(self, change: c.Change) -> None:
        name = getattr(change, "recording", None) or getattr(change, "hold", "").rsplit("-h", 1)[0]
        it = self.kept.get(name, Kept())
        match change:
            case c.OpenSegment(segment=segment, purposes=purposes, withheld=withheld):
                self.opened[name, segment] = {*purposes, *withheld}
                kept = self.kept.setdefault(name, Kept(custody_only=self.objected))
                kept.opens, kept.shut = kept.opens | set(purposes), kept.shut - set(purposes)
            case c.AddWraps(purpose=purpose, withheld=withheld) if not it.gone and purpose not in it.taken:
                it.sealed |= {purpose} if self.scene.use else set()
                it.opens |= set() if withheld else {purpose}
            case c.DropWraps(role=role):
                it.opens = {opener for opener in it.opens if KeyRole(opener) is not role}
            case c.Restrict():
                it.opens = set()
            case c.Discard():
                it.opens, it.gone = set(), True
            case c.LiftHold(reason=c.UNDONE, restore_training=restore) if self.undoing:
                self._lift(self.undoing)
                it.opens |= {TRAIN} if restore else set()
                it.shut -= {TRAIN} if restore else set()
            case _:
                pass


def _widens(commit: c.Commit) -> bool:
    kinds = [type(it) for it in commit.changes]
    undone = (
        any(isinstance(it, c.LiftHold) and it.reason == c.UNDONE for it in commit.changes) and c.Discard not in kinds
    )
    return undone or c.OpenSegment in kinds or c.AddWraps in kinds
