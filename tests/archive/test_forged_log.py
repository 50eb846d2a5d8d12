"""Rows, files and the log's entries, written past the program by who has the catalog's key and the desk's, so that each fits:
what the log itself no longer bears out is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from softphone.archive.access import choose_signer
from softphone.archive.changes import Tables
from softphone.archive.files.container import Sealer, digest, record_at
from softphone.archive.files.reader import read_structure
from softphone.archive.keys import policy_signer, rotation
from softphone.archive.keys import wraps as keys
from softphone.archive.keys.ring import KeyPurpose, Known, remember
from softphone.archive.proof import audit, proofs
from softphone.archive.proof.checkpoint import Head
from softphone.archive.proof.verify import Finding, verify
from softphone.archive.retention import holding, untold
from softphone.archive.retention.sweep import Swept, finish, sweep
from softphone.archive.tables import calls, purposes, recordings, segments
from softphone.domain.changes import AuditEntry, CloseRecording, Discard, HoldBy, LiftHold, PlaceHold
from softphone.domain.purpose import KeyRole
from softphone.domain.retention import HoldState
from softphone.system.signature import new_signing_key, public_half
from tests.archive.scene import AT, DOCUMENTATION, RATE, MemoryKeys, Scene, scene

LATER = AT + timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def closed(desk: Scene) -> str:
    recording = desk.recorded(2, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    return recording


def found(desk: Scene, head: Head | None = None, now: datetime | None = None) -> list[Finding]:
    return [one for one in verify(desk.archive, head, now=now).findings if one.is_fault]


def entry(event: str, recording: str, **told: str) -> AuditEntry:
    return AuditEntry(event, "G10", LATER, recording.removesuffix("-1"), recording, dict(told))


def put_in_place(desk: Scene, victim: str, other: str, *, segment: int = 0, told: bool = False) -> None:
    """The sound of another call, whose data key was in this process, sealed anew for everybody who opens the victim's.
    `told`: with its digest in the entry."""
    archive = desk.archive
    source, there = (read_structure(archive.vault.path(one)) for one in (other, victim))
    key = keys.data_key()
    opens, seals = (
        Sealer(source.raw_header, other, 0, desk.keys[other, 0]),
        Sealer(there.raw_header, victim, segment, key),
    )
    contents = [(chunk, opens.open(chunk)) for chunk in source.chunks]
    records = [seals.seal(chunk.index, chunk.final, content) for chunk, content in contents if content is not None]
    archive.vault.path(victim).write_bytes(there.raw_header + b"".join(records))
    with archive.catalog.writing() as connection:
        tables = Tables(connection, archive.desk, archive.secrets)
        proofs.touch(connection, victim)
        if segment:
            tables.drop_wraps(victim, *KeyRole)
            connection.exec_driver_sql(f"UPDATE segments SET segment = {segment} WHERE recording = '{victim}'")
        for role in (KeyRole.DOCUMENTATION, KeyRole.CUSTODY):
            tables.add_wraps([keys.wrap(key, desk.recipients[role], victim, segment)])
        if told:
            chunks = [chunk for record in records if (chunk := record_at(record, 0)) is not None]
            proofs.tell(connection, victim, proofs.SOUND, "0", digest(there.raw_header, chunks))
        audit.append(connection, archive.desk, [AuditEntry("rotated", "G11", LATER, "", params={"segments": 1})])


@pytest.mark.rule("G11")
def test_sound_that_was_put_in_the_place_of_another_s_shows_with_or_without_its_keys(desk: Scene) -> None:
    victim, other = closed(desk), closed(desk)
    head = desk.archive.head(LATER)
    assert found(desk, head) == []
    put_in_place(desk, victim, other)
    replaced = [Finding("sound_replaced", {"recording": victim, "segment": 0})]
    assert found(desk, head) == replaced
    # It opens: nothing else tells.
    assert desk.archive.open_recording(victim, LATER, role=KeyRole.CUSTODY).length() == 2 * RATE
    desk.archive.store = desk.only()
    assert found(desk) == replaced


@pytest.mark.rule("G11")
def test_a_second_digest_of_a_segment_is_none_it_can_have(desk: Scene) -> None:
    victim, other = closed(desk), closed(desk)
    put_in_place(desk, victim, other, told=True)
    assert [one.code for one in found(desk)] == ["sound_told_twice", "sound_replaced"]


@pytest.mark.rule("G11")
def test_sound_under_another_number_shows(desk: Scene) -> None:
    """Its rows moved to the next segment, for which the log tells no sound."""
    victim, other = closed(desk), closed(desk)
    put_in_place(desk, victim, other, segment=1)
    assert found(desk) == [Finding("sound_replaced", {"recording": victim, "segment": 0})]


@pytest.mark.rule("G11")
def test_what_had_gone_and_is_there_again_shows(desk: Scene) -> None:
    recording = closed(desk)
    archive = desk.archive
    with archive.catalog.reading() as connection:
        kept = {table: connection.execute(select(table)).all() for table in (calls, recordings, segments, purposes)}
    data = archive.vault.path(recording).read_bytes()
    with archive.catalog.writing() as connection:
        Tables(connection, archive.desk, archive.secrets).discard(recording, LATER)
        audit.append(connection, archive.desk, [entry("sweep_discarded", recording)])
    finish(archive)
    archive.vault.path(recording).write_bytes(data)
    with archive.catalog.writing() as connection:
        for table, rows in kept.items():
            connection.execute(insert(table), [dict(row._mapping) for row in rows])
        tables = Tables(connection, archive.desk, archive.secrets)
        for role in (KeyRole.DOCUMENTATION, KeyRole.CUSTODY):
            tables.add_wraps([keys.wrap(desk.keys[recording, 0], desk.recipients[role], recording, 0)])
        audit.append(connection, archive.desk, [entry("segment_started", recording)])
    number = archive.audit_of(recording)[-1].number
    assert found(desk) == [Finding("recording_back", {"recording": recording, "number": number})]


TAKEN_OFF = pytest.mark.parametrize(
    "deed", ["UPDATE holds SET lifted_at = '2026-11-25T10:00:00+00:00'", "DELETE FROM holds"]
)


def take_off(desk: Scene, recording: str, deed: str) -> None:
    with desk.archive.catalog.writing() as connection:
        proofs.touch(connection, recording)
        connection.exec_driver_sql(deed)
        audit.append(connection, desk.archive.desk, [entry("recording_opened", recording)])


@pytest.mark.rule("G10")
@TAKEN_OFF
def test_a_hold_that_is_no_longer_in_the_catalog_shows_and_is_put_back_before_anything_is_deleted(
    desk: Scene, deed: str
) -> None:
    recording, over = closed(desk), AT + timedelta(days=200)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.confirm(desk.archive, hold, AGAIN, AT)
    sweep(desk.archive, over, clock=over, witness=over)
    take_off(desk, recording, deed)
    assert found(desk, now=over) == [Finding("hold_missing", {"recording": recording, "hold": hold})]
    for dry_run in (True, False):
        (item,) = sweep(desk.archive, over, clock=over, witness=over, dry_run=dry_run)
        assert (item.what, item.recording) == (Swept.HOLD_PUT_BACK, recording)
    assert [one.what for one in sweep(desk.archive, over, clock=over, witness=over)] == [Swept.HOLD_OVERDUE]
    (standing,) = holding.standing(desk.archive, over)
    assert (standing.hold.hold, standing.hold.raised_for, standing.state) == (hold, "party", HoldState.OVERDUE)
    assert found(desk, now=over) == []
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, over)
    assert Swept.DISCARDED in [one.what for one in sweep(desk.archive, over, clock=over, witness=over)]
    assert found(desk, now=over) == []


@pytest.mark.rule("G10")
@TAKEN_OFF
def test_what_a_call_would_delete_stays_where_a_hold_was_taken_off_it(desk: Scene, deed: str) -> None:
    """A no, of today's call."""
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    take_off(desk, recording, deed)
    desk.commit(Discard(recording, "withdrawn"), recording=recording, rule="G04")
    assert desk.archive.find(recording).restricted == "hold_only"
    (item,) = sweep(desk.archive, LATER, clock=LATER, witness=LATER)
    assert item.what is Swept.HOLD_PUT_BACK
    assert [one.hold.hold for one in holding.standing(desk.archive, LATER)] == [hold]


