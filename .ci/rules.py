"""Writes docs/rules.md: each row of the guideline's list, the code that keeps it, and the tests that prove it.

    python .ci/rules.py build/junit.xml            write it anew from that run
    python .ci/rules.py --check build/junit.xml    say whether it still holds; a row that is no longer proved is a failure, a
                                                   page that is out of date is not: it names the rows

What code keeps a row is what cites it: in a comment, a docstring, or the rule of an audit entry. What proves it is a test that is
marked with it, ran, and passed. The words of the rows, and what is still to come, are docs/rules.toml. Nothing here judges.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/rules.md"
FACTS = "docs/rules.toml"
CODE = ("softphone", "plugins")
NOT_CODE = ("tests", "migrations", "demo")
ID = r"(?:G\d\d|L\d|N[1-8])"
_CITED = re.compile(rf"\b({ID})\b(?:[–-]({ID})\b)?")
_TABLE = "tests/guideline/test_table.py"


@dataclass(frozen=True)
class Row:
    """One demand in our own short words, and what no code can tell of it."""

    id: str
    force: str
    demand: str
    to_come: str = ""
    """in which part of the program the rest of it will be kept"""
    controller: str = ""
    """what remains the controller's own duty"""


@dataclass
class Proof:
    """The tests marked with a row. `passed`: by file, what each says of itself; `failed` likewise."""

    passed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def holds(self) -> bool:
        return bool(self.passed) and not self.failed


def rows_of(root: Path) -> list[Row]:
    return [Row(**row) for row in tomllib.loads((root / FACTS).read_text("utf-8"))["row"]]


# --- the code that keeps it --------------------------------------------------------------------------------------


def cited(root: Path) -> dict[str, dict[str, list[str]]]:
    """Row -> file -> the functions, classes and tables in it that cite the row, in the order of the file."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).parts
            if set(parts) & set(NOT_CODE) or parts[-1] == "cli.py":
                continue
            for row, name in _citations(path.read_text("utf-8")):
                names = found[row].setdefault("/".join(parts), [])
                if name and name not in names:
                    names.append(name)
    return found


def _citations(source: str) -> Iterator[tuple[str, str]]:
    places = _places(ast.parse(source))
    for number, line in enumerate(source.splitlines(), 1):
        for match in _CITED.finditer(line):
            inside = [name for first, last, name in places if first <= number <= last]
            for row in _range(match[1], match[2]):
                yield row, inside[-1] if inside else ""


def _range(first: str, last: str | None) -> list[str]:
    if last is None or last[0] != first[0]:
        return [first]
    digits = len(first) - 1
    return [f"{first[0]}{n:0{digits}}" for n in range(int(first[1:]), int(last[1:]) + 1)]


def _places(tree: ast.AST, outer: str = "") -> list[tuple[int, int, str]]:
    """First and last line of everything that has a name, the innermost last."""
    places: list[tuple[int, int, str]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{node.name}" if outer else node.name
            places.append((node.lineno, node.end_lineno or node.lineno, name))
            if isinstance(node, ast.ClassDef):
                places += _places(node, name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not outer:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                places.append((node.lineno, node.end_lineno or node.lineno, target.id))
    return places


# --- the tests that prove it -----------------------------------------------------------------------------------------


def proofs(root: Path, junit: Path) -> dict[str, Proof]:
    """From a run's JUnit file. A test that was skipped proves nothing; one that failed in any of its cases neither."""
    found: dict[str, Proof] = defaultdict(Proof)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):  # noqa: S314 - our own file
        if case.find("skipped") is not None:
            continue
        failed = case.find("failure") is not None or case.find("error") is not None
        path = _file_of(root, case.get("classname", ""))
        told = _told(path, case.get("name", ""))
        for one in case.iter("property"):
            if one.get("name") == "rule":
                proof = found[one.get("value", "")]
                (proof.failed if failed else proof.passed)[path].add(told)
    for proof in found.values():
        for path, names in proof.failed.items():
            proof.passed[path] -= names
        for path in [path for path, names in proof.passed.items() if not names]:
            del proof.passed[path]
    return found


def _file_of(root: Path, dotted: str) -> str:
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end]) + ".py"
        if (root / path).is_file():
            return path
    return dotted


