"""A lost keyring is not a lost archive: secrets in a file under a passphrase, and put back; last, for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.crypto import ring
from softphone.archive.crypto.passphrase import Cost, Kind, kind_of, open_sealed, seal
from softphone.archive.keys import escrow
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, MemoryKeys
from tests.peers.gnome_keyring import gnome_keyring

ROOT = Path(__file__).resolve().parents[2]
CHEAP = Cost(iterations=1, lanes=1, memory=64)
"""no more than the least of Argon2id: what guessing costs is not what is tested here"""
PHRASE = "fire tilfældige ord her"
OTHER = "fem helt andre ord end"


@pytest.fixture
def ringful() -> MemoryKeys:
    store = MemoryKeys()
    store.set("archive-a1", bytes(range(32)))
    store.set("checkpoint-d1", bytes(range(32, 64)))
    store.set("password-desk", b"not for this")
    ring.create(store, "case-1", KeyRole.DOCUMENTATION, AT)
    ring.create(store, "dpo", KeyRole.CUSTODY, AT)
    return store


def gathered(store: MemoryKeys) -> escrow.Held:
    return escrow.gather(store, ring.known_keys(store), "a1", "d1")


def refusal(deed: Callable[[], object]) -> str:
    with pytest.raises(ArchiveError) as refused:
        deed()
    return refused.value.code


def said(phrase: str) -> Callable[[], str]:
    return lambda: phrase


def test_what_was_kept_comes_back_into_an_empty_keyring(ringful: MemoryKeys, tmp_path: Path) -> None:
    path = tmp_path / "recovery.json"
    escrow.make(gathered(ringful), path, PHRASE, AT, cost=CHEAP)

    empty = MemoryKeys()
    assert escrow.restore(empty, escrow.read(path, said(PHRASE))) == 4

    assert {name: ringful.held[name] for name in empty.held if name != "known-keys"} == {
        name: secret for name, secret in empty.held.items() if name != "known-keys"
    }
    assert {"archive-a1", "checkpoint-d1"} <= empty.held.keys()
    assert "password-desk" not in empty.held
    assert ring.known_keys(empty) == ring.known_keys(ringful)
    assert escrow.restore(empty, escrow.read(path, said(PHRASE))) == 0


def test_without_the_passphrase_the_file_shows_nothing(ringful: MemoryKeys, tmp_path: Path) -> None:
    path = tmp_path / "recovery.json"
    escrow.make(gathered(ringful), path, PHRASE, AT, cost=CHEAP)
    text = path.read_text("utf-8")

    assert refusal(lambda: escrow.read(path, said(OTHER))) == "error.keys.wrong_passphrase"
    assert "case-1" not in text
    assert "archive-a1" not in text
    told = json.loads(text)
    assert told["kind"] == "escrow"
    assert told["kdf"]["name"] == "argon2id"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o077 == 0


def test_no_byte_of_the_file_can_be_changed_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    whole = seal(Kind.ESCROW, {"made_at": AT.isoformat(), "secrets": {}, "keys": []}, PHRASE, CHEAP)
    opened: list[int] = []
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        path.write_bytes(changed)
        try:
            escrow.read(path, said(PHRASE))
        except ArchiveError:
            continue
        # Spaces between words are not part of what is said.
        assert json.loads(changed) == json.loads(whole)
        opened.append(at)
    assert len(opened) < 20


def test_what_is_no_file_of_ours_or_would_take_all_day_is_refused_and_none_is_written_over(
    ringful: MemoryKeys, tmp_path: Path
) -> None:
    held, path = gathered(ringful), tmp_path / "r.json"
    assert refusal(lambda: escrow.make(held, path, "hemmelig", AT)) == "error.keys.passphrase_short"
    assert not path.exists()
    told: dict[str, Any] = json.loads(seal(Kind.ESCROW, {}, PHRASE, CHEAP))
    for field, value in (("memory", 1 << 30), ("iterations", 10_000), ("lanes", 4_000), ("name", "none")):
        path.write_text(json.dumps({**told, "kdf": {**told["kdf"], field: value}}))
        assert refusal(lambda: open_sealed(path, PHRASE)) == "error.keys.no_secrets_file"
    path.write_text(json.dumps({**told, "klartone": "secrets 9"}))
    assert refusal(lambda: kind_of(path)) == "error.keys.unknown_secrets"
    path.write_text("{}")
    assert kind_of(path) is None
    assert refusal(lambda: escrow.read(path, said(PHRASE))) == "error.keys.no_escrow"
    assert refusal(lambda: escrow.make(held, path, PHRASE, AT, cost=CHEAP)) == "error.archive.file_exists"
    assert path.read_text() == "{}"


# --- a real keyring, lost -----------------------------------------------------------------------------

_BEFORE = """
import sys
from pathlib import Path
from softphone import cli
from softphone.system.secrets import SystemKeyring
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT, DOCUMENTATION, Scene
home, folder, file = sys.argv[1:]
desk = Scene(Path(folder), store=SystemKeyring())
recording = desk.recorded(2, DOCUMENTATION)
desk.close()
keys = lambda *words: cli.main(["--home", home, "keys", *words, "--archive", folder])
assert keys("create", "training", "--id", "lead-1") == 0
assert keys("escrow", "make", file) == 0
print(recording)
"""
_AFTER = """
import sys
from pathlib import Path
from softphone import cli
from softphone.archive.archive import Archive
from softphone.cli.audit import in_words
from softphone.bootstrap.home import texts
from softphone.system.secrets import SystemKeyring
from softphone.system.secrets import DemoKeyFile
from tests.archive.scene import AT
home, folder, recording, one = sys.argv[1:]
at = ["--archive", folder]
restore = ["--home", home, "keys", "escrow", "restore"]
listed = lambda: cli.main(["--home", home, "archive", "list", *at])
assert listed() == 1
assert cli.main([*restore, one, *at]) == 1  # a wrong passphrase
assert listed() == 1
assert cli.main([*restore, one, *at]) == 0
assert listed() == 0
archive = Archive.open(Path(folder), SystemKeyring())
archive.clock = lambda: AT
print("played", sum(len(block) for block in archive.open_recording(recording, AT).pcm()))
print("log", in_words(archive.audit_of()[-2], texts()))
archive.close()
assert cli.main(["--home", home, "keys", "list", *at]) == 0
"""


def ran(env: Mapping[str, str], words: list[str], said: str = "") -> tuple[str, str]:
    """A process with this keyring alone; passphrases are lines of its standard input. What it said, and what it warned."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**env, "LC_ALL": "C.UTF-8"},
        input=said,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


@pytest.mark.peer("gnome-keyring")
def test_a_keyring_that_was_wiped_comes_back_and_the_archive_is_played_again(tmp_path: Path) -> None:
    home, folder = str(tmp_path / "home"), str(tmp_path / "archive")
    with gnome_keyring() as service:
        env = {name: value for name, value in service.env.items() if name != "PYTHON_KEYRING_BACKEND"}
        words = ["-c", _BEFORE, home, folder, str(tmp_path / "del.json")]
        recording = ran(env, words, f"{PHRASE}\n")[0].splitlines()[-1]
    with gnome_keyring() as service:
        env = {name: value for name, value in service.env.items() if name != "PYTHON_KEYRING_BACKEND"}
        said = f"{OTHER}\n{PHRASE}\n"
        told, warned = ran(env, ["-c", _AFTER, home, folder, recording, str(tmp_path / "del.json")], said)
    assert "played 32000" in told
    assert "log Keys were restored from a recovery file: 5" in told
    assert "lead-1" in told
    assert len(warned.splitlines()) == 3
    assert PHRASE.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
