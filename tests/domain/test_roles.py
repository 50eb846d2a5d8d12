"""Who may do what, as a table: each role, each permission."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Permission, Role, may, role_of

A, C, L, D = Role.AGENT, Role.CASE_HANDLER, Role.LEAD, Role.CUSTODY
TABLE: dict[Permission, set[Role]] = {
    Permission.FIND_OWN: {A},
    Permission.FIND_DOCUMENTATION: {C},
    Permission.FIND_TRAINING: {L},
    Permission.FIND_ALL: {D},
    Permission.OPEN_DOCUMENTATION: {C},
    Permission.OPEN_TRAINING: {L},
    Permission.OPEN_CASE: {D},
    Permission.REVIEW: {L},
    Permission.TAKE_BACK: {C, D},
    Permission.RAISE_HOLD: {A, C, L, D},
    Permission.DECIDE_HOLD: {D},
    Permission.DECIDE_CASE: {D},
    Permission.JUDGE: {D},
    Permission.BELIEVE_CLOCK: {D},
    Permission.READ_NOTES: {D},
    Permission.READ_LOG: {D},
    Permission.READ_OPERATIONS: {Role.IT},
    Permission.CHOOSE_SIGNER: {D},
}


def test_the_table_has_every_permission() -> None:
    assert set(TABLE) == set(Permission)


@pytest.mark.rule("G11")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_each_role_may_do_what_the_table_says_and_no_more(role: Role, permission: Permission) -> None:
    assert may([role], permission) is (role in TABLE[permission])


def test_several_roles_add_up_and_none_takes_anything_away() -> None:
    for one in Role:
        for other in Role:
            both = {permission for permission in Permission if may([one, other], permission)}
            assert both == {each for each in Permission if may([one], each) or may([other], each)}


def test_a_key_proves_the_role_of_whom_it_was_sealed_for() -> None:
    assert {key: role_of(key) for key in KeyRole} == {
        KeyRole.DOCUMENTATION: Role.CASE_HANDLER,
        KeyRole.TRAINING: Role.LEAD,
        KeyRole.CUSTODY: Role.CUSTODY,
    }
