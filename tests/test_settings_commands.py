"""`klartone settings` and `klartone account`, as IT types them."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.folder.marker import read_marker
from softphone.bootstrap.home import Home, password_name
from softphone.house.membership import HouseFolder, Membership
from softphone.system import guarded, settings
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import FILE
from tests.peers.second_phone import ROOT

PASSWORD = "hemmelig på prøve"


class Desk:
    """A user whose keyring is a file, as a demo's archive has one."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = Home.within(folder / "home")
        self.home.folders.create()
        archive = folder / "archive"
        self.keys = DemoKeyFile(archive / "demo-keys.json")
        Archive.create(archive, self.keys, demo=True).close()
        self.file = self.home.folders.config / FILE
        self.file.write_text(f'# of the installation\narchive = "{archive}" # ours\n', encoding="utf-8")
        self._capsys = capsys

    def run(self, *words: str) -> tuple[int, str]:
        status = cli.main(["--home", str(self.home.root), *words])
        told = self._capsys.readouterr()
        return status, told.out + told.err

    def said(self) -> dict[str, Any]:
        return tomllib.loads(self.file.read_text("utf-8"))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setattr(guarded, "ADMINISTRATORS", frozenset({0}))
    return Desk(tmp_path, capsys)


def test_one_value_is_changed_and_taken_back_and_nothing_else_of_the_file(desk: Desk) -> None:
    assert desk.run("settings", "set", "ring_volume", "30") == (0, "ring_volume = 30\n")
    assert desk.run("settings", "set", "noise", "yes")[0] == 0
    assert desk.run("settings", "set", "accept_from", "10.0.0.0/8, 192.0.2.1")[0] == 0
    said = desk.said()
    assert (said["ring_volume"], said["noise"], said["accept_from"]) == (30, True, ["10.0.0.0/8", "192.0.2.1"])
    assert desk.run("settings", "set", "ring_volume", "--default") == (0, "ring_volume = 100\n")
    text = desk.file.read_text("utf-8")
    assert "ring_volume" not in text
    assert text.startswith("# of the installation\n")
    assert "# ours" in text
    shown = json.loads(desk.run("settings", "show", "noise", "--json")[1])
    assert shown == {"noise": {"value": True, "origin": "user", "place": str(desk.file), "locked": False}}
    # A folder that nothing makes is said to be missing: a backup makes its own alone, an archive all of them.
    away = desk.file.parent / "away"
    status, told = desk.run("settings", "set", "backup", str(away / "disk"))
    assert (status, f"Nothing is at {away} yet" in told) == (0, True)
    assert "Nothing is at" not in desk.run("settings", "set", "archive", str(away / "new"))[1]
    assert "Nothing is at" not in desk.run("settings", "set", "backup", str(away))[1]
    # What a house is still to get stays in the archive that this desk joined with, wherever that lies.
    archive, moved = Path(said["archive"]), desk.file.parent / "moved"
    shutil.copytree(archive, moved)
    house = HouseFolder(desk.home.folders.data)
    house.write(Membership("https://house.test", "", read_marker(archive).desk, "person"))
    for place, status in ((archive, 0), (away, 1), (moved, 0), ("", 1)):
        told = desk.run("settings", "set", "archive", str(place))
        assert (told[0], f"https://house.test with its archive in {moved if place == '' else archive}" in told[1]) == (
            status,
            status == 1,
        )
    shutil.rmtree(house.path)
    desk.file.write_text(text, "utf-8")
    before = text
    for words, why in (
        (("ring_volume", "300"), "The volume 300 is not between 0 and 200."),
        (("port", "many"), "“many” is not a whole number"),
        (("look", "pink"), "Write one of: system, light, dark"),
        (("archive", "arkiv"), "arkiv is not a whole path"),
        (("ring_volum", "3"), "Write “ring_volume”"),
        (("accounts", "x"), "klartone account"),
        (("plugin_folder", "/x"), "an administrator writes it"),
    ):
        status, told = desk.run("settings", "set", *words)
        assert (status, why in told) == (1, True), told
    assert desk.file.read_text("utf-8") == before