@pytest.mark.rule("G10")
def test_a_hold_that_was_undone_or_lifted_and_gone_with_its_recording_is_missed_by_nobody(desk: Scene) -> None:
    """As a call places, undoes and places it, under one id; and takes it with what it discards."""
    recording, hold = closed(desk), "a-h1"
    for change in (PlaceHold(hold, recording, HoldBy.PARTY, "anna", AT, None), LiftHold(hold, "undone")) * 2:
        event = "hold_placed" if isinstance(change, PlaceHold) else "hold_lifted"
        desk.commit(change, recording=recording, entries=[entry(event, recording)])
    with desk.archive.catalog.reading() as connection:
        assert untold.missing(connection, recording) == {}
    placed = PlaceHold(hold, recording, HoldBy.PARTY, "anna", AT, None)
    desk.commit(placed, recording=recording, entries=[entry("hold_placed", recording)])
    gone = [entry("hold_lifted", recording), entry("recording_discarded", recording)]
    desk.commit(LiftHold(hold, "withdrawn"), Discard(recording, "withdrawn"), recording=recording, entries=gone)
    assert desk.archive.list() == []
    assert found(desk) == []


@pytest.mark.rule("G10")
@pytest.mark.parametrize("event", ["sweep_discarded", "recording_discarded", "erased_again"])
def test_what_went_while_a_hold_stood_on_it_shows(desk: Scene, event: str) -> None:
    held, free = closed(desk), closed(desk)
    holding.raise_hold(desk.archive, held, HoldBy.PARTY, "x", "anna", AT)
    for recording in (held, free):
        with desk.archive.catalog.writing() as connection:
            Tables(connection, desk.archive.desk, desk.archive.secrets).discard(recording, LATER)
            audit.append(connection, desk.archive.desk, [entry(event, recording)])
    finish(desk.archive)
    number = desk.archive.audit_of(held)[-1].number
    assert found(desk) == [Finding("held_gone", {"recording": held, "number": number})]