def _told(path: str, name: str) -> str:
    """A test's name is a sentence; of the table's tests, each case's own words are."""
    name, _, case = name.partition("[")
    if path == _TABLE and case:
        return re.sub(rf"^{ID} |-(?:da|en)$|\]$", "", case.removesuffix("]"))
    return name.removeprefix("test_").replace("_", " ")


# --- the page ------------------------------------------------------------------------------------------------------------


def page(rows: list[Row], code: dict[str, dict[str, list[str]]], proved: dict[str, Proof]) -> str:
    out = [
        "# The guideline's rows, and what keeps them",
        "",
        "<!-- Written by .ci/rules.py from the code's citations, a test run and docs/rules.toml. -->",
        "",
        "Datatilsynet's guideline *Optagelse af telefonsamtaler* (April 2024), one row a demand. Code, tests and the audit log"
        " cite a row by its id. *Proved* means: a test that is marked with it ran and passed, and none failed; *in part*: the"
        " rest of the row is still to come. What remains the controller's own, whatever the program does, stands with each row.",
        "",
        "| row | force | demand | proved | still to come |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        holds = proved.get(row.id, Proof()).holds
        is_proved = ("in part" if row.to_come else "yes") if holds else "**no**"
        out.append(f"| [{row.id}](#{row.id.lower()}) | {row.force} | {row.demand} | {is_proved} | {row.to_come} |")
    for row in rows:
        out += ["", f"## {row.id}", "", f"*{row.force}* · {row.demand}", ""]
        out += _section(row, code.get(row.id, {}), proved.get(row.id, Proof()))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).rstrip() + "\n"


def _section(row: Row, code: dict[str, list[str]], proof: Proof) -> Iterator[str]:
    if code:
        yield "Kept by"
        for path, names in sorted(code.items()):
            named = ", ".join(f"`{name}`" for name in names)
            yield f"- {path}" + (f": {named}" if named else "")
        yield ""
    if proof.passed:
        yield "Proved by"
        for path, told in sorted(proof.passed.items(), key=lambda one: (one[0] != _TABLE, one[0])):
            yield f"- {path}"
            yield from (f"    - {one}" for one in sorted(told))
        yield ""
    for path, told in sorted(proof.failed.items()):
        yield from (f"**Failed:** {one} ({path})\n" for one in sorted(told))
    if not proof.passed and not proof.failed:
        yield "Not proved by any test yet.\n"
    if row.to_come:
        yield f"Still to come: {row.to_come}\n"
    if row.controller:
        yield f"The controller's own: {row.controller}\n"


def _of_row(text: str, row: str) -> str:
    return text.partition(f"\n## {row}\n")[2].partition("\n## ")[0]


def proved_on(text: str) -> set[str]:
    """The rows that a page says are proved, be it in part."""
    return set(re.findall(rf"(?m)^\| \[({ID})\].* \| (?:yes|in part) \| [^|]*\|$", text))


def check(root: Path, text: str, rows: list[Row], proved: dict[str, Proof]) -> tuple[int, str]:
    """Exit code, and what to say."""
    there = (root / PAGE).read_text("utf-8") if (root / PAGE).is_file() else ""
    lost = sorted(row for row in proved_on(there) if not proved.get(row, Proof()).holds)
    unknown = sorted(set(proved) - {row.id for row in rows})
    holding = sum(proved.get(row.id, Proof()).holds for row in rows)
    told = [f"{holding} of {len(rows)} rows are proved by this run."]
    if unknown:
        told.append(f"Tests cite rows that there are not: {', '.join(unknown)}")
    if lost:
        told.append(f"No longer proved: {', '.join(lost)}")
    elif there != text:
        otherwise = [row.id for row in rows if _of_row(there, row.id) != _of_row(text, row.id)]
        told.append(f"{PAGE} is out of date ({', '.join(otherwise) or 'its table'}): `make rules` writes it anew.")
    return int(bool(lost or unknown)), "\n".join(told) + "\n"


def main(arguments: list[str], root: Path = ROOT) -> int:
    checks = arguments[:1] == ["--check"]
    junit = Path(arguments[-1])
    rows = rows_of(root)
    proved = proofs(root, junit)
    text = page(rows, cited(root), proved)
    if checks:
        code, told = check(root, text, rows, proved)
        sys.stdout.write(told)
        return code
    (root / PAGE).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
