"""`make bench` and `make pictures`: one measure or scene that fails is named, and takes no other with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from softphone.domain.purpose import Language
from tests.bench import __main__ as bench
from tests.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
PLANTED = """
import sys
from tests.pictures import __main__ as pictures
from tests.pictures.scenes import SCENES, scenes_of

def breaks(s):
    s.call("none")
    raise OSError("Directory not empty")

def also_at_its_end(folder, language):
    with real(folder, language) as on:
        yield on
    raise OSError("Directory not empty")

pictures.scenes_of = lambda name: (breaks, *scenes_of(name))
real, pictures.studio = pictures.studio, pictures.contextmanager(also_at_its_end)
sys.exit(pictures.main())
"""


def _failing() -> list[Figure]:
    raise OSError("Directory not empty")


@pytest.mark.parametrize("short", [True, False])
def test_a_measure_that_fails_is_named_and_the_figures_of_all_others_are_printed_kept_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], short: bool
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{bench.BEGIN}\nold\n{bench.END}\nafter\n")
    measures = {
        "sealing": lambda: [Figure("the first", "1 ms", "", "planted")],
        "start": _failing,
        "stop": lambda: [Figure("the last", "3 ms", "", "planted")],
    }
    for name in ("WHOLE", "SHORT"):
        monkeypatch.setattr(bench, name, measures)
    monkeypatch.setattr(bench, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(sys, "argv", ["bench", "--write", str(document), *(["--short"] if short else [])])

    assert bench.main() == 1

    out, err = capsys.readouterr()
    assert err.splitlines()[-1] == "failed: start (OSError: Directory not empty)"
    assert "the first" in out
    assert "the last" in out
    kept = {file.stem: json.loads(file.read_text())["figures"][0]["what"] for file in (tmp_path / "kept").glob("*")}
    written = document.read_text()
    assert kept == ({} if short else {"sealing": "the first", "stop": "the last"})
    assert ("the first" in written, "the last" in written, "old" in written) == (not short, not short, short)


def test_a_scene_that_fails_is_named_and_the_others_are_drawn(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PLANTED, str(tmp_path), "--only", "voicemail"]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}

    drawn = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert drawn.returncode == 1, drawn.stderr
    for language in Language:
        for name in ("breaks", "studio"):
            assert f"The scene {name} ({language}) did not come about: OSError: Directory not empty" in drawn.stdout
    assert "Rows without their pictures: none" in drawn.stdout
