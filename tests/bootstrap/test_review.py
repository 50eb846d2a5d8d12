"""`klartone review` finds the archive, the policy and the team; where it has nothing to show, its window says why."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from softphone import cli
from softphone.archive.crypto.ring import KeyPurpose, Known, remember
from softphone.bootstrap import review as plugged
from softphone.bootstrap import reviewing
from softphone.bootstrap.home import Home
from softphone.domain.errors import EngineError
from softphone.domain.purpose import KeyRole, Language
from softphone.system.settings import save_settings
from softphone.ui.application import make_application
from softphone.ui.review.app import Review
from softphone.ui.review.dependencies import ReviewDependencies
from softphone.wire.snapshot import Settings
from tests.archive.scene import TRAINING, MemoryKeys, Scene, scene

TEAM = """
[[recipient]]
id = "lead-2"
purpose = "training"
public_key = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

[[team]]
id = "other"
name = {{ da = "Andre", en = "Others" }}
agents = ["bo@nordlys.example"]
lines = ["n1"]
leads = ["lead-2"]

[[team]]
id = "salg"
name = {{ da = "Salg", en = "Sales" }}
agents = ["anna@nordlys.example"]
lines = ["n3", "n7"]
leads = ["{lead}"]

[[score]]
id = "tone"
name = {{ da = "Tone", en = "Tone" }}

[[score]]
id = "other"
name = {{ da = "Andet", en = "Other" }}
teams = ["other"]
"""


@pytest.fixture(scope="module")
def app() -> QApplication:
    return make_application()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path / "archive") as made:
        yield made


def policy(desk: Scene, folder: Path, more: str = "") -> Path:
    """The demo's lines, with this desk's keys."""
    text = (Path(__file__).parents[2] / "resources" / "policies" / "demo.toml").read_text(encoding="utf-8")
    for role in KeyRole:
        key = base64.b64encode(desk.recipients[role].public_key).decode()
        text = text.replace(f"${role.value}_key", key)
    file = folder / "policy.toml"
    file.write_text(text + more, encoding="utf-8")
    return file


def hold(monkeypatch: pytest.MonkeyPatch, keys: MemoryKeys) -> None:
    """This keyring is the user's."""

    def store(folder: Path) -> MemoryKeys:
        del folder
        return keys

    for module in (plugged, reviewing):
        monkeypatch.setattr(module, "key_store", store)


def deps(monkeypatch: pytest.MonkeyPatch, keys: MemoryKeys, folder: Path, settings: Settings) -> ReviewDependencies:
    hold(monkeypatch, keys)
    return plugged.review_dependencies(settings, folder, show=False)


def told(review: Review) -> str:
    return review.window.detail.place.heading.text()


def test_a_lead_finds_the_own_team_with_its_lines_capacity_and_card(
    monkeypatch: pytest.MonkeyPatch, desk: Scene, tmp_path: Path
) -> None:
    desk.recorded(0.2, TRAINING)
    settings = Settings(policy=str(policy(desk, tmp_path, TEAM.format(lead="lead-1"))))
    found = deps(monkeypatch, desk.only(KeyRole.TRAINING), desk.folder, settings)
    assert found.refusal is None
    assert found.archive is not None
    found.archive.close()
    (team,) = found.teams
    assert (team.id, team.lines, team.agents, team.capacity) == ("salg", ("n3", "n7"), ("anna@nordlys.example",), 1000)
    assert [item.id for item in team.card] == ["tone"]
    assert (found.lines["n7"].da, found.parties["n7"].da) == ("Salgslinjen", "kunden")


@pytest.mark.rule("G33")
def test_of_a_line_that_two_teams_share_neither_is_judged_by_what_both_can_review(
    monkeypatch: pytest.MonkeyPatch, desk: Scene, tmp_path: Path
) -> None:
    desk.recorded(0.2, TRAINING)
    shared = TEAM.format(lead="lead-1").replace('lines = ["n1"]', 'lines = ["n7"]')
    settings = Settings(policy=str(policy(desk, tmp_path, shared)))
    found = deps(monkeypatch, desk.only(KeyRole.TRAINING), desk.folder, settings)
    assert found.archive is not None
    found.archive.close()
    assert [(team.id, team.capacity) for team in found.teams] == [("salg", None)]


