"""A year of calls on six lines: rulebook, session, sample and retention as they are; parties, reviewers and store as models.

A session is pure: calls of one kind (line, decision, behaviour) go the same way. So each kind is stepped once, or, where it is
asked for, every call is. What must hold is checked as the year goes by, by dates and counts of its own.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from plugins.datatilsynet.rules import decision_for
from softphone.domain.decision import Decision, Facts
from softphone.domain.policy import Line
from softphone.domain.purpose import Direction, Language, Purpose
from softphone.domain.retention import Ended, HoldStanding, expires_on, has_expired, is_kept
from softphone.domain.sampling import SampleRun, block_length, free_place, is_drawn, reviewers_have_enough, use
from tests.domain.year_call import Behaviour, Made, Outcome, play
from tests.policies import policy_of

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
ZONE = "Europe/Copenhagen"
FIRST, DAYS = date(2027, 1, 4), 365
SWEEPS_ON = 100
"""days after the year: what is then left, is held or long-lived"""
HOLIDAY = range(180, 208)
"""four weeks in which nobody reviews"""


@dataclass(eq=False, slots=True)
class Kept:
    """One recording. `ends` are the days counted by this module, not by the program."""

    line: str
    recorded_on: date
    stands: dict[Purpose, Ended]
    expires: dict[Purpose, date]
    ends: dict[Purpose, date]
    holds: list[HoldStanding]
    reviewed: bool = False
    gone: bool = False

    def needed_on(self, day: date, at: datetime) -> bool:
        """By the rules' words: a living purpose, or a hold that stands. A case that is open keeps nothing."""
        living = any(state is not Ended.TAKEN_BACK and day < self.ends[one] for one, state in self.stands.items())
        held = any(it.by_party or it.provisional_until is None or at < it.provisional_until for it in self.holds)
        return living or held


@dataclass(slots=True)
class Told:
    """What the year came to."""

    calls: int = 0
    stepped: int = field(default=0, compare=False)
    """of the calls, those that went through the session themselves"""
    answered: int = 0
    drawn: int = 0
    trained: int = 0
    """recordings that training could use when they were made"""
    stopped: int = 0
    """drawn, but the reviewers had enough"""
    reviewed: int = 0
    unseen: int = 0
    """expired without having been reviewed"""
    recordings: int = 0
    gone: int = 0
    left: int = 0
    kept_by_hold: int = 0
    fullest: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    """the backlog at its largest, as a part of what could be reviewed in the time"""
    blocks: int = 0
    kinds: Counter[Behaviour] = field(default_factory=Counter[Behaviour])


