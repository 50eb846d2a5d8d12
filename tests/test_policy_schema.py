"""The JSON schema for editors: it takes every policy that the reader takes, and marks what plainly cannot stand there."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.domain.policy import PolicyError
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import filled, parse_policy
from tests.domain.test_policy_doubts import DOUBTFUL
from tests.domain.test_policy_faults import TWO_CONTROLLERS
from tests.policies import KEYS, POLICY

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "policies"
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
NOTES = {"$schema", "$defs", "description", "default", "examples", "format"}


@pytest.fixture
def schema(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert cli.main(["policy", "schema"]) == 0
    return json.loads(capsys.readouterr().out)


class Validator:
    """The keywords that this schema uses (JSON Schema 2020-12), and no others: an unknown one is an error of the test."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def faults(self, value: Any, schema: dict[str, Any] | None = None, path: str = "") -> Iterator[str]:
        for keyword, wanted in (self._schema if schema is None else schema).items():
            if keyword not in NOTES:
                judged: Iterator[str] = getattr(self, f"_{keyword.removeprefix('$')}")(value, wanted, path, schema)
                yield from judged

    def _fault(self, good: bool, path: str, why: object) -> Iterator[str]:
        if not good:
            yield f"{path}: {why}"

    def _ref(self, value: Any, wanted: str, path: str, _: object) -> Iterator[str]:
        yield from self.faults(value, self._schema["$defs"][wanted.rsplit("/", 1)[-1]], path)

    def _type(self, value: Any, wanted: str, path: str, _: object) -> Iterator[str]:
        plain = isinstance(value, bool) == (wanted == "boolean")
        yield from self._fault(plain and isinstance(value, TYPES[wanted]), path, wanted)

    def _properties(self, value: Any, wanted: dict[str, Any], path: str, _: object) -> Iterator[str]:
        for key, one in value.items() if isinstance(value, dict) else ():
            if key in wanted:
                yield from self.faults(one, wanted[key], f"{path}.{key}")

    def _additionalProperties(self, value: Any, wanted: Any, path: str, schema: Any) -> Iterator[str]:  # noqa: N802
        known = (self._schema if schema is None else schema).get("properties", {})
        for key in value if isinstance(value, dict) else ():
            if key not in known:
                yield from self._fault(wanted is not False, f"{path}.{key}", "unknown")
                yield from self.faults(value[key], wanted, f"{path}.{key}") if isinstance(wanted, dict) else ()

    def _propertyNames(self, value: Any, wanted: Any, path: str, _: object) -> Iterator[str]:  # noqa: N802
        for key in value if isinstance(value, dict) else ():
            yield from self.faults(key, wanted, f"{path}.{key}")

    def _required(self, value: Any, wanted: list[str], path: str, _: object) -> Iterator[str]:
        for key in wanted if isinstance(value, dict) else ():
            yield from self._fault(key in value, f"{path}.{key}", "missing")

    def _items(self, value: Any, wanted: Any, path: str, _: object) -> Iterator[str]:
        for n, one in enumerate(value) if isinstance(value, list) else ():
            yield from self.faults(one, wanted, f"{path}[{n + 1}]")

    def _anyOf(self, value: Any, wanted: list[Any], path: str, _: object) -> Iterator[str]:  # noqa: N802
        yield from self._fault(any(not list(self.faults(value, one, path)) for one in wanted), path, "none of them")

    def _enum(self, value: Any, wanted: list[Any], path: str, _: object) -> Iterator[str]:
        yield from self._fault(value in wanted, path, wanted)

    def _const(self, value: Any, wanted: Any, path: str, _: object) -> Iterator[str]:
        yield from self._fault(value == wanted, path, wanted)

    def _pattern(self, value: Any, wanted: str, path: str, _: object) -> Iterator[str]:
        yield from self._fault(not isinstance(value, str) or re.search(wanted, value) is not None, path, wanted)

    def _minimum(self, value: Any, wanted: int, path: str, _: object) -> Iterator[str]:
        yield from self._fault(not isinstance(value, int) or value >= wanted, path, f"less than {wanted}")

    def _maximum(self, value: Any, wanted: int, path: str, _: object) -> Iterator[str]:
        yield from self._fault(not isinstance(value, int) or value <= wanted, path, f"more than {wanted}")

    def _minLength(self, value: Any, wanted: int, path: str, _: object) -> Iterator[str]:  # noqa: N802
        yield from self._fault(not isinstance(value, str) or len(value) >= wanted, path, "too short")

    def _maxLength(self, value: Any, wanted: int, path: str, _: object) -> Iterator[str]:  # noqa: N802
        yield from self._fault(not isinstance(value, str) or len(value) <= wanted, path, "too long")

    def _minItems(self, value: Any, wanted: int, path: str, _: object) -> Iterator[str]:  # noqa: N802
        yield from self._fault(not isinstance(value, list) or len(value) >= wanted, path, "too few")


