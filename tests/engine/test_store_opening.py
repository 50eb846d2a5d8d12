"""A call that rings while the archive is still being opened: it is looked up as soon as that is done, and not before."""

from __future__ import annotations

import queue
import threading
from datetime import datetime
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.domain.errors import ArchiveError
from tests.archive.scene import MemoryKeys
from tests.engine.test_store import Desk


@pytest.mark.rule("G31")
def test_a_look_up_waits_for_the_archive_and_is_answered_by_it(tmp_path: Path) -> None:
    may_open = threading.Event()

    def open_slowly() -> Archive:
        assert may_open.wait(20)
        return Archive.open_or_create(tmp_path / "archive", MemoryKeys())

    desk = Desk(open_slowly)
    desk.rings("call")
    with pytest.raises(queue.Empty):
        desk.inbox.get(timeout=0.2)
    assert desk.known == {}
    may_open.set()
    desk.until(lambda: "call" in desk.known)
    assert desk.known["call"].drawn
    assert desk.store.close()


@pytest.mark.parametrize(
    "fault", [ValueError("no id"), KeyError("x"), ArchiveError("error.archive.unwritable", path="")]
)
def test_an_archive_that_cannot_be_repaired_is_recorded_into_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def repair(_archive: Archive, _now: datetime) -> list[object]:
        raise fault

    monkeypatch.setattr(Archive, "repair", repair)
    desk = Desk(lambda: Archive.open_or_create(tmp_path / "archive", MemoryKeys()))
    desk.until(lambda: desk.store.state.works)
    assert desk.store.close()
