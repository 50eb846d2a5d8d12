"""`verify` while it runs: how far it has come, broken off, and beside a desk that goes on working."""

from __future__ import annotations

from typing import Any

import pytest

from softphone.archive.examine import verify as proving
from softphone.archive.examine.verify import verify
from softphone.domain.changes import Discard
from tests.archive.scene import DOCUMENTATION, Scene


def test_it_tells_of_each_recording_that_is_proved_and_broken_off_it_leaves_everything_as_it_was(
    desk: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "BATCH", 2)
    for _ in range(5):
        desk.recorded(0.1, DOCUMENTATION)
    before, told = desk.archive.audit_of(), list[tuple[int, int]]()

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(desk.archive, progress=stop)
    assert desk.archive.audit_of() == before
    proof = verify(desk.archive, progress=lambda done, total: told.append((done, total)))
    assert [*dict.fromkeys(one for one in told if one[1])] == [(done, 5) for done in range(1, 6)]
    assert (proof.recordings, proof.ok) == (5, True)


def test_what_goes_while_it_runs_is_no_difference(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION)
    read = proving._batches

    def goes_meanwhile(archive: Any) -> Any:
        for batch in read(archive):
            desk.commit(Discard(recording, "opted_out"), recording=recording)
            yield batch

    monkeypatch.setattr(proving, "_batches", goes_meanwhile)
    proof = verify(desk.archive)
    assert not desk.archive.vault.path(recording).exists()
    assert proof.findings == ()


def test_a_file_that_is_really_lost_is_found_at_the_second_look_too(desk: Scene) -> None:
    recording = desk.recorded(0.1, DOCUMENTATION)
    desk.archive.vault.path(recording).unlink()
    assert [one.code for one in verify(desk.archive).findings] == ["object_unreadable"]
