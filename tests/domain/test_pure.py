"""What the domain may import, as a list: the contract in pyproject.toml can only name what it may not."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "softphone" / "domain"
FILES = sorted(DOMAIN.rglob("*.py"))


def may_import() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (pure,) = [one for one in project["tool"]["importlinter"]["contracts"] if "The domain is pure" in one["name"]]
    return {"pydantic", "pydantic_core"} | (sys.stdlib_module_names - set(pure["forbidden_modules"]))


def foreign(source: str) -> list[str]:
    """What a file of the domain imports, anywhere in it, and may not."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names += [node.module or ""]
    may = may_import()
    return [name for name in names if name.split(".")[0] not in may and name.split(".")[:2] != ["softphone", "domain"]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DOMAIN)))
def test_the_domain_imports_itself_pydantic_and_the_harmless_part_of_the_standard_library(file: Path) -> None:
    assert foreign(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", ["phonenumbers", "os.path", "socket", "softphone.wire", "softphone"])
def test_anything_else_is_found_also_where_it_is_imported_late(name: str) -> None:
    assert foreign(f"def late():\n    import {name}\n") == foreign(f"from {name} import one\n") == [name]
