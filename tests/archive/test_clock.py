"""Which clocks a sweep deletes by."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from softphone.archive.catalog.clock import Seen, Steady, is_believed, steady
from softphone.archive.examine.repair import repair
from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.retention.swept import DEFAULT_TERMS
from softphone.archive.seen import LocalArchive
from softphone.domain.archive.permission import Viewer
from softphone.domain.roles import Role
from tests.archive.scene import AT, DOCUMENTATION, Scene

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UP = timedelta(days=3)
LATER = datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.rule("G10")
@pytest.mark.parametrize(
    ("clock", "up", "believed"),
    [
        # the machine has been up all along: its own clock has gone on by `up`
        (HOUR, HOUR, True),
        (100 * DAY, 100 * DAY, True),
        (100 * DAY + 23 * HOUR, 100 * DAY, True),
        (25 * HOUR, timedelta(), False),
        (400 * DAY, HOUR, False),
        (-2 * HOUR, HOUR, False),
        (DAY, 3 * DAY, False),
        # it was switched off and started anew, or nobody knows
        (30 * DAY, None, True),
        (31 * DAY, None, False),
        (-HOUR, None, True),
        (-2 * HOUR, None, False),
        (-20_000 * DAY, None, False),
    ],
)
def test_a_clock_that_jumps_is_not_believed(clock: timedelta, up: timedelta | None, believed: bool) -> None:
    seen = Seen(AT, Steady("boot", UP))
    for beside in [Steady("boot", UP + up)] if up is not None else [Steady("another", HOUR), None]:
        assert is_believed(AT + clock, seen, beside, None) is believed
        # A person, or another source of the time, settles it.
        assert is_believed(AT + clock, seen, beside, AT + clock)
        assert not is_believed(AT + clock, seen, beside, AT + clock + 2 * DAY)


@pytest.mark.rule("G10")
@pytest.mark.parametrize("jump", [400 * DAY, -2 * DAY])
def test_nothing_is_deleted_by_a_clock_that_jumped_until_a_person_says_it_is_right(
    desk: Scene, jump: timedelta
) -> None:
    due = desk.recorded(1, DOCUMENTATION, at=AT - 500 * DAY)
    repair(desk.archive, AT)
    jumped = AT + jump
    for _ in range(2):
        assert [item.what for item in sweep(desk.archive, jumped, clock=jumped)] == [Swept.CLOCK_DOUBTFUL]
        # An engine that starts meanwhile does not make it true.
        repair(desk.archive, jumped)
    assert [row.recording for row in desk.archive.list(AT)] == [due]
    assert [row.event for row in desk.archive.audit_of()].count("sweep_clock_doubtful") == 1

    officer = LocalArchive(desk.archive, Viewer(frozenset({Role.CUSTODY}), finds_all=True))
    swept = officer.upkeep.sweep(
        jumped, clock=jumped, clock_is_right=True, dry_run=False, terms=DEFAULT_TERMS, go_on=lambda: True
    )
    assert Swept.DISCARDED in {one.what for one in swept.items}
    assert [row.event for row in desk.archive.audit_of()].count("clock_believed") == 1
    assert sweep(desk.archive, jumped + DAY, clock=jumped + DAY) == []


def test_a_dry_run_moves_nothing_what_was_seen_is_kept_and_a_clock_set_right_is_believed(
    desk: Scene,
) -> None:
    desk.recorded(1, DOCUMENTATION, at=AT - 500 * DAY)
    repair(desk.archive, AT)
    assert Swept.DISCARDED in {item.what for item in sweep(desk.archive, LATER, clock=LATER, dry_run=True)}
    with closing(desk.reopen()) as archive:
        assert [item.what for item in sweep(archive, LATER, clock=LATER)] == [Swept.CLOCK_DOUBTFUL]
    assert Swept.DISCARDED in {item.what for item in sweep(desk.archive, AT + HOUR, clock=AT + HOUR)}


@pytest.mark.rule("G10")
def test_a_jump_that_was_doubted_is_not_believed_because_the_machine_was_started_anew(desk: Scene) -> None:
    desk.recorded(1, DOCUMENTATION)
    repair(desk.archive, AT, Steady("boot", UP))
    jumped = AT + 20 * DAY
    assert not desk.archive.see(jumped, Steady("boot", UP + HOUR))
    assert not desk.archive.see(jumped + HOUR, Steady("another", HOUR))
    # Set right it is believed, and then it may have been switched off for as long.
    assert desk.archive.see(AT + 3 * HOUR, Steady("another", 3 * HOUR))
    assert desk.archive.see(jumped + DAY, Steady("third", HOUR))


def test_two_programs_of_one_boot_know_it_by_one_name_and_the_second_finds_it_later() -> None:
    code = "from softphone.archive.catalog.clock import steady; one = steady(); print(one.boot, one.up.total_seconds())"
    before = steady()
    boot, up = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert before.up < timedelta(seconds=float(up)) < steady().up
    assert (boot == before.boot) == (sys.platform == "linux")