def test_a_file_is_checked_whole_and_a_faulty_one_is_not_written_over(desk: Desk, tmp_path: Path) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('\ufeff[default]\nport = "x"\n[locked]\npolcy = "/p"\nring_volume = 999\n', encoding="utf-8")
    status, told = desk.run("settings", "check", str(machine))
    assert status == 1
    assert [line.removeprefix(f"{machine}: ").partition(":")[0] for line in told.splitlines()] == [
        "Line 2, default.port",
        "Line 4, locked.polcy",
        "Line 5, locked.ring_volume",
    ]
    # A slip in the user's placeholder would give all users one folder; an id of Windows' is none.
    machine.write_text(
        '[default]\npolicy = "/p/{user}"\nbackup = "/b/{21EC2020-3AEA}/{user}"\n[locked]\narchive = "/srv/{bruger}"\n'
        '[[default.accounts]]\nid = "a"\naddress = "{usr}@pbx.example"\n'
    )
    status, told = desk.run("settings", "check", str(machine))
    assert (status, re.findall(r"\{\w+\} stands for nothing", told)) == (
        1,
        [f"{{{one}}} stands for nothing" for one in ("user", "usr", "bruger")],
    )
    assert desk.run("settings", "set", "archive", "/srv/{bruger}")[0] == 1
    assert desk.run("settings", "check", str(tmp_path / "none.toml"))[0] == 1
    assert desk.run("settings", "check") == (0, f"No faults: {desk.file}\n")
    # A user's own: shape and values in one round, accounts with their keys.
    faulty = (
        'port = 7\nlook = "pink"\n[[accounts]]\nid = "a"\naddress = "b"\nsrtp = "perhaps"\n'
        '[[accounts]]\nid = "c"\naddress = "d"\n'
    )
    desk.file.write_text(faulty, encoding="utf-8")
    status, told = desk.run("settings", "check")
    assert status == 1
    assert [line.removeprefix(f"{desk.file}: ").partition(":")[0] for line in told.splitlines()] == [
        "Line 1, port",
        "Line 2, look",
        "Line 6, accounts[1].srtp",
        "Line 9, accounts[2].address",
    ]
    assert desk.run("settings", "set", "ring_volume", "30")[0] == 1
    assert desk.run("account", "add", "a@b")[0] == 1
    desk.file.write_text("[locked]\nport = 5060\n", encoding="utf-8")
    assert "“locked” is a table of the organisation's file" in desk.run("settings", "check")[1]
    desk.file.write_text(faulty, encoding="utf-8")
    assert desk.file.read_text("utf-8") == faulty


