"""What each change leaves: who can open a recording, what is on the disk, and what the audit log tells."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.changes.sealing import opens_to
from softphone.archive.examine.verify import verify
from softphone.domain.changes import (
    AddWraps,
    ChangeHold,
    CloseRecording,
    Discard,
    DropWraps,
    HoldBy,
    LiftHold,
    ListCallBack,
    OpenRecording,
    PlaceHold,
    RememberRefusal,
    Restrict,
)
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Reason
from tests.archive.scene import (
    AT,
    DOCUMENTATION,
    FRAME,
    NUMBER,
    RATE,
    TRAINING,
    CommitFailedError,
    Scene,
    voices,
)


def opens_for(desk: Scene, recording: str) -> set[KeyRole]:
    return set(desk.archive.find(recording).opens_for)


def hold(recording: str, by: HoldBy = HoldBy.CONTROLLER) -> PlaceHold:
    return PlaceHold(f"{recording}-h1", recording, by, "desk-3", AT, None, confirm_by=AT + timedelta(days=30))


def wraps_bytes(desk: Scene, recording: str, role: KeyRole) -> list[bytes]:
    return [wrap.sealed for wrap in desk.archive.wraps_of(recording) if wrap.role is role]


@pytest.mark.rule("G11")
def test_each_role_opens_with_its_own_private_key_alone_and_the_log_tells_before_the_first_sound(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    for role in KeyRole:
        with closing(Archive.open(desk.folder, desk.only(role))) as person:
            opened = person.open_recording(recording, AT, role=role)
            last = desk.archive.audit_of(recording)[-1]
            assert (last.event, last.rule, last.params["role"]) == ("recording_opened", "G11", role)
            assert len(np.concatenate(list(opened.pcm()))) == RATE
            for other in set(KeyRole) - {role}:
                with pytest.raises(ArchiveError) as refused:
                    person.open_recording(recording, AT, role=other)
                assert refused.value.code == "error.archive.no_private_key"
    with desk.archive.catalog.writing() as tx:
        tx.connection.exec_driver_sql(
            "CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(ArchiveError):
        desk.archive.open_recording(recording, AT)


@pytest.mark.rule("G31")
def test_a_recording_that_is_closed_without_a_purpose_opens_for_it_to_nobody(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION, TRAINING)
    sealed = wraps_bytes(desk, recording, KeyRole.TRAINING)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    assert {wrap.role for wrap in desk.archive.wraps_of(recording)} == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    assert not any(wrap in desk.pages() for wrap in sealed)
    # Nor does anything that comes later, as a hold that is lifted, seal it for that again.
    with desk.archive.catalog.reading() as connection:
        assert opens_to(connection, recording, TRAINING) == []


@pytest.mark.rule("G31")
def test_an_opt_out_ends_training_in_every_segment_and_its_wraps_are_in_no_page(desk: Scene) -> None:
    call = desk.call()
    recording = desk.open(call, DOCUMENTATION, TRAINING)
    desk.start(call, recording, 0)
    desk.talk(call, voices(1))
    sealed = wraps_bytes(desk, recording, KeyRole.TRAINING)
    assert sealed
    assert all(wrap in desk.pages() for wrap in sealed)

    desk.recorder.stop(call, recording, 0, hold_frames=True)
    desk.talk(call, voices(0.2), first=50)
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"), recording=recording)
    desk.commit(desk.segment(recording, 1, DOCUMENTATION), recording=recording)
    desk.start(call, recording, 1)
    desk.talk(call, voices(1), first=60)
    desk.recorder.stop(call, recording, 1)
    desk.drained(recording, 1, 60 * FRAME)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)

    assert not any(wrap in desk.pages() for wrap in sealed)
    assert not any(wrap in desk.files() for wrap in sealed)
    assert opens_for(desk, recording) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}
    with pytest.raises(ArchiveError) as refused:
        Archive.open(desk.folder, desk.only(KeyRole.TRAINING)).open_recording(recording, AT)
    assert refused.value.code == "error.archive.no_private_key"
    whole = desk.archive.open_recording(recording, AT, role=KeyRole.DOCUMENTATION)
    assert whole.length == 110 * FRAME
    assert whole.marks() == []
    assert verify(desk.archive).ok


def test_a_number_is_found_and_read_and_yet_lies_nowhere_in_plain(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    assert desk.archive.find(recording).number == NUMBER
    assert NUMBER.encode() not in desk.pages()
    assert NUMBER.encode() not in desk.files()
    desk.commit(Discard(recording, "withdrawn"))
    assert desk.archive.secrets.number_index(NUMBER) not in desk.pages()


def test_lifting_a_hold_never_brings_training_back_after_an_opt_out(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    desk.commit(hold(recording))
    desk.commit(DropWraps(recording, KeyRole.TRAINING, "declined_by_key"))
    desk.commit(LiftHold(f"{recording}-h1", "undone", restore_training=True))
    assert opens_for(desk, recording) == {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}


@pytest.mark.parametrize("held", [False, True])
def test_a_late_yes_opens_the_recording_from_its_start_and_under_a_hold_once_that_is_lifted(
    desk: Scene, held: bool
) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    if held:
        desk.commit(hold(recording))
    desk.commit(AddWraps(recording, TRAINING, (0,), withheld=held))
    assert (KeyRole.TRAINING in opens_for(desk, recording)) is not held
    if held:
        desk.commit(LiftHold(f"{recording}-h1", "undone", restore_training=True))
    with closing(Archive.open(desk.folder, desk.only(KeyRole.TRAINING))) as person:
        assert person.open_recording(recording, AT).length == RATE
    assert TRAINING in desk.archive.find(recording).expires


@pytest.mark.parametrize("reason", ["hold_only", "objection"])
def test_a_restricted_recording_opens_for_custody_alone(desk: Scene, reason: str) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    desk.commit(hold(recording), Restrict(recording, reason))
    desk.commit(desk.segment(recording, 1, DOCUMENTATION))
    assert opens_for(desk, recording) == {KeyRole.CUSTODY}
    assert verify(desk.archive).ok
    person = Archive.open(desk.folder, desk.only(KeyRole.CUSTODY))
    assert person.open_recording(recording, AT).length == RATE
    person.close()


def test_without_a_recipient_for_a_purpose_or_for_custody_nothing_is_written(desk: Scene) -> None:
    for missing in KeyRole:
        desk.policy_recipients = [one for role, one in desk.recipients.items() if role is not missing]
        with pytest.raises(CommitFailedError) as failed:
            desk.open(desk.call(), DOCUMENTATION, TRAINING)
        assert failed.value.reason is Reason.NO_KEY
    assert desk.archive.list() == []
    assert desk.archive.vault.recordings() == []
    assert desk.archive.audit_of() == []


def test_every_change_may_be_made_twice_and_on_what_is_gone(desk: Scene) -> None:
    recording = desk.recorded(1, DOCUMENTATION, TRAINING)
    call = recording.removesuffix("-1")
    twice = (
        OpenRecording(recording, call, AT),
        hold(recording),
        ChangeHold(f"{recording}-h1", HoldBy.PARTY, None),
        DropWraps(recording, KeyRole.TRAINING, "withdrawn"),
        CloseRecording(recording, AT, (DOCUMENTATION,)),
        LiftHold(f"{recording}-h1", "undone"),
        ListCallBack(call, AT),
        RememberRefusal(call, AT),
        Discard(recording, "withdrawn"),
    )
    for change in twice:
        desk.commit(change)
        desk.commit(change)
    # What keeps is no deed where nothing is left: nobody may be told that it is locked.
    with pytest.raises(CommitFailedError):
        desk.commit(hold(recording))
    for change in (*twice[2:], Restrict(recording, "hold_only"), AddWraps(recording, TRAINING, (0,))):
        desk.commit(change)
    assert desk.archive.list() == []
    assert verify(desk.archive).ok
