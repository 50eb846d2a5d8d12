"""What the archive knows of a call while it rings: the party's wishes, its place in the sample, what waits for review."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from softphone.archive.changes.call import CallFacts
from softphone.archive.changes.lookups import PartyQuery
from softphone.archive.changes.party import remember_upheld
from softphone.archive.crypto import revocation
from softphone.archive.examine.verify import verify
from softphone.archive.retention.sweep import Swept, sweep
from softphone.domain.changes import (
    AuditEntry,
    CloseRecording,
    DropWraps,
    EndCallBack,
    HoldBy,
    ListCallBack,
    PlaceHold,
    RememberLanguage,
    RememberRefusal,
    UseDraw,
)
from softphone.domain.decision import LookupResult
from softphone.domain.policy import Line
from softphone.domain.purpose import Direction, KeyRole, Language, Purpose
from tests.archive.lines import asked, line
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, TRAINING, Scene

NOBODY = "+4520123457"
NO_TRAINING = line(training=False)


def known(desk: Scene, number: str | None, at: datetime = AT) -> LookupResult:
    return desk.archive.lookups.look_up(asked(NO_TRAINING, number=number, at=at))


def answered(desk: Scene, rings: PartyQuery) -> bool:
    """Whether it was drawn; it is answered, and over."""
    drawn = desk.archive.lookups.look_up(rings).drawn
    desk.commit(UseDraw(rings.call, AT))
    desk.archive.lookups.places.give_up(rings.call)
    return drawn


# --- the party -------------------------------------------------------------------------------------


@pytest.mark.rule("G31")
def test_a_refusal_and_a_language_are_remembered_for_twelve_months_by_number_and_then_forgotten(desk: Scene) -> None:
    desk.commit(RememberRefusal(desk.call(), AT))
    desk.commit(RememberLanguage(desk.call(), Language.DA, AT))
    desk.commit(RememberLanguage(desk.call(), Language.EN, AT))
    withheld = desk.call(number=None)
    desk.commit(RememberRefusal(withheld, AT), RememberLanguage(withheld, Language.EN, AT))
    nothing = LookupResult(recorded_before=False)
    both = replace(nothing, declined_earlier=True, language=Language.EN)
    assert known(desk, NUMBER, AT + timedelta(days=364)) == both
    assert known(desk, NUMBER, AT + timedelta(days=366)) == nothing
    assert (known(desk, NOBODY), known(desk, None)) == (nothing, LookupResult())

    gone = datetime(2027, 11, 26, 12, tzinfo=UTC)
    swept = {item.what for item in sweep(desk.archive, gone, clock=gone)}
    assert swept == {Swept.LANGUAGES_FORGOTTEN, Swept.REFUSALS_FORGOTTEN}
    with desk.archive.catalog.reading() as connection:
        for table in ("party_languages", "refusals"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
    assert verify(desk.archive).ok


# --- the list of those to be called back -----------------------------------------------------------


@pytest.mark.rule("N4")
def test_who_is_to_be_called_back_is_listed_oldest_first_and_found_by_number_and_line_until_it_is_done(
    desk: Scene,
) -> None:
    later, first, withheld = desk.call(), desk.call(number=NOBODY), desk.call(number=None)
    desk.commit(ListCallBack(later, AT + timedelta(hours=2)))
    desk.commit(ListCallBack(first, AT))
    desk.commit(ListCallBack(withheld, AT + timedelta(hours=1)))
    with closing(desk.reopen()) as again:
        listed = again.lookups.call_backs(AT)
    assert [(one.id, one.number, one.line, one.at) for one in listed] == [
        (first, NOBODY, "salg", AT),
        (withheld, None, "salg", AT + timedelta(hours=1)),
        (later, NUMBER, "salg", AT + timedelta(hours=2)),
    ]
    assert NUMBER not in repr(listed)
    assert known(desk, NUMBER).call_back
    assert not known(desk, "+4520999999").call_back
    assert not desk.archive.lookups.look_up(asked(line(training=False, id="service"), number=NUMBER)).call_back

    with desk.archive.catalog.reading() as connection:
        where = "SELECT number_sealed, number_index FROM call_backs WHERE call = ?"
        sealed, index = connection.exec_driver_sql(where, (later,)).one()
    assert sealed in desk.pages()
    desk.commit(EndCallBack(later))
    assert [one.id for one in desk.archive.lookups.call_backs(AT)] == [first, withheld]
    assert not known(desk, NUMBER).call_back
    assert sealed not in desk.pages()
    assert index not in desk.pages()


@pytest.mark.rule("G36")
def test_a_call_back_that_nobody_made_is_forgotten_when_training_would_be(desk: Scene) -> None:
    short, none = desk.call(retention={TRAINING: "P1M"}), desk.call(retention={}, number=NOBODY)
    desk.commit(ListCallBack(short, AT))
    desk.commit(ListCallBack(none, AT))
    assert [one.until for one in desk.archive.lookups.call_backs(AT)] == [date(2026, 12, 25), date(2027, 2, 25)]

    day = datetime(2026, 12, 25, 12, tzinfo=UTC)
    assert [one.id for one in desk.archive.lookups.call_backs(day)] == [none]
    assert not known(desk, NUMBER, day).call_back
    assert [(item.what, item.count) for item in sweep(desk.archive, day, clock=day)] == [
        (Swept.CALL_BACKS_FORGOTTEN, 1)
    ]
    with desk.archive.catalog.reading() as connection:
        assert connection.exec_driver_sql("SELECT call FROM call_backs").scalars().all() == [none]


# --- its place in the sample -----------------------------------------------------------------------


def runs(desk: Scene) -> list[Any]:
    with desk.archive.catalog.reading() as connection:
        asked = "SELECT agent, share, start, next, taken FROM sample_runs ORDER BY agent"
        return [*connection.exec_driver_sql(asked)]


@pytest.mark.rule("G33")
@pytest.mark.rule("G34")
def test_the_share_of_a_line_s_calls_is_drawn_for_each_agent_and_forgotten_after_a_year(
    desk: Scene,
) -> None:
    for agent in ("anna", "bo"):
        drawn = [answered(desk, asked(line("50 %"), agent=agent)) for _ in range(24)]
        (run,) = (one for one in runs(desk) if one.agent == agent)
        assert (run.next, sum(drawn[: run.start])) == (24, run.start / 2)
    before, gone = datetime(2027, 11, 24, 12, tzinfo=UTC), datetime(2027, 11, 25, 12, tzinfo=UTC)
    assert [item.what for item in sweep(desk.archive, before, clock=before, witness=before)] == []
    swept = sweep(desk.archive, gone, clock=gone, witness=gone)
    assert [(item.what, item.rule, item.count) for item in swept] == [(Swept.SAMPLE_RUNS_FORGOTTEN, "G33", 2)]
    assert runs(desk) == []


@pytest.mark.rule("G34")
def test_calls_at_once_have_a_place_each_and_what_came_to_nothing_gives_its_back(
    desk: Scene,
) -> None:
    half, places, drawn = line("50 %"), desk.archive.lookups.places, list[bool]()
    for _ in range(10):
        one, two, three = (asked(half) for _ in range(3))
        looked = {rings.call: desk.archive.lookups.look_up(rings).drawn for rings in (one, two, three)}
        assert desk.archive.lookups.look_up(one).drawn is looked[one.call]
        # The first is not answered, the others are, in the other order: its place is another's.
        for rings in (three, two):
            desk.commit(UseDraw(rings.call, AT))
            desk.commit(UseDraw(rings.call, AT))
            drawn.append(looked[rings.call])
        for rings in (one, two, three):
            places.give_up(rings.call)
        drawn.append(answered(desk, asked(half)))
        assert drawn[-1] is looked[one.call]
    ((_, _, _, used, taken),) = runs(desk)
    assert (used, taken) == (30, "")
    assert abs(sum(drawn) - 15) <= 3

    # What rang under the old share does not count in the new one.
    old = asked(half)
    desk.archive.lookups.look_up(old)
    assert answered(desk, asked(line("100 %")))
    desk.commit(UseDraw(old.call, AT))
    assert [(one.share, one.next) for one in runs(desk)] == [("1", 1)]
    assert not any(answered(desk, asked(line("0 %"))) for _ in range(10))
    assert all(answered(desk, asked(line("100 %"))) for _ in range(10))


# --- what waits for review -------------------------------------------------------------------------


def enough(desk: Scene, of: Line, at: datetime = AT) -> bool:
    rings = asked(of, at=at)
    told = desk.archive.lookups.look_up(rings).reviewers_have_enough
    desk.archive.lookups.places.give_up(rings.call)
    return told


@pytest.mark.rule("G33")
def test_no_more_is_recorded_once_what_waits_is_as_much_as_can_be_reviewed_before_it_expires(desk: Scene) -> None:
    two_a_week = line("100 %", capacity=2, retention="P7D")
    waiting: list[str] = []
    for _ in range(2):
        assert not enough(desk, two_a_week)
        call = desk.call(retention="P7D")
        waiting.append(desk.recorded(1, TRAINING, call=call))
    assert enough(desk, two_a_week)
    assert not enough(desk, line("100 %", retention="P7D"))
    assert not enough(desk, line("100 %", id="support", capacity=2, retention="P7D"))

    # What a hold keeps out of training comes back when it is lifted; what was reviewed is done, what was opted out is gone.
    desk.commit(PlaceHold("h", waiting[0], HoldBy.PARTY, "desk", AT, None))
    assert enough(desk, two_a_week)
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE purposes SET reviewed_at = ? WHERE recording = ?", (str(AT), waiting[0]))
    assert not enough(desk, two_a_week)
    third = desk.recorded(1, DOCUMENTATION, TRAINING, call=desk.call(retention="P7D"))
    assert enough(desk, two_a_week)
    desk.commit(DropWraps(third, KeyRole.TRAINING, "declined_by_key"))
    desk.commit(CloseRecording(third, AT, (DOCUMENTATION,)))
    assert not enough(desk, two_a_week)
    assert not enough(desk, two_a_week, AT + timedelta(days=7))


@pytest.mark.rule("G33")
def test_calls_that_ring_or_talk_at_this_moment_count_as_well(desk: Scene) -> None:
    two_a_week = line("100 %", capacity=2, retention="P7D")
    rings = [asked(two_a_week) for _ in range(3)]
    looked = [desk.archive.lookups.look_up(one).reviewers_have_enough for one in rings]
    assert looked == [False, False, True]
    desk.recorded(1, TRAINING, call=desk.call(rings[0].call, retention="P7D"))
    # It is counted once, whether it goes on or not.
    desk.archive.lookups.places.give_up(rings[2].call)
    assert enough(desk, two_a_week)
    desk.archive.lookups.places.give_up(rings[1].call)
    assert not enough(desk, two_a_week)


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("gone", "keyless"),
    [
        ((), set()),
        ((KeyRole.TRAINING,), {Purpose.TRAINING}),
        ((KeyRole.CUSTODY,), {Purpose.TRAINING}),
        ((KeyRole.DOCUMENTATION,), set()),
    ],
)
def test_for_what_nothing_could_be_sealed_is_known_while_it_rings(
    desk: Scene, gone: tuple[KeyRole, ...], keyless: set[Purpose]
) -> None:
    recipients = tuple(desk.recipients.values())
    with desk.archive.catalog.writing() as tx:
        for role in gone:
            revocation.revoke(tx.connection, desk.recipients[role].key_id, AT)
    known = desk.archive.lookups.look_up(replace(asked(line()), recipients=recipients))
    assert known.keyless == keyless
    assert desk.archive.lookups.look_up(asked(line())).keyless == set()


@pytest.mark.rule("G23")
def test_an_objection_that_was_upheld_binds_later_calls_of_the_number_on_the_line_and_no_others(desk: Scene) -> None:
    facts = CallFacts(desk.call(), "salg", Direction.INBOUND, NUMBER, AT, Language.DA, "Europe/Copenhagen", {})
    with desk.archive.catalog.writing() as tx:
        remember_upheld(tx, desk.archive.secrets, facts, DOCUMENTATION, AT)
        tx.log(AuditEntry("changed", "G23", AT, facts.call))
    assert known(desk, NUMBER).upheld == {DOCUMENTATION}
    assert known(desk, NOBODY).upheld == frozenset()
    another = asked(line(training=False, id="service"), number=NUMBER)
    assert desk.archive.lookups.look_up(another).upheld == frozenset()
    gone = datetime(2031, 11, 26, 12, tzinfo=UTC)
    assert [item.what for item in sweep(desk.archive, gone, clock=gone)] == [Swept.UPHELD_FORGOTTEN]
    assert known(desk, NUMBER).upheld == frozenset()
    assert verify(desk.archive).ok
