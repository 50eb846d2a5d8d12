"""Each role and each operation of the archive's interface: allowed, or refused with which code, and never before the log has it.

One table, held to every archive that stands behind the interface.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from softphone.domain.archive.decisions import Right
from softphone.domain.archive.interface import SeenArchive
from softphone.domain.archive.recordings import OwnReview, Query, Wanted
from softphone.domain.archive.reviews import NotReviewing, SampleQuery
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import KeyRole, Purpose
from tests.archive.contract.people import PEOPLE
from tests.archive.contract.worlds import LocalWorld, World, needs
from tests.archive.people import ANNA, BO
from tests.days import house_day

if TYPE_CHECKING:
    from softphone.house.archive import HouseArchive
    from tests.archive.contract.house_world import HouseWorld

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
MONTH = Period(days=30)
TEAM, ANOTHER = SampleQuery((), (ANNA,)), SampleQuery((), (BO,))
TERMS = terms_afterwards(None)
_numbers = count(20_000_001)


class Made:
    """What an operation is on, made as it is asked for: `id` of Anna's call, `theirs` of another team's."""

    def __init__(self, world: World, wav: Path) -> None:
        self.world, self.wav = world, str(wav)
        self.number, self._other = f"+45{next(_numbers)}", f"+45{next(_numbers)}"

    @cached_property
    def id(self) -> str:
        return self.world.recorded(DOCUMENTATION, TRAINING, number=self.number)

    @cached_property
    def theirs(self) -> str:
        return self.world.recorded(TRAINING, agent=BO, number=self._other)

    @cached_property
    def dispute(self) -> str:
        return self._hold(HoldBy.PARTY)

    @cached_property
    def access(self) -> str:
        return self._hold(HoldBy.ACCESS)

    @cached_property
    def due(self) -> str:
        return self.world.recorded(DOCUMENTATION, number=self._other, ago=timedelta(days=100), judged=True)

    @cached_property
    def case(self) -> str:
        return self.world.recorded(DOCUMENTATION, number=self._other, objection=True)

    def _hold(self, by: HoldBy) -> str:
        recording = self.world.recorded(DOCUMENTATION, TRAINING, number=self._other)
        placed = self.world.seen_by("custody", "mette").holds.place(recording, by, "om prisen", MONTH)
        return placed.named[0].hold.hold


def heard(
    archive: SeenArchive, made: Made, role: KeyRole | None = None, *, of: str = "", why: str = "", case: str = ""
) -> None:
    opening = archive.open(of or made.id, role=role, why=why, case=case)
    with opening.sound() as sound:
        assert sum(len(block) for block in sound.pull(0)) == sound.samples > 0
    assert opening.export(made.wav, lambda _done, _of: None).seconds == 1.0
    Path(made.wav).unlink()


Operation = Callable[[SeenArchive, Made], object]
AS = KeyRole
OPERATIONS: dict[str, Operation] = {
    "find": lambda a, m: (a.find.page(Query()), a.find.count(Query())),
    "find by number": lambda a, m: (a.find.page(Query(number=m.number)), a.find.count(Query(number=m.number))),
    "show": lambda a, m: a.find.show(m.id),
    "show another team's": lambda a, m: a.find.show(m.theirs),
    "open": lambda a, m: heard(a, m),
    "open documentation": lambda a, m: heard(a, m, AS.DOCUMENTATION, why="om prisen"),
    "open documentation, not saying why": lambda a, m: heard(a, m, AS.DOCUMENTATION),
    "open training": lambda a, m: heard(a, m, AS.TRAINING),
    "open training, another team's": lambda a, m: heard(a, m, AS.TRAINING, of=m.theirs),
    "open a case": lambda a, m: heard(a, m, AS.CUSTODY, case="2026-117"),
    "open a case, not naming it": lambda a, m: heard(a, m, AS.CUSTODY),
    "see holds": lambda a, m: a.holds.standing(),
    "hold": lambda a, m: a.holds.place(m.id, HoldBy.PARTY, "om prisen", MONTH),
    "hold all of a number": lambda a, m: a.holds.place_on_number(m.number, HoldBy.PARTY, "om prisen", MONTH),
    "confirm a hold": lambda a, m: a.holds.confirm(m.dispute, house_day(m.world.now) + timedelta(days=90)),
    "lift a hold": lambda a, m: a.holds.lift(m.dispute, "afklaret", m.world.policy),
    "close a request for access": lambda a, m: a.holds.close(m.access, m.world.policy, answered=house_day(m.world.now)),
    "withdraw": lambda a, m: a.rights.take_back(m.id, Right.WITHDRAW, TERMS),
    "opt out": lambda a, m: a.rights.take_back(m.id, Right.OPT_OUT, TERMS),
    "opt out by number": lambda a, m: a.rights.take_back_of_number(m.number, Right.OPT_OUT, TERMS),
    "object by letter": lambda a, m: a.rights.take_back(m.id, Right.OBJECT, TERMS),
    "read notes": lambda a, m: a.rights.notes(m.number),
    "erase notes": lambda a, m: a.rights.erase_notes(m.number, "sag 117"),
    "see what is to be judged": lambda a, m: list(a.judging.waiting(MONTH)),
    "keep": lambda a, m: a.judging.keep(m.due, house_day(m.world.now) + timedelta(days=60), "retssag", m.world.policy),
    "let go": lambda a, m: a.judging.let_go(m.due, "ikke længere", MONTH),
    "see cases": lambda a, m: a.cases.open(),
    "show a case": lambda a, m: a.cases.show(m.case),
    "decide a case": lambda a, m: a.cases.decide(m.case, uphold=True, reason="ingen grund", policy=None),
    "read the log": lambda a, m: (a.log.look(Wanted(), None, 3), a.log.events()),
    "see teams": lambda a, m: a.reviews.teams(m.world.policy),
    "see the sample": lambda a, m: (a.reviews.page(TEAM), a.reviews.counts(TEAM), a.reviews.figures(TEAM)),
    "see another team's sample": lambda a, m: a.reviews.page(ANOTHER),
    "count another team's sample": lambda a, m: (a.reviews.counts(ANOTHER), a.reviews.figures(ANOTHER)),
    "see marks over time": lambda a, m: a.reviews.marks(),
    "ask what may still be heard": lambda a, m: a.reviews.living([m.id]),
    "review": lambda a, m: a.reviews.open(m.id).close(),
    "review another team's": lambda a, m: a.reviews.open(m.theirs).close(),
    "mark as reviewed": lambda a, m: a.reviews.mark(m.id),
    "mark another team's": lambda a, m: a.reviews.mark(m.theirs),
}
OK, MINE, HEALTH, TEAMS = "", "not_yours", "only_health", "not_your_team"
#                                       it        agent            case handler     lead             custody
TABLE: dict[str, tuple[str, str, str, str, str]] = {
    "find":                               (HEALTH, OK,              OK,              OK,              OK),
    "find by number":                     (HEALTH, "not_by_number", OK,              "not_by_number", OK),
    "show":                               (HEALTH, OK,              OK,              OK,              OK),
    "show another team's":                (HEALTH, "not_among_yours", "not_among_yours", "not_among_yours", OK),
    "open":                               (HEALTH, "agents_list",   "say_why",       OK,              "say_case"),
    "open documentation":                 (HEALTH, "agents_list",   OK,              MINE,            MINE),
    "open documentation, not saying why": (HEALTH, "agents_list",   "say_why",       MINE,            MINE),
    "open training":                      (HEALTH, "agents_list",   MINE,            OK,              MINE),
    "open training, another team's":      (HEALTH, "agents_list",   MINE,            TEAMS,           MINE),
    "open a case":                        (HEALTH, "agents_list",   MINE,            MINE,            OK),
    "open a case, not naming it":         (HEALTH, "agents_list",   MINE,            MINE,            "say_case"),
    "see holds":                          (OK,     OK,              OK,              OK,              OK),
    "hold":                               (MINE,   OK,              OK,              OK,              OK),
    "hold all of a number":               (MINE,   OK,              OK,              OK,              OK),
    "confirm a hold":                     ("only_custody", "only_custody", "only_custody", "only_custody", OK),
    "lift a hold":                        ("only_custody", "only_custody", "only_custody", "only_custody", OK),
    "close a request for access":         ("only_custody", "only_custody", "only_custody", "only_custody", OK),
    "withdraw":                           (MINE,   MINE,            OK,              MINE,            OK),
    "opt out":                            (MINE,   MINE,            OK,              MINE,            OK),
    "opt out by number":                  (MINE,   MINE,            OK,              MINE,            OK),
    "object by letter":                   (MINE,   MINE,            OK,              MINE,            OK),
    "read notes":                         (MINE,   MINE,            MINE,            MINE,            OK),
    "erase notes":                        (MINE,   MINE,            MINE,            MINE,            OK),
    "see what is to be judged":           (MINE,   MINE,            MINE,            MINE,            OK),
    "keep":                               (HEALTH, MINE,            MINE,            MINE,            OK),
    "let go":                             (HEALTH, MINE,            MINE,            MINE,            OK),
    "see cases":                          (MINE,   MINE,            MINE,            MINE,            OK),
    "show a case":                        (MINE,   MINE,            MINE,            MINE,            OK),
    "decide a case":                      (MINE,   MINE,            MINE,            MINE,            OK),
    "read the log":                       (MINE,   MINE,            MINE,            MINE,            OK),
    "see teams":                          ("no_key", "no_key",      "no_key",        OK,              "no_key"),
    "see the sample":                     (MINE,   MINE,            MINE,            OK,              MINE),
    "see another team's sample":          (MINE,   MINE,            MINE,            TEAMS,           MINE),
    "count another team's sample":        (MINE,   MINE,            MINE,            TEAMS,           MINE),
    "see marks over time":                (MINE,   MINE,            MINE,            OK,              MINE),
    "ask what may still be heard":        (MINE,   MINE,            MINE,            OK,              MINE),
    "review":                             (MINE,   MINE,            MINE,            OK,              MINE),
    "review another team's":              (MINE,   MINE,            MINE,            TEAMS,           MINE),
    "mark as reviewed":                   (HEALTH, MINE,            MINE,            OK,              MINE),
    "mark another team's":                (HEALTH, MINE,            MINE,            TEAMS,           MINE),
}  # fmt: skip
REFUSALS = frozenset({"refused", "hold_refused"})
IN_A_HOUSE = frozenset({("it", "read the log")})
"""allowed there: IT reads what says nothing of a call"""


@pytest.mark.rule("G11")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_role_may_do_what_the_table_says_and_each_refusal_is_in_the_log(
    world: World, tmp_path: Path, operation: str
) -> None:
    assert TABLE.keys() == OPERATIONS.keys()
    made = Made(world, tmp_path / "out.wav")
    for who, code in zip(PEOPLE, TABLE[operation], strict=True):
        archive = world.seen_by(who)
        if not code or ((who, operation) in IN_A_HOUSE and not isinstance(world, LocalWorld)):
            OPERATIONS[operation](archive, made)
            made = Made(world, tmp_path / "out.wav")  # what it was on may have gone
            continue
        refused, told = refusal(lambda: OPERATIONS[operation](archive, made), world)  # noqa: B023 - asked at once
        assert (who, refused) == (who, code)
        assert told in ([one] for one in REFUSALS)
        assert not Path(made.wav).exists()


def refusal(deed: Callable[[], object], world: World) -> tuple[str, list[str]]:
    """Its code, and what the log has told of by then; what it is on is made by the first who tries."""
    with pytest.raises((ArchiveError, NotReviewing)):
        deed()
    before = len(world.log())
    with pytest.raises((ArchiveError, NotReviewing)) as refused:
        deed()
    return refused.value.code.rpartition(".")[2], [row.event for row in world.log()[before:]]


@pytest.mark.rule("G08")
@pytest.mark.rule("G37")
def test_custody_reads_an_agents_note_about_a_number_and_erases_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, custody = f"+45{next(_numbers)}", world.seen_by("custody")
    world.noted(number, "Vil have den blå.\nRing mandag.")
    (note,) = custody.rights.notes(number)
    assert (note.agent, note.text, note.until) == (
        ANNA,
        "Vil have den blå.\nRing mandag.",
        house_day(world.now) + timedelta(days=7),
    )
    assert custody.rights.notes(f"+45{next(_numbers)}") == []
    with monkeypatch.context() as patch:
        patch.setattr(world, "now", world.now + timedelta(days=7))
        assert custody.rights.notes(number) == [], "past its day, until the sweep comes"
    assert custody.rights.erase_notes(number, "sag 117") == 1
    assert custody.rights.notes(number) == []
    assert [one.event for one in world.log()[-5:]] == [*["notes_read"] * 3, "notes_erased", "notes_read"]
    assert number not in str(world.log())


def test_what_is_open_for_review_is_refused_at_once_when_it_may_not_be_heard_any_more(
    world: World, tmp_path: Path
) -> None:
    made, lead = Made(world, tmp_path), world.seen_by("lead")
    agent = world.seen_by("agent")
    with closing(lead.reviews.open(made.id, [("tone", 5)])) as reviewing:
        said = reviewing.comment(0, "Fin åbning.")
        reviewing.score("tone", 4)
        reviewing.share(True)
        assert (reviewing.comments(), reviewing.scores(), reviewing.shared) == ((said,), {"tone": 4}, True)
        shown = agent.find.show(made.id).review
        assert shown is not None
        assert (shown.scores, shown.comments) == ((("tone", 4),), ((0, "Fin åbning."),))
        assert lead.reviews.still(made.id)
        world.seen_by("case handler").rights.take_back(made.id, Right.OPT_OUT, TERMS)
        assert not lead.reviews.still(made.id)
        for deed in (reviewing.comments, reviewing.scores, lambda: reviewing.comment(0, "x")):
            with pytest.raises(ArchiveError) as refused:
                deed()
            assert refused.value.code == "error.archive.closed_to_role"
    # What was shared is read no longer than the call may be heard.
    assert agent.find.show(made.id).review == OwnReview()
    assert made.id not in lead.reviews.living([made.id])
    assert lead.reviews.row(made.id) is None


@pytest.mark.rule("L3")
@pytest.mark.rule("L4")
def test_two_leads_of_a_house_lose_nothing_and_its_agent_hears_and_answers(world: World, tmp_path: Path) -> None:
    needs(world, "shared_with_me")
    made, agent = Made(world, tmp_path), cast("HouseArchive", world.seen_by("agent"))
    first, second = world.seen_by("lead"), world.seen_by("lead", "another lead")
    with closing(first.reviews.open(made.id, [("tone", 5)])) as one:
        with closing(second.reviews.open(made.id, [("tone", 5)])) as two:
            assert one.others() == two.others() == ("lead-1",)
            assert one.scores() == two.scores() == {}
            one.score("tone", 4)
            fine, fast = one.comment(0, "Fin åbning."), two.comment(16_000, "Lidt hurtigt.")
            two.comments()  # it shows what the first has given
            two.score("tone", 3)
            for deed in (lambda: one.score("tone", 5), lambda: one.remove(fast.id)):
                with pytest.raises(ArchiveError) as refused:
                    deed()
                assert refused.value.code in ("error.review.changed_meanwhile", "error.review.not_your_comment")
            assert {**one.scores()} == {"tone": 3}
            assert [(it.text, it.mine, it.by) for it in one.comments()] == [
                ("Fin åbning.", True, ""),
                ("Lidt hurtigt.", False, "lead-1"),
            ]
            one.share(True)
            later = two.comment(8_000, "Husk navnet.")
        assert one.others() == ()
        mine = agent.shared_with_me().reviews
        (row,) = (it for it in mine.page(TEAM).rows if it.recording == made.id)
        assert mine.living([made.id, made.theirs]) == {row.recording}
        with closing(mine.open(made.id)) as heard:
            assert sum(len(block) for block in heard.reader.pcm(0)) == heard.reader.length == 16_000
            assert heard.scores() == {"tone": 3}
            assert [it.id for it in heard.comments()] == [fine.id, later.id, fast.id]
            answer = heard.comment(9_000, "Det gør jeg.")
            for deed in (lambda: heard.score("tone", 5), lambda: heard.share(False), lambda: heard.remove(fine.id)):
                with pytest.raises(ArchiveError):
                    deed()
            (said,) = (it for it in one.comments() if it.of_agent)
            assert (said.text, said.answers, said.id) == ("Det gør jeg.", later.id, answer.id)
            assert mine.still(made.id)
            one.share(False)
            assert not mine.still(made.id)
            with pytest.raises(ArchiveError, match="closed_to_role"):
                heard.comments()
        with pytest.raises(ArchiveError, match="closed_to_role"):
            mine.open(made.id)
    assert first.reviews.marks().agents[-1].points == 3
    # A service that is taken over says that it is shared, and no lead has said so. No key leaves the desk.
    team = cast("HouseWorld", world).team
    team.sql("UPDATE reviews SET shared = true, vouched = %s WHERE recording = %s", "A" * 43 + "=", made.id)
    with closing(first.reviews.open(made.id, [("tone", 5)])) as one:
        assert not one.shared
        one.comment(0, "Kun for os.")
        assert team.sql("SELECT count(*) FROM review_wraps WHERE recording = %s", made.id) == [(0,)]
        assert team.sql("SELECT count(*) FROM comment_seals WHERE role = 'agent'") == [(0,)]
        one.share(True)  # but somebody's own word does
        assert one.shared
        assert team.sql("SELECT count(*) FROM review_wraps WHERE recording = %s", made.id) != [(0,)]