def as_json(value: Any) -> Any:
    """As an editor sees a TOML file: its days are text."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def faults(schema: dict[str, Any], text: str) -> list[str]:
    return list(Validator(schema).faults(as_json(tomllib.loads(text))))


WORDING = """
[line.wording."N2+N3".da]
essentials = "Må vi optage?"
question = "Tryk 1 eller 2."
"""
SOUND = TWO_CONTROLLERS + WORDING + '\n[line.sound.N1]\nda = "n1.wav"\nen = { file = "n1.wav", essentials = 7.5 }\n'


def test_every_policy_that_is_read_is_one_for_the_schema(schema: dict[str, Any]) -> None:
    keys = {KeyRole(role): key for role, key in KEYS.items()}
    texts = [filled(path.read_text("utf-8"), keys) for path in FOLDER.glob("*.toml")]
    texts += [POLICY, SOUND, *(POLICY.replace(old, new, 1) for old, new, *_ in DOUBTFUL)]
    assert len(texts) > 25
    for text in texts:
        assert faults(schema, text) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('retention = "P5Y"', 'retention = "5Y"', ".line[2].documentation.retention"),
        ('retention = "P5Y"', "retention = 5", ".line[2].documentation.retention"),
        ('id = "salg"', 'id = "salg"\nanswer_time = "P1M"', ".line[1].answer_time"),
        ('sample = "10 %"', 'sample = "110 %"', ".line[1].training.sample"),
        ('sample = "10 %"', "sample = 10", ".line[1].training.sample"),
        ('basis = "legal_obligation"', 'basis = "contract"', ".line[2].documentation.basis"),
        ('id = "salg"', 'id = "Salg"', ".line[1].id"),
        ('id = "salg"', 'id = "salg"\ninternal = true', ".line[1].internal"),
        ('id = "salg"', 'id = "salg"\nlanguage_key = "99"', ".line[1].language_key"),
        ('id = "salg"', 'id = "salg"\nrepeat = 2', ".line[1].repeat"),
        ('id = "salg"', 'id = "salg"\nwording = { N9 = {} }', ".line[1].wording.N9"),
        ('id = "salg"', 'id = "salg"\nsound.N6.da = { file = "a.wav", question = -1 }', ".line[1].sound.N6.da"),
        ('contact = "databeskyttelse@nordlys.example"\n', "", ".controller"),
        (f'"{KEYS["custody"]}"', '"abc"', ".recipient[3].public_key"),
        ('"+4570102040"', '"70102040"', ".line[2].numbers[1]"),
        ("version = 1", 'version = "1"', ".version"),
    ],
)
def test_what_plainly_cannot_stand_there_is_marked_where_the_reader_finds_it_too(
    schema: dict[str, Any], old: str, new: str, path: str
) -> None:
    text = POLICY.replace(old, new, 1)
    assert text != POLICY
    assert [one.partition(":")[0] for one in faults(schema, text)][:1] == [path]
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_a_key_is_explained_and_nothing_of_python_is_left(schema: dict[str, Any]) -> None:
    line = schema["$defs"]["Line"]["properties"]
    assert line["calls"]["description"] == "which of its calls it records"
    assert line["language_key"]["description"].startswith("pressed while the notice plays")
    assert schema["$schema"].endswith("2020-12/schema")
    whole = json.dumps(schema)
    assert '"null"' not in whole
    assert "months" not in json.dumps(line["answer_time"])


def test_every_key_is_explained_in_the_document_and_stands_in_the_example(schema: dict[str, Any]) -> None:
    document = (FOLDER.parents[1] / "docs" / "policy.md").read_text("utf-8")
    example = (FOLDER / "example.toml").read_text("utf-8")
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", ())} - {"da", "en"}
    assert len(keys) > 60
    named = {key for key in keys if len(key) > 1}
    assert sorted(key for key in named if not re.search(rf"\b{key}\b", document)) == []
    assert sorted(key for key in named if not re.search(rf"\b{key}\b", example)) == []
