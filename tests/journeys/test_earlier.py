"""A dispute about earlier calls while the caller is on the line: pressed in the real window, and held in the archive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.domain.purpose import KeyRole, Purpose
from softphone.wire.from_engine import Refused
from softphone.wire.to_engine import LockEarlier
from tests.days import house_day
from tests.journeys.desk import Desk
from tests.journeys.fault_words import sentence
from tests.journeys.process_window import Window, no_engine_left, observed, recorded, window
from tests.journeys.stage import CUSTOMER, Stage, build

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

OTHER = "+4531221009"
PAST = house_day(datetime.now(UTC) + timedelta(days=400)).isoformat()
NOT_TRAINING = {KeyRole.DOCUMENTATION, KeyRole.CUSTODY}


def over(on: Stage, desk: Window, call: str) -> str:
    on.hang_up(call)
    desk.press("endWrapUp")
    on.desk.wait(lambda now: not now.calls or None, "the end of wrap-up")
    return call


def held(archive: Archive) -> dict[str, tuple[list[tuple[str, str]], set[KeyRole]]]:
    """Of each call: for whom it is held and by whom, and who can open it."""
    return {
        row.call: ([(one.raised_for, one.raised_by) for one in row.holds], set(row.opens_for)) for row in archive.list()
    }


@pytest.mark.rule("G10")
def test_the_caller_disputes_earlier_calls_and_they_are_locked_while_the_call_goes_on(tmp_path: Path) -> None:
    on = build(tmp_path, lines=("n7",))
    with no_engine_left(on), window(on.folder / "home") as desk, observed(on) as eye:
        first, second = (over(on, desk, recorded(on, desk, CUSTOMER)) for _ in range(2))
        other = recorded(on, desk, OTHER)
        desk.press("more")
        desk.wait(lambda _: "action_new_person" in desk.now()["can"], "the menu")
        assert "moreLockEarlier" not in desk.now()["can"], "nobody called from that number before"
        over(on, desk, other)
        this = recorded(on, desk, CUSTOMER)
        for name in ("more", "moreLockEarlier", "moreEarlier_party"):
            desk.press(name)
        # A busy machine may have something to say of itself first.
        said = "2 earlier calls with this number are locked"
        desk.wait(lambda one: (one.get("note") or "").startswith(said), "what was locked")
        eye.wait_status(lambda one: set(one.recording) == set(Purpose) and one.hold is None, "as it was", this)
        with on.archive() as archive:
            locked = [("party", "agent")], NOT_TRAINING
            untouched = list[tuple[str, str]](), set(KeyRole)
            assert held(archive) == {first: locked, second: locked, other: untouched, this: untouched}
            for call in (first, second):
                entry = archive.audit_of(call=call)[-1]
                assert (entry.event, entry.rule, entry.params["by"]) == ("hold_placed", "G10", "party")
            assert "hold_placed" not in {one.event for call in (other, this) for one in archive.audit_of(call=call)}
        over(on, desk, this)

        withheld = recorded(on, desk, "anonymous")
        desk.press("more")
        shown = desk.wait(lambda _: "action_new_person" in desk.now()["can"], "the menu") and desk.now()
        assert "moreLockEarlier" not in shown["can"]
        with Desk.attached(on.runtime) as another:
            answer = another.ask(LockEarlier, call=withheld)
        assert isinstance(answer, Refused)
        assert "withheld" in sentence(answer.said)
        on.hang_up(withheld)
    on.klartone("sweep", "--now", PAST)
    with on.archive() as archive:
        assert held(archive).keys() == {first, second}
    assert on.verified()["ok"]
