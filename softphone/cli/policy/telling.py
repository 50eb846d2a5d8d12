"""One line of a policy in plain sentences, as one would read it to a board. `explain` has the texts that the party hears.

Every sentence is a code of the catalog `explain`; the controller's own words stand in it as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from softphone.domain.policy import AtEnd, Controller, Line, OptOut, Period, Policy, ScoreItem, share_text
from softphone.domain.policy.purposes import FACTORS, Assessment, Documentation, Training
from softphone.domain.purpose import Basis, Direction, KeyRole, Purpose
from softphone.texts import Texts

Paragraph = tuple[str, list[str]]
"""what it is about, and its sentences"""


class LineTeller:
    """`day`: dates are judged on it."""

    def __init__(self, policy: Policy, line: Line, day: date, tell: Texts) -> None:
        self._policy = policy
        self._line = line
        self._day = day
        self._tell = tell
        party = policy.party_of(line)[tell.language]
        self._who = {
            "party": party,
            "Party": party[:1].upper() + party[1:],
            "controller": policy.controller_of(line).name,
        }

    def what_is_recorded(self) -> Iterator[Paragraph]:
        line = self._line
        yield self._about("calls"), list(self._calls())
        if line.documentation is not None:
            yield self._about("documentation"), list(self._documentation(line.documentation))
        if line.training is not None:
            yield self._about("training"), list(self._training(line.training))

    def what_the_party_can_do(self) -> Iterator[Paragraph]:
        """And what happens to what is said, and who can open it."""
        if self._line.documentation is not None or self._line.training is not None:
            yield self._about("no"), list(self._no())
            yield self._about("sensitive"), list(self._sensitive())
            yield self._about("openers"), list(self._openers())

    def say(self, code: str, **params: object) -> str:
        return self._tell(code, **self._who, **params)

    def _about(self, what: str) -> str:
        return self._tell(f"explain.about.{what}")

    # --- which calls -------------------------------------------------------------------------------

    def _calls(self) -> Iterator[str]:
        line = self._line
        if line.documentation is None and line.training is None:
            yield self.say("explain.calls.none")
            return
        recorded = [way for way in Direction if way in line.calls]
        left_out = [way for way in Direction if way not in line.calls]
        yield self.say("explain.calls", ways=self._listed(self._way(way) for way in recorded))
        if left_out:
            yield self.say("explain.calls.not", ways=self._listed(self._way(way) for way in left_out))
        if line.numbers:
            yield self.say("explain.calls.numbers", numbers=", ".join(line.numbers))
        if line.never_record:
            yield self.say("explain.calls.never", numbers=", ".join(line.never_record))
        informed = self._policy.informed_on(line)
        if informed is not None:
            obliged = line.basis(Purpose.DOCUMENTATION) is Basis.LEGAL_OBLIGATION
            later = "explain.informed.later.obliged" if obliged else "explain.informed.later"
            yield self.say("explain.informed" if informed <= self._day else later, day=informed)

    def _way(self, way: Direction) -> str:
        return self._tell(f"explain.way.{way}")

    # --- documentation -----------------------------------------------------------------------------

    def _documentation(self, part: Documentation) -> Iterator[str]:
        if part.lacks_assessment:
            lacking = in_words_lacking(part.assessment.lacks if part.assessment else ("assessment",), self._tell)
            yield self.say(f"explain.documentation.consent{self._beside}")
            yield self.say(
                "explain.documentation.fallback", basis=self._tell(f"explain.basis.{part.basis}"), lacking=lacking
            )
        else:
            beside = self._beside if part.basis is Basis.CONSENT else ""
            yield self.say(f"explain.documentation.{part.basis}{beside}")
        if part.rule is not None:
            yield self.say("explain.rule", rule=_ended(part.rule))
        if part.assessment is not None and part.basis.can_be_objected_to:
            yield from self._assessment(part.assessment)
        trained = self._trained
        shorter = trained is not None and not trained.retention.never_longer_than(part.keeps)
        yield from self._kept("explain.kept.shorter" if shorter else "explain.kept", part.keeps, part.at_end)
        yield from self._reasons(part)
        if part.basis is Basis.LEGAL_OBLIGATION:
            yield self.say(f"explain.on_failure.{self._line.on_failure}")

    @property
    def _trained(self) -> Training | None:
        part = self._line.training
        return part if part is not None and part.sample > 0 else None

    @property
    def _beside(self) -> str:
        """Whether what is recorded on consent to documentation is also recorded for training."""
        return ".too" if self._trained is not None else ""

    def _assessment(self, part: Assessment) -> Iterator[str]:
        yield self.say("explain.why", why=_ended(part.why[self._tell.language]))
        for name, answer in (("a", part.G20.a), ("b", part.G20.b), ("c", part.G20.c)):
            if answer is not None:
                yield self.say(f"explain.need.{name}", answer=_ended(answer))
        weighing = {name: text for name in FACTORS if (text := getattr(part.G21, name))}
        if weighing:
            answers = [
                self.say("explain.factor.x" if name == "x" else "explain.factor", letter=name, answer=_ended(text))
                for name, text in weighing.items()
            ]
            yield self.say("explain.factors", answers=" ".join(answers))
        if part.conclusion is not None:
            yield self.say("explain.conclusion", answer=_ended(part.conclusion))

    def _kept(self, code: str, period: Period, at_end: AtEnd) -> Iterator[str]:
        judged = at_end is AtEnd.REVIEW
        another = judged and not code.endswith((".too", ".shorter"))
        yield self.say("explain.kept.judged" if another else code, period=self._period(period))
        if judged:
            yield self.say("explain.judged", within=self._period(self._policy.judge_within))

    def _reasons(self, part: Documentation | Training) -> Iterator[str]:
        if part.why_kept is not None:
            yield self.say("explain.why_kept", why=_ended(part.why_kept))
        if part.why_longer is not None:
            yield self.say("explain.why_longer", why=_ended(part.why_longer))

    # --- training ----------------------------------------------------------------------------------

    def _training(self, part: Training) -> Iterator[str]:
        documented = self._line.basis(Purpose.DOCUMENTATION)
        alone = documented is None
        kind = "alone" if alone else "beside" if documented is Basis.CONSENT else "too"
        if part.sample == 0:
            yield self.say("explain.training.none")
            return
        drawn = (
            self.say("explain.sample.all")
            if part.sample == 1
            else self.say("explain.sample", share=share_text(part.sample))
        )
        special = part.special_circumstances
        if self._line.special_circumstances_on(self._day) and special is not None:
            yield self.say(
                f"explain.training.special.{kind}", drawn=drawn, why=_ended(special.why[self._tell.language])
            )
            yield self.say("explain.training.special.dates", decided=special.decided_on, expires=special.expires_on)
        else:
            basis = "consent" if part.basis is Basis.CONSENT else "interest"
            yield self.say(f"explain.training.{basis}.{kind}", drawn=drawn)
            if special is not None and self._day > special.expires_on:
                yield self.say("explain.training.special.over", expires=special.expires_on)
            if part.why is not None:
                yield self.say("explain.why", why=_ended(part.why[self._tell.language]))
        yield self.say("explain.training.basis", basis=self._tell(f"explain.basis.{part.basis}"))
        yield self.say("explain.why_this_number", why=_ended(part.why_this_number))
        if part.sample != 1:
            yield self.say(f"explain.not_drawn.{kind}")
        if part.capacity is not None:
            yield self.say("explain.capacity", count=part.capacity)
        yield from self._kept(
            "explain.kept.training" if alone else "explain.kept.training.too", part.retention, part.at_end
        )
        if part.keep_reviewed is not None:
            yield self.say("explain.keep_reviewed", period=self._period(part.keep_reviewed))
        else:
            yield self.say("explain.keep_reviewed.none")
        yield from self._reasons(part)

    # --- a no --------------------------------------------------------------------------------------

    def _no(self) -> Iterator[str]:
        line = self._line
        documented = line.basis(Purpose.DOCUMENTATION)
        trained = line.basis(Purpose.TRAINING) if line.training is not None and line.training.sample > 0 else None
        if Basis.CONSENT in (documented, trained):
            yield self.say("explain.no.consent")
            yield self.say("explain.no.spoken" if line.spoken_consent else "explain.no.keys_only")
        if trained is not None and trained.can_be_objected_to and line.training is not None:
            if line.special_circumstances_on(self._day):
                yield self.say("explain.no.special")
            else:
                by_key = bool(line.opt_out_key)
                how = self.say("explain.no.how_keys", keys=line.opt_out_key) if by_key else self.say("explain.no.how")
                calls_back = line.training.opt_out is OptOut.CALL_BACK
                then = "too" if documented is not None else "call_back" if calls_back else "stop"
                yield self.say(f"explain.no.opt_out.{then}", how=how)
        if documented is not None and documented.can_be_objected_to:
            yield self.say(f"explain.no.objection.{line.objection_in_call}")
        if documented is Basis.LEGAL_OBLIGATION:
            yield self.say("explain.no.obligation")
        # A key refuses what the heard notice ties it to. A notice about documentation alone ties it to nothing.
        share = line.training.sample if line.training is not None else 0
        if documented is not None and line.opt_out_key and (share < 1 or line.special_circumstances_on(self._day)):
            what = documented.value if not documented.can_be_objected_to else line.objection_in_call
            yield self.say(f"explain.no.key.{what}", keys=line.opt_out_key)

    # --- sensitive data, and who opens -------------------------------------------------------------

    def _sensitive(self) -> Iterator[str]:
        sensitive = self._line.sensitive
        for kind in sensitive.expected:
            grounds = {purpose: ground for purpose in Purpose if (ground := sensitive.ground(kind, purpose))}
            yield self.say(f"explain.sensitive.{kind}" if grounds else f"explain.sensitive.{kind}.pause")
            for purpose, ground in grounds.items():
                named = self._tell(f"explain.ground.{ground.ground}")
                yield self.say(f"explain.ground.{purpose}", ground=named, why=_ended(ground.why))
        if not sensitive.expected:
            yield self.say("explain.sensitive.none")
        if sensitive.resumes:
            yield self.say("explain.sensitive.resumes", period=self._period(sensitive.pause))
        else:
            yield self.say("explain.sensitive.by_hand")

    def _openers(self) -> Iterator[str]:
        for role, there in (
            (KeyRole.DOCUMENTATION, self._line.documentation),
            (KeyRole.TRAINING, self._line.training),
            (KeyRole.CUSTODY, True),
        ):
            if there:
                names = self._listed(one.id for one in self._policy.recipients(role, self._line))
                yield self.say(f"explain.openers.{role}", names=names)

    # --- words -------------------------------------------------------------------------------------

    def _listed(self, words: Iterable[str]) -> str:
        return listed(list(words), self._tell)

    def _period(self, period: Period) -> str:
        return in_words(period, self._tell)


def of_the_whole(policy: Policy, tell: Texts) -> list[str]:
    """What holds for every line."""
    lines = [_controller(one, tell) for one in policy.controller]
    if policy.never_record:
        lines.append(tell("explain.never", numbers=", ".join(policy.never_record)))
    if policy.emergency:
        lines.append(tell("explain.emergency", numbers=", ".join(policy.emergency)))
    lines.append(tell("explain.hold_unconfirmed", period=in_words(policy.hold_unconfirmed, tell)))
    lines.append(tell("explain.hold_after_refusal", period=in_words(policy.hold_after_refusal, tell)))
    lines.append(tell("explain.audit_retention", period=in_words(policy.audit_retention, tell)))
    if policy.own_calls.length():
        lines.append(tell("explain.own_calls", period=in_words(policy.own_calls, tell)))
    if policy.score:
        lines.append(tell("explain.score", items=listed((_scored(one, policy, tell) for one in policy.score), tell)))
    if policy.upstream.hosts:
        lines.append(tell("explain.upstream", hosts=", ".join(policy.upstream.hosts)))
    if policy.house.keys:
        lines.append(tell("explain.house", count=len(policy.house.keys)))
    lines += [
        tell(
            "explain.team" if team.lines else "explain.team.no_lines",
            team=team.name[tell.language],
            count=len(team.agents),
            lines=listed((one.name[tell.language] for one in policy.line if one.id in team.lines), tell),
            leads=listed(team.leads, tell) or "–",
        )
        for team in policy.team
    ]
    return lines


def _scored(one: ScoreItem, policy: Policy, tell: Texts) -> str:
    teams = listed((team.name[tell.language] for team in policy.team if team.id in one.teams), tell)
    code = "explain.score.item.teams" if teams else "explain.score.item"
    return tell(code, name=one.name[tell.language], points=one.points, teams=teams)


def _controller(one: Controller, tell: Texts) -> str:
    return tell("explain.controller", name=one.name, contact=one.contact, page=one.page)


def in_words(period: Period, tell: Texts) -> str:
    """`P1Y6M`: 1 year and 6 months."""
    years, months = divmod(period.months, 12)
    hours, rest = divmod(period.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    counts = {
        "years": years,
        "months": months,
        "days": period.days,
        "hours": hours,
        "minutes": minutes,
        "seconds": seconds,
    }
    parts = [tell(f"explain.period.{unit}", count=count) for unit, count in counts.items() if count]
    return listed(parts, tell) or tell("explain.period.seconds", count=0)


def in_words_lacking(keys: Iterable[str], tell: Texts) -> str:
    """What an assessment lacks: `G20.a`, …, or `assessment` if there is none at all."""
    return listed((tell(f"explain.lacks.{key}") for key in keys), tell)


def listed(words: Iterable[str], tell: Texts) -> str:
    """One, two and three."""
    all_of = list(words)
    if len(all_of) < 2:
        return "".join(all_of)
    return tell("explain.and", first=", ".join(all_of[:-1]), last=all_of[-1])


def _ended(text: str) -> str:
    """As a sentence of its own."""
    text = text.strip()
    return text if text[-1:] in ".!?…" or not text else f"{text}."
