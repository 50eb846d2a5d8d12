"""What the tests of the policy's commands share: a person who types them, through the real rulebook in its own process, and
notices in own words. What a policy means is tests/domain's; which outcome the examples must have is tests/test_policy_examples.
"""

from __future__ import annotations

import functools
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.bootstrap.home import DEMO_KEYS
from softphone.domain.purpose import KeyRole
from softphone.system.secrets import DemoKeyFile
from tests.policies import KEYS, POLICY

PUBLIC = {KeyRole(role): key for role, key in KEYS.items()}
Captured = pytest.CaptureFixture[str]
LACKING = """
[line.wording.N1.da]
essentials = "Vi optager samtalen."
facts = "Læs mere på {page}."
"""
OWN = """
[line.wording.N1.en]
essentials = "This call is recorded and stored for documentation."
facts = "You can object to the recording, and you can have access to it. See how at {page}."
"""
UNSURE = POLICY.replace('[[line]]\nid = "support"', f'{OWN}\n[[line]]\nid = "support"')
DRAFT = functools.reduce(lambda text, role: text.replace(KEYS[role], f"${role}_key"), KEYS, POLICY)
"""its keys are yet to be put in"""


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch, forked_hosts: None) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its keys lie in a file, as a demo's do: no keyring is asked."""
    home = tmp_path_factory.mktemp("home")
    (home / "archive").mkdir()
    DemoKeyFile(home / "archive" / DEMO_KEYS).set("known", b"to be one")
    return home


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def klartone(home: Path, *words: object) -> int:
    return cli.main(["--home", str(home), *(str(word) for word in words)])


def checked(home: Path, file: Path, text: str, capsys: Captured, *, status: int) -> dict[str, Any]:
    file.write_text(text, encoding="utf-8")
    assert klartone(home, "policy", "check", file, "--json") == status
    return json.loads(capsys.readouterr().out)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
