"""Prints the part of requirements.lock that the named distributions need, themselves included: locked.py NAME[==VERSION]...

Run it in an environment made from that lock. `klartone` means what Klartone needs, without itself.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(names: list[str]) -> set[str]:
    wanted, open_ends = set[str](), [canonicalize_name(name) for name in names]
    while open_ends:
        name = open_ends.pop()
        if name in wanted:
            continue
        wanted.add(name)
        try:
            needed = requires(name) or ()
        except PackageNotFoundError:  # not installed yet: another run, with it, finds what it needs
            continue
        for text in needed:
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                open_ends.append(canonicalize_name(one.name))
    return wanted - {"klartone"}


lock = Path(__file__).parent.parent / "requirements.lock"
blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"))
needed = closure(sys.argv[1:])
for block in blocks:
    if canonicalize_name(re.match(r"[A-Za-z0-9._-]*", block).group()) in needed:
        sys.stdout.write(block)
