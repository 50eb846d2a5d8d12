"""A call that rings while the archive is still being opened: it is looked up as soon as that is done, and not before."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
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
