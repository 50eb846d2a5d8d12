"""`klartone keys` as a person meets it, on a demo's archive, whose keys lie in a file: listing, handing over, succession, end."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import b64
from softphone.bootstrap.home import Home
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire.snapshot import Settings
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene
from tests.policies import KEYS, POLICY

PHRASE = "nok så lang en sætning"
Run = Callable[..., int]
DEMO = True
pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def run(tmp_path: Path, desk: Scene, monkeypatch: pytest.MonkeyPatch) -> Run:
    def keys(*words: str, said: str = "", status: int = 0) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        done = cli.main(["--home", str(tmp_path / "home"), "keys", *words, "--archive", str(desk.folder)])
        assert done == status
        return done

    return keys


@pytest.fixture
def listed(run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, dict[str, Any]]]:
    def read() -> dict[str, dict[str, Any]]:
        capsys.readouterr()
        run("list", "--json")
        return {one["id"] or one["key"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}

    return read


def test_a_key_is_listed_with_what_it_is_where_it_is_and_how_much_it_opens(
    desk: Scene, run: Run, listed: Callable[[], dict[str, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "documentation", "--id", "case-1")
    known = listed()
    assert known["case-1"]["kind"] == "private"
    assert known["case-1"]["where"] == ["demo-keys.json"]
    assert known["case-1"]["wraps"] == 0
    assert known["case-1"]["created"]
    (made,) = ring.known_keys(desk.store)
    desk.policy_recipients.append(made.recipient)
    desk.recorded(1, DOCUMENTATION, TRAINING)

    known = listed()

    assert known["case-1"]["wraps"] == 1
    old = desk.recipients[KeyRole.DOCUMENTATION].key_id
    assert known[old] == {
        "id": None,
        "key": old,
        "purpose": "documentation",
        "purpose_known": True,
        "kind": "private",
        "created": None,
        "where": ["archive"],
        "wraps": 1,
        "revoked": None,
    }
    assert len(known) == 4
    run("list")
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "ID"
    line = next(one for one in rows if one.startswith("case-1"))
    assert heading.index("OPENS") == line.index("opens 1 segment")
    assert made.key_id[:8] in line
    assert "private and public" in line
    assert "opens 1 segment" in line


def test_a_pair_moves_to_another_keyring_in_an_encrypted_file_and_the_log_tells(
    run: Run, desk: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "training", "--id", "lead-1")
    file = tmp_path / "lead.json"
    run("export", "lead-1", "--private", str(file), said="kort\n", status=1)
    assert not file.exists()
    run("export", "lead-1", "--private", str(file), status=1)
    assert "No passphrase was given" in capsys.readouterr().err
    assert desk.archive.audit_of() == []
    run("export", "lead-1", "--private", str(file), said=f"{PHRASE}\n")
    (known,) = ring.known_keys(desk.store)
    private = desk.store.get(known.private_name)
    assert private is not None
    assert private not in file.read_bytes()
    assert "key_exported" in [entry.event for entry in desk.archive.audit_of()]
    assert all(private.hex() not in str(entry.params) for entry in desk.archive.audit_of())

    run("export", "lead-1", "--private", str(file), said=f"{PHRASE}\n", status=1)
    assert "already exists" in capsys.readouterr().err
    assert [entry.event for entry in desk.archive.audit_of()].count("key_exported") == 1

    desk.store.delete(known.private_name)
    run("import", str(file), said="en helt anden sætning\n", status=1)
    assert desk.store.get(known.private_name) is None
    run("import", str(file), said=f"{PHRASE}\n")
    assert desk.store.get(known.private_name) == private
    assert ring.known_keys(desk.store) == [known]


def test_each_key_that_goes_into_an_escrow_is_named_with_what_it_is_for(
    run: Run, desk: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those that no list has: the archive's own, and its desk's."""
    run("create", "training", "--id", "lead-1")
    desk.recorded(1, DOCUMENTATION)
    capsys.readouterr()
    run("escrow", "make", str(tmp_path / "r.json"), said=f"{PHRASE}\n")
    told = capsys.readouterr().out.splitlines()
    (lead,) = ring.known_keys(desk.store)
    of_old_version = {role: desk.recipients[role].key_id[:8] for role in (KeyRole.DOCUMENTATION, KeyRole.CUSTODY)}
    assert set(told[2:-1]) == {
        f"  lead-1: training, {lead.key_id[:8]}",
        *(
            f"  {key}: {'data protection' if role is KeyRole.CUSTODY else 'documentation'}, {key}"
            for role, key in of_old_version.items()
        ),
        f"  the archive's own: opens its catalog and its numbers, {desk.archive.id}",
        f"  the desk's own: signs the audit log, {desk.archive.desk}",
    }
    assert told[1] == f"It holds {len(told[2:-1])} keys:"


