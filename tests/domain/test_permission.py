"""Which role somebody opens a recording in, and what of another custody key they are told: the judgement alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from softphone.domain.archive.permission import NotPermitted, Viewer, narrowed, require_all, role_to_open, search_scopes
from softphone.domain.archive.recordings import Query, RecordingRow
from softphone.domain.purpose import Direction, KeyRole, Purpose
from softphone.domain.roles import Permission, Role

NOW = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
KEYS = {role: (role.value,) for role in KeyRole}
ALL = Viewer(frozenset(Role), KEYS, all_teams=True)


def row(*opens: KeyRole) -> RecordingRow:
    ends = dict.fromkeys(Purpose, date(2027, 2, 25))
    return RecordingRow(
        "r", "c", "salg", Direction.INBOUND, None, NOW, NOW, opens, ends, (), None, 0, "Europe/Copenhagen"
    )


@pytest.mark.rule("G11")
def test_of_several_roles_the_least_is_taken_unless_another_is_asked_for() -> None:
    every = row(*KeyRole)
    assert role_to_open(ALL, every, None) is KeyRole.TRAINING
    assert role_to_open(ALL, every, None, why="x") is KeyRole.DOCUMENTATION
    assert role_to_open(ALL, every, None, case="7") is KeyRole.CUSTODY
    assert role_to_open(ALL, every, KeyRole.DOCUMENTATION, why="x") is KeyRole.DOCUMENTATION
    with pytest.raises(NotPermitted) as refused:
        role_to_open(ALL, every, KeyRole.DOCUMENTATION, case="7")
    assert (refused.value.permission, refused.value.fault.code) == (
        Permission.OPEN_DOCUMENTATION,
        "error.archive.say_why",
    )
    # What is closed to a role, no words open; that it is closed is then the archive's to say.
    assert role_to_open(ALL, row(KeyRole.TRAINING), KeyRole.DOCUMENTATION) is KeyRole.DOCUMENTATION


@pytest.mark.rule("G11")
def test_custody_by_a_key_that_opens_less_than_most_is_told_of_what_it_opens_alone() -> None:
    second = Viewer(frozenset({Role.CUSTODY}), {KeyRole.CUSTODY: ("second",)})
    (sight,) = search_scopes(second, NOW)
    assert [one.sealed_for for one in narrowed(second, sight, Query())] == [(KeyRole.CUSTODY, ("second",))]
    with pytest.raises(NotPermitted):
        require_all(second, Permission.READ_LOG)
