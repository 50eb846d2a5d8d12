"""A key's successor and its end: what is sealed anew, what is no longer, and that nothing comes back by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from softphone.archive.crypto import ring, slots
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.examine.verify import verify
from softphone.archive.keys import rotation
from softphone.archive.schema.tables import wraps
from softphone.domain.changes import DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import (
    AT,
    DOCUMENTATION,
    RATE,
    TRAINING,
    MemoryKeys,
    Scene,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def new() -> tuple[Recipient, MemoryKeys]:
    """A successor for documentation, and the keyring of who has it."""
    person = MemoryKeys()
    return ring.create(person, "case-2", KeyRole.DOCUMENTATION, AT).recipient, person


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wraps a batch, so that there are several."""
    monkeypatch.setattr(rotation, "BATCH", 2)


def holders(desk: Scene, recording: str, role: KeyRole) -> list[str]:
    return sorted(one.key_id for one in desk.archive.wraps_of(recording) if one.role is role)


def opens(desk: Scene, store: MemoryKeys, recording: str) -> bool:
    held = desk.archive.store
    desk.archive.store = store
    try:
        sound = np.concatenate(list(desk.archive.open_recording(recording, AT).pcm()))
    except ArchiveError as error:
        if error.code not in ("error.archive.no_private_key", "error.archive.closed_to_role"):
            raise
        return False
    finally:
        desk.archive.store = held
    return len(sound) == RATE


def events(desk: Scene) -> list[str]:
    return [entry.event for entry in desk.archive.audit_of()]


def test_the_new_key_opens_what_the_old_one_opens_and_nothing_else_also_after_a_stop(
    desk: Scene, new: tuple[Recipient, MemoryKeys]
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION, TRAINING) for _ in range(5)]
    training = desk.recorded(1, TRAINING)
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    steps: list[tuple[int, int]] = []

    def stop_after_two(done: int, total: int) -> bool:
        steps.append((done, total))
        return len(steps) < 2

    first = rotation.rotate(desk.archive, old, successor, stop_after_two)
    assert (first.wrapped, first.stopped, steps) == (4, True, [(2, 5), (4, 5)])
    assert sum(opens(desk, person, recording) for recording in recordings) == 4
    rest = rotation.rotate(desk.archive, old, successor)
    assert (rest.wrapped, rest.unopened, rest.dropped, rest.stopped) == (1, 0, 0, False)

    assert all(opens(desk, person, recording) for recording in recordings)
    assert all(opens(desk, desk.only(KeyRole.DOCUMENTATION), recording) for recording in recordings)
    assert not opens(desk, person, training)
    assert {one.role for recording in recordings for one in desk.archive.wraps_of(recording)} == set(KeyRole)
    assert verify(desk.archive).ok
    told = [entry.params for entry in desk.archive.audit_of() if entry.event == "rotated"]
    assert sum(int(one["segments"]) for one in told) == 5
    assert {(one["from"], one["to"], one["role"]) for one in told} == {(old.key_id, successor.key_id, "documentation")}
    before = events(desk)
    assert rotation.rotate(desk.archive, old, successor).wrapped == 0
    assert events(desk) == before


def test_a_key_of_two_purposes_is_followed_and_dropped_for_the_one_alone(
    desk: Scene, new: tuple[Recipient, MemoryKeys]
) -> None:
    training, (successor, person) = desk.recipients[KeyRole.TRAINING], new
    shared = Recipient("both", KeyRole.DOCUMENTATION, training.public_key)
    desk.policy_recipients = [shared, training, desk.recipients[KeyRole.CUSTODY]]
    both, other = desk.recorded(1, DOCUMENTATION, TRAINING), desk.recorded(1, TRAINING)

    done = rotation.rotate(desk.archive, shared, successor)
    assert (done.wrapped, done.unopened) == (1, 0)
    assert (opens(desk, person, both), opens(desk, person, other)) == (True, False)
    gone = rotation.revoke(desk.archive, shared)

    assert (gone.dropped, gone.kept) == (1, 0)
    assert holders(desk, both, KeyRole.DOCUMENTATION) == [successor.key_id]
    assert [holders(desk, one, KeyRole.TRAINING) for one in (both, other)] == [[training.key_id]] * 2


