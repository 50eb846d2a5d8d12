"""Who finds and opens what: by the keys in a keyring, the accounts and the teams, through the commands."""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto import slots
from softphone.archive.crypto.revocation import revoked
from softphone.archive.retention import holding
from softphone.archive.schema.tables import wraps
from softphone.archive.seen.access import viewer_of
from softphone.domain.changes import HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.policy import Policy
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.system.policy_file import parse_policy
from tests.archive.people import ANNA, BO, House, Person, policy_of
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

PHRASE = "nok så lang en sætning"
OTHER = "+4531415926"


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
    home.recorded(DOCUMENTATION, TRAINING)
    home.desk.archive.store = home.desk.only(*keys)
    viewer = viewer_of(home.desk.archive, policy(home), accounts)
    assert viewer.roles == roles
    assert set(viewer.key_ids) == set(keys)


@pytest.mark.rule("G11")
def test_what_a_key_opens_proves_its_role_and_no_policy_does(home: House) -> None:
    home.desk.archive.store = home.desk.only(KeyRole.CUSTODY)
    for given in (None, policy(home)):
        assert viewer_of(home.desk.archive, given, ()).roles == {Role.IT}
    home.recorded(DOCUMENTATION)
    for given in (None, policy(home)):
        assert viewer_of(home.desk.archive, given, ()).roles == {Role.CUSTODY}


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
def test_documentation_is_opened_naming_why_and_a_case_by_custody_and_training_by_the_lead(
    home: House, tmp_path: Path
) -> None:
    recording = home.recorded(DOCUMENTATION, TRAINING)
    export = ["archive", "export", recording, "--wav"]
    case, dpo = home.person("case", KeyRole.DOCUMENTATION), home.person("dpo", KeyRole.CUSTODY)
    lead = home.person("lead", KeyRole.TRAINING)

    said = case.does(*export, str(tmp_path / "no.wav"))
    assert said.status == 1
    assert "--why" in said.err
    assert last(home) == (
        "refused",
        {"deed": "open_documentation", "role": "documentation", **home.desk.shown(KeyRole.DOCUMENTATION)},
    )
    said = dpo.does(*export, str(tmp_path / "no.wav"), "--why", "x")
    assert "--case" in said.err
    assert last(home) == ("refused", {"deed": "open_case", "role": "custody", **home.desk.shown(KeyRole.CUSTODY)})
    assert not (tmp_path / "no.wav").exists()

    assert case.does(*export, str(tmp_path / "1.wav"), "--why", "the price is disputed").status == 0
    opened = {
        "role": "documentation",
        "segments": 1,
        "stated": "the price is disputed",
        **home.desk.shown(KeyRole.DOCUMENTATION),
    }
    assert last(home) == ("recording_exported", opened)
    assert dpo.does(*export, str(tmp_path / "2.wav"), "--case", "2026-114").status == 0
    assert last(home) == (
        "recording_exported",
        {"role": "custody", "segments": 1, "case": "2026-114", **home.desk.shown(KeyRole.CUSTODY)},
    )
    assert "case: 2026-114" in dpo.does("archive", "show", recording).out
    assert lead.does(*export, str(tmp_path / "3.wav")).status == 0
    assert last(home)[1]["role"] == "training"
    assert all((tmp_path / f"{n}.wav").stat().st_size > 10_000 for n in (1, 2, 3))


@pytest.mark.rule("G10")
def test_what_a_hold_alone_keeps_opens_for_custody_only_whatever_wraps_there_are(home: House, tmp_path: Path) -> None:
    recording = home.recorded(DOCUMENTATION)
    holding.raise_hold(home.desk.archive, recording, HoldBy.PARTY, "x", "anna", datetime.now(UTC))
    with home.desk.archive.catalog.reading() as connection:
        kept = [
            slots.wrap_of(*one)
            for one in home.desk.archive.catalog.slots.sealed(connection, wraps.c.role == "documentation")
        ]
    home.desk.commit(Restrict(recording, "hold_only"), recording=recording)
    with home.desk.archive.catalog.writing() as tx:
        tx.wraps.add(kept)
    export = ["archive", "export", recording, "--wav"]
    said = home.person("case", KeyRole.DOCUMENTATION).does(*export, str(tmp_path / "1.wav"), "--why", "x")
    assert said.status == 1
    assert home.person("dpo", KeyRole.CUSTODY).does(*export, str(tmp_path / "2.wav"), "--case", "7").status == 0
    for role in (KeyRole.DOCUMENTATION, KeyRole.TRAINING):
        with pytest.raises(ArchiveError):
            home.desk.archive.open_seeking(recording, datetime.now(UTC), role=role)
        with pytest.raises(ArchiveError):
            home.desk.archive.open_recording(recording, datetime.now(UTC), role=role)


# --- several people -------------------------------------------------------------------------------


def admit(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *more: str, keys: dict[str, bytes]
) -> Person:
    file = tmp_path / f"{name}.admit"
    owner = home.person(f"owner-of-{name}")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n"))
    assert owner.does("archive", "admit", str(file), *more).status == 0
    person = home.admitted(name, keys)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n"))
    assert person.does("archive", "list").status == 1
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n"))
    assert person.does("keys", "import", str(file)).status == 0
    return person


def private(home: House, role: KeyRole) -> dict[str, bytes]:
    name = f"private-{home.desk.recipients[role].key_id}"
    return {name: home.desk.memory.held[name]}


