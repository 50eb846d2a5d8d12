"""What each role is told of what it finds, and what becomes of a recording by what is done: alike in every archive."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from softphone.domain.archive.decisions import CaseKind, Right
from softphone.domain.archive.recordings import Query
from softphone.domain.archive.reviews import SampleFilter, SampleQuery
from softphone.domain.changes import HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.policy.terms import terms_afterwards
from softphone.domain.purpose import Basis, KeyRole, Purpose
from tests.archive.contract.people import PEOPLE
from tests.archive.contract.worlds import World
from tests.archive.people import ANNA, BO
from tests.days import house_day

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
MONTH = Period(days=30)
TEAM = SampleQuery((), (ANNA,), SampleFilter.ALL)
TERMS = terms_afterwards(None)
_numbers = count(30_000_001)


@pytest.fixture
def number() -> str:
    return f"+45{next(_numbers)}"


def found(world: World, who: str, *those: str) -> set[str]:
    """Of those; and as many are counted as are found."""
    archive, rows, after = world.seen_by(who), set[str](), None
    while True:
        page = archive.find.page(Query(), after, 2)
        rows |= {row.recording for row in page.rows}
        after = page.next
        if after is None:
            break
    assert archive.find.count(Query()) == len(rows)
    return rows & {*those}


@pytest.mark.rule("G11")
def test_each_finds_what_their_role_finds(world: World, number: str) -> None:
    documented = world.recorded(DOCUMENTATION, agent=BO, number=number)
    trained = world.recorded(TRAINING, number=number)
    other_team = world.recorded(TRAINING, agent=BO, number=number)
    long_ago = world.recorded(DOCUMENTATION, number=number, ago=timedelta(days=9))
    all_of_them = (documented, trained, other_team, long_ago)
    finds = {who: found(world, who, *all_of_them) for who in PEOPLE if who != "it"}
    assert finds == {
        "agent": {trained},
        "case handler": {documented, long_ago},
        "lead": {trained},
        "custody": {*all_of_them},
    }
    assert {row.recording for row in world.seen_by("lead").reviews.page(TEAM).rows} & {*all_of_them} == {trained}
    by_number = Query(number=number)
    assert {row.recording for row in world.seen_by("custody").find.page(by_number).rows} == {*all_of_them}
    assert {row.recording for row in world.seen_by("case handler").find.page(by_number).rows} == {documented, long_ago}


@pytest.mark.rule("G11")
def test_a_lead_is_told_no_number_and_the_log_only_who_handles_cases(world: World, number: str) -> None:
    recording = world.recorded(DOCUMENTATION, TRAINING, number=number)
    for who, numbers, log in (
        ("agent", True, False),
        ("case handler", True, True),
        ("lead", False, False),
        ("custody", True, True),
    ):
        shown = world.seen_by(who).find.show(recording)
        told = (shown.row.number == number, shown.numbers, shown.log is not None, shown.review is not None)
        assert (who, *told) == (who, numbers, numbers, log, who == "agent")
        (listed,) = [row for row in world.seen_by(who).find.page(Query()).rows if row.recording == recording]
        assert listed.number == (number if numbers else None)
    assert world.seen_by("lead").open(recording, role=KeyRole.TRAINING).row.number is None


@pytest.mark.rule("G11")
def test_where_the_policy_names_no_team_a_call_of_the_sample_is_told_to_a_lead_alone(
    world: World, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = world.recorded(TRAINING, number=number)
    assert world.seen_by("lead").reviews.row(recording)
    monkeypatch.setattr(world, "policy", world.policy.model_copy(update={"team": ()}))
    for who in ("it", "agent", "case handler", "custody"):
        assert world.seen_by(who).reviews.row(recording) is None


@pytest.mark.rule("L2")
def test_why_a_recording_is_held_is_told_to_who_raised_it_and_to_data_protection(world: World, number: str) -> None:
    recording = world.recorded(DOCUMENTATION, TRAINING, number=number)
    world.seen_by("case handler", "sofie").holds.place(recording, HoldBy.PARTY, "uenige om prisen", MONTH)
    for who, user, whole in (
        ("agent", "", False),
        ("case handler", "jonas", False),
        ("case handler", "sofie", True),
        ("custody", "mette", True),
    ):
        archive = world.seen_by(who, user)
        (hold,) = archive.find.show(recording).holds
        assert (user, hold.whole, hold.standing.hold.why) == (user, whole, "uenige om prisen" if whole else "")
        assert hold.standing.hold.raised_by == ("sofie" if whole else "")
        (listed,) = [row for row in archive.find.page(Query()).rows if row.recording == recording]
        assert [one.why for one in listed.holds] == [hold.standing.hold.why]
        seen = [one for one in archive.holds.standing().holds if one.standing.recording == recording]
        assert [(one.named, one.whole) for one in seen] == ([(True, True)] if whole else [])


@pytest.mark.rule("G10")
def test_whoever_holds_by_number_is_told_which_only_where_they_may_search_by_it(world: World, number: str) -> None:
    for who, named in (("agent", 0), ("lead", 0), ("case handler", 2), ("custody", 2)):
        ours = f"+45{next(_numbers)}"
        for _ in range(2):
            world.recorded(DOCUMENTATION, TRAINING, number=ours)
        world.recorded(DOCUMENTATION, TRAINING, number=number)
        raised = world.seen_by(who).holds.place_on_number(ours, HoldBy.PARTY, "om prisen", MONTH)
        again = world.seen_by(who).holds.place_on_number(ours, HoldBy.PARTY, "om prisen", MONTH)
        if raised.untold:
            # In a house they would find out who has called anybody there.
            assert (who in ("agent", "lead"), raised.raised, raised.found, again.raised) == (True, 0, 0, 0)
            assert world.seen_by(who).holds.standing().holds == ()
            continue
        assert (who, len(raised.named), raised.unnamed, raised.found) == (who, named, 2 - named, 2)
        assert (len(again.already), again.raised) == (2, 2)
    # Nor by what they have locked: a lead does not find what may not be heard for training.
    locked = world.seen_by("lead").holds.standing().holds
    assert {(one.named, one.standing.recording) for one in locked} <= {(False, "")}


@pytest.mark.rule("G10")
def test_what_is_held_is_heard_for_no_training_until_custody_lifts_it(world: World, number: str) -> None:
    recording = world.recorded(DOCUMENTATION, TRAINING, number=number)
    raised = world.seen_by("agent").holds.place(recording, HoldBy.PARTY, "om prisen", MONTH)
    lead, custody = world.seen_by("lead"), world.seen_by("custody")
    with pytest.raises(ArchiveError) as refused:
        lead.open(recording, role=KeyRole.TRAINING)
    assert refused.value.code == "error.archive.closed_to_role"
    assert world.log()[-1].event == "opening_refused"
    with pytest.raises(ArchiveError):
        lead.reviews.open(recording)
    assert not found(world, "lead", recording)
    assert found(world, "case handler", recording)
    with pytest.raises(ArchiveError) as refused:
        custody.holds.close(raised.named[0].hold.hold, world.policy, answered=house_day(world.now))
    assert refused.value.code == "error.archive.hold_is_dispute"
    lifted = custody.holds.lift(raised.named[0].hold.hold, "afklaret", world.policy)
    assert (lifted.row.holds, TRAINING in lifted.row.purposes) == ((), True)
    assert found(world, "lead", recording)


@pytest.mark.rule("G31")
def test_an_opt_out_ends_training_at_once_and_what_nothing_keeps_is_gone(world: World, number: str) -> None:
    kept, gone = world.recorded(DOCUMENTATION, TRAINING, number=number), world.recorded(TRAINING, number=number)
    done = world.seen_by("case handler").rights.take_back_of_number(number, Right.OPT_OUT, TERMS)
    assert {(one.recording, one.gone) for one in done.ended} == {(kept, False)}
    assert done.unnamed == 1  # of a training alone, a case handler finds nothing
    assert not found(world, "lead", kept, gone)
    assert found(world, "custody", kept, gone) == {kept}
    with pytest.raises(ArchiveError) as refused:
        world.seen_by("custody").find.show(gone)
    assert refused.value.code == "error.archive.no_such_recording"


@pytest.mark.rule("G10")
def test_custody_judges_what_is_due_and_decides_a_case_and_nobody_else_hears_of_it(world: World, number: str) -> None:
    due, ends = (world.recorded(DOCUMENTATION, number=number, ago=timedelta(days=100), judged=True) for _ in range(2))
    objected, refused = (world.recorded(DOCUMENTATION, number=number, objection=True) for _ in range(2))
    custody = world.seen_by("custody")
    waiting = {one.recording: one for one in custody.judging.waiting(MONTH) if one}
    assert {due, ends} <= waiting.keys()
    assert not found(world, "case handler", due)
    assert custody.judging.keep(due, waiting[due].keep_at_most, "retssag", world.policy) == due
    assert found(world, "case handler", due)
    assert custody.judging.let_go(ends, "ikke længere", MONTH)
    assert not found(world, "custody", ends)
    with pytest.raises(ArchiveError) as nothing:
        custody.judging.let_go(due, "ikke længere", MONTH)
    assert nothing.value.code == "error.archive.nothing_to_judge"

    assert {objected, refused} <= {one.recording for one in custody.cases.open().rows}
    assert custody.cases.decide(objected, uphold=True, reason="ingen grund", policy=None).gone
    assert not found(world, "custody", objected)
    decided = custody.cases.decide(refused, uphold=False, reason="retskrav", policy=world.policy)
    assert (decided.gone, found(world, "case handler", refused)) == (False, {refused})
    with pytest.raises(ArchiveError) as none:
        custody.cases.show(refused)
    assert none.value.code == "error.cases.none"


@pytest.mark.rule("G23")
def test_an_objection_by_letter_is_a_case_from_the_day_the_letter_came(world: World, number: str) -> None:
    since = timedelta(days=40)
    both, alone = (
        world.recorded(*those, number=number, ago=since) for those in ((DOCUMENTATION, TRAINING), (TRAINING,))
    )
    came = house_day(world.now - timedelta(days=35))
    handler, custody = world.seen_by("case handler"), world.seen_by("custody")
    done = handler.rights.take_back_of_number(number, Right.OBJECT, TERMS, received=came)
    assert [(one.recording, one.gone, one.restricted) for one in done.ended] == [(both, False, "case")]
    assert not found(world, "case handler", both)
    assert found(world, "lead", both, alone) == {alone}
    (case,) = [one for one in custody.cases.open().rows if one.recording == both]
    assert (case.kind, house_day(case.received_at), case.overdue) == (CaseKind.OBJECTION, came, True)
    again = custody.rights.take_back(both, Right.OBJECT, TERMS)
    assert (again.ended, again.unnamed) == ((), 0)
    assert [one.deadline for one in custody.cases.show(both)[1]] == [case.deadline]
    assert not custody.cases.decide(both, uphold=False, reason="retskrav", policy=world.policy).gone
    assert found(world, "case handler", both)


@pytest.mark.rule("G32", "G37")
def test_a_request_for_erasure_ends_what_needs_no_ground_and_leaves_the_rest_to_data_protection(
    world: World, number: str
) -> None:
    since, came = timedelta(days=40), house_day(world.now - timedelta(days=35))
    both, alone = (
        world.recorded(*those, number=number, ago=since) for those in ((DOCUMENTATION, TRAINING), (TRAINING,))
    )
    special = world.recorded(DOCUMENTATION, TRAINING, number=number, ago=since, special=True)
    handler, custody = world.seen_by("case handler"), world.seen_by("custody")
    done = custody.rights.take_back_of_number(number, Right.ERASE, TERMS, received=came)
    assert {one.recording: (one.purposes, one.gone, one.restricted) for one in done.ended} == {
        both: ((TRAINING,), False, "case"),
        alone: ((TRAINING,), True, None),
        special: ((TRAINING,), False, "case"),
    }
    assert not found(world, "case handler", both, special)
    again = handler.rights.take_back_of_number(number, Right.ERASE, TERMS)
    assert (again.ended, again.unnamed) == ((), 0)
    assert [(one.kind, house_day(one.received_at)) for one in custody.cases.show(special)[1]] == [
        (CaseKind.GROUNDS, came),
        (CaseKind.OBJECTION, came),
    ]
    # What the law wants kept stays: that it was asked for is noted, and the next call is in no sample.
    law = world.recorded(DOCUMENTATION, number=number, basis=Basis.LEGAL_OBLIGATION)
    before = len(world.log())
    again = custody.rights.take_back(law, Right.OBJECT, TERMS)
    assert (again.ended, again.unnamed) == ((), 0)
    assert {"request_noted", "refusal_remembered"} <= {one.event for one in world.log()[before:]}
    nobodys = f"+45{next(_numbers)}"
    before = len(world.log())
    assert not handler.rights.take_back_of_number(nobodys, Right.ERASE, TERMS).ended
    assert [one.event for one in world.log()[before:]] == ["erase_sought", "refusal_remembered"]
    assert custody.cases.decide(both, uphold=True, reason="ikke længere", policy=None).gone
    custody.cases.decide(special, uphold=False, reason="retskrav", policy=world.policy)
    assert found(world, "case handler", special) == found(world, "lead", special) == {special}


@pytest.mark.rule("G11")
def test_by_how_an_id_begins_nobody_learns_of_what_they_do_not_find(world: World, number: str) -> None:
    mine, _ = world.recorded(TRAINING, number=number), world.recorded(TRAINING, number=number)
    theirs = world.recorded(TRAINING, agent=BO, number=number)
    agent = world.seen_by("agent")
    assert agent.find.show(mine[:-4]).row.recording == mine
    for begin in (theirs[:-4], "none-such"):
        with pytest.raises(ArchiveError) as refused:
            agent.find.show(begin)
        assert refused.value.code == "error.archive.not_among_yours"
        assert world.log()[-1].event == "refused"
    with pytest.raises(ArchiveError) as refused:
        agent.find.show("0")
    assert refused.value.code == "error.archive.ambiguous"


@pytest.mark.rule("G33")
def test_what_is_marked_as_reviewed_is_used_once_and_told_when(world: World, number: str) -> None:
    recording = world.recorded(DOCUMENTATION, TRAINING, number=number)
    lead, before = world.seen_by("lead"), world.seen_by("lead").written()
    assert lead.reviews.mark(recording) is None
    assert lead.written() != before
    assert lead.reviews.mark(recording) == house_day(world.now)
    assert not found(world, "lead", recording)
