#!/usr/bin/env python3
"""What counts days is tried at another day than today, which faketime gives to its processes (`tests/other_day.py` says which).

other_day.py                 says which day, and in which time zone, as lines for a shell: drawn by DAY_SEED, or by chance
other_day.py calendar [...]  runs it at twelve fixed ones, one after the other, and shows a table; what follows is for pytest
"""

# ruff: noqa: T201

from __future__ import annotations

import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

COPENHAGEN, AUCKLAND, NEW_YORK = "Europe/Copenhagen", "Pacific/Auckland", "America/New_York"
LIBRARY = "faketime/libfaketimeMT.so.1"
YEARS = 5
WHICH = "not alone and not calm and not torture"


@dataclass(frozen=True)
class Moment:
    """What a clock on the wall shows as the run begins, in the zone that the machine is in."""

    wall: str
    zone: str

    def __str__(self) -> str:
        return f"{self.wall} {self.zone}"

    def environment(self) -> dict[str, str]:
        """An offset, so that each process and each file's time has the same clock. Waits go by the clock that nobody sets."""
        begins = datetime.fromisoformat(self.wall).replace(tzinfo=ZoneInfo(self.zone))
        return {
            "TZ": self.zone,
            "FAKETIME": f"{begins.timestamp() - time.time():+.0f}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "LD_PRELOAD": library(),
        }


CALENDAR = (
    Moment("2027-03-28 01:59:40", COPENHAGEN),  # the hour that is left out
    Moment("2027-10-31 02:30:00", COPENHAGEN),  # the hour that comes twice
    Moment("2027-12-31 23:59:30", COPENHAGEN),
    Moment("2028-02-29 12:00:00", COPENHAGEN),
    Moment("2028-02-29 23:59:30", AUCKLAND),
    Moment("2028-06-15 00:00:05", COPENHAGEN),
    Moment("2029-11-04 01:30:00", NEW_YORK),
    Moment("2030-03-31 02:30:00", COPENHAGEN),
    Moment("2030-09-29 01:59:40", AUCKLAND),
    Moment("2031-01-01 00:00:05", AUCKLAND),
    Moment("2031-04-06 02:30:00", AUCKLAND),
    Moment("2031-12-31 23:59:30", NEW_YORK),
)


def drawn(seed: int, today: datetime) -> Moment:
    """Every second time one of the days on which counting goes wrong, else any moment of the next years."""
    draw = random.Random(seed)
    zone = draw.choice((COPENHAGEN, COPENHAGEN, AUCKLAND, NEW_YORK))
    year = today.year + draw.randint(1, YEARS)
    leap = next(it for it in range(year, year + 5) if it % 4 == 0)
    last_sunday = [
        max(day for day in range(25, 32) if datetime(year, month, day).weekday() == 6)  # noqa: DTZ001
        for month in (3, 10)
    ]
    special = (
        Moment(f"{leap}-02-29 {draw.randint(0, 23):02}:30:00", zone),
        Moment(f"{year}-03-{last_sunday[0]} 02:30:00", COPENHAGEN),
        Moment(f"{year}-10-{last_sunday[1]} 02:30:00", COPENHAGEN),
        Moment(f"{year}-12-31 23:59:30", zone),
    )
    some = today + timedelta(seconds=draw.randint(86_400, YEARS * 365 * 86_400))
    return draw.choice((*special, *(Moment(f"{some:%Y-%m-%d %H:%M:%S}", zone) for _ in special)))


def library() -> str:
    found = sorted(Path("/usr/lib").glob(f"*/{LIBRARY}"))
    if not found:
        sys.exit("faketime is missing: apt-get install faketime")
    return str(found[0])


def calendar(words: Sequence[str]) -> int:
    """Status 1 if one day of them fails. The whole output is in build/calendar."""
    kept = Path("build/calendar")
    kept.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    print(f"{'begins':<38}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for moment in CALENDAR:
        began = time.monotonic()
        line = [
            "pytest",
            "--day",
            "other",
            "-m",
            "not alone and not calm and not torture",
            "-n",
            "4",
            "--dist",
            "loadfile",
            *words,
        ]
        done = subprocess.run(line, env=os.environ | moment.environment(), capture_output=True, text=True, check=False)
        (kept / f"{moment.wall.replace(' ', 'T').replace(':', '')}.log").write_text(done.stdout + done.stderr)
        names = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        dots = "".join(re.findall(r"^([.sxFE]+)\s*(?:\[ *\d+%\])?$", done.stdout, re.MULTILINE))
        took = time.monotonic() - began
        print(f"{moment!s:<38}{dots.count('.'):>8}{len(names):>8}{took:>9.0f}", flush=True)
        failed += [f"{moment}: {name}" for name in names] or ([f"{moment}: did not run"] if done.returncode else [])
    print(*failed, sep="\n")
    return int(bool(failed))


def main(words: Sequence[str]) -> int:
    if words[:1] == ["calendar"]:
        return calendar(words[1:])
    seed = int(os.environ.get("DAY_SEED") or random.SystemRandom().randrange(1_000_000))
    moment = drawn(seed, datetime.now())  # noqa: DTZ005
    print(f"other_day={shlex.quote(f'{moment} (again: DAY_SEED={seed} make test)')}")
    print(f"other_clock=({' '.join(shlex.quote(f'{name}={value}') for name, value in moment.environment().items())})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
