"""`klartone archive withdraw` and `opt-out`: what a party takes back on any day after the call, at once (G04, G31, G37)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.examine.verify import verify
from softphone.domain.changes import HoldBy
from softphone.domain.decision import NoticeId
from softphone.domain.purpose import Basis, KeyRole
from tests.archive import scene
from tests.archive.holds import raise_hold
from tests.archive.lines import asked, line
from tests.archive.people import House, Person
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

DAYS_AGO = timedelta(days=5)

pytestmark = pytest.mark.usefixtures("english")


def days_ago() -> datetime:
    return datetime.now(UTC) - DAYS_AGO


@pytest.fixture
def handler(home: House) -> Person:
    return home.person("case", KeyRole.DOCUMENTATION)


def opens_for(home: House) -> dict[str, set[KeyRole]]:
    return {row.recording: set(row.opens_for) for row in home.desk.archive.list(datetime.now(UTC))}


def declined(home: House) -> bool:
    asked_for = asked(line(training=False), number=NUMBER, at=datetime.now(UTC))
    return home.desk.archive.lookups.look_up(asked_for).declined_earlier


@pytest.mark.rule("G31")
@pytest.mark.rule("G37")
def test_an_opt_out_by_number_ends_training_days_later_in_each_call_and_is_remembered(
    home: House, handler: Person
) -> None:
    both = home.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    alone = home.recorded(TRAINING, at=days_ago())
    another = home.recorded(TRAINING, at=days_ago(), number="+4520123457")
    assert not declined(home)

    said = handler.does("archive", "opt-out", "--number", "20 12 34 56")

    assert (said.status, said.err.strip()) == (0, "Tell the person that it has been done.")
    assert f"{both}  no longer used for training" in said.out
    # A case handler finds no training sample: that one is gone, and not named to them.
    assert alone not in said.out
    assert "one recording with that number" in said.out
    assert opens_for(home) == {
        both: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY},
        another: {KeyRole.TRAINING, KeyRole.CUSTODY},
    }
    assert not home.desk.archive.vault.path(alone).exists()
    assert declined(home)
    told = {(one.event, one.rule) for one in home.desk.archive.audit_of(alone)}
    assert ("recording_discarded", "G31") in told
    assert "opt_out_sought" in {one.event for one in home.desk.archive.audit_of()}
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G04")
def test_a_consent_is_withdrawn_by_id_and_with_the_last_purpose_the_recording_goes(
    home: House, dpo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(scene.BASES, TRAINING, Basis.CONSENT)
    alone = home.recorded(TRAINING, at=days_ago())
    beside = home.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    monkeypatch.setitem(scene.BASES, TRAINING, Basis.LEGITIMATE_INTEREST)
    on_interest = home.recorded(DOCUMENTATION, TRAINING, at=days_ago())

    assert "deleted" in dpo.does("archive", "withdraw", alone).out
    assert "no longer used for training" in dpo.does("archive", "withdraw", beside).out
    assert "no_consent_found" not in {one.event for one in home.desk.archive.audit_of()}
    assert "rests on a consent" in dpo.does("archive", "withdraw", on_interest).out
    assert "no_consent_found" in {one.event for one in home.desk.archive.audit_of()}

    assert opens_for(home) == {
        beside: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY},
        on_interest: {KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY},
    }
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G04")
def test_what_a_party_s_hold_keeps_after_it_is_for_data_protection_alone(home: House, dpo: Person) -> None:
    recording = home.recorded(TRAINING, at=days_ago())
    raise_hold(home.desk.archive, recording, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    said = dpo.does("archive", "opt-out", recording)
    assert "a hold keeps it" in said.out
    assert opens_for(home) == {recording: {KeyRole.CUSTODY}}
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G04")
def test_how_long_our_own_hold_stands_against_it_is_the_policy_s_to_say(
    home: House, dpo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.policy("dpo")
    path.write_text(f'hold_after_refusal = "P3D"\n{path.read_text("utf-8")}', "utf-8")
    monkeypatch.setitem(scene.BASES, DOCUMENTATION, Basis.CONSENT)
    recording = home.recorded(DOCUMENTATION, at=days_ago())
    raise_hold(home.desk.archive, recording, HoldBy.CONTROLLER, "the price", "anna", datetime.now(UTC))
    before = datetime.now(UTC)
    assert dpo.does("archive", "withdraw", recording).status == 0
    (hold,) = home.desk.archive.find(recording, datetime.now(UTC)).holds
    assert hold.provisional_until is not None
    assert timedelta(0) <= hold.provisional_until - before - timedelta(days=3) < timedelta(hours=1)


@pytest.mark.rule("G32")
def test_under_special_circumstances_it_becomes_a_case(home: House, dpo: Person) -> None:
    recording = home.recorded(DOCUMENTATION, TRAINING, at=days_ago())
    with home.desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE calls SET notice = ?", (NoticeId.N8.value,))
    said = dpo.does("archive", "opt-out", recording)
    assert "decides the case" in said.out
    assert opens_for(home) == {recording: {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}}
    assert recording in dpo.does("cases", "list").out


def test_a_call_that_is_on_is_left_to_its_agent(home: House, dpo: Person) -> None:
    running = home.desk.recorded(1, DOCUMENTATION, TRAINING, at=datetime.now(UTC))
    said = dpo.does("archive", "opt-out", running)
    assert (said.status, "still going on" in said.err, "No recording" in said.out) == (1, True, False)
    assert opens_for(home) == {running: set(KeyRole)}
