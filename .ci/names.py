"""A test's name is under 100 characters: it is read in lists of failures, and in docs/rules.md."""

import re
import sys
from pathlib import Path

LONGEST = 99
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)

too_long = [
    f"{path}: {name} ({len(name)})"
    for folder in ("tests", "plugins")
    for path in sorted(Path(folder).rglob("test_*.py"))
    for name in TEST.findall(path.read_text("utf-8"))
    if len(name) > LONGEST
]
if too_long:
    sys.exit(f"Tests with names of {LONGEST + 1} characters or more; say it shorter:\n  " + "\n  ".join(too_long))
