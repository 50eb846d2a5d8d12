"""`klartone archive withdraw` and `opt-out`: what a party takes back on any day after the call, at once (G04, G31, G37)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.examine.verify import verify
from softphone.archive.retention import holding
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis, KeyRole
from tests.archive import scene
from tests.archive.lines import asked, line
from tests.archive.people import House, Person, house
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

DAYS_AGO = timedelta(days=5)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    with house(tmp_path, capsys) as made:
        yield made


@pytest.fixture
def handler(there: House) -> Person:
    return there.person("case", KeyRole.DOCUMENTATION)


@pytest.fixture
def dpo(there: House) -> Person:
    return there.person("dpo", KeyRole.CUSTODY)


def days_ago() -> datetime:
    return datetime.now(UTC) - DAYS_AGO


def opens_for(there: House) -> dict[str, set[KeyRole]]:
    return {row.recording: set(row.opens_for) for row in there.desk.archive.list(datetime.now(UTC))}


def declined(there: House) -> bool:
    asked_for = asked(line(training=False), number=NUMBER, at=datetime.now(UTC))
    return there.desk.archive.lookups.look_up(asked_for).declined_earlier


@pytest.mark.rule("G31")
@pytest.mark.rule("G37")
def test_an_opt_out_by_number_ends_training_days_later_in_each_call_and_is_remembered(
    there: House, handler: Person
) -> None:
    both = there.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    alone = there.recorded(TRAINING, at=days_ago())
    another = there.recorded(TRAINING, at=days_ago(), number="+4520123457")
    assert not declined(there)

    said = handler.does("archive", "opt-out", "--number", "20 12 34 56")

    assert (said.status, said.err.strip()) == (0, "Tell the person that it has been done.")
    assert f"{both}  no longer used for training" in said.out
    # A case handler finds no training sample: that one is gone, and not named to them.
    assert alone not in said.out
    assert "one recording with that number" in said.out
    assert opens_for(there) == {
        both: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY},
        another: {KeyRole.TRAINING, KeyRole.CUSTODY},
    }
    assert not there.desk.archive.vault.path(alone).exists()
    assert declined(there)
    told = {(one.event, one.rule) for one in there.desk.archive.audit_of(alone)}
    assert ("recording_discarded", "G31") in told
    assert "opt_out_sought" in {one.event for one in there.desk.archive.audit_of()}
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G04")
def test_a_consent_is_withdrawn_by_id_and_with_the_last_purpose_the_recording_goes(
    there: House, dpo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scene.BASES, TRAINING, Basis.CONSENT)
    alone = there.recorded(TRAINING, at=days_ago())
    beside = there.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    monkeypatch.setitem(scene.BASES, TRAINING, Basis.LEGITIMATE_INTEREST)
    on_interest = there.recorded(DOCUMENTATION, TRAINING, at=days_ago())

    assert "deleted" in dpo.does("archive", "withdraw", alone).out
    assert "no longer used for training" in dpo.does("archive", "withdraw", beside).out
    assert "rests on a consent" in dpo.does("archive", "withdraw", on_interest).out

    assert opens_for(there) == {
        beside: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY},
        on_interest: {KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY},
    }
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G04")
def test_what_a_party_s_hold_keeps_after_it_is_for_data_protection_alone(there: House, dpo: Person) -> None:
    recording = there.recorded(TRAINING, at=days_ago())
    holding.raise_hold(there.desk.archive, recording, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    said = dpo.does("archive", "opt-out", recording)
    assert "a hold keeps it" in said.out
    assert opens_for(there) == {recording: {KeyRole.CUSTODY}}
    assert verify(there.desk.archive).ok


@pytest.mark.rule("G04")
def test_how_long_our_own_hold_stands_against_it_is_the_policy_s_to_say(
    there: House, dpo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = there.policy("dpo")
    path.write_text(f'hold_after_refusal = "P3D"\n{path.read_text("utf-8")}', "utf-8")
    monkeypatch.setitem(scene.BASES, DOCUMENTATION, Basis.CONSENT)
    recording = there.recorded(DOCUMENTATION, at=days_ago())
    holding.raise_hold(there.desk.archive, recording, HoldBy.CONTROLLER, "the price", "anna", datetime.now(UTC))
    before = datetime.now(UTC)
    assert dpo.does("archive", "withdraw", recording).status == 0
    (hold,) = there.desk.archive.find(recording, datetime.now(UTC)).holds
    assert hold.provisional_until is not None
    assert timedelta(0) <= hold.provisional_until - before - timedelta(days=3) < timedelta(hours=1)


@pytest.mark.rule("G32")
def test_under_special_circumstances_it_becomes_a_case(there: House, dpo: Person) -> None:
    recording = there.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    with there.desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE calls SET notice = ?", (NoticeId.N8.value,))
    said = dpo.does("archive", "opt-out", recording)
    assert "decides the case" in said.out
    assert opens_for(there) == {recording: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}}
    assert recording in dpo.does("cases", "list").out


@pytest.mark.rule("G11")
def test_it_is_for_case_handlers_and_data_protection_and_a_call_that_is_on_is_left_to_its_agent(
    there: House, dpo: Person
) -> None:
    recording = there.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    lead = there.person("lead", KeyRole.TRAINING)
    assert lead.does("archive", "opt-out", recording).status == 1
    running = there.desk.recorded(1, DOCUMENTATION, TRAINING, at=datetime.now(UTC))
    said = dpo.does("archive", "opt-out", running)
    assert (said.status, "still going on" in said.err, "No recording" in said.out) == (1, True, False)
    everybody = {KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY}
    assert opens_for(there) == {recording: everybody, running: everybody}