def test_a_public_half_is_handed_over_and_what_is_none_or_not_one_is_refused(
    run: Run, desk: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.toml").write_text('[[recipient]]\nid="a"\npurpose="custody"\npublic_key="AAAA"')
    run("import", str(tmp_path / "none.toml"), status=1)
    assert "no public key" in capsys.readouterr().err
    theirs = ring.create(DemoKeyFile(tmp_path / "theirs.json"), "case-2", KeyRole.DOCUMENTATION, AT)
    (tmp_path / "case-2.toml").write_text(theirs.as_policy())
    run("import", str(tmp_path / "case-2.toml"))
    assert theirs.key_id[:16] in capsys.readouterr().out
    run("export", "case-2")
    assert capsys.readouterr().out.strip() == theirs.as_policy().strip()
    run("export", "case-2", "--private", str(tmp_path / "p.json"), said=f"{PHRASE}\n", status=1)
    assert "private half of the key case-2 is not in this keyring" in capsys.readouterr().err
    assert not (tmp_path / "p.json").exists()
    assert desk.store.get(theirs.private_name) is None
    run("create", "training", "--id", "case-2", status=1)
    assert "There is already a key with the id case-2" in capsys.readouterr().err
    run("export", "nobody", status=1)
    assert "No key nobody is known here" in capsys.readouterr().err


def test_a_key_is_rotated_and_revoked_by_its_names_in_the_policy(
    desk: Scene,
    run: Run,
    tmp_path: Path,
    listed: Callable[[], dict[str, dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The old key is known from the policy alone; its successor is made here."""
    recordings = [desk.recorded(1, DOCUMENTATION) for _ in range(3)]
    old = desk.recipients[KeyRole.DOCUMENTATION]
    policy, home = tmp_path / "policy.toml", Home.within(tmp_path / "home")
    policy.write_text(POLICY.replace(KEYS["documentation"], b64(old.public_key)), encoding="utf-8")
    home.folders.create()
    save_settings(home.folders.config, Settings(policy=str(policy)))
    run("create", "documentation", "--id", "case-9")

    run("rotate", "case-1", "--to", "case-9")
    assert "3 segments were sealed again" in capsys.readouterr().out
    assert listed()["case-9"]["wraps"] == listed()["case-1"]["wraps"] == 3
    run("revoke", "case-1", status=1)
    assert "is the only key for documentation that the policy names" in capsys.readouterr().err
    assert not listed()["case-1"]["revoked"]
    run("revoke", "case-1", "--yes")
    told = capsys.readouterr()
    assert "no longer opens 3 segments" in told.out
    assert "no other key for documentation" in told.err
    known = listed()
    assert (known["case-1"]["wraps"], known["case-9"]["wraps"]) == (0, 3)
    assert (bool(known["case-1"]["revoked"]), known["case-1"]["where"]) == (True, ["policy"])
    # Nothing tells whether it is the last, and what it alone opens stays until it is rotated.
    policy.write_text("version = 1", encoding="utf-8")
    run("revoke", "case-9", status=1)
    assert "it cannot be seen whether case-9 is the only key for documentation" in capsys.readouterr().err
    run("revoke", "case-9", "--yes")
    assert "klartone keys rotate case-9 --to" in capsys.readouterr().err

    desk.store.delete(f"private-{old.key_id}")
    with closing(Archive.open(desk.folder, desk.store)) as archive:
        assert archive.open_recording(recordings[0], AT, role=KeyRole.DOCUMENTATION).length == 16_000


def test_a_house_certifies_a_desk_and_doctor_says_whether_its_colleagues_believe_it(
    tmp_path: Path, desk: Scene, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    config, policy = Home.within(tmp_path / "home").folders.config, tmp_path / "policy.toml"

    def said(certificate: str = "") -> str:
        save_settings(config, Settings(policy=str(policy), archive=str(desk.folder), desk_certificate=certificate))
        capsys.readouterr()
        cli.main(["--home", str(tmp_path / "home"), "doctor"])
        return next(line for line in capsys.readouterr().out.splitlines() if "Transfer:" in line)

    run("create", "house", "--id", "huset")
    printed = capsys.readouterr().out
    policy.write_text(
        POLICY.replace(
            "[[recipient]]", f"{printed.partition('[house]')[1]}{printed.partition('[house]')[2]}[[recipient]]", 1
        )
    )
    assert "no certificate" in said()
    run("desk")
    key = capsys.readouterr().out.strip()
    run("certify", key, "--id", "huset", "--for", "P1Y")
    certificate = capsys.readouterr().out.split('desk_certificate = "')[1].split('"')[0]
    assert "believe" in said(certificate)
    run("certify", KEYS["training"], "--id", "huset")
    anothers = capsys.readouterr().out.split('desk_certificate = "')[1].split('"')[0]
    assert "another desk's" in said(anothers)
    run("certify", key, "--id", "nobody", status=1)
    run("certify", "abc", "--id", "huset", status=1)
    assert capsys.readouterr().err.count("\n") == 2
