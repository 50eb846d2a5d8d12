"""What somebody practises on a demo's archive: each command works there as on a real one, with the demo's keys for a keyring's.

One call is played, and each test has a copy of what it leaves.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.keys import escrow
from softphone.bootstrap.home import DEMO_KEYS, DEMO_POLICY
from softphone.demo.stage import set_stage
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import load_policy
from tests.archive.scene import AT, MemoryKeys
from tests.demo.test_demo import SECONDS, chunks, run_demo, summary_of

PHRASE = "nok så lang en sætning"
pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder in which one call was played, and its summary."""
    folder = tmp_path_factory.mktemp("played") / "demo"
    return folder, summary_of(run_demo(folder, "--notice", "N7"))


@pytest.fixture
def demo(played: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    return shutil.copytree(played[0], tmp_path / "demo", ignore=shutil.ignore_patterns("runtime"))


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """As its user types it, whose home knows nothing of the demo: what is told."""
    monkeypatch.setenv("LC_ALL", "en.UTF-8")

    def klartone(*words: str | Path, status: int = 0) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PHRASE}\n" * 3))
        capsys.readouterr()
        done = cli.main(["--home", str(tmp_path / "home"), *map(str, words)])
        said = capsys.readouterr()
        assert done == status, said
        return said.out + said.err

    return klartone


@pytest.mark.rule("G05")
def test_a_call_with_n7_is_recorded_for_both_purposes_after_the_notices_last_word(
    played: tuple[Path, dict[str, Any]],
) -> None:
    folder, summary = played
    assert summary["notice"] == "N7"
    assert summary["consent"] is None
    assert summary["notice_ended_at"] > summary["notice_started_at"] + 8
    assert summary["first_sample_at"] > summary["notice_ended_at"]
    assert summary["recorded_seconds"] == pytest.approx(SECONDS, abs=1)
    assert summary["purposes"] == ["documentation", "training"]
    assert (summary["status"], summary["reason"]) == ("recording", "assessment")
    assert summary["kept"]
    assert not summary["on_hold"]
    assert set(summary["expires"]) == {"documentation", "training"}
    assert summary["audit_ok"]
    assert chunks(folder) == [summary["recording_id"]]


def keys_of(run: Run, demo: Path) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in map(json.loads, run("keys", "list", "--json", "--archive", demo).splitlines())}


def test_each_key_has_its_name_in_the_policy_and_lies_in_the_demos_file(demo: Path, run: Run) -> None:
    keys = keys_of(run, demo)
    assert {id: (one["purpose"], one["kind"], one["wraps"]) for id, one in keys.items()} == {
        "case-1": ("documentation", "private", 1),
        "lead-1": ("training", "private", 1),
        "protection-1": ("custody", "private", 1),
    }
    assert all(one["where"] == [DEMO_KEYS, "policy"] for one in keys.values())
    assert f"{DEMO_KEYS}, policy" in run("keys", "list", "--archive", demo)
    assert 'id = "lead-1"' in run("keys", "export", "lead-1", "--archive", demo)
    assert run("archive", "verify", "--archive", demo)


@pytest.mark.rule("G11")
def test_a_key_is_succeeded_by_another_and_the_next_call_is_sealed_for_that(demo: Path, run: Run) -> None:
    given = run("keys", "create", "documentation", "--id", "case-2", "--archive", demo)
    assert given.startswith(f"The private key case-2 is in {DEMO_KEYS}.")
    assert "only key for documentation" in run("keys", "revoke", "case-1", "--archive", demo, status=1)
    policy = demo / DEMO_POLICY
    successor = given.partition("\n")[2].strip()
    policy.write_text(
        re.sub(r'\[\[recipient\]\]\nid = "case-1"[^\[]*', f"{successor}\n\n", policy.read_text("utf-8")), "utf-8"
    )

    run("keys", "revoke", "case-1", "--archive", demo)
    run("keys", "rotate", "case-1", "--to", "case-2", "--archive", demo)

    keys = keys_of(run, demo)
    assert keys["case-1"]["revoked"]
    assert (keys["case-1"]["wraps"], keys["case-2"]["wraps"]) == (0, 1)
    stage = set_stage(demo, "N7", listen=False)
    stage.turn.close()
    assert [one.id for one in load_policy(policy).policy.recipient] == ["case-2", "lead-1", "protection-1"]
    archive = stage.open_archive()
    assert archive.open_recording(archive.list()[0].recording, AT, role=KeyRole.DOCUMENTATION).length > 16_000
    archive.close()


