"""What counts days is run at another day than today (`.ci/other_day.py`): these folders, but for what is named here."""

from __future__ import annotations

import pytest

COUNTS_DAYS = ("archive", "bootstrap", "calls", "domain", "engine", "house")
S3 = "storage's server reads its own clock, and refuses what is signed at another day"
TODAY_ALONE = {
    "archive/test_never_in_a_file.py": "it counts every file that is written, and faketime has one of its own",
}
"""of these folders, what runs today alone, by the beginning of its id, and why it does; so does what asks for storage"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--day",
        choices=("any", "today", "other"),
        default="any",
        help="other: what counts days, which runs at a day that faketime gives; today: all the rest",
    )


def why_today(item: pytest.Item) -> str | None:
    """None: it runs at any day."""
    path, _, name = item.nodeid.partition("/")
    if path != "tests" or not name.startswith(tuple(f"{folder}/" for folder in COUNTS_DAYS)):
        return "it counts no days"
    if "s3" in getattr(item, "fixturenames", ()) or "[house" in name:
        return S3
    return next((why for begins, why in TODAY_ALONE.items() if name.startswith(begins)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--day")
    if wanted != "any":
        left = [item for item in items if (why_today(item) is None) is not (wanted == "other")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
