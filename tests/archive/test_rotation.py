"""A key's successor and its end: what is sealed anew, what is no longer, and that nothing comes back by it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from softphone.archive.archive import Archive
from softphone.archive.crypto import ring, slots
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.examine.verify import verify
from softphone.archive.keys import rotation
from softphone.archive.schema.tables import wraps
from softphone.domain.changes import AuditEntry, DropWraps
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Reason
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import (
    AT,
    DOCUMENTATION,
    RATE,
    TRAINING,
    CommitFailedError,
    MemoryKeys,
    Scene,
    scene,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def new() -> tuple[Recipient, MemoryKeys]:
    """A successor for documentation, and the keyring of who has it."""
    person = MemoryKeys()
    return ring.create(person, "case-2", KeyRole.DOCUMENTATION, AT).recipient, person


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_new_key_opens_what_the_old_one_opens_and_nothing_else(
    desk: Scene, new: tuple[Recipient, MemoryKeys], few: None
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION, TRAINING) for _ in range(5)]
    training = desk.recorded(1, TRAINING)
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new

    done = rotation.rotate(desk.archive, old, successor)

    assert (done.wrapped, done.unopened, done.dropped, done.stopped) == (5, 0, 0, False)
    assert all(opens(desk, person, recording) for recording in recordings)
    assert all(opens(desk, desk.only(KeyRole.DOCUMENTATION), recording) for recording in recordings)
    assert not opens(desk, person, training)
    assert {one.role for recording in recordings for one in desk.archive.wraps_of(recording)} == set(KeyRole)
    assert verify(desk.archive).ok
    told = [entry.params for entry in desk.archive.audit_of() if entry.event == "rotated"]
    assert sum(int(one["segments"]) for one in told) == 5
    assert {(one["from"], one["to"], one["role"]) for one in told} == {(old.key_id, successor.key_id, "documentation")}


def test_it_tells_how_far_it_is_can_be_stopped_and_goes_on(
    desk: Scene, new: tuple[Recipient, MemoryKeys], few: None
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(5)]
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    told: list[tuple[int, int]] = []

    def stop_after_two(done: int, total: int) -> bool:
        told.append((done, total))
        return len(told) < 2

    first = rotation.rotate(desk.archive, old, successor, stop_after_two)
    assert (first.wrapped, first.stopped, told) == (4, True, [(2, 5), (4, 5)])
    assert sum(opens(desk, person, recording) for recording in recordings) == 4
    rest = rotation.rotate(desk.archive, old, successor)
    assert (rest.wrapped, rest.stopped) == (1, False)
    assert all(opens(desk, person, recording) for recording in recordings)
    before = events(desk)
    assert rotation.rotate(desk.archive, old, successor).wrapped == 0
    assert events(desk) == before


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
    with desk.archive.catalog.writing() as connection:
        which = (wraps.c.recording == recordings[0]) & (wraps.c.role == "documentation")
        slot = connection.execute(select(wraps.c.slot).where(which)).scalar_one()
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


def test_where_it_was_the_only_one_nothing_is_recorded_for_that_purpose(desk: Scene) -> None:
    rotation.revoke(desk.archive, desk.recipients[KeyRole.DOCUMENTATION])
    call = desk.call()
    with pytest.raises(CommitFailedError) as failed:
        desk.open(call, DOCUMENTATION)
    assert failed.value.reason is Reason.NO_KEY
    assert desk.archive.list() == []


def test_what_a_revoked_key_alone_opens_it_keeps_until_it_is_rotated_and_then_it_is_in_no_page(
    desk: Scene, new: tuple[Recipient, MemoryKeys], few: None
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


def test_revoking_after_rotating_drops_its_wraps_in_batches_and_can_be_stopped(
    desk: Scene, new: tuple[Recipient, MemoryKeys], few: None
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION, TRAINING) for _ in range(5)]
    old, (successor, _) = desk.recipients[KeyRole.DOCUMENTATION], new
    rotation.rotate(desk.archive, old, successor)

    first = rotation.revoke(desk.archive, old, lambda _done, _total: False)
    assert (first.dropped, first.kept, first.stopped) == (2, 3, True)
    assert rotation.revoke(desk.archive, old).dropped == 3

    assert all(holders(desk, one, KeyRole.DOCUMENTATION) == [successor.key_id] for one in recordings)
    assert all(len(holders(desk, one, KeyRole.TRAINING)) == 1 for one in recordings)
    assert rotation.living_wraps(desk.archive) == {
        (successor.key_id, KeyRole.DOCUMENTATION): 5,
        (desk.recipients[KeyRole.TRAINING].key_id, KeyRole.TRAINING): 5,
        (desk.recipients[KeyRole.CUSTODY].key_id, KeyRole.CUSTODY): 5,
    }


def test_nobody_waits_while_it_is_looked_for_what_a_revoked_key_opens(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.recorded(1, DOCUMENTATION)
    other, look = desk.reopen(), rotation._next
    wrote: list[int] = []

    def beside(*of: Any) -> Any:
        with other.catalog.writing() as tx:
            wrote.append(len(look(*of)))
            tx.log(AuditEntry("changed", "G10", AT, ""))
        return look(*of)

    monkeypatch.setattr(rotation, "_next", beside)
    assert rotation.revoke(desk.archive, desk.recipients[KeyRole.DOCUMENTATION]).kept == 1
    assert wrote == [0]
    other.close()


def test_two_keys_that_are_both_revoked_do_not_take_each_other_s_last_wrap_away(
    desk: Scene, new: tuple[Recipient, MemoryKeys], few: None
) -> None:
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(5)]
    old, (successor, person) = desk.recipients[KeyRole.DOCUMENTATION], new
    rotation.rotate(desk.archive, old, successor)
    assert rotation.revoke(desk.archive, old, lambda _done, _total: False).dropped == 2

    done = rotation.revoke(desk.archive, successor)

    assert (done.dropped, done.kept) == (0, 5)
    assert all(opens(desk, person, recording) for recording in recordings)


def test_a_key_that_two_purposes_share_is_rotated_and_revoked_for_one_alone(
    desk: Scene, new: tuple[Recipient, MemoryKeys]
) -> None:
    old, (successor, _) = desk.recipients[KeyRole.DOCUMENTATION], new
    desk.policy_recipients = [old, Recipient("custody", KeyRole.CUSTODY, old.public_key)]
    recording = desk.recorded(1, DOCUMENTATION)

    assert rotation.rotate(desk.archive, old, successor).wrapped == 1
    assert rotation.revoke(desk.archive, old).dropped == 1

    assert holders(desk, recording, KeyRole.DOCUMENTATION) == [successor.key_id]
    assert holders(desk, recording, KeyRole.CUSTODY) == [old.key_id]


# --- kill -9 ------------------------------------------------------------------------------------------

_ROTATE = """
import sys
from pathlib import Path
from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.keys import rotation
from softphone.system.secrets import DemoKeyFile
folder = Path(sys.argv[1])
store = DemoKeyFile(folder / "demo-keys.json")
archive = Archive.open(folder, store)
known = ring.known_keys(store)
rotation.BATCH = 1
def progress(done, total):
    print(done, total, flush=True)
    return True