class Year:
    """`every`: each call is stepped through the session by itself."""

    def __init__(self, calls: int, seed: int, *, every: bool = False) -> None:
        self.told = Told(calls)
        self._every = every
        self._chance = random.Random(seed)
        self.lines = six_lines(calls)
        self._policy = policy_of().policy.model_copy(update={"line": tuple(self.lines)})
        self._runs: dict[tuple[str, int], SampleRun] = {}
        self._lots: dict[tuple[str, int], dict[int, bool]] = defaultdict(dict)
        self._ringing: dict[tuple[str, int], int] = {}
        self._waiting: dict[str, Counter[date]] = defaultdict(Counter)
        self._to_review: dict[str, deque[Kept]] = defaultdict(deque)
        self._refused: dict[tuple[str, int], date] = {}
        self._due: dict[date, list[Kept]] = defaultdict(list)
        self._held: dict[date, list[Kept]] = defaultdict(list)
        self._all: list[Kept] = []
        self._played: dict[tuple[object, ...], Outcome] = {}

    def run(self) -> Told:
        for number in range(DAYS + SWEEPS_ON):
            day = FIRST + timedelta(days=number)
            if number < DAYS:
                for _ in range(self.told.calls * (number + 1) // DAYS - self.told.calls * number // DAYS):
                    self._ring(day)
            self._review(day, number)
            self._lift(day)
            self._sweep(day)
        self._count_blocks()
        left = [it for it in self._all if not it.gone]
        at = _noon(FIRST + timedelta(days=DAYS + SWEEPS_ON - 1))
        assert all(it.needed_on(at.date(), at) for it in left), "kept for nothing"
        self.told.left = len(left)
        self.told.kept_by_hold = sum(not any(at.date() < end for end in it.ends.values()) for it in left)
        return self.told

    # --- a call ----------------------------------------------------------------------------------

    def _ring(self, day: date) -> None:
        chance, told = self._chance, self.told
        line = chance.choice(self.lines)
        agent = chance.randrange(6)
        self._second_call(line, agent)
        run = self._run(line, agent)
        held = self._ringing.get((line.id, agent))
        place = free_place(run, () if held is None else (held,))
        drawn = is_drawn(run, place)
        party = line.id, chance.randrange(told.calls // 4 + 1)
        declined = day < self._refused.get(party, day)
        enough = drawn and self._has_enough(line, day)
        at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(minutes=chance.randrange(540))
        direction = Direction.OUTBOUND if chance.random() < 0.2 else Direction.INBOUND
        facts = Facts(line.id, direction, None, Language.DA, declined, at, enough)
        decision = decision_for(facts, line, drawn=drawn)
        behaviour = _behaviour(chance, decision, direction)
        told.kinds[behaviour] += 1
        outcome = self._outcome(line, decision, direction, behaviour)
        if not outcome.answered:
            return
        told.answered += 1
        self._take(line, agent, place, drawn=drawn)
        told.stopped += enough and drawn and not declined
        if outcome.refused:
            self._refused[party] = _after(day, 12)
        for made in outcome.recordings:
            self._keep(line, day, at, made)

    def _outcome(self, line: Line, decision: Decision, direction: Direction, behaviour: Behaviour) -> Outcome:
        kind = line.id, decision, direction, behaviour
        if self._every or kind not in self._played:
            self.told.stepped += 1
            outcome = play(self._policy, line, decision, direction, behaviour)
            assert self._played.setdefault(kind, outcome) == outcome, "the same call went another way"
        return self._played[kind]

    def _second_call(self, line: Line, agent: int) -> None:
        """Another call to the same agent rings from before this one until before the next, and is then answered or not."""
        held = self._ringing.pop((line.id, agent), None)
        if held is not None and self._chance.random() < 0.5:
            self._take(line, agent, held, drawn=is_drawn(self._run(line, agent), held))
        if self._chance.random() < 0.1:
            self._ringing[line.id, agent] = free_place(self._run(line, agent))

    def _take(self, line: Line, agent: int, place: int, *, drawn: bool) -> None:
        lots = self._lots[line.id, agent]
        assert place not in lots, "one place for two calls"
        lots[place] = drawn
        self._runs[line.id, agent] = use(self._run(line, agent), place)
        self.told.drawn += drawn

    def _run(self, line: Line, agent: int) -> SampleRun:
        assert line.training is not None
        known = self._runs.get((line.id, agent))
        return known or self._runs.setdefault(
            (line.id, agent), SampleRun(self._chance.randbytes(32), line.training.sample)
        )

    def _has_enough(self, line: Line, day: date) -> bool:
        assert line.training is not None
        waiting = {(end - day).days: count for end, count in self._waiting[line.id].items() if count}
        new = (_after(day, 3) - day).days
        return reviewers_have_enough(waiting, new, line.training.capacity)

    def _keep(self, line: Line, day: date, at: datetime, made: Made) -> None:
        periods = {one: line.retention(one) for one, _ in made.stands}
        expires = {one: expires_on(at, period, ZONE) for one, period in periods.items() if period}
        ends = {one: _after(day, period.months) for one, period in periods.items() if period}
        holds = [HoldStanding(it.by_party, at + it.provisional if it.provisional else None) for it in made.holds]
        it = Kept(line.id, day, dict(made.stands), expires, ends, holds)
        self.told.recordings += 1
        self._all.append(it)
        self._due[day].append(it)
        for end in expires.values():
            self._due[end].append(it)
        for hold in holds:
            if hold.provisional_until:
                self._due[hold.provisional_until.date()].append(it)
            elif self._chance.random() < 0.9:
                self._held[day + timedelta(days=self._chance.randrange(3, 200))].append(it)
        if it.stands.get(TRAINING) is Ended.KEEPS:
            self.told.trained += 1
            self._wait(line, it)

    def _wait(self, line: Line, it: Kept) -> None:
        assert line.training is not None
        waiting = self._waiting[line.id]
        waiting[it.ends[TRAINING]] += 1
        self._to_review[line.id].append(it)
        if line.training.capacity:
            could = Fraction(line.training.capacity * (it.ends[TRAINING] - it.recorded_on).days, 7)
            full = waiting.total() / could
            assert full <= 1, "more waits than can be reviewed before it expires"
            self.told.fullest[line.id] = max(full, self.told.fullest.get(line.id, Fraction(0)))

    # --- what happens to recordings --------------------------------------------------------------

    def _review(self, day: date, number: int) -> None:
        if number in HOLIDAY:
            return
        for line in self.lines:
            capacity = line.training.capacity if line.training else None
            time = capacity * (number + 1) // 7 - capacity * number // 7 if capacity else self.told.calls
            queue = self._to_review[line.id]
            while queue and time:
                it = queue.popleft()
                if it.gone or it.holds or it.stands[TRAINING] is not Ended.KEEPS:
                    continue
                it.reviewed = True
                self._waiting[line.id][it.ends[TRAINING]] -= 1
                self.told.reviewed += 1
                time -= 1

    def _lift(self, day: date) -> None:
        for it in self._held.pop(day, ()):
            it.holds = [hold for hold in it.holds if hold.provisional_until]
            self._due[day].append(it)
            if it.stands.get(TRAINING) is Ended.KEEPS:
                self._to_review[it.line].appendleft(it)

    def _sweep(self, day: date) -> None:
        at = _noon(day)
        for it in self._due.pop(day, ()):
            if it.gone:
                continue
            for one, end in it.expires.items():
                if it.stands[one] is Ended.KEEPS and has_expired(end, at, ZONE):
                    it.stands[one] = Ended.EXPIRED
                    if one is TRAINING and not it.reviewed:
                        self._waiting[it.line][it.ends[TRAINING]] -= 1
                        self.told.unseen += 1
            kept = is_kept(it.stands.values(), it.holds, now=at)
            assert kept == it.needed_on(day, at), "gone too early, or kept too long"
            assert all(day < it.ends[one] for one, state in it.stands.items() if state is Ended.KEEPS), "past its day"
            if not kept:
                it.gone = True
                self.told.gone += 1

    # --- the sample ------------------------------------------------------------------------------

    def _count_blocks(self) -> None:
        """The share is exact, to a call, at the end of every block of every line and agent; no place was used twice."""
        for line in self.lines:
            share = line.training.sample if line.training else Fraction(0)
            for (of, agent), lots in self._lots.items():
                if of != line.id:
                    continue
                run = self._runs[of, agent]
                assert len(lots) == run.next + len(run.taken)
                hits = start = 0
                for block in range(run.block):
                    end = start + block_length(run.seed, share, block)
                    hits += sum(lots[place] for place in range(start, end))
                    assert floor(end * share) <= hits <= ceil(end * share), "the share of a block"
                    start = end
                self.told.blocks += run.block


def six_lines(calls: int) -> list[Line]:
    """A bank's desk, a shop, training alone with and without consent, rescue, a town hall. `calls` sets what reviewers can do."""
    week = calls / 6 / 52

    def line(id: str, documentation: Mapping[str, object] | None, **training: object) -> Line:
        training |= {"why_this_number": "Så mange kan gennemgås.", "retention": "P3M"}
        parts = {"training": training} | ({"documentation": documentation} if documentation else {})
        return Line.model_validate({"id": id, "name": id, "outbound": {"notice": "play"}, **parts})

    whole = {
        "why": "Aftaler skal kunne dokumenteres",
        "G20": {"a": "Ja.", "b": "Ja.", "c": "Ja."},
        "G21": {"a": "Ja."},
        "conclusion": "Behovet kan ikke dækkes anderledes.",
    }
    interest = {"basis": "legitimate_interest", "retention": "P3M", "assessment": whole}
    rescue = {"why": "Øvelse redder liv", "decided_on": date(2026, 12, 1), "expires_on": date(2028, 12, 31)}
    return [
        line(
            "bank",
            {"basis": "legal_obligation", "retention": "P5Y"},
            basis="legitimate_interest",
            sample="10 %",
            capacity=max(1, round(week * 0.2)),
        ),
        line("shop", interest, basis="legitimate_interest", sample="2.5 %", opt_out="call_back"),
        line("teach", None, basis="legitimate_interest", sample="50 %", capacity=max(1, round(week * 0.2))),
        line("ask", None, basis="consent", sample="33.3333 %", capacity=max(1, round(week * 0.1))),
        line(
            "rescue",
            {"basis": "legal_obligation", "retention": "P1Y"},
            basis="legitimate_interest",
            sample="5 %",
            special_circumstances=rescue,
            capacity=max(1, round(week * 0.03)),
        ),
        line("town", {"basis": "public_task"}, basis="consent", sample="12.5 %", capacity=max(1, round(week * 0.2))),
    ]


def _behaviour(chance: random.Random, decision: Decision, direction: Direction) -> Behaviour:
    at = chance.random()
    if direction is Direction.OUTBOUND and at < 0.15:
        return Behaviour.VOICEMAIL
    for behaviour, part in _SHARES:
        if at < part:
            return behaviour
        at -= part
    return chance.choice([Behaviour.YES, Behaviour.YES, Behaviour.TALKS])


_SHARES = (
    (Behaviour.UNANSWERED, 0.10),
    (Behaviour.DECLINES_EARLY, 0.03),
    (Behaviour.DECLINES, 0.03),
    (Behaviour.OBJECTS, 0.01),
    (Behaviour.DISPUTES, 0.01),
    (Behaviour.WE_DISPUTE, 0.01),
    (Behaviour.WE_DISPUTE_THEN_DECLINES, 0.005),
    (Behaviour.HANGS_UP_EARLY, 0.02),
    (Behaviour.WITHDRAWS, 0.02),
    (Behaviour.KEPT_OUT, 0.01),
    (Behaviour.PRIVATE, 0.005),
)


def _after(day: date, months: int) -> date:
    """Counted by stepping: the day, so many months on, or that month's last where it has no such day."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for back in range(4):
        try:
            return date(year, month, day.day - back)
        except ValueError:
            continue
    raise AssertionError(day)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