@pytest.mark.rule("G11")
def test_a_call_that_is_sealed_for_no_key_says_why_and_which_file_is_to_name_another(demo: Path, run: Run) -> None:
    run("keys", "revoke", "case-1", "--yes", "--archive", demo)
    told = run_demo(demo, "--notice", "N1", json_lines=False)
    assert told.returncode == 0, told.stderr
    # It is known before the call is answered: nobody is told that it is recorded.
    assert "There will be no notice and no recording" in told.stdout
    assert "notice begins" not in told.stdout
    (line,) = [one for one in told.stdout.splitlines() if one.startswith("Nothing was recorded")]
    assert "has been revoked" in line
    assert f"klartone keys create PURPOSE --id NEW-ID --archive {demo}" in line
    assert str(demo / DEMO_POLICY) in line


def test_a_key_file_that_is_lost_comes_back_from_its_escrow_and_never_into_the_keyring(
    demo: Path, run: Run, tmp_path: Path
) -> None:
    run("keys", "escrow", "make", tmp_path / "recovery.key", "--archive", demo)
    (demo / DEMO_KEYS).unlink()
    said = run("archive", "list", "--archive", demo, status=1)
    assert f"not in its {DEMO_KEYS}" in said
    assert f"klartone keys escrow restore FILE --archive {demo}" in said
    restore = ("keys", "escrow", "restore", tmp_path / "recovery.key")
    assert "never go into the keyring" in run(*restore, status=1)
    assert f"5 keys were restored to {DEMO_KEYS}." in run(*restore, "--archive", demo)
    assert (demo / DEMO_KEYS).stat().st_mode & 0o077 == 0
    assert "1 recording" in run("archive", "verify", "--archive", demo)


def test_a_keyrings_keys_never_come_into_a_demos_file(demo: Path, run: Run, tmp_path: Path) -> None:
    real = MemoryKeys()
    ring.create(real, "case-9", KeyRole.DOCUMENTATION, AT)
    escrow.make(escrow.gather(real, ring.known_keys(real), None, None), tmp_path / "real.key", PHRASE, AT)
    before = (demo / DEMO_KEYS).read_bytes()
    assert "is a demo's" in run("keys", "escrow", "restore", tmp_path / "real.key", "--archive", demo, status=1)
    assert (demo / DEMO_KEYS).read_bytes() == before


def test_no_private_key_is_put_into_a_demos_file_beside_a_real_archive(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "real"
    Archive.create(folder, MemoryKeys()).close()
    (folder / DEMO_KEYS).write_text("{}")
    (folder / DEMO_KEYS).chmod(0o600)
    create = ("keys", "create", "documentation", "--id", "case-9", "--archive", folder)
    assert "is not a demo's" in run(*create, status=1)
    assert (folder / DEMO_KEYS).read_text() == "{}"


@pytest.mark.rule("G10")
def test_a_backup_is_checked_and_comes_back_by_the_demo_that_is_named_and_its_keys_and_policy_with_it(
    demo: Path, run: Run, tmp_path: Path
) -> None:
    disk, new = tmp_path / "disk", tmp_path / "new"
    run("archive", "backup", disk, "--archive", demo)
    for words in (("backup", disk, "--check"), ("restore", disk, "--to", new, "--accept-unknown")):
        assert "Name the demo's folder with --archive" in run("archive", *words, status=1)
        run("archive", *words, "--archive", demo)
    assert "1 recording, " in run("archive", "verify", "--archive", new)
    assert keys_of(run, new) == keys_of(run, demo)
    assert (new / DEMO_POLICY).read_bytes() == (demo / DEMO_POLICY).read_bytes()


def test_a_demo_of_which_only_backup_and_escrow_are_left_comes_back(demo: Path, run: Run, tmp_path: Path) -> None:
    disk, left, new = tmp_path / "disk", tmp_path / "left", tmp_path / "new"
    run("archive", "backup", disk, "--archive", demo)
    run("keys", "escrow", "make", tmp_path / "recovery.key", "--archive", demo)
    shutil.rmtree(demo)
    restore = ("keys", "escrow", "restore", tmp_path / "recovery.key", "--archive", left)
    assert "an empty one will do" in run(*restore, status=1)
    left.mkdir()
    run(*restore)
    run("archive", "restore", disk, "--to", new, "--archive", left, "--accept-unknown")
    assert "1 recording, " in run("archive", "verify", "--archive", new)
