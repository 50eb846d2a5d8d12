"""Prints the part of requirements.lock that the named distributions need, themselves included: locked.py [--windows] NAME...

Run it in an environment made from that lock. `klartone` means what Klartone needs, as pyproject.toml says it, without itself.
With `--windows` it prints what they need there, without the lock's conditions: pip would judge those by the system that it
runs on.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
WINDOWS = {
    "sys_platform": "win32",
    "platform_system": "Windows",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "python_version": "3.12",
    "python_full_version": "3.12.9",
}


def closure(names: list[str], system: dict[str, str]) -> set[str]:
    wanted, open_ends = set[str](), [canonicalize_name(name) for name in names]
    while open_ends:
        name = open_ends.pop()
        if name in wanted:
            continue
        wanted.add(name)
        for text in needs(name):
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({**system, "extra": ""}):
                open_ends.append(canonicalize_name(one.name))
    return wanted - {"klartone"}


def needs(name: str) -> list[str]:
    if name == "klartone" and PROJECT.exists():  # what was installed of it may be older
        return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    try:
        return requires(name) or []
    except PackageNotFoundError:  # not installed yet, or another system's: another run, with it, finds what it needs
        return []


def main(*words: str) -> None:
    system = WINDOWS if "--windows" in words else {}
    lock = Path(__file__).parent.parent / "requirements.lock"
    needed = closure([word for word in words if word != "--windows"], system)
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
        name = re.match(r"[A-Za-z0-9._-]*", block)
        if name is None or canonicalize_name(name.group()) not in needed:
            continue
        if system:
            first, _, rest = block.partition(" \\\n")
            one = Requirement(first)
            if one.marker is not None and not one.marker.evaluate(system):
                continue
            block = f"{first.partition(' ;')[0]} \\\n{rest}"
        sys.stdout.write(block)


main(*sys.argv[1:])
