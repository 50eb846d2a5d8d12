"""Secrets in a real Secret Service, in one that is locked or missing, and in a demo's key file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.archive import Archive
from softphone.bootstrap.home import password_name
from softphone.domain.errors import KeyringError
from softphone.system.secrets import DemoKeyFile, SystemKeyring
from tests.peers.gnome_keyring import State, gnome_keyring


def asked(env: Mapping[str, str], code: str) -> str:
    """Runs `code` in a process that has this keyring alone; what it printed."""
    program = (
        "from softphone.system.secrets import SystemKeyring\n"
        "from softphone.domain.errors import KeyringError\n"
        "ring = SystemKeyring(deadline=10)\n"
        "try:\n"
        f"    {code}\n"
        "except KeyringError as error:\n"
        "    print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(env), capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


@pytest.mark.peer("gnome-keyring")
def test_a_keyring_that_comes_up_after_the_program_is_found() -> None:
    with gnome_keyring("absent") as service:
        env = {name: value for name, value in service.env.items() if name != "PYTHON_KEYRING_BACKEND"}
        with subprocess.Popen([sys.executable, "-c", _TWICE], env=env, stdin=-1, stdout=-1, text=True) as program:
            assert program.stdin
            assert program.stdout
            assert program.stdout.readline() == "error.keyring.none\n"
            service.come_up()
            program.stdin.write("again\n")
            program.stdin.flush()
            assert program.stdout.readline() == "None\n"


_TWICE = """
from softphone.system.secrets import SystemKeyring
from softphone.domain.errors import KeyringError
try:
    SystemKeyring(deadline=10).get("catalog")
except KeyringError as error:
    print(error.code, flush=True)
input()
print(SystemKeyring(deadline=10).get("catalog"), flush=True)
"""


@contextmanager
def keyring_in(state: State) -> Generator[Mapping[str, str]]:
    with gnome_keyring(state) as service:
        yield {name: value for name, value in service.env.items() if name != "PYTHON_KEYRING_BACKEND"}


@pytest.mark.peer("gnome-keyring")
def test_a_secret_lies_in_the_keyring_for_the_next_process_until_it_is_deleted() -> None:
    with keyring_in("unlocked") as env:
        assert asked(env, "print(ring.get('catalog'))") == "None"
        assert asked(env, "ring.set('catalog', bytes(range(32)))") == ""
        assert asked(env, "print(ring.get('catalog') == bytes(range(32)))") == "True"
        assert asked(env, "ring.delete('catalog'); ring.delete('catalog'); print(ring.get('catalog'))") == "None"


@pytest.mark.peer("gnome-keyring")
def test_an_archive_s_key_and_a_role_s_private_key_lie_in_the_keyring(tmp_path: Path) -> None:
    make = (
        "from pathlib import Path; from softphone.archive.archive import Archive; "
        f"folder = Path({str(tmp_path / 'archive')!r}); Archive.open_or_create(folder, ring).close(); "
        "print(Archive.open_or_create(folder, ring).list())"
    )
    with keyring_in("unlocked") as env:
        assert asked(env, make) == "[]"
        assert asked(env, make) == "[]"
        folder = tmp_path / "archive"
        archive = json.loads((folder / "archive.json").read_text())["archive"]
        assert asked(env, f"print(len(ring.get('archive-{archive}')))") == "32"
    assert not any(b"archive-" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.peer("gnome-keyring")
@pytest.mark.parametrize(
    ("state", "codes"),
    [("locked", {"error.keyring.locked", "error.keyring.refused"}), ("absent", {"error.keyring.none"})],
)
def test_a_locked_or_missing_keyring_is_told_in_time(state: State, codes: set[str]) -> None:
    with keyring_in(state) as env:
        assert asked(env, "ring.set('catalog', bytes(32))") in codes


class Backend:
    """Answers as it is told, for faults that a real keyring gives only when it is broken."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_password(self, service: str, name: str) -> Any:
        assert service == "klartone"
        return self.answer()


def test_a_keyring_that_hangs_is_left_after_its_deadline_and_the_next_call_waits_for_it() -> None:
    release = threading.Event()
    calls: list[int] = []

    def answer() -> str | None:
        calls.append(1)
        if len(calls) == 1:
            release.wait(20)
        return None

    ring = SystemKeyring(Backend(answer), deadline=0.05)
    for _ in range(2):
        with pytest.raises(KeyringError) as late:
            ring.get("catalog")
        assert late.value.code == "error.keyring.timed_out"
    assert len(calls) == 1
    release.set()
    patient = SystemKeyring(ring._backend, deadline=5)
    assert patient.get("catalog") is None


def test_whatever_a_backend_raises_is_told_and_is_no_crash() -> None:
    def fail() -> str:
        raise RuntimeError("s3cret in a message")

    with pytest.raises(KeyringError) as refused:
        SystemKeyring(Backend(fail)).get("catalog")
    assert refused.value.code == "error.keyring.refused"
    assert "s3cret" not in str(refused.value)
    with pytest.raises(KeyringError) as foreign:
        SystemKeyring(Backend(lambda: "not base64!")).get("catalog")
    assert foreign.value.code == "error.keyring.not_ours"


def test_a_password_that_another_tool_has_put_there_is_taken_as_it_is() -> None:
    # It could be base64, of another.
    assert SystemKeyring(Backend(lambda: "hunter22")).get(password_name("agent")) == b"hunter22"


@pytest.mark.parametrize("name", ["fail.Keyring", "null.Keyring"])
def test_a_backend_that_keeps_nothing_is_refused(name: str) -> None:
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": f"keyring.backends.{name}"}
    assert asked(env, "ring.set('catalog', bytes(32))") == "error.keyring.none"


def test_a_demo_s_keys_lie_in_one_file_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "demo-keys.json"
    keys = DemoKeyFile(path)
    assert keys.get("one") is None
    keys.set("one", b"1" * 32)
    keys.set("two", b"2" * 32)
    keys.delete("two")
    assert DemoKeyFile(path).get("one") == b"1" * 32
    assert DemoKeyFile(path).get("two") is None
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        with pytest.raises(KeyringError) as refused:
            DemoKeyFile(path).get("one")
        assert refused.value.code == "error.keyring.demo_file_open"


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_a_demo_s_key_file_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "demo-keys.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyringError) as refused:
        DemoKeyFile(path).get("one")
    assert refused.value.code == "error.keyring.demo_file"


def test_a_demo_s_archive_lives_on_its_key_file(tmp_path: Path) -> None:
    keys = DemoKeyFile(tmp_path / "demo-keys.json")
    Archive.create(tmp_path, keys, demo=True).close()
    archive = Archive.open(tmp_path, DemoKeyFile(keys.path))
    assert archive.demo
    archive.close()