@pytest.mark.rule("G10")
def test_what_went_once_its_holds_were_lifted_is_no_finding(desk: Scene) -> None:
    recording = closed(desk)
    first, second = (
        holding.raise_hold(desk.archive, recording, by, "x", "anna", AT) for by in (HoldBy.PARTY, HoldBy.ACCESS)
    )
    holding.lift(desk.archive, first, "settled", desk.policy_recipients, LATER)
    holding.close(desk.archive, second, desk.policy_recipients, LATER, reason="withdrawn")
    over = AT + timedelta(days=200)
    assert sweep(desk.archive, over, clock=over, witness=over)
    assert desk.archive.list() == []
    assert found(desk, now=over) == []


# --- what data protection decided ---------------------------------------------------------------------

AGAIN = (AT + timedelta(days=60)).date()


def lift_by_hand(desk: Scene, recording: str, of: str, **told: str) -> int:
    """As the command does it, but for the proof. The entry's number."""
    archive = desk.archive
    with archive.catalog.writing() as connection:
        Tables(connection, archive.desk, archive.secrets).lift_hold(of, "settled", LATER)
        audit.append(connection, archive.desk, [entry("hold_lifted", recording, why="settled", **told)])
    return archive.audit_of(recording)[-1].number


@pytest.mark.rule("G10")
def test_what_data_protection_decided_is_proved_by_their_key_and_by_nobody_else_s(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.confirm(desk.archive, hold, AGAIN, AT)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, LATER)
    decided = [row.params for row in desk.archive.audit_of(recording)][-2:]
    assert all({"key": one["key"]} == desk.shown(KeyRole.CUSTODY) and len(one["proof"]) == 64 for one in decided)
    for roles, proved in (((KeyRole.CUSTODY,), 2), ((KeyRole.TRAINING,), 0), ((), 0)):
        desk.archive.store = desk.only(*roles)
        proof = verify(desk.archive)
        assert (proof.ok, proof.decisions, proof.proved_decisions) == (True, 2, proved)