def test_what_ends_while_it_runs_is_not_brought_back(
    desk: Scene, new: tuple[Recipient, MemoryKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data key has been read already when the purpose ends: the new wrap must not be written."""
    call = desk.call()
    recording = desk.recorded(1, DOCUMENTATION, TRAINING, call=call)
    other = desk.recorded(1, DOCUMENTATION)
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    read = rotation._anew
    ended: list[bool] = []

    def anew(*asked: object) -> object:
        if not ended:
            ended.append(True)
            desk.commit(DropWraps(recording, KeyRole.DOCUMENTATION, "withdrawn"), recording=recording)
        return read(*asked)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(rotation, "_anew", anew)
    done = rotation.rotate(desk.archive, old, successor)

    assert done.wrapped == 1
    assert holders(desk, recording, KeyRole.DOCUMENTATION) == []
    assert not opens(desk, person, recording)
    assert opens(desk, person, other)
    assert verify(desk.archive).ok


def test_a_wrap_that_was_changed_is_left_and_told(desk: Scene, new: tuple[Recipient, MemoryKeys]) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(2)]
    old, (successor, _) = desk.recipients[KeyRole.DOCUMENTATION], new
    with desk.archive.catalog.writing() as tx:
        which = (wraps.c.recording == recordings[0]) & (wraps.c.role == "documentation")
        slot = tx.connection.execute(select(wraps.c.slot).where(which)).scalar_one()
    with (desk.folder / slots.FILE).open("r+b") as file:
        file.seek(slot * slots.RECORD + 50)
        file.write(b"another")

    done = rotation.rotate(desk.archive, old, successor)

    assert (done.wrapped, done.unopened) == (1, 1)
    assert holders(desk, recordings[0], KeyRole.DOCUMENTATION) == [old.key_id]


def test_what_cannot_be_rotated_is_refused_and_nothing_changes(desk: Scene, new: tuple[Recipient, MemoryKeys]) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    old, (successor, _) = desk.recipients[KeyRole.DOCUMENTATION], new
    lead = desk.recipients[KeyRole.TRAINING]
    before, wrapped = events(desk), desk.archive.wraps_of(recording)

    def refused(one: Recipient, other: Recipient) -> str:
        with pytest.raises(ArchiveError) as error:
            rotation.rotate(desk.archive, one, other)
        return error.value.code

    assert refused(old, lead) == "error.keys.other_purpose"
    assert refused(old, old) == "error.keys.same"
    assert refused(successor, old) == "error.keys.no_private"
    # Who tries it with a key that is another's is in the log.
    assert (events(desk), desk.archive.wraps_of(recording)) == ([*before, "refused"], wrapped)
    rotation.revoke(desk.archive, successor)
    assert refused(old, successor) == "error.keys.revoked"


# --- revoked ------------------------------------------------------------------------------------------


def test_a_revoked_key_is_sealed_for_no_more_while_another_of_its_purpose_is(
    desk: Scene, new: tuple[Recipient, MemoryKeys]
) -> None:
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    desk.policy_recipients.append(successor)
    both = desk.recorded(1, DOCUMENTATION)
    assert holders(desk, both, KeyRole.DOCUMENTATION) == sorted([old.key_id, successor.key_id])

    done = rotation.revoke(desk.archive, old)

    assert (done.dropped, done.kept) == (1, 0)
    assert holders(desk, both, KeyRole.DOCUMENTATION) == [successor.key_id]
    later = desk.recorded(1, DOCUMENTATION)
    assert holders(desk, later, KeyRole.DOCUMENTATION) == [successor.key_id]
    assert not opens(desk, desk.only(KeyRole.DOCUMENTATION), later)
    assert opens(desk, person, later)
    assert events(desk).count("key_revoked") == 1
    rotation.revoke(desk.archive, old)
    assert events(desk).count("key_revoked") == 1


def test_what_a_revoked_key_alone_opens_it_keeps_until_it_is_rotated_and_then_it_is_in_no_page(
    desk: Scene, new: tuple[Recipient, MemoryKeys]
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(3)]
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    sealed = [
        one.sealed for recording in recordings for one in desk.archive.wraps_of(recording) if one.key_id == old.key_id
    ]

    done = rotation.revoke(desk.archive, old)
    assert (done.dropped, done.kept) == (0, 3)
    assert all(opens(desk, desk.only(KeyRole.DOCUMENTATION), recording) for recording in recordings)
    assert all(one in desk.pages() for one in sealed)

    rotated = rotation.rotate(desk.archive, old, successor)

    assert (rotated.wrapped, rotated.dropped) == (3, 3)
    assert all(holders(desk, recording, KeyRole.DOCUMENTATION) == [successor.key_id] for recording in recordings)
    assert all(opens(desk, person, recording) for recording in recordings)
    assert not any(opens(desk, desk.only(KeyRole.DOCUMENTATION), recording) for recording in recordings)
    assert not any(one in desk.pages() for one in sealed)
    assert rotation.revoke(desk.archive, old).kept == 0
    assert verify(desk.archive).ok


@pytest.mark.parametrize("then", ["the old one", "the new one too"])
def test_revoking_after_rotating_is_done_in_batches_and_takes_nobody_s_last_wrap_away(
    desk: Scene, new: tuple[Recipient, MemoryKeys], then: str
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION, TRAINING) for _ in range(5)]
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    rotation.rotate(desk.archive, old, successor)

    first = rotation.revoke(desk.archive, old, lambda _done, _total: False)
    assert (first.dropped, first.kept, first.stopped) == (2, 3, True)
    if then == "the new one too":
        done = rotation.revoke(desk.archive, successor)
        assert (done.dropped, done.kept) == (0, 5)
        assert all(opens(desk, person, recording) for recording in recordings)
        return
    assert rotation.revoke(desk.archive, old).dropped == 3
    assert all(holders(desk, one, KeyRole.DOCUMENTATION) == [successor.key_id] for one in recordings)
    assert rotation.living_wraps(desk.archive) == {
        (successor.key_id, KeyRole.DOCUMENTATION): 5,
        (desk.recipients[KeyRole.TRAINING].key_id, KeyRole.TRAINING): 5,
        (desk.recipients[KeyRole.CUSTODY].key_id, KeyRole.CUSTODY): 5,
    }
