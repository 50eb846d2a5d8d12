"""What the packages of every system are told of Klartone: `package.toml`, the version, and the time of the last commit.

It reads; what it reads becomes files in `freeze.py` and in a folder per system.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def description() -> dict[str, Any]:
    """`package.toml` as it stands, and `version`."""
    read = tomllib.loads((HERE / "package.toml").read_text(encoding="utf-8"))
    return {**read, "version": version()}


def version() -> str:
    for node in ast.parse((ROOT / "softphone" / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return ast.literal_eval(node.value)
    raise SystemExit("softphone/__init__.py has no __version__")


def made_at() -> int:
    """Seconds since 1970 for every time in a package: SOURCE_DATE_EPOCH, else the last commit's."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told:
        return int(told)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise SystemExit("No time for the package: set SOURCE_DATE_EPOCH, or build from a git checkout.")
    return int(asked.stdout)


if __name__ == "__main__":
    sys.stdout.write(f"{version()}\n")
