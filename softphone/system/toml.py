"""Why a file cannot be read as TOML, in a person's words instead of the reader's."""

from __future__ import annotations

import re

from softphone.domain.policy import PolicyFault

_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")
_TWICE = re.compile(r"(?:Cannot (?:overwrite|declare|mutate|redefine)|Duplicate )")
"""the beginning of the reader's message if a value or a table is there already"""


def broken(text: str, message: str) -> PolicyFault:
    """`message`: tomllib's message about `text`."""
    last = text.count("\n") + (0 if text.endswith("\n") else 1)
    where = _WHERE.search(message)
    if _TWICE.match(message):
        return PolicyFault(int(where[1]) if where else last, "", "policy.fault.declared_twice")
    if where is None:
        return PolicyFault(last, "", "policy.fault.ends_early")
    return PolicyFault(int(where[1]), "", "policy.fault.broken", {"column": int(where[2])})
