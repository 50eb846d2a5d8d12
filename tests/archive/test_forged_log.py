"""Rows, files and the log's entries, written past the program by who has the catalog's key and the desk's, so that each fits:
what the log itself no longer bears out is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from softphone.archive.changes import Tables
from softphone.archive.files.container import Sealer, digest, record_at
from softphone.archive.files.reader import read_structure
from softphone.archive.keys import rotation
from softphone.archive.keys import wraps as keys
from softphone.archive.proof import audit, proofs
from softphone.archive.proof.checkpoint import Head
from softphone.archive.proof.verify import Finding, verify
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import finish, sweep
from softphone.domain.changes import AuditEntry, CloseRecording, HoldBy
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, RATE, Scene, scene

LATER = AT + timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def closed(desk: Scene) -> str:
    recording = desk.recorded(2, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    return recording


def found(desk: Scene, head: Head | None = None) -> list[Finding]:
    return [one for one in verify(desk.archive, head).findings if one.is_fault]


def entry(event: str, recording: str, **told: str) -> AuditEntry:
    return AuditEntry(event, "G10", LATER, recording.removesuffix("-1"), recording, dict(told))


def put_in_place(desk: Scene, victim: str, other: str, *, told: bool = False) -> None:
    """The sound of another call, whose data key was in this process, sealed anew for everybody who opens the victim's.
    `told`: with its digest in the entry."""
    archive = desk.archive
    source, there = (read_structure(archive.vault.path(one)) for one in (other, victim))
    key = keys.data_key()
    opens, seals = Sealer(source.raw_header, other, 0, desk.keys[other, 0]), Sealer(there.raw_header, victim, 0, key)
    contents = [(chunk, opens.open(chunk)) for chunk in source.chunks]
    records = [seals.seal(chunk.index, chunk.final, content) for chunk, content in contents if content is not None]
    archive.vault.path(victim).write_bytes(there.raw_header + b"".join(records))
    with archive.catalog.writing() as connection:
        tables = Tables(connection, archive.desk, archive.secrets)
        proofs.touch(connection, victim)
        for role in (KeyRole.DOCUMENTATION, KeyRole.CUSTODY):
            tables.add_wraps([keys.wrap(key, desk.recipients[role], victim, 0)])
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


@pytest.mark.rule("G10")
@pytest.mark.parametrize("event", ["sweep_discarded", "recording_discarded"])
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
    assert [one for one in verify(desk.archive, now=over).findings if one.is_fault] == []


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
def test_a_decision_by_a_key_that_is_not_here_is_told_to_whoever_has_another_custody_key(desk: Scene) -> None:
    recording = closed(desk)
    hold = holding.raise_hold(desk.archive, recording, HoldBy.PARTY, "x", "anna", AT)
    lift_by_hand(desk, recording, hold, key="deadbeefdeadbeef", hold=hold, proof="00" * 32)
    proof = verify(desk.archive)
    assert proof.findings == (Finding("decision_of_another", {"key": "deadbeefdeadbeef", "count": 1}),)
    desk.archive.store = desk.only()
    assert verify(desk.archive).findings == ()


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
