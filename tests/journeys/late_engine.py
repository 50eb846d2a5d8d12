"""The real engine whose parts take their time to load: they begin with a line on stdin. Everything else is the engine's own.

Started as the engine is (`python -m tests.journeys.late_engine --home DIR engine`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from softphone import cli
from softphone.bootstrap import engine

LATE = ("-m", "tests.journeys.late_engine")


def main() -> int:
    load = engine._load_parts

    def late(loaded: Callable[[], None]) -> None:
        sys.stdin.readline()
        load(loaded)

    engine._load_parts = late
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
