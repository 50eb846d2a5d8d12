"""On which line each key of a TOML text stands."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from softphone.domain.policy import KeyPath, key_lines
from tests.policies import POLICY, line_of_text

TRICKY = '''\
a = """one
 "two" \\""" still [line.x]
"""""          # two quotes belong to the text
b = \'\'\'
'' [[not]] ''
\'\'\'
c.d."e f" = { g = [1, # a comment with ] and }
   [2, "]"], { h = '#' }], i = 1979-05-27 07:32:00Z }
[[t]]
k = 1
[t.sub]
k = 2
[[t]]
  [[t.more]]
  k = 3
  [[t.more]]
  "\\u006b" = "x\\"y"
'''


def test_strings_brackets_and_comments_do_not_lead_astray() -> None:
    lines = key_lines(TRICKY)

    assert tomllib.loads(TRICKY)["c"]["d"]["e f"]["g"][2] == {"h": "#"}
    assert lines["a",] == 1
    assert lines["b",] == 4
    assert lines["c", "d", "e f", "g"] == 7
    assert lines["c", "d", "e f", "g", 2, "h"] == 8
    assert lines["c", "d", "e f", "i"] == 8
    assert lines["t", 0, "k"] == 10
    assert lines["t", 0, "sub", "k"] == 12
    assert lines["t", 1, "more", 0, "k"] == 15
    assert lines["t", 1, "more", 1, "k"] == 17


def test_every_key_of_a_policy_has_its_line() -> None:
    lines = key_lines(POLICY)

    assert set(paths(tomllib.loads(POLICY))) <= set(lines)
    assert lines["line", 0, "training", "sample"] == line_of_text(POLICY, 'sample = "10 %"')
    assert lines["line", 1, "documentation", "basis"] == line_of_text(POLICY, 'basis = "legal_obligation"')


VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[\n# ]\n" + ",\n".join(written(one) for one in value) + "\n]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {written(one)}" for key, one in value.items()) + "}"
    return str(value)


def quoted(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")


def paths(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, one in value.items():
            yield from paths(one, (*at, key))
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from paths(one, (*at, n))


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_the_lines_agree_with_what_the_standard_reader_reads(table: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in table.items())
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # JSON spells characters beyond the first plane as surrogate pairs, which TOML refuses
        return

    lines = key_lines(text)

    assert set(lines) == set(paths(data))
    rows = text.split("\n")
    for key in table:
        assert rows[lines[key,] - 1].startswith(quoted(key))
