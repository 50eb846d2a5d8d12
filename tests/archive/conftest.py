"""What tests on an archive share: a desk at work on one, people with keyrings of their own, and what is said, said in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.archive.people import House, Person, house
from tests.archive.scene import Scene


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Of a demo, whose keys lie in a file and whose user has every role, where the test's module has `DEMO`."""
    folder = tmp_path / "archive"
    demo = getattr(request.module, "DEMO", False)
    made = Scene(folder, demo=True, store=DemoKeyFile(folder / DEMO_KEYS)) if demo else Scene(folder)
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[House]:
    with house(tmp_path, capsys) as made:
        yield made


@pytest.fixture
def dpo(home: House) -> Person:
    return home.person("dpo", KeyRole.CUSTODY)