def test_an_account_is_added_changed_and_removed_and_its_password_lies_in_the_keyring_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    given(f"{PASSWORD}\nanother line\n")
    words = ("account", "add", "anna@nordlys.example", "--id", "desk", "--transport", "tls", "--srtp", "required")
    status, told = desk.run(*words, "--accept-from", "10.0.0.0/8", "--password-stdin")
    assert (status, told) == (0, "The account anna@nordlys.example is added as desk.\n")
    account = desk.said()["accounts"][0]
    assert (account["address"], account["transport"], account["accept_from"]) == (
        "anna@nordlys.example",
        "tls",
        ["10.0.0.0/8"],
    )
    assert desk.keys.get(password_name("desk")) == PASSWORD.encode()
    assert PASSWORD not in desk.file.read_text("utf-8") + told
    # Said again in another form, as by a script: changed, not doubled. The password stays.
    assert desk.run("account", "add", "anna@nordlys.example:5061", "--id", "desk")[0] == 0
    (account,) = desk.said()["accounts"]
    assert (account["address"], account["transport"]) == ("anna@nordlys.example:5061", "tls")
    # Another home's phone may use that name in the same keyring: its password does not go without a word.
    desk.keys.set(password_name("other"), b"the other phone's")
    given("mine")
    told = desk.run("account", "add", "b@nordlys.example", "--id", "other", "--password-stdin")[1]
    assert "had another password under “other”" in told
    assert desk.run("account", "remove", "other")[0] == 0
    listed = json.loads(desk.run("account", "list", "--json")[1])
    assert (listed["id"], listed["srtp"], listed["password"]) == ("desk", "required", "kept")
    for wrong in (
        ("account", "add", "nobody"),
        ("account", "add", "c;transport=tcp@pbx.example"),
        ("account", "add", "a@b", "--id", "d\nid"),
        ("account", "add", "a@b", "--user", "e\r\nX: y"),
        ("account", "add", "a@b", "--display-name", "Anna\x00"),
        ("account", "add", "a@b", "--mailbox", "x y;z"),
        ("account", "remove", "x"),
    ):
        assert desk.run(*wrong)[0] == 1
    for refused in ("\n", "x" * 1001 + "\n", "x" * 5000):
        given(refused)
        assert desk.run("account", "password", "desk", "--password-stdin")[0] == 1
        assert desk.keys.get(password_name("desk")) == PASSWORD.encode()
    given("x" * 1000 + "\n")
    assert desk.run("account", "password", "desk", "--password-stdin")[0] == 0
    assert desk.keys.get(password_name("desk")) == b"x" * 1000
    given("new\n")
    assert desk.run("account", "password", "desk", "--password-stdin")[0] == 0
    assert desk.keys.get(password_name("desk")) == b"new"
    # What cannot be written leaves the keyring as it was.
    told = desk.file.read_text("utf-8")

    def full(_fresh: Path, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(settings, "replace_file", full)
        for id in ("desk", "other"):
            given("newer\n")
            assert desk.run("account", "add", f"{id}@nordlys.example", "--id", id, "--password-stdin")[0] == 1
    assert (desk.keys.get(password_name("desk")), desk.keys.get(password_name("other"))) == (b"new", None)
    assert desk.file.read_text("utf-8") == told
    # One empty line stands between two accounts, however often one is added.
    for id in ("b", "c", "d"):
        assert desk.run("account", "add", f"{id}@nordlys.example", "--id", id)[0] == 0
    assert "\n\n\n" not in desk.file.read_text("utf-8")
    for id in ("b", "c", "d"):
        assert desk.run("account", "remove", id)[0] == 0
    assert desk.run("account", "remove", "desk")[0] == 0
    assert desk.keys.get(password_name("desk")) is None
    assert desk.said()["accounts"] == []
    assert "# of the installation" in desk.file.read_text("utf-8")


def test_a_password_among_the_commands_words_is_not_taken() -> None:
    words = [sys.executable, "-m", "softphone", "account", "add", "a@b", "--password", PASSWORD]
    refused = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there a terminal cannot be played")
def test_a_password_typed_at_a_terminal_is_not_shown(desk: Desk) -> None:
    import pty

    desk.file.write_text(
        desk.file.read_text("utf-8") + '[[accounts]]\nid = "desk"\naddress = "a@b"\n', encoding="utf-8"
    )
    ours, theirs = pty.openpty()
    words = ["-m", "softphone", "--home", str(desk.home.root), "account", "password", "desk", "--password-stdin"]
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "en_GB.UTF-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as asking:
        os.close(theirs)
        shown = b""
        while b"Password:" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, f"{PASSWORD}\n".encode())
        with contextlib.suppress(OSError):  # it is closed by whoever held the other end
            while more := os.read(ours, 1000):
                shown += more
    os.close(ours)
    assert asking.returncode == 0, shown
    assert b"hemmelig" not in shown
    assert desk.keys.get(password_name("desk")) == PASSWORD.encode()
