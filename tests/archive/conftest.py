"""What tests of commands on an archive share: a demo's, whose keys lie in a file; one with people
who each have a keyring; and what is said, said in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone.bootstrap.home import DEMO_KEYS
from softphone.system.secrets import DemoKeyFile
from tests.archive.people import House, house
from tests.archive.scene import Scene


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    """Its keys are of an earlier version: the keyring does not know their names."""
    folder = tmp_path / "archive"
    made = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS))
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    with house(tmp_path, capsys) as made:
        yield made
