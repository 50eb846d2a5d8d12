"""Whether a clock is believed: what it gains is witnessed by another, or bounded, however it is set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.retention import AWAY_PER_WORK, LONGEST_ABSENCE, Seen, Steady, believed

AT = datetime(2026, 11, 25, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
spans = st.one_of(
    st.timedeltas(timedelta(), HOUR), st.timedeltas(timedelta(), DAY), st.timedeltas(timedelta(), 40 * DAY)
)
sets = st.one_of(spans, st.timedeltas(-40 * DAY, 400 * DAY), st.sampled_from([DAY, 30 * DAY, LONGEST_ABSENCE]))


class Machine:
    """Real time, what the machine has been up of it, and what somebody sets its clock to."""

    def __init__(self, *, names_boots: bool = True) -> None:
        self.real = AT
        self.set_ahead = timedelta()
        self.at_work = timedelta()
        self.names_boots = names_boots
        self._up = timedelta()
        self._boot = 0
        self.seen: Seen | None = None
        self.look()

    def works(self, span: timedelta) -> None:
        self.real += span
        self.at_work += span
        self._up += span

    def starts_after(self, span: timedelta) -> None:
        self.real += span
        self._up = timedelta()
        self._boot += 1

    def look(self, *, blind: bool = False) -> bool:
        """Whether the clock is believed now, by a program that has just been started. `blind`: by one without a steady clock."""
        self._looks = getattr(self, "_looks", 0) + 1
        boot = str(self._boot if self.names_boots else self._looks)
        clock = self.real + self.set_ahead
        seen = believed(clock, self.seen, steady=None if blind else Steady(boot, self._up))
        self.seen = seen or self.seen
        return seen is not None


@dataclass(frozen=True)
class Step:
    works: timedelta
    off: timedelta | None
    sets: timedelta
    blind: bool


steps = st.lists(st.builds(Step, spans, st.none() | spans, sets, st.booleans()), max_size=40)


@pytest.mark.rule("G10")
@given(steps, st.booleans())
def test_however_a_clock_is_set_it_is_believed_no_further_ahead_than_the_bound(
    taken: list[Step], names_boots: bool
) -> None:
    machine = Machine(names_boots=names_boots)
    for step in taken:
        machine.works(step.works)
        if step.off is not None:
            machine.starts_after(step.off)
        machine.set_ahead += step.sets
        if machine.look(blind=step.blind):
            assert machine.set_ahead <= LONGEST_ABSENCE + AWAY_PER_WORK * machine.at_work
        else:
            # It is set right again.
            machine.set_ahead -= step.sets


@pytest.mark.rule("G10")
@pytest.mark.parametrize("step", [HOUR, DAY, 10 * DAY, 30 * DAY])
@pytest.mark.parametrize("starts", [False, True])
def test_no_ladder_of_small_jumps_leads_further(step: timedelta, starts: bool) -> None:
    machine = Machine()
    for _ in range(1000):
        if starts:
            machine.starts_after(timedelta())
        machine.set_ahead += step
        if not machine.look():
            break
    assert machine.set_ahead - step <= LONGEST_ABSENCE


@pytest.mark.rule("G10")
def test_within_a_boot_a_jump_of_days_is_found_also_between_two_programs() -> None:
    machine = Machine()
    machine.works(HOUR)
    machine.set_ahead = 2 * DAY
    assert not machine.look()
    machine.set_ahead = timedelta()
    assert machine.look()


def test_a_machine_that_sleeps_or_runs_is_believed_however_long() -> None:
    machine = Machine()
    machine.works(400 * DAY)
    assert machine.look()
    assert machine.seen is not None
    assert machine.seen.away == timedelta()


@pytest.mark.parametrize("names_boots", [False, True])
def test_an_office_year_of_shut_down_machines_and_holidays_needs_nobody(names_boots: bool) -> None:
    """Seven hours of work a day are seen, Monday to Friday; three weeks off in summer, two at the end of the year."""
    machine = Machine(names_boots=names_boots)
    last = machine.real
    for day in range(2 * 365):
        if (AT + day * DAY).weekday() >= 5 or (day % 365) // 7 in {30, 31, 32, 51, 52}:
            continue
        machine.starts_after(AT + day * DAY - last)
        assert machine.look()
        for _ in range(7):
            machine.works(HOUR)
            assert machine.look()
        last = machine.real


def test_two_absences_with_no_work_between_them_wait_for_somebody_or_for_work() -> None:
    machine = Machine()
    machine.starts_after(21 * DAY)
    assert machine.look()
    machine.works(HOUR)
    machine.starts_after(21 * DAY)
    assert not machine.look()
    assert believed(machine.real, machine.seen, witness=machine.real) == Seen(machine.real)
    machine.works(2 * DAY)
    assert machine.look()
