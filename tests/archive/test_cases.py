"""Objections, and grounds under special circumstances, as data protection decides them (`klartone cases`): G23, G32."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.examine.verify import verify
from softphone.archive.seen import LocalArchive
from softphone.domain.archive.permission import Viewer
from softphone.domain.changes import AuditEntry, DropWraps, HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.roles import Role
from tests.archive.holds import raise_hold
from tests.archive.lines import asked, line
from tests.archive.people import House, Person
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

pytestmark = pytest.mark.usefixtures("english")


def objected(home: House, *, ago: timedelta = timedelta(hours=1), number: str = NUMBER) -> str:
    at = datetime.now(UTC) - ago
    recording = home.recorded(DOCUMENTATION, at=at, keeps="P1Y", number=number)
    entry = AuditEntry("restricted", "G23", at, recording.removesuffix("-1"), recording, {"why": "objection"})
    home.desk.commit(Restrict(recording, "objection"), recording=recording, entries=[entry])
    return recording


def opens_for(home: House, recording: str) -> set[KeyRole]:
    return set(home.desk.archive.find(recording, datetime.now(UTC)).opens_for)


def upheld(home: House, number: str = NUMBER) -> set[Purpose]:
    now = datetime.now(UTC)
    return set(home.desk.archive.lookups.look_up(asked(line(training=False), number=number, at=now)).upheld)


def is_there(home: House, recording: str) -> bool:
    return recording in {row.recording for row in home.desk.archive.list(datetime.now(UTC))}


def listed(dpo: Person) -> list[dict[str, object]]:
    said = dpo.does("cases", "list", "--json")
    assert said.status == 0, said.err
    return [json.loads(one) for one in said.out.splitlines()]


@pytest.mark.rule("G23")
def test_an_objection_that_is_upheld_ends_it_at_once_and_binds_later_calls_on_the_line(
    home: House, dpo: Person
) -> None:
    recording = objected(home)
    (case,) = listed(dpo)
    assert (case["recording"], case["kind"], case["overdue"], case["held"]) == (recording, "objection", False, False)
    assert "objection to documentation" in dpo.does("cases", "show", recording).out

    for short in ("x", "OK", "Ja.", "er det ja"):
        refused = dpo.does("cases", "decide", recording, "--uphold", "--reason", short)
        assert (refused.status, "too short" in refused.err) == (1, True)
    assert opens_for(home, recording) == {KeyRole.CUSTODY}, "nothing was decided"

    said = dpo.does("cases", "decide", recording, "--uphold", "--reason", "not needed any more")

    assert (said.status, "has been deleted" in said.out, "is remembered" in said.out) == (0, True, True)
    assert not is_there(home, recording)
    assert not home.desk.archive.vault.path(recording).exists()
    assert upheld(home) == {DOCUMENTATION}
    events = [(one.event, one.rule) for one in home.desk.archive.audit_of(recording)]
    assert events[-2:] == [("case_upheld", "G23"), ("sweep_discarded", "G10")]
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G23")
@pytest.mark.rule("G32")
@pytest.mark.parametrize("uphold", [True, False])
def test_what_is_rejected_opens_again_by_its_own_dates_and_grounds_are_decided_for_training_alone(
    home: House, dpo: Person, uphold: bool
) -> None:
    both = home.recorded(DOCUMENTATION, TRAINING, keeps="P1Y", number="+4520123457")
    told = {"role": "training", "why": "grounds_given"}
    entry = AuditEntry("wraps_dropped", "G32", datetime.now(UTC), both.removesuffix("-1"), both, told)
    home.desk.commit(DropWraps(both, KeyRole.TRAINING, "grounds_given"), recording=both, entries=[entry])
    before = home.desk.archive.find(both).expires
    how = "--uphold" if uphold else "--reject"
    assert dpo.does("cases", "decide", both, how, "--reason", "judged by their grounds").status == 0
    more = set[KeyRole]() if uphold else {KeyRole.TRAINING}
    assert opens_for(home, both) == {KeyRole.CUSTODY, KeyRole.DOCUMENTATION} | more
    assert upheld(home, "+4520123457") == ({TRAINING} if uphold else set())
    if not uphold:
        recording = objected(home)
        said = dpo.does("cases", "decide", recording[:30], "--reject", "--reason", "a claim is open")
        assert (said.status, "The original dates apply" in said.out, "Datatilsynet" in said.err) == (0, True, True)
        assert opens_for(home, recording) == {KeyRole.CUSTODY, KeyRole.DOCUMENTATION}
        assert home.desk.archive.find(both).expires != before
        assert upheld(home) == set()
    assert listed(dpo) == []
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G11")
@pytest.mark.rule("G23")
def test_a_hold_keeps_what_was_upheld_for_data_protection_and_of_those_for_whose_key_opens_it(
    home: House, dpo: Person
) -> None:
    recording, another = objected(home), Viewer(frozenset({Role.CUSTODY}), {KeyRole.CUSTODY: ("0" * 32,)})
    with pytest.raises(ArchiveError) as refused:
        LocalArchive(home.desk.archive, another).cases.show(recording)
    assert refused.value.code == "error.archive.not_among_yours"
    assert home.desk.archive.audit_of(recording)[-1].event == "refused"
    raise_hold(home.desk.archive, recording, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    said = dpo.does("cases", "decide", recording, "--uphold", "--reason", "it is not needed")
    assert (said.status, "A hold keeps the recording" in said.out) == (0, True)
    assert opens_for(home, recording) == {KeyRole.CUSTODY}
    assert home.desk.archive.find(recording).restricted == "hold_only"
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G23")
def test_after_a_month_it_is_overdue_in_the_list_in_health_in_doctor_and_by_each_sweep(
    home: House, dpo: Person
) -> None:
    recording = objected(home, ago=timedelta(days=40))
    objected(home, number="+4520123457")
    assert [(one["recording"] == recording, one["overdue"]) for one in listed(dpo)] == [(True, True), (False, False)]
    health = json.loads(dpo.does("archive", "health", "--json").out)
    deadline = str(listed(dpo)[0]["deadline"])
    assert (health["cases_open"], health["cases_overdue"], health["cases_due"]) == (2, 1, deadline)
    assert "overdue" in dpo.does("doctor").all
    said = dpo.does("archive", "sweep", "--json").out
    assert ("case_overdue", recording) in {
        (one.get("what"), one.get("recording")) for one in map(json.loads, said.splitlines())
    }
    assert is_there(home, recording)
