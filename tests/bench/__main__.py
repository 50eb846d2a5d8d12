"""`python -m tests.bench [--short] [--only NAME…] [--write FILE]`: measures, prints the table, and keeps it in a document.

Each measure's figures are printed as they come, and kept in build/bench; those that are not taken now stand as they were.
A measure that fails is named at the end, with status 1. `--write` replaces what stands between the two marks in FILE
(docs/performance.md).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench import (
    archive,
    arriving,
    beside,
    ear,
    house,
    load,
    memory,
    notice,
    paced,
    relay,
    review,
    sealing,
    setup,
    shipping,
    signalling,
    start,
    stop,
    year,
)
from tests.bench.figures import Figure, table

Measure = Callable[[], list[Figure]]
WHOLE: Mapping[str, Measure] = {
    "sealing": sealing.measure,
    "signalling": signalling.measure,
    "setup": setup.measure,
    "notice": notice.measure,
    "stop": stop.measure,
    "ear": ear.measure,
    "beside": beside.measure,
    "relay": relay.measure,
    "load": load.measure,
    "shipping": shipping.measure,
    "start": start.measure,
    "memory": memory.measure,
    "review": review.measure,
    "year": year.measure,
    "archive": archive.measure,
    "house": house.measure,
    "millions": house.found,
    "paced": paced.measure,
    "arriving": arriving.measure,
}
SHORT: Mapping[str, Measure] = {
    "sealing": lambda: sealing.measure(5_000),
    "signalling": lambda: signalling.measure(2_000),
    "setup": lambda: setup.measure(3),
    "notice": lambda: notice.measure(3),
    "stop": lambda: stop.measure(3),
    "ear": lambda: ear.measure(6),
    "beside": lambda: beside.measure(3, 6, 1),
    "relay": lambda: relay.measure(3),
    "load": lambda: load.measure(5, 1),
    "shipping": lambda: shipping.measure(6, 4, 60),
    "start": lambda: start.measure(1),
    "memory": lambda: memory.measure(20),
    "review": lambda: review.measure(4_000, 5),
    "year": lambda: year.measure((2_000,)),
    "archive": lambda: archive.measure((1_000, 10_000), swept=100, rotated=300, minutes=1, times=5),
    "house": lambda: house.measure(2, 5, (20_000,), 1_000),
    "paced": lambda: paced.measure(5, 1, 1),
    "millions": lambda: house.found(5, (20_000,), 1_000),
    "arriving": lambda: arriving.measure(5, 4, 3),
}
KEPT = Path(__file__).resolve().parents[2] / "build" / "bench"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--short", action="store_true", help="a few of each, to see that it works; nothing is kept")
    parser.add_argument(
        "--only", nargs="+", choices=list(WHOLE), default=[name for name in WHOLE if name != "millions"]
    )
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    # As a user has it: compiled once. A cold start would compile the program each time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    failed: dict[str, Exception] = {}
    for name in options.only:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        try:
            figures = (SHORT if options.short else WHOLE)[name]()
        except Exception as error:  # noqa: BLE001 - whatever it was: the other measures are taken
            traceback.print_exc()
            failed[name] = error
            continue
        print(f"{table(figures)}\n", flush=True)
        if not options.short:
            _keep(name, figures)
    if not options.short:
        _tell_all(options.write)
    for name, error in failed.items():
        print(f"failed: {name} ({type(error).__name__}: {error})", file=sys.stderr)
    return 1 if failed else 0


def _tell_all(document: Path | None) -> None:
    told = _told()
    print(told)
    if document:
        text = document.read_text(encoding="utf-8")
        kept = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{told}\n{END}", text, flags=re.DOTALL)
        document.write_text(kept, encoding="utf-8")


def _keep(name: str, figures: list[Figure]) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    told = {
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "load": round(psutil.getloadavg()[0], 1),
        "figures": [asdict(figure) for figure in figures],
    }
    (KEPT / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def _told() -> str:
    """The newest figures of every measure, on what machine, and how busy that was with other things."""
    kept = {name: json.loads(file.read_text("utf-8")) for name in WHOLE if (file := KEPT / f"{name}.json").exists()}
    figures = [Figure(**figure) for one in kept.values() for figure in one["figures"]]
    days = sorted({one["day"] for one in kept.values()})
    loads = ", ".join(f"{name} {one['load']}" for name, one in kept.items())
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    when = " to ".join(dict.fromkeys(days[:1] + days[-1:])) or "never"
    return (
        f"Measured {when} on {os.cpu_count()} cores ({system}).\n\n{table(figures)}\n\n"
        f"Load average of the machine (1 min) when each was done: {loads}."
    )


if __name__ == "__main__":
    sys.exit(main())