@pytest.mark.rule("G10")
def test_a_decision_without_a_proof_shows_also_where_no_key_is(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    number = lift_by_hand(desk, recording, hold, **desk.shown(KeyRole.CUSTODY), hold=hold)
    unproved = [Finding("decision_unproved", {"event": "hold_lifted", "number": number})]
    assert found(desk) == unproved
    desk.archive.store = desk.only()
    assert found(desk) == unproved


@pytest.mark.rule("G10")
def test_another_s_proof_and_one_of_another_entry_show_to_whoever_has_the_key(desk: Scene) -> None:
    first, second = closed(desk), closed(desk)
    holds = [holding.raise_hold(desk.archive, one, HoldBy.PARTY, "x", "anna", AT) for one in (first, second)]
    holding.lift(desk.archive, holds[0], "settled", desk.policy_recipients, LATER)
    seen = str(desk.archive.audit_of(first)[-1].params["proof"])
    number = lift_by_hand(desk, second, holds[1], **desk.shown(KeyRole.CUSTODY), hold=holds[1], proof=seen)
    assert found(desk) == [Finding("decision_forged", {"event": "hold_lifted", "number": number})]


@pytest.mark.rule("G10")
def test_a_decision_by_a_key_that_nobody_knows_is_a_fault_where_a_custody_key_is(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.confirm(desk.archive, hold, AGAIN, AT)
    number = lift_by_hand(desk, recording, hold, key="deadbeefdeadbeef", hold=hold, proof="00" * 32)
    assert found(desk) == [
        Finding("hold_lifted_by_nobody", {"hold": hold, "number": number}),
        Finding("decision_of_nobody", {"key": "deadbeefdeadbeef", "count": 1}),
    ]


@pytest.mark.rule("G10")
def test_a_decision_by_another_custody_key_is_told_and_is_no_fault(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    old, new = (
        desk.recipients[KeyRole.CUSTODY],
        keys.Recipient("dpo-2", KeyRole.CUSTODY, keys.create_key_pair(desk.store)),
    )
    holding.confirm(desk.archive, hold, AGAIN, AT)
    rotation.rotate(desk.archive, old, new)
    desk.archive.store = MemoryKeys()
    desk.archive.store.held = {name: it for name, it in desk.memory.held.items() if old.key_id not in name}
    assert verify(desk.archive).findings == (Finding("decision_of_another", {"key": old.key_id[:16], "count": 1}),)


@pytest.mark.rule("G10")
def test_a_proof_is_of_one_entry_and_of_no_copy_of_it(desk: Scene) -> None:
    closed(desk)
    first, second = (public_half(new_signing_key()) for _ in range(2))
    choose_signer(desk.archive, first, AT)
    chosen = desk.archive.audit_of()[-1]
    choose_signer(desk.archive, second, LATER)
    assert found(desk) == []
    with desk.archive.catalog.writing() as connection:
        policy_signer.choose(connection, first)
        again = AuditEntry(chosen.event, chosen.rule, AT, "", params=chosen.params)
        audit.append(connection, desk.archive.desk, [again])
    number = desk.archive.audit_of()[-1].number
    assert found(desk) == [Finding("decision_forged", {"event": "policy_signer_chosen", "number": number})]


@pytest.mark.rule("G11")
@pytest.mark.parametrize("event", ["place_used", "erased_again"])
def test_a_signer_that_is_changed_under_another_name_shows(desk: Scene, event: str) -> None:
    closed(desk)
    choose_signer(desk.archive, public_half(new_signing_key()), AT)
    with desk.archive.catalog.writing() as connection:
        policy_signer.choose(connection, "")
        audit.append(connection, desk.archive.desk, [AuditEntry(event, "G34", LATER, "")])
    number = desk.archive.audit_of()[-1].number
    assert found(desk) == [Finding("decision_unproved", {"event": event, "number": number})]


def test_a_decision_of_an_earlier_version_has_no_proof_and_is_no_finding(desk: Scene) -> None:
    """As it stands in an archive that goes on: from the first entry on that says more, each is asked for one."""
    with desk.archive.catalog.writing() as connection:
        policy_signer.choose(connection, "c2lnbmVy")
        told = {"signer": "c2lnbmVy", **desk.shown(KeyRole.CUSTODY)}
        audit.append(connection, desk.archive.desk, [AuditEntry("policy_signer_chosen", "G11", AT, "", params=told)])
        policy_signer.choose(connection, "")
        audit.append(connection, desk.archive.desk, [AuditEntry("policy_signer_lifted", "G11", AT, "", params=told)])
    closed(desk)
    assert found(desk) == []


@pytest.mark.rule("G10")
def test_decisions_are_proved_also_once_nothing_is_sealed_for_their_key(desk: Scene) -> None:
    remember(desk.store, Known("dpo", KeyPurpose.CUSTODY, desk.recipients[KeyRole.CUSTODY].public_key, AT))
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, LATER)
    over = AT + timedelta(days=200)
    assert sweep(desk.archive, over, clock=over, witness=over)
    proof = verify(desk.archive, now=over)
    assert (proof.ok, proof.recordings, proof.decisions, proof.proved_decisions) == (True, 0, 1, 1)


@pytest.mark.rule("G10")
def test_what_data_protection_confirmed_is_lifted_by_nobody_else(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.confirm(desk.archive, hold, AGAIN, AT)
    # As a desk writes it where a dispute is undone in its call.
    number = lift_by_hand(desk, recording, hold)
    assert found(desk) == [Finding("hold_lifted_by_nobody", {"hold": hold, "number": number})]


@pytest.mark.rule("G10")
def test_a_key_that_was_rotated_since_still_proves_what_it_decided(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    holding.confirm(desk.archive, hold, AGAIN, AT)
    new = keys.Recipient("dpo-2", KeyRole.CUSTODY, keys.create_key_pair(desk.archive.store))
    rotation.rotate(desk.archive, desk.recipients[KeyRole.CUSTODY], new)
    rotation.revoke(desk.archive, desk.recipients[KeyRole.CUSTODY])
    holding.lift(desk.archive, hold, "settled", desk.policy_recipients, LATER)
    proof = verify(desk.archive)
    assert (proof.ok, proof.decisions, proof.proved_decisions) == (True, 2, 2)
