"""What a desk hears of its house beside what it is set up with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

from softphone.domain.errors import HouseError
from softphone.domain.house_knows import HouseWaiting
from softphone.house.connection import Answer
from softphone.house.membership import begun
from softphone.house.watch import Heard, NewsWatch
from tests.peers.processes import until

NEWS = {
    "policy": 3,
    "signer": "",
    "successions": [],
    "notices": [],
    "settings": None,
    "accounts": [],
    "shared": ["r", "opened"],
    "waiting": {"salg": {"2027-01-01": 4}},
}


def test_a_desk_asks_one_thing_a_minute_and_what_was_told_stands_while_nothing_changes() -> None:
    asked, heard, told = list[tuple[str, str]](), list[Heard](), list[HouseWaiting]()

    def ask(_method: str, path: str, *_: Any, headers: dict[str, str] | None = None) -> Answer:
        tag = (headers or {}).get("If-None-Match", "")
        asked.append((path, tag))
        if len(heard) == 2:
            raise HouseError("error.team.unavailable", status=503)
        return Answer(304 if tag else 200, {"etag": "one"}, b"" if tag else json.dumps(NEWS).encode())

    membership = replace(begun("https://house.example", "", "d", "", datetime.now(UTC), by_directory=False), policy=3)
    folder = SimpleNamespace(
        read=lambda: membership, heard=lambda: None, note_heard=lambda: None, opened=lambda: frozenset({"opened"})
    )
    watch = NewsWatch(
        cast("Any", SimpleNamespace(folder=folder, keyring=None)),
        cast("Any", SimpleNamespace(ask=ask)),
        taken=lambda _: None,
        heard=heard.append,
        gone=lambda: None,
        backlog=told.append,
        every=0.01,
    )
    watch.start()
    until(lambda: len(heard) >= 4, 10, "four turns")
    watch.stop()
    # What IT's list says of it goes with the first.
    assert asked[:2] == [("/v1/news", ""), ("/v1/desk", "")]
    assert set(asked[2:]) == {("/v1/news", "one")}
    assert {one.shared for one in heard} == {1}
    assert [one.trouble is None for one in heard[:4]] == [True, True, False, True]
    assert {
        (line, day, number) for one in told for line, days in one.lines.items() for day, number in days.items()
    } == {("salg", date(2027, 1, 1), 4)}
    # It is as new as the last answer, and none came of the third.
    assert told[0].at < told[1].at
    assert len(told) == len(heard) - 1