@pytest.mark.parametrize(
    ("which", "heading"),
    [
        ("no archive", "Her er intet arkiv endnu"),
        ("no policy", "Reglerne mangler"),
        ("faulty", "Reglerne kan ikke bruges"),
        ("no key", "Nøglen til uddannelse mangler"),
        ("no sample", "Intet er optaget til uddannelse"),
        ("no team", "Du er ikke leder af et team"),
        ("no catalog key", "Arkivet kan ikke åbnes"),
    ],
)
def test_what_is_missing_is_said_in_the_window(
    monkeypatch: pytest.MonkeyPatch, app: QApplication, desk: Scene, tmp_path: Path, which: str, heading: str
) -> None:
    del app
    if which != "no sample":
        desk.recorded(0.2, TRAINING)
    keys, folder = desk.only(KeyRole.TRAINING), desk.folder
    file = str(policy(desk, tmp_path, TEAM.format(lead="lead-2" if which == "no team" else "lead-1")))
    if which == "no archive":
        folder = tmp_path / "elsewhere"
    elif which == "no policy":
        file = ""
    elif which == "faulty":
        Path(file).write_text("version = 2", encoding="utf-8")
    elif which == "no key":
        keys = desk.only(KeyRole.DOCUMENTATION)
    elif which == "no catalog key":
        keys = MemoryKeys()
    before = len(desk.archive.audit_of())
    found = deps(monkeypatch, keys, folder, Settings(policy=file, language=Language.DA))
    assert found.archive is None
    # Who may not review is in the log, before the window says so.
    refused = [(row.event, row.params["deed"]) for row in desk.archive.audit_of()[before:]]
    assert refused == ([("refused", "review")] if which in ("no key", "no sample", "no team") else [])
    review = Review(found)
    review.open()
    assert told(review) == heading
    assert "{" not in review.window.detail.place.more.text()
    review.close()
    review.window.deleteLater()


def test_a_demo_s_archive_is_the_demo_team_s_without_a_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with scene(tmp_path / "demo", demo=True) as desk:
        desk.recorded(0.2, TRAINING)
        found = deps(monkeypatch, desk.memory, desk.folder, Settings())
        assert found.refusal is None
        assert found.archive is not None
        found.archive.close()
        (team,) = found.teams
        assert team.name is not None
        assert team.name.da == "Demo"
        assert {"n1", "n3", "n7"} <= set(team.lines)


def test_without_a_screen_nothing_is_opened_and_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["--home", str(tmp_path / "home"), "review"]) == 1
    assert "WAYLAND_DISPLAY" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_the_desk_offers_the_review_where_this_keyring_has_the_key(
    monkeypatch: pytest.MonkeyPatch, desk: Scene, tmp_path: Path
) -> None:
    home = Home.within(tmp_path / "home")
    home.folders.create()
    save_settings(home.folders.config, Settings(archive=str(desk.folder)))
    keys = desk.only(KeyRole.TRAINING)
    hold(monkeypatch, keys)
    assert not reviewing.offers_review(home)
    remember(keys, Known("lead-1", KeyPurpose.TRAINING, desk.recipients[KeyRole.TRAINING].public_key))
    assert reviewing.offers_review(home)
    keys.delete(f"private-{desk.recipients[KeyRole.TRAINING].key_id}")
    assert not reviewing.offers_review(home)


def test_the_desk_starts_one_review_and_another_when_that_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    popen, started = subprocess.Popen, list[subprocess.Popen[bytes]]()

    def start(_command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        # Another program in the review's place, which stays until it is let go.
        waits = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        more["stdin"] = subprocess.PIPE
        started.append(popen(waits, **more))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    start_review = reviewing.ReviewStarter(Home.within(tmp_path))
    start_review()
    with pytest.raises(EngineError, match=r"error\.review\.open_already"):
        start_review()
    let_go(started[0])
    assert not Path(f"/proc/{started[0].pid}").exists()
    start_review()
    assert len(started) == 2
    let_go(started[1])


def let_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    ends = next(thread for thread in threading.enumerate() if thread.name == "review-ends")
    ends.join(10)
    assert process.returncode == 0
