"""`klartone archive head` and `verify --head`, as a person meets them, and `verify` that is broken off."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.bootstrap.home import key_store
from softphone.cli.progress import STOPPED, Progress
from softphone.domain.changes import AuditEntry
from tests.archive.scene import AT, DOCUMENTATION, Scene

DEMO = True


@pytest.fixture
def archive(desk: Scene, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that name a demo's archive."""
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    desk.recorded(1, DOCUMENTATION)
    desk.close()
    return ["archive", "--archive", str(desk.folder)]


def test_a_head_kept_elsewhere_finds_a_log_that_was_written_anew(
    archive: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*archive, "head"]) == 0
    line = capsys.readouterr().out
    kept = tmp_path / "head.txt"
    kept.write_text(line, encoding="utf-8")
    assert line.startswith("klartone-head-1 ")
    assert cli.main([*archive, "verify", "--head", str(kept)]) == 0
    told = capsys.readouterr().out
    assert "No differences." in told
    assert f"matches the line that was kept: up to entry {line.split()[2]} it is as it was on " in told
    assert cli.main([*archive, "verify", "--json", "--head", str(kept)]) == 0
    assert json.loads(capsys.readouterr().out)["head"] == "fits"
    (tmp_path / "other").write_text("a shopping list", encoding="utf-8")
    for name, words in (("nowhere", "nowhere cannot be read"), ("other", "not a line from “klartone archive head”")):
        assert cli.main([*archive, "verify", "--head", str(tmp_path / name)]) == 1
        said = capsys.readouterr()
        assert (words in said.err, said.out) == (True, "")

    folder = Path(archive[-1])
    opened = Archive.open(folder, key_store(folder))
    with opened.catalog.writing() as tx:
        lock = "SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'"
        lock_again = str(tx.connection.exec_driver_sql(lock).scalar_one())
        tx.connection.exec_driver_sql("DROP TRIGGER audit_no_delete")
        for table in ("audit", "checkpoints", "meta WHERE name LIKE 'audit-end-%'"):
            tx.connection.exec_driver_sql(f"DELETE FROM {table}")
        # Of a recording that the log did not name at all, `verify` would say so by itself.
        names_it = AuditEntry("nothing_to_see", "G11", AT, "", opened.list()[0].recording)
        tx.log(*[names_it] * 9)
        tx.connection.exec_driver_sql(lock_again)
    opened.close()
    assert cli.main([*archive, "verify"]) == 0
    capsys.readouterr()
    assert cli.main([*archive, "verify", "--head", str(kept)]) == 1
    told = capsys.readouterr().out
    assert "is not what was written" in told
    assert "matches the line" not in told
    assert cli.main([*archive, "verify", "--json", "--head", str(kept)]) == 1
    assert json.loads(capsys.readouterr().out)["head"] == "differs"


def test_ctrl_c_ends_verify_between_two_looks_and_says_how_far_it_came(
    archive: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def tell(_: Progress, sentence: Callable[[], str]) -> None:
        asked.append(sentence())
        if len(asked) == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "tell", tell)
    assert cli.main([*archive, "verify"]) == STOPPED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Interrupted ")
    assert len(said.err.splitlines()) == 1
