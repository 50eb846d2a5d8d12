"""The torture messages of RFC 4475 as `rfc4475.txt` has them: read from the RFC's notation into bytes.

What is said of each there stands in `ENTRIES`; what holds for the edge is tested in `test_rfc4475.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).with_suffix(".txt")


class Entry(NamedTuple):
    section: str
    name: str
    said: dict[str, str]
    data: bytes


def _entries() -> list[Entry]:
    found: list[Entry] = []
    _, *parts = re.split(r"^=== ", _TABLE.read_text("utf-8"), flags=re.MULTILINE)
    for part in parts:
        about, _, message = part.partition("\n---\n")
        first, *more = about.splitlines()
        section, name = first.split()
        said = dict(line.split(": ", 1) for line in more)
        found.append(Entry(section, name, said, _bytes(message)))
    return found


def _bytes(written: str) -> bytes:
    """As section 2 of the RFC has it. The empty line before the next message ends this one's head, where it has no body."""
    head, gap, body = written.partition("\n\n")
    text = head + gap + (body.rstrip("\n") + "\n" if body.strip() else "")
    text = re.sub(r"<hex>([^<]*)</hex>", lambda one: f"<hex>{''.join(one[1].split())}</hex>", text)
    text = re.sub(r"<allOneLine>\n(.*?)\n</allOneLine>", lambda one: one[1].replace("\n", ""), text, flags=re.DOTALL)
    text = re.sub(r"<repeat count=([0-9]+)>(.*?)</repeat>", lambda one: one[2] * int(one[1]), text)
    text = text.replace("\n", "\r\n")
    parts = re.split(r"<hex>(.*?)</hex>", text)
    return b"".join(bytes.fromhex(one) if at % 2 else one.encode("ascii") for at, one in enumerate(parts))


ENTRIES = _entries()
MESSAGES: dict[str, bytes] = {one.name: one.data for one in ENTRIES}
