"""What a person's confirmation names: one doubt about one policy, as it stands.

A changed answer, another line or another date is another doubt. Own words are named by `domain.notice.wording_hash`.
"""

from __future__ import annotations

import hashlib
import json
import re

from softphone.domain.policy.checks import Finding
from softphone.domain.policy.model import Policy

ABOUT_CONFIRMATIONS = frozenset({"confirmed_later", "confirmed_name"})
"""doubts that another confirmation does not settle"""


SHORT = 8
"""this many letters of a hash are shown, and must be typed"""


def doubt_hash(policy: Policy, doubt: Finding) -> str:
    """SHA-256 in hex. It names a line by its id, so that the line can move within the file."""
    path = [str(part) for part in doubt.path]
    if path[:1] == ["line"] and len(path) > 1:
        path[1] = policy.line[int(path[1])].id
    params = {name: str(value) for name, value in doubt.params.items()}
    text = json.dumps([doubt.code, path, params], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def as_word(path: str) -> str:
    """A path as one word of a command line."""
    return f'"{path}"' if re.search(r"\s", path) else path


def as_name(by: str) -> str | None:
    """A person's name: two words at least. None if it is not one."""
    words = by.split()
    named = len(words) > 1 and all(any(one.isalpha() for one in word) for word in words)
    return " ".join(words) if named and sum(one.isalpha() for one in by) > 3 else None
