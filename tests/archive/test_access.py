"""Who finds and opens what: by the keys in a keyring, the accounts and the teams, through the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from softphone.archive.crypto.revocation import revoked
from softphone.archive.seen.access import viewer_of
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.system.policy_file import parse_policy
from tests.archive.people import ANNA, BO, House, policy_of
from tests.archive.scene import DOCUMENTATION, TRAINING

pytestmark = pytest.mark.usefixtures("english")


def policy(home: House) -> Policy:
    return parse_policy(policy_of(home.desk)).policy


def last(home: House) -> tuple[str, dict[str, object]]:
    entry = home.desk.archive.audit_of()[-1]
    return entry.event, dict(entry.params)


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("keys", "accounts", "roles"),
    [
        ((), (), {Role.IT}),
        ((), (ANNA,), {Role.AGENT}),
        ((KeyRole.DOCUMENTATION,), (), {Role.CASE_HANDLER}),
        ((KeyRole.TRAINING,), (ANNA,), {Role.LEAD, Role.AGENT}),
        ((KeyRole.CUSTODY, KeyRole.DOCUMENTATION), (), {Role.CUSTODY, Role.CASE_HANDLER}),
    ],
)
def test_roles_follow_from_the_keys_and_the_accounts_that_are_here(
    home: House, keys: tuple[KeyRole, ...], accounts: tuple[str, ...], roles: set[Role]
) -> None:
    home.desk.archive.store = home.desk.only(*keys)
    # What a key opens proves its role, and no policy does.
    assert Role.CUSTODY not in viewer_of(home.desk.archive, policy(home), accounts).roles
    home.recorded(DOCUMENTATION, TRAINING)
    viewer = viewer_of(home.desk.archive, policy(home), accounts)
    assert viewer.roles == roles
    assert set(viewer.key_ids) == set(keys)


def test_a_team_is_led_by_whose_key_it_names_and_where_there_are_no_teams_everybody_is_led(home: House) -> None:
    home.recorded(TRAINING)
    home.desk.archive.store = home.desk.only(KeyRole.TRAINING)
    viewer = viewer_of(home.desk.archive, policy(home), ())
    assert [team.id for team in viewer.teams] == ["salg"]
    assert viewer.leads("salg", ANNA)
    assert not viewer.leads("salg", BO)
    assert not viewer.leads("salg", None)
    alone = policy(home).model_copy(update={"team": ()})
    assert viewer_of(home.desk.archive, alone, ()).leads("salg", BO)
    assert not viewer_of(home.desk.archive, None, ()).leads("salg", ANNA)


# --- through the commands -------------------------------------------------------------------------


@pytest.mark.rule("G11")
def test_documentation_is_opened_naming_why_and_by_custody_a_case_which_the_log_tells(
    home: House, tmp_path: Path
) -> None:
    recording = home.recorded(DOCUMENTATION, TRAINING)
    for role, lacks, deed, says, told in (
        (KeyRole.DOCUMENTATION, (), "open_documentation", ("--why", "disputed"), {"stated": "disputed"}),
        (KeyRole.CUSTODY, ("--why", "x"), "open_case", ("--case", "2026-114"), {"case": "2026-114"}),
        (KeyRole.TRAINING, None, "", (), {}),
    ):
        person, wav = home.person(role.value, role), tmp_path / f"{role}.wav"
        export = ("archive", "export", recording, "--wav", str(wav))
        if lacks is not None:
            said = person.does(*export, *lacks)
            assert (said.status, "".join(says[:1]) in said.err, wav.exists()) == (1, True, False)
            assert last(home) == ("refused", {"deed": deed, "role": role, **home.desk.shown(role)})
        assert person.does(*export, *says).status == 0
        assert last(home) == ("recording_exported", {"role": role, "segments": 1, **told, **home.desk.shown(role)})
        assert wav.stat().st_size > 10_000
    assert "case: 2026-114" in home.person("dpo", KeyRole.CUSTODY).does("archive", "show", recording).out


@pytest.mark.rule("G11")
def test_a_key_in_use_is_revoked_by_its_own_purpose_or_data_protection_and_by_nobody_else(home: House) -> None:
    dpo = home.person("dpo", *KeyRole)
    # What a key is for follows from what is sealed for it.
    for words, said in (
        (("archive", "sweep", "--clock-is-right"), "follows from the recordings that are sealed for it"),
        (("keys", "revoke", "case-1", "--yes"), "take the key out of the policy"),
    ):
        told = dpo.does(*words)
        assert (told.status, said in told.err) == (1, True), told
    home.recorded(DOCUMENTATION, TRAINING)
    lead, it = home.person("lead", KeyRole.TRAINING), home.person("it", account=ANNA)
    for one in (lead, it):
        said = one.does("keys", "revoke", "case-1")
        assert (said.status, "not yours to revoke" in said.err) == (1, True)
    refused = [row.params for row in home.desk.archive.audit_of() if row.event == "refused"]
    key = home.desk.recipients[KeyRole.DOCUMENTATION].key_id
    told = {"deed": "revoke", "of": key}
    assert refused[-2:] == [{**told, **home.desk.shown(KeyRole.TRAINING)}, told]
    with home.desk.archive.catalog.reading() as connection:
        assert revoked(connection) == {}
    home.person("case", KeyRole.DOCUMENTATION).does("keys", "revoke", "case-1", "--yes")
    home.person("custody", KeyRole.CUSTODY).does("keys", "revoke", "lead-1", "--yes")
    with home.desk.archive.catalog.reading() as connection:
        assert set(revoked(connection)) == {key, home.desk.recipients[KeyRole.TRAINING].key_id}
