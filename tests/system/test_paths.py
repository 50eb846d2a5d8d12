"""Where the program's own files are found, in each way it can be installed, and the user's folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from softphone.system import paths


def test_in_a_checkout_plugins_and_resources_lie_beside_the_package() -> None:
    root = Path(paths.__file__).resolve().parents[2]
    assert paths.program_folder("resources") == root / "resources"
    assert paths.program_folder("plugins") == root / "plugins"


def test_in_a_wheel_they_lie_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "site-packages" / "softphone" / "system" / "paths.py"
    data = tmp_path / "site-packages" / "softphone" / "_data" / "resources"
    data.mkdir(parents=True)
    (tmp_path / "site-packages" / "resources").mkdir()
    monkeypatch.setattr(paths, "__file__", str(module))
    assert paths.program_folder("resources") == data


def test_in_a_frozen_program_they_lie_where_it_was_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins").mkdir()
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert paths.program_folder("plugins") == tmp_path / "plugins"


def test_an_installation_that_is_not_whole_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "softphone" / "system" / "paths.py"))
    with pytest.raises(FileNotFoundError, match="resources"):
        paths.program_folder("resources")


def test_the_user_s_folders_are_apart_and_named_for_the_program() -> None:
    folders = paths.UserFolders.standard()
    assert folders.archive == folders.data / "archive"
    assert all("klartone" in str(folder) for folder in (folders.config, folders.data, folders.log))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such folder")
def test_without_a_session_s_folder_sockets_lie_in_the_user_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert paths.UserFolders.standard().runtime == tmp_path / "klartone"
    for value in ("", str(tmp_path / "gone")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        folders = paths.UserFolders.standard()
        assert folders.runtime == folders.data / "run"


def test_a_demo_s_folders_are_all_in_its_own_and_for_its_user_alone(tmp_path: Path) -> None:
    folders = paths.UserFolders.within(tmp_path / "demo")
    folders.create()
    for folder in (folders.config, folders.data, folders.archive, folders.cache, folders.runtime, folders.log):
        assert folder.is_relative_to(tmp_path / "demo")
        assert folder.is_dir()
        if os.name == "posix":
            assert folder.stat().st_mode & 0o777 == 0o700