@pytest.mark.rule("G11")
def test_who_is_admitted_without_numbers_opens_the_catalog_and_can_make_no_number_of_it(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = home.recorded(TRAINING, DOCUMENTATION)
    lead = admit(home, tmp_path, monkeypatch, "lead", keys=private(home, KeyRole.TRAINING))
    assert not any(name.startswith("archive-") for name in lead.keys.held)
    assert lead.finds() == {recording}
    assert lead.does("archive", "export", recording, "--wav", str(tmp_path / "1.wav")).status == 0
    opened = Archive.open(home.desk.folder, lead.keys)
    try:
        assert opened.find(recording).number is None
        with pytest.raises(ArchiveError) as refused:
            opened.secrets.number_index(NUMBER)
        assert refused.value.code == "error.archive.no_number_key"
        with pytest.raises(ArchiveError):
            opened.secrets.seal_number(NUMBER, "call")
        assert not opened.signer.signs
        assert opened.head(datetime.now(UTC)) is None
    finally:
        opened.close()
    with pytest.raises(ArchiveError) as refused:
        Archive.open_or_create(home.desk.folder, lead.keys)
    assert refused.value.code == "error.archive.no_number_key"
    with pytest.raises(ArchiveError):
        Archive.open_or_create(home.desk.folder, lead.keys)


def test_who_is_admitted_with_numbers_searches_by_them_and_signs_nothing(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = home.recorded(DOCUMENTATION)
    head = home.desk.archive.head(datetime.now(UTC))
    case = admit(home, tmp_path, monkeypatch, "case", "--numbers", keys=private(home, KeyRole.DOCUMENTATION))
    assert case.finds("--number", NUMBER) == {recording}
    assert case.does("archive", "head").out.strip() == str(head)
    assert case.does("archive", "verify").status == 0
    health = json.loads(case.does("archive", "health", "--json").out)
    assert health["signs"] is False
    assert json.loads(home.person("owner").does("archive", "health", "--json").out)["signs"] is True


@pytest.mark.rule("G11")
def test_a_key_in_use_is_revoked_by_its_own_purpose_or_data_protection_and_by_nobody_else(home: House) -> None:
    home.recorded(DOCUMENTATION, TRAINING)
    lead, handler = home.person("lead", KeyRole.TRAINING), home.person("case", KeyRole.DOCUMENTATION)
    dpo, it = home.person("dpo", KeyRole.CUSTODY), home.person("it", account=ANNA)
    for one in (lead, it):
        said = one.does("keys", "revoke", "case-1")
        assert said.status == 1
        assert "not yours to revoke" in said.err
    refused = [row for row in home.desk.archive.audit_of() if row.event == "refused"]
    key = home.desk.recipients[KeyRole.DOCUMENTATION].key_id
    told = {"deed": "revoke", "of": key}
    assert [row.params for row in refused] == [{**told, **home.desk.shown(KeyRole.TRAINING)}, told]
    with home.desk.archive.catalog.reading() as connection:
        assert revoked(connection) == {}
    handler.does("keys", "revoke", "case-1", "--yes")
    dpo.does("keys", "revoke", "lead-1", "--yes")
    with home.desk.archive.catalog.reading() as connection:
        assert set(revoked(connection)) == {key, home.desk.recipients[KeyRole.TRAINING].key_id}


def test_an_archive_without_recordings_has_keys_handed_out_and_rotated_and_is_swept(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dpo = home.person("dpo", *KeyRole)
    said = dpo.does("archive", "sweep", "--clock-is-right")
    assert (said.status, "follows from the recordings that are sealed for it" in said.err) == (1, True)
    assert dpo.does("archive", "sweep").status == 0
    said = dpo.does("keys", "revoke", "case-1", "--yes")
    assert (said.status, "take the key out of the policy" in said.err) == (1, True)
    assert dpo.does("keys", "create", "training", "--id", "lead-9").status == 0
    assert dpo.does("keys", "rotate", "lead-1", "--to", "lead-9").status == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n"))
    assert dpo.does("archive", "admit", str(tmp_path / "next.admit")).status == 0
    home.recorded(DOCUMENTATION)
    assert dpo.does("archive", "sweep", "--clock-is-right").status == 0
    # Of a team that has no sample yet, data protection revokes the lead's.
    assert "is revoked" in dpo.does("keys", "revoke", "lead-1", "--yes").out


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows, permissions are the administrator's")
def test_the_folder_is_shared_by_command_which_the_log_tells_and_its_health_says_with_whom(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp

    def fails(*_: object) -> None:
        raise PermissionError("not yours")

    group = grp.getgrgid(os.getgid()).gr_name
    owner = home.person("owner")
    assert json.loads(owner.does("archive", "health", "--json").out)["shared_with"] is None
    refused = owner.does("archive", "share", "--group", "no-such-group")
    assert (refused.status, refused.out) == (1, "")
    assert "no group" in refused.err
    assert home.desk.archive.audit_of() == []
    with monkeypatch.context() as patch:
        patch.setattr(os, "chown", fails)
        assert owner.does("archive", "share", "--group", group).status == 1
    # It is told before anything is done.
    assert last(home) == ("archive_shared", {"group": group})
    assert owner.does("archive", "share", "--group", group).status == 0
    assert json.loads(owner.does("archive", "health", "--json").out)["shared_with"] == group
