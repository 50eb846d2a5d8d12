"""That the house's SQL has no function that nobody calls. Pure: the files are read, and nothing is asked."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import softphone

PROGRAM = Path(softphone.__file__).parent
SQL = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted((PROGRAM / "team/schema").rglob("*.sql"))
    if not path.name.endswith("grants.sql")
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(PROGRAM.rglob("*.py"))}
TEAM = {path: text for path, text in TEXTS.items() if PROGRAM / "team" in path.parents}


def test_each_sql_function_is_called_by_the_program_or_by_another_one() -> None:
    bodies = dict(re.findall(r"^CREATE FUNCTION (\w+)(\(.*?\$\$;)$", SQL, re.DOTALL | re.MULTILINE))
    besides = re.sub(r"^CREATE FUNCTION \w+\(.*?\$\$;$", "", SQL, flags=re.DOTALL | re.MULTILINE)
    said = "\n".join(
        one.value
        for text in TEAM.values()
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )
    called = {name: bodies.keys() & set(re.findall(r"\b(\w+)\(", body)) for name, body in bodies.items()}
    reached = bodies.keys() & set(re.findall(r"\b(\w+)\(", said + besides))
    left = list(reached)
    while left:
        left += (new := called[left.pop()] - reached)
        reached |= new
    assert len(bodies) > 150
    assert bodies.keys() - reached == set()


def test_each_statement_that_has_a_name_is_used() -> None:
    named = re.compile(r"^([A-Z][A-Z_]+) = (?:\(\n    )?f?\"(?:SELECT|INSERT|UPDATE|DELETE)", re.MULTILINE)
    unused = [
        f"{path.stem}.{name}" for path, text in TEAM.items() for name in named.findall(text) if not _used(path, name)
    ]
    assert unused == []


def _used(path: Path, name: str) -> bool:
    elsewhere = re.compile(rf"\b{path.stem}\.{name}\b|^from .*\b{name}\b", re.MULTILINE)
    own = len(re.findall(rf"\b{name}\b", TEAM[path])) > 1
    return own or any(name in text and elsewhere.search(text) for text in TEXTS.values())
