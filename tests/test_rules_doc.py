"""docs/rules.md and what writes it: only a test that ran and passed proves a row, and losing a proof is a failure."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

FACTS = """
[[row]]
id = "G03"
force = "must"
demand = "Consent is an active act."

[[row]]
id = "G04"
force = "must"
demand = "It can be taken back."
to_come = "cases"
controller = "Letters."

[[row]]
id = "G05"
force = "must"
demand = "Told before."
"""

CODE = '''\
"""A module on asking (G03)."""

RULES = {"no_answer": "G03"}


class Question:
    """Asked once (G03-G05)."""

    def ask(self) -> None:
        note("asked", "G03")


def note(event: str, rule: str) -> None:
    # whatever comes, G04 holds
    def inner() -> str:
        return "G04"
'''


def _rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rules", ROOT / ".ci" / "rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["rules"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


rules: Any = _rules()


def case(name: str, *rows: str, classname: str = "tests.test_asking", outcome: str = "") -> str:
    properties = "".join(f'<property name="rule" value="{row}"/>' for row in rows)
    return f'<testcase classname="{classname}" name="{name}"><properties>{properties}</properties>{outcome}</testcase>'


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for path, text in {
        "docs/rules.toml": FACTS,
        "softphone/asking.py": CODE,
        "softphone/demo/story.py": "# G05 is told of here, and kept elsewhere",
        "plugins/book/tests/test_book.py": "# G05",
        "tests/test_asking.py": "",
        "tests/guideline/test_table.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def run(house: Path, *cases: str) -> Path:
    """A run's JUnit file."""
    path = house / "junit.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
    return path


def written(house: Path, *cases: str) -> str:
    assert rules.main([str(run(house, *cases))], house) == 0
    return (house / "docs" / "rules.md").read_text(encoding="utf-8")


def section(text: str, row: str) -> str:
    return text.partition(f"\n## {row}\n")[2].partition("\n## ")[0]


def test_a_row_names_the_code_that_cites_it_by_what_it_stands_in(house: Path) -> None:
    text = written(house)
    assert "- softphone/asking.py: `RULES`, `Question`, `Question.ask`\n" in section(text, "G03")
    assert "- softphone/asking.py: `Question`, `note`\n" in section(text, "G04")
    assert "- softphone/asking.py: `Question`\n" in section(text, "G05")
    assert "demo" not in text
    assert "test_book" not in text


def test_a_test_that_passed_proves_its_rows_in_its_own_words(house: Path) -> None:
    text = written(house, case("test_a_key_is_a_yes", "G03", "G05"))
    assert "- tests/test_asking.py\n    - a key is a yes\n" in section(text, "G03")
    assert "a key is a yes" in section(text, "G05")
    assert "Not proved by any test yet." in section(text, "G04")
    assert rules.proved_on(text) == {"G03", "G05"}


def test_a_case_of_the_table_is_told_in_the_guidelines_words(house: Path) -> None:
    name = "test_it_goes[G04 A letter takes it back-da]"
    text = written(house, case(name, "G04", classname="tests.guideline.test_table"))
    assert "    - A letter takes it back\n" in section(text, "G04")
    assert rules.proved_on(text) == {"G04"}


@pytest.mark.parametrize("outcome", ["<failure/>", "<error/>", "<skipped/>"])
def test_a_test_that_failed_or_did_not_run_proves_nothing(house: Path, outcome: str) -> None:
    text = written(house, case("test_a_key_is_a_yes", "G03", outcome=outcome))
    assert rules.proved_on(text) == set()
    assert "\n    - a key is a yes" not in text


def test_one_case_that_fails_takes_the_whole_test_with_it(house: Path) -> None:
    text = written(house, case("test_a_key[1]", "G03"), case("test_a_key[2]", "G03", outcome="<failure/>"))
    assert rules.proved_on(text) == set()
    assert "**Failed:** a key (tests/test_asking.py)" in section(text, "G03")


def test_what_is_still_to_come_and_what_is_the_controllers_own_stand_with_the_row(house: Path) -> None:
    told = section(written(house), "G04")
    assert "Still to come: cases\n" in told
    assert "The controller's own: Letters.\n" in told


def test_the_same_run_gives_the_same_page_in_whatever_order_it_ran(house: Path) -> None:
    cases = [case(f"test_{name}", "G03") for name in "abc"]
    assert written(house, *cases) == written(house, *reversed(cases))


def test_a_row_that_was_proved_and_is_no_longer_is_a_failure(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(house, case("test_a", "G03"), case("test_b", "G04"))
    assert rules.main(["--check", str(run(house, case("test_a", "G03")))], house) == 1
    assert "No longer proved: G04" in capsys.readouterr().out


def test_a_page_that_is_merely_out_of_date_is_said_with_its_rows_and_no_failure(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(house, case("test_a", "G03"))
    junit = run(house, case("test_a", "G03"), case("test_new", "G04"))
    assert rules.main(["--check", str(junit)], house) == 0
    assert "docs/rules.md is out of date (G04): `make rules`" in capsys.readouterr().out
    assert (house / "docs" / "rules.md").read_text(encoding="utf-8") == before


def test_a_row_that_there_is_not_is_a_failure(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main(["--check", str(run(house, case("test_a", "G12")))], house) == 1
    assert "rows that there are not: G12" in capsys.readouterr().out


# --- our own -------------------------------------------------------------------------------------------------------------


def test_every_row_that_our_code_and_tests_cite_is_one() -> None:
    known = {row.id for row in rules.rows_of(ROOT)}
    assert set(rules.cited(ROOT)) <= known
    tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "plugins").rglob("tests/*.py")]
    marked = {row for path in tests for row in re.findall(r'mark\.rule\("([^"]+)"\)', path.read_text(encoding="utf-8"))}
    assert marked <= known


def test_the_rows_are_those_of_the_guidelines_list() -> None:
    numbers = (*range(1, 12), 13, *range(20, 24), *range(30, 40))
    wanted = [f"G{n:02}" for n in numbers] + [f"L{n}" for n in range(1, 6)] + [f"N{n}" for n in range(1, 9)]
    rows = rules.rows_of(ROOT)
    assert [row.id for row in rows] == wanted
    assert {row.force for row in rows} == {"must", "should", "advised", "may", "law"}


def test_a_row_that_no_code_keeps_is_said_to_be_still_to_come() -> None:
    kept = set(rules.cited(ROOT))
    assert [row.id for row in rules.rows_of(ROOT) if row.id not in kept and not row.to_come] == []