rotation.rotate(archive, ring.choose(known, "old").recipient, ring.choose(known, "new").recipient, progress)
print("done", flush=True)
"""


@pytest.mark.parametrize("after", [1, 4])
def test_killed_in_the_middle_every_recording_opens_and_the_rest_is_done_next_time(tmp_path: Path, after: int) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    store = DemoKeyFile(folder / "demo-keys.json")
    desk = Scene(folder, demo=True, store=store)
    old = desk.recipients[KeyRole.DOCUMENTATION]
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(8)]
    ring.remember(store, ring.Known("old", ring.KeyPurpose.DOCUMENTATION, old.public_key, AT))
    successor = ring.create(store, "new", KeyRole.DOCUMENTATION, AT)
    rotation.revoke(desk.archive, old)
    desk.close()

    words = [sys.executable, "-c", _ROTATE, str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    archive = Archive.open(folder, store)
    archive.clock = lambda: AT
    for recording in recordings:
        assert len(np.concatenate(list(archive.open_recording(recording, AT).pcm()))) == RATE
        assert len([one for one in archive.wraps_of(recording) if one.role is KeyRole.DOCUMENTATION]) == 1
    assert verify(archive).ok
    left = rotation.living_wraps(archive).get((old.key_id, KeyRole.DOCUMENTATION), 0)
    assert left <= 8 - after
    archive.close()

    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert re.search(r"done$", done.stdout.strip())
    archive = Archive.open(folder, store)
    counts = rotation.living_wraps(archive)
    assert counts[successor.key_id, KeyRole.DOCUMENTATION] == 8
    assert (old.key_id, KeyRole.DOCUMENTATION) not in counts
    assert verify(archive).ok
    archive.close()
