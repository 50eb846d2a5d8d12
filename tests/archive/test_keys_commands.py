"""`klartone keys` as a person meets it, on a demo's archive, whose keys lie in a file: listing, handing over, succession, end."""

from __future__ import annotations

import io
import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.crypto.revocation import revoked
from softphone.archive.crypto.wraps import Recipient
from softphone.bootstrap.home import texts
from softphone.cli.keys import _onward
from softphone.cli.progress import progress
from softphone.domain.purpose import KeyRole, Language
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.wire import Settings
from tests.archive.scene import AT, DOCUMENTATION, TRAINING, Scene
from tests.policies import POLICY

PHRASE = "nok så lang en sætning"
Run = Callable[..., int]
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


def test_a_public_half_is_handed_over_as_the_policy_wants_it(
    run: Run, desk: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


@pytest.mark.parametrize(
    "text", ["", "[[recipient]]\nid = 'x'", "not toml [", '[[recipient]]\nid="a"\npurpose="custody"\npublic_key="AAAA"']
)
def test_what_holds_no_public_key_is_refused_and_nothing_is_taken_in(
    run: Run, desk: Scene, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.toml").write_text(text)
    run("import", str(tmp_path / "none.toml"), status=1)
    assert "no public key" in capsys.readouterr().err
    assert ring.known_keys(desk.store) == []


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
    in_policy(tmp_path, desk, old)
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
    assert known["case-1"]["revoked"]
    assert known["case-1"]["where"] == ["policy"]

    desk.store.delete(f"private-{old.key_id}")
    archive = Archive.open(desk.folder, desk.store)
    assert archive.open_recording(recordings[0], AT, role=KeyRole.DOCUMENTATION).length() == 16_000
    archive.close()


def test_where_no_policy_tells_whether_it_is_the_last_a_key_is_revoked_by_who_is_sure(
    desk: Scene, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.recorded(1, DOCUMENTATION)
    old = desk.recipients[KeyRole.DOCUMENTATION]
    ring.remember(desk.store, ring.Known("case-1", ring.KeyPurpose.DOCUMENTATION, old.public_key, AT))
    in_policy(tmp_path, desk, old)
    (tmp_path / "policy.toml").write_text("version = 1", encoding="utf-8")
    run("revoke", "case-1", status=1)
    assert "it cannot be seen whether case-1 is the only key for documentation" in capsys.readouterr().err
    with desk.archive.catalog.reading() as connection:
        assert revoked(connection) == {}
    run("revoke", "case-1", "--yes")
    with desk.archive.catalog.reading() as connection:
        assert set(revoked(connection)) == {old.key_id}


def in_policy(tmp_path: Path, desk: Scene, old: Recipient) -> None:
    """A policy in the settings whose case-1 is the desk's key for documentation."""
    from softphone.archive.crypto.passphrase import b64
    from softphone.bootstrap.home import Home
    from tests.policies import KEYS

    text = POLICY.replace(KEYS["documentation"], b64(old.public_key))
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    home = Home.within(tmp_path / "home")
    home.folders.create()
    save_settings(home.folders.config, Settings(policy=str(tmp_path / "policy.toml")))
    assert desk.policy_recipients


def test_what_only_a_revoked_key_opens_is_told_with_what_to_do(
    desk: Scene, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.recorded(1, DOCUMENTATION)
    old = desk.recipients[KeyRole.DOCUMENTATION]
    ring.remember(desk.store, ring.Known("case-1", ring.KeyPurpose.DOCUMENTATION, old.public_key, AT))
    run("revoke", "case-1")
    assert "klartone keys rotate case-1 --to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "told"),
    [("nobody", "No key nobody is known here"), ("twin", "Several keys")],
)
def test_a_key_that_is_not_known_or_not_one_is_refused(
    run: Run, desk: Scene, asked: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "training", "--id", "twin")
    other = desk.recipients[KeyRole.TRAINING].public_key
    ring.remember(desk.store, ring.Known("twin", ring.KeyPurpose.TRAINING, other, AT))
    run("export", asked, status=1)
    assert told in capsys.readouterr().err


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


def test_a_restore_with_everything_there_says_why_nothing_came_back(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "training", "--id", "lead-1")
    run("escrow", "make", str(tmp_path / "r.json"), said=f"{PHRASE}\n")
    capsys.readouterr()
    run("escrow", "restore", str(tmp_path / "r.json"), said=f"{PHRASE}\n")
    assert re.fullmatch(
        r"All \d+ keys in it are already in demo-keys\.json, so nothing was restored\.\n", capsys.readouterr().out
    )


def test_ctrl_c_lets_a_batch_be_finished_and_stops_there() -> None:
    before = signal.getsignal(signal.SIGINT)
    with progress() as running:
        onward = _onward(running, texts(Language.EN))
        assert onward(1, 9)
        signal.raise_signal(signal.SIGINT)
        assert not onward(2, 9)
    assert signal.getsignal(signal.SIGINT) is before


def test_no_command_takes_a_passphrase_as_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["export"], ["import"], ["escrow", "make"], ["escrow", "restore"]):
        with pytest.raises(SystemExit):
            cli.main(["keys", *words, "--help"])
        assert "--pass" not in capsys.readouterr().out


def test_an_id_that_is_there_already_is_given_to_no_new_key(
    run: Run, desk: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    run("create", "training", "--id", "lead-7")
    before = ring.known_keys(desk.store)
    for purpose in ("training", "custody", "policy"):
        run("create", purpose, "--id", "lead-7", status=1)
        assert "There is already a key with the id lead-7" in capsys.readouterr().err
    assert ring.known_keys(desk.store) == before
