"""Objections, and grounds under special circumstances, as data protection decides them (`klartone cases`): G23, G32."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.examine.verify import verify
from softphone.archive.retention import holding
from softphone.domain.archive.permission import Viewer
from softphone.domain.changes import AuditEntry, DropWraps, HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Line
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from tests.archive.lines import asked, line
from tests.archive.people import House, Person, house
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

SALG: Line = line(training=False)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    with house(tmp_path, capsys) as made:
        yield made


@pytest.fixture
def dpo(there: House) -> Person:
    return there.person("dpo", KeyRole.CUSTODY)


def objected(there: House, *, ago: timedelta = timedelta(hours=1), number: str = NUMBER) -> str:
    at = datetime.now(UTC) - ago
    recording = there.recorded(DOCUMENTATION, at=at, keeps="P1Y", number=number)
    entry = AuditEntry("restricted", "G23", at, recording.removesuffix("-1"), recording, {"why": "objection"})
    there.desk.commit(Restrict(recording, "objection"), recording=recording, entries=[entry])
    return recording


def grounds(there: House) -> str:
    at = datetime.now(UTC) - timedelta(hours=1)
    recording = there.recorded(DOCUMENTATION, TRAINING, at=at, keeps="P1Y")
    told = {"role": "training", "why": "grounds_given"}
    entry = AuditEntry("wraps_dropped", "G32", at, recording.removesuffix("-1"), recording, told)
    drop = DropWraps(recording, KeyRole.TRAINING, "grounds_given")
    there.desk.commit(drop, recording=recording, entries=[entry])
    return recording


def opens_for(there: House, recording: str) -> set[KeyRole]:
    return set(there.desk.archive.find(recording, datetime.now(UTC)).opens_for)


def is_there(there: House, recording: str) -> bool:
    return recording in {row.recording for row in there.desk.archive.list(datetime.now(UTC))}


def listed(dpo: Person) -> list[dict[str, object]]:
    said = dpo.does("cases", "list", "--json")
    assert said.status == 0, said.err
    return [json.loads(one) for one in said.out.splitlines()]


@pytest.mark.rule("G23")
def test_an_objection_that_is_upheld_ends_it_at_once_and_binds_later_calls_on_the_line(
    there: House, dpo: Person
) -> None:
    recording = objected(there)
    (case,) = listed(dpo)
    assert (case["recording"], case["kind"], case["overdue"], case["held"]) == (recording, "objection", False, False)
    assert "objection to documentation" in dpo.does("cases", "show", recording).out

    for short in ("x", "OK", "Ja.", "er det ja"):
        refused = dpo.does("cases", "decide", recording, "--uphold", "--reason", short)
        assert (refused.status, "too short" in refused.err) == (1, True)
    assert opens_for(there, recording) == {KeyRole.CUSTODY}, "nothing was decided"

    said = dpo.does("cases", "decide", recording, "--uphold", "--reason", "not needed any more")

    assert (said.status, "has been deleted" in said.out, "is remembered" in said.out) == (0, True, True)
    assert not is_there(there, recording)
    assert not there.desk.archive.vault.path(recording).exists()
    known = there.desk.archive.lookups.look_up(asked(SALG, number=NUMBER, at=datetime.now(UTC)))
    assert known.upheld == {DOCUMENTATION}
    events = [(one.event, one.rule) for one in there.desk.archive.audit_of(recording)]
    assert events[-2:] == [("case_upheld", "G23"), ("sweep_discarded", "G10")]
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G23")
def test_an_objection_that_is_rejected_opens_it_again_and_its_own_dates_hold(there: House, dpo: Person) -> None:
    recording = objected(there)
    before = there.desk.archive.find(recording).expires
    assert opens_for(there, recording) == {KeyRole.CUSTODY}

    said = dpo.does("cases", "decide", recording[:30], "--reject", "--reason", "a claim is open")

    assert (said.status, "The original dates apply" in said.out) == (0, True)
    assert "Datatilsynet" in said.err
    assert opens_for(there, recording) == {KeyRole.CUSTODY, KeyRole.DOCUMENTATION}
    assert there.desk.archive.find(recording).expires == before
    assert listed(dpo) == []
    assert dpo.does("cases", "decide", recording, "--uphold", "--reason", "a claim is open").status == 1
    known = there.desk.archive.lookups.look_up(asked(SALG, number=NUMBER, at=datetime.now(UTC)))
    assert known.upheld == frozenset()
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G32")
@pytest.mark.parametrize("uphold", [True, False])
def test_grounds_are_decided_for_training_alone(there: House, dpo: Person, uphold: bool) -> None:
    recording = grounds(there)
    assert opens_for(there, recording) == {KeyRole.CUSTODY, KeyRole.DOCUMENTATION}
    how = "--uphold" if uphold else "--reject"
    assert dpo.does("cases", "decide", recording, how, "--reason", "judged by their grounds").status == 0
    more = set[KeyRole]() if uphold else {KeyRole.TRAINING}
    assert opens_for(there, recording) == {KeyRole.CUSTODY, KeyRole.DOCUMENTATION} | more
    known = there.desk.archive.lookups.look_up(asked(SALG, number=NUMBER, at=datetime.now(UTC)))
    assert known.upheld == (frozenset({TRAINING}) if uphold else frozenset())
    assert listed(dpo) == []
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G23")
def test_a_hold_keeps_what_was_upheld_for_data_protection_alone(there: House, dpo: Person) -> None:
    recording = objected(there)
    holding.raise_hold(there.desk.archive, recording, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    said = dpo.does("cases", "decide", recording, "--uphold", "--reason", "it is not needed")
    assert (said.status, "A hold keeps the recording" in said.out) == (0, True)
    assert opens_for(there, recording) == {KeyRole.CUSTODY}
    assert there.desk.archive.find(recording).restricted == "hold_only"
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G23")
def test_after_a_month_it_is_overdue_in_the_list_in_health_in_doctor_and_by_each_sweep(
    there: House, dpo: Person
) -> None:
    recording = objected(there, ago=timedelta(days=40))
    objected(there, number="+4520123457")
    assert [(one["recording"] == recording, one["overdue"]) for one in listed(dpo)] == [(True, True), (False, False)]
    health = json.loads(dpo.does("archive", "health", "--json").out)
    deadline = str(listed(dpo)[0]["deadline"])
    assert (health["cases_open"], health["cases_overdue"], health["cases_due"]) == (2, 1, deadline)
    assert "overdue" in dpo.does("doctor").all
    said = dpo.does("archive", "sweep", "--json").out
    assert ("case_overdue", recording) in {
        (one.get("what"), one.get("recording")) for one in map(json.loads, said.splitlines())
    }
    assert is_there(there, recording)


@pytest.mark.rule("G11")
def test_who_is_not_data_protection_neither_lists_nor_decides_and_the_log_tells(there: House) -> None:
    recording = objected(there)
    other = there.person("case", KeyRole.DOCUMENTATION, KeyRole.TRAINING)
    for words in (("list",), ("show", recording), ("decide", recording, "--uphold", "--reason", "it is not needed")):
        assert other.does("cases", *words).status == 1
    assert [one.event for one in there.desk.archive.audit_of()][-3:] == ["refused"] * 3
    assert is_there(there, recording)


@pytest.mark.rule("G11")
def test_by_its_whole_id_no_case_is_told_to_whose_custody_key_does_not_open_it(there: House) -> None:
    recording, another = objected(there), Viewer(frozenset({Role.CUSTODY}), {KeyRole.CUSTODY: ("0" * 32,)})
    with pytest.raises(ArchiveError) as refused:
        there.desk.archive.seen_by(another).cases.show(recording)
    assert refused.value.code == "error.archive.not_among_yours"
    assert there.desk.archive.audit_of(recording)[-1].event == "refused"
