"""Who may do what, as a table: each role, each deed."""

from __future__ import annotations

import pytest

from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Deed, Role, may, role_of

A, C, L, D, I = Role.AGENT, Role.CASE_HANDLER, Role.LEAD, Role.CUSTODY, Role.IT  # noqa: E741
TABLE: dict[Deed, set[Role]] = {
    Deed.FIND_OWN: {A},
    Deed.FIND_DOCUMENTATION: {C},
    Deed.FIND_TRAINING: {L},
    Deed.FIND_ALL: {D},
    Deed.OPEN_DOCUMENTATION: {C},
    Deed.OPEN_TRAINING: {L},
    Deed.OPEN_CASE: {D},
    Deed.REVIEW: {L},
    Deed.TAKE_BACK: {C, D},
    Deed.RAISE_HOLD: {A, C, L, D},
    Deed.DECIDE_HOLD: {D},
    Deed.DECIDE_CASE: {D},
    Deed.JUDGE: {D},
    Deed.BELIEVE_CLOCK: {D},
    Deed.READ_LOG: {D},
    Deed.CHOOSE_SIGNER: {D},
    Deed.KEEP: {A, C, L, D, I},
}


def test_the_table_has_every_deed() -> None:
    assert set(TABLE) == set(Deed)


@pytest.mark.rule("G11")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("deed", list(Deed))
def test_each_role_may_do_what_the_table_says_and_no_more(role: Role, deed: Deed) -> None:
    assert may([role], deed) is (role in TABLE[deed])


def test_several_roles_add_up_and_none_takes_anything_away() -> None:
    for one in Role:
        for other in Role:
            both = {deed for deed in Deed if may([one, other], deed)}
            assert both == {deed for deed in Deed if may([one], deed) or may([other], deed)}


def test_nobody_may_only_look_after_the_archive() -> None:
    assert {deed for deed in Deed if may([], deed)} == {Deed.KEEP}


def test_a_key_proves_the_role_of_whom_it_was_sealed_for() -> None:
    assert {key: role_of(key) for key in KeyRole} == {
        KeyRole.DOCUMENTATION: Role.CASE_HANDLER,
        KeyRole.TRAINING: Role.LEAD,
        KeyRole.CUSTODY: Role.CUSTODY,
    }
