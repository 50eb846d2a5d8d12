"""What travels in the wheel: all that the program needs, and nothing of ours beside it. `make wheel-check` also starts it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Generator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = "softphone/_data"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Generator[zipfile.ZipFile]:
    """Built from this checkout, with its translations compiled as `make` does it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, ROOT / ".ci" / "translations.py"], check=True)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def packed(wheel: zipfile.ZipFile, folder: str, pattern: str) -> set[str]:
    """Files below `folder` of the wheel, by their path in it."""
    return {name.removeprefix(f"{folder}/") for name in wheel.namelist() if re.fullmatch(f"{folder}/{pattern}", name)}


def tracked(folder: str, *patterns: str) -> set[str]:
    """Files of the checkout, by their path below `folder`, without tests and without what Python leaves behind."""
    found = {path for pattern in patterns for path in (ROOT / folder).rglob(pattern) if path.is_file()}
    kept = (path.relative_to(ROOT / folder) for path in found)
    return {path.as_posix() for path in kept if not {"tests", "__pycache__", "installer"} & set(path.parts)}


def test_the_wheel_holds_every_module_of_the_program(wheel: zipfile.ZipFile) -> None:
    assert packed(wheel, "softphone", r"(?!_data/).*\.py") == tracked("softphone", "*.py")


def test_plugins_travel_as_data_with_their_texts_and_without_their_tests(wheel: zipfile.ZipFile) -> None:
    there = packed(wheel, f"{DATA}/plugins", ".*")
    assert there == tracked("plugins", "*.py", "*.toml")
    assert {"datatilsynet/plugin.toml", "datatilsynet/texts/da.toml", "espeak_voice/plugin.toml"} <= there


def test_resources_travel_as_data(wheel: zipfile.ZipFile) -> None:
    there = packed(wheel, f"{DATA}/resources", r"(?!translations/).*")
    assert there == tracked("resources", "*.svg", "*.json", "*.toml", "fonts/*")
    assert {"icons/record.svg", "themes/tokens.json", "policies/demo.toml", "policies/example.toml"} <= there


def test_translations_travel_compiled(wheel: zipfile.ZipFile) -> None:
    there = packed(wheel, f"{DATA}/resources/translations", ".*")
    assert there == {f"{name[:-3]}.mo" for name in tracked("resources/translations", "*.po")}
    for name in there:
        assert wheel.read(f"{DATA}/resources/translations/{name}")[:4] == b"\xde\x12\x04\x95"


def test_the_catalogs_steps_travel_as_source_because_they_are_read_as_files(wheel: zipfile.ZipFile) -> None:
    there = packed(wheel, "softphone/archive/schema/migrations", ".*")
    assert "env.py" in there
    assert [name for name in there if name.startswith("versions/")]


def test_nothing_of_ours_travels_along(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert [name for name in names if re.search(r"(^|/)(tests?|docs|typings|\.ci|__pycache__)/", name)] == []
    assert {name.split("/")[0] for name in names} <= {"softphone", names[-1].split("/")[0]}
    assert [name for name in names if name.endswith((".pyc", ".po", ".log", ".db"))] == []


def test_no_file_of_the_wheel_names_a_place_on_the_machine_that_built_it(wheel: zipfile.ZipFile) -> None:
    places = [str(ROOT).encode(), str(Path.home()).encode() + b"/", sys.prefix.encode()]
    held = [name for name in wheel.namelist() for place in places if place in wheel.read(name)]
    assert held == []


def test_the_wheel_starts_klartone_and_names_its_licence_and_its_pythons(wheel: zipfile.ZipFile) -> None:
    info = next(name.split("/")[0] for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    scripts = ConfigParser()
    scripts.read_string(wheel.read(f"{info}/entry_points.txt").decode())
    assert dict(scripts["console_scripts"]) == {"klartone": "softphone.__main__:main"}
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "License-Expression: GPL-3.0-or-later" in metadata
    assert "Requires-Python: <3.13,>=3.11" in metadata
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert wheel.read(f"{info}/WHEEL").decode().count("py3-none-any") == 1
