"""A house of fifty desks at its ordinary pace: each has a call a minute, while leads look through their sample.

Each call asks what is known of its number, and ships a recording; each desk asks for news. What everybody waits for is told.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import psutil

from softphone.domain.archive.recordings import Query
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.house.connection import Connection
from tests.bench.figures import Figure
from tests.bench.house import a_house, reading_as
from tests.house.joined import signed_in
from tests.team.desk import NUMBER, made, sent_whole

_NUMBER = {"number": NUMBER, "line": ""}
_LOOKS = 2.0
"""seconds between two pages of a lead"""


def measure(desks: int = 50, leads: int = 5, minutes: int = 3) -> list[Figure]:
    taken: dict[str, list[float]] = defaultdict(list)
    with a_house() as team:
        those = [signed_in(team, team.home / f"desk{number}", "agent").connection for number in range(desks)]
        looking = [reading_as(team, Role.LEAD, KeyRole.TRAINING, f"lead{number}") for number in range(leads)]
        ends = time.monotonic() + 60 * minutes

        def timed(what: str, deed: Callable[[], object]) -> None:
            began = time.perf_counter()
            deed()
            taken[what].append(1000 * (time.perf_counter() - began))

        def calls(desk: Connection) -> None:
            due = time.monotonic() + random.uniform(0, 60)
            while due < ends:
                time.sleep(max(due - time.monotonic(), 0))
                due += 60
                one = made(team.keys, seconds=60, number=f"+45{random.randrange(20_000_000, 99_999_999)}")
                timed("a number while it rings", partial(desk.ask, "POST", "/v1/numbers/known", _NUMBER))
                sent = partial(desk.ask, "PUT", f"/v1/recordings/{one.recording}", raw=sent_whole(one), seconds=60)
                timed("a recording of a minute", sent)
                timed("the news", partial(desk.ask, "GET", "/v1/news"))

        def looks(lead: int) -> None:
            while time.monotonic() < ends:
                timed("a lead's page", lambda: looking[lead].find.page(Query()))
                time.sleep(_LOOKS)

        threads = [threading.Thread(target=calls, args=(one,)) for one in those]
        threads += [threading.Thread(target=looks, args=(number,)) for number in range(leads)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    load = psutil.getloadavg()[0]
    how = f"{desks} desks with a call a minute, {leads} leads with a page each {_LOOKS:g} s, {minutes} minutes; load {load:.0f}"
    return [_told(what, each, how) for what, each in taken.items()]


def _told(what: str, each: list[float], how: str) -> Figure:
    cut = statistics.quantiles(each, n=20)
    goal = "< 300 ms" if "rings" in what else ""
    return Figure(f"paced: {what}", f"p50 {cut[9]:.0f} ms, p95 {cut[18]:.0f} ms ({len(each)})", goal, how)
