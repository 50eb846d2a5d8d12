"""Every fault that the program can tell of has its sentence, in Danish and in English."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import softphone
from softphone.domain.purpose import Language
from softphone.system.paths import program_folder
from softphone.texts import Texts

PACKAGE = Path(softphone.__file__).parent
ERRORS = ("KlartoneError", "SettingsError", "KeyringError", "ArchiveError", "SoundError", "EngineError", "PluginError")
SAID = (*ERRORS, "WireError", "Said", "SoundFault", "PluginWord")


def _codes() -> Iterator[tuple[str, str]]:
    """(code, where) of each fault that is written out in the program."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(first := node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in SAID and isinstance(first.value, str) and first.value:
                    yield first.value, f"{file.relative_to(PACKAGE)}:{node.lineno}"


@pytest.mark.parametrize("language", Language)
def test_every_fault_has_its_sentence(language: Language) -> None:
    texts = Texts(program_folder("resources") / "translations", language)
    codes = list(_codes())
    assert len(codes) > 60
    assert [f"{code} ({where})" for code, where in codes if code not in texts] == []
