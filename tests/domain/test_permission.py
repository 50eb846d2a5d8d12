"""Which role somebody opens a recording in, and what of another custody key they are told: the judgement alone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from softphone.domain.archive.permission import (
    NotPermitted,
    Viewer,
    narrowed,
    require,
    require_all,
    role_to_open,
    search_scopes,
    search_scopes_for,
)
from softphone.domain.archive.recordings import Query, RecordingRow
from softphone.domain.policy import Team
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
    (scope,) = search_scopes(second, NOW)
    assert [one.sealed_for for one in narrowed(second, scope, Query())] == [(KeyRole.CUSTODY, ("second",))]
    with pytest.raises(NotPermitted):
        require_all(second, Permission.READ_LOG)
    with pytest.raises(NotPermitted):
        require(second, Permission.READ_NOTES)


@pytest.mark.rule("G11")
def test_who_has_several_roles_finds_by_each_and_by_a_number_only_where_one_of_them_may() -> None:
    teams = (Team.model_construct(id="t", lines=(), agents=("bo@nordlys.example",), leads=("lead",)),)
    both = Viewer(frozenset({Role.LEAD, Role.AGENT}), KEYS, teams, ("anna@nordlys.example",))
    scopes = search_scopes(both, NOW)
    assert [one.permission for one in scopes] == [Permission.FIND_TRAINING, Permission.FIND_OWN]
    assert [each.agents for one in scopes for each in narrowed(both, one, Query())] == [
        ("bo@nordlys.example",),
        ("anna@nordlys.example",),
    ]
    with pytest.raises(NotPermitted) as refused:
        search_scopes_for(both, Query(number="+4520123456"), NOW)
    assert refused.value.fault.code == "error.archive.not_by_number"
    handles = Viewer(frozenset({Role.CASE_HANDLER, Role.AGENT}), KEYS, (), ("anna@nordlys.example",))
    found = search_scopes_for(handles, Query(number="+4520123456"), NOW)
    assert [one.permission for one in found] == [Permission.FIND_DOCUMENTATION]
