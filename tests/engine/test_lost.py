"""What an agent who comes back sees of calls that nobody answered, and of one in which the engine itself was killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone.domain.ending import Ending
from softphone.engine.sip import events as sip
from softphone.wire.snapshot import PastCall
from tests.archive.scene import DOCUMENTATION, NUMBER
from tests.engine.test_notes import ANOTHER, Noted


class Lost(Noted):
    recorded = ""
    """a call that the archive has, and that no engine has ended"""


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Lost]:
    made = Lost(tmp_path / "archive")
    made.recorded = made.kept(DOCUMENTATION, ends=False)
    made.start()
    yield made
    made.calls.close_all()
    assert made.store.close()


def row(later: Lost, call: str) -> PastCall:
    return next(one for one in later.calls.history() if one.id == call)


def unseen(later: Lost) -> dict[str, bool]:
    """Which calls wait to be looked at, and whether each broke off."""
    return {one.id: one.broke_off for one in later.calls.history() if one.unseen}


def test_a_call_in_which_the_engine_was_killed_is_there_with_its_name_until_somebody_has_called(later: Lost) -> None:
    later.rings("lost")
    assert unseen(later) == {}
    later.answer("lost")
    later.again()
    later.until(lambda: unseen(later) == {"lost": True})
    assert (row(later, "lost").name, row(later, "lost").number) == ("Mette", NUMBER)
    later.rings("other", ANOTHER)
    later.answer("other")
    later.ends("other")
    assert unseen(later) == {"lost": True}, "that was somebody else"
    later.again()
    later.until(lambda: unseen(later) == {"lost": True})
    later.rings("again")
    assert unseen(later) == {"lost": True}, "it only rings"
    later.answer("again")
    assert unseen(later) == {}
    assert row(later, "lost").broke_off
    later.ends("again")
    later.again()
    later.until(lambda: len(later.calls.history()) == 4)
    assert unseen(later) == {}
    assert [one.id for one in later.calls.history() if one.broke_off] == ["lost"]


def test_what_is_kept_of_a_call_that_broke_off_stands_in_its_row_and_so_does_its_name(later: Lost) -> None:
    """Its row was written as it was answered; the archive says what became of it."""
    call = later.recorded
    later.rings(call)
    later.answer(call)
    later.again()
    later.until(lambda: unseen(later) == {call: True})
    assert (row(later, call).name, row(later, call).kept, row(later, call).outcome) == ("Mette", True, "documentation")


def test_a_missed_call_waits_to_be_seen_over_a_restart_and_what_was_declined_or_answered_does_not(later: Lost) -> None:
    for call, ending in (("missed", None), ("declined", None), ("elsewhere", Ending.ELSEWHERE)):
        later.rings(call, ANOTHER)
        if call == "declined":
            later.calls.decline(call)
        later.calls.ended(sip.CallEnded(call, 487, "", by_us=False, ending=ending))
    assert unseen(later) == {"missed": False}
    later.again()
    later.until(lambda: unseen(later) == {"missed": False})
    assert later.calls.seen(("missed", "nobody")) is None
    assert unseen(later) == {}
    later.again()
    later.until(lambda: any(one.id == "missed" for one in later.calls.history()))
    assert unseen(later) == {}
    assert row(later, "missed").outcome == "missed"
