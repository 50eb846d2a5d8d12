"""`klartone policy schema`: the policy file as JSON schema, by which an editor completes keys, explains them and marks
mistakes.

`policy check` does the checks between values.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import itertools
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, cast

from softphone.domain.policy import Policy
from softphone.domain.policy.fields import PolicyPart

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema(_: argparse.Namespace) -> int:
    print(json.dumps(schema(), ensure_ascii=False, indent=2))  # noqa: T201
    return 0


def schema() -> dict[str, Any]:
    """The file as it is written: periods, shares and numbers are text, dates are dates, one controller may be a section."""
    made = _as_written(Policy.model_json_schema())
    parts = {kind.__name__: kind for kind in _parts(PolicyPart)}
    for name, table in {"Policy": made, **made["$defs"]}.items():
        for key, doc in _docs(parts[name]).items() if name in parts else ():
            table["properties"][key].setdefault("description", doc)
    return {"$schema": DIALECT, **made}


def _as_written(value: Any) -> Any:
    """Without what only Python has: null, its defaults, and names of attributes as titles."""
    if isinstance(value, list):
        return [_as_written(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, Any]", value)
    left = {key: _as_written(one) for key, one in table.items() if not (key == "title" and isinstance(one, str))}
    if not isinstance(left.get("default", ""), str | bool | int | list):
        del left["default"]
    choices = [one for one in left.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        del left["anyOf"]
        return {**choices[0], **left}
    return {**left, "anyOf": choices} if choices else left


def _parts(kind: type[PolicyPart]) -> Iterator[type[PolicyPart]]:
    for one in kind.__subclasses__():
        yield one
        yield from _parts(one)


def _docs(kind: type[PolicyPart]) -> Mapping[str, str]:
    """The docstring under each key in the source. A frozen program has none: then nothing is explained."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except OSError:
        return {}
    found: dict[str, str] = {}
    body = cast("ast.ClassDef", tree.body[0]).body
    for one, after in itertools.pairwise(body):
        if not (isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(after, ast.Expr)):
            continue
        if isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found[one.target.id] = inspect.cleandoc(after.value.value)
    return found
