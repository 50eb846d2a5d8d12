"""What a desk hears of its house beside the news."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from softphone.domain.errors import HouseError
from softphone.house.connection import Answer
from softphone.house.membership import begun
from softphone.house.watch import Heard, NewsWatch
from tests.peers.processes import until


def test_a_hint_that_fails_is_no_trouble_of_the_house_and_what_was_known_stands() -> None:
    asked, heard = list[str](), list[Heard]()

    def ask(_method: str, path: str, *_: Any, **__: Any) -> Answer:
        asked.append(path)
        if path == "/v1/shared" and asked.count(path) > 1:
            raise HouseError("error.team.unavailable", status=503)
        told = {"/v1/shared": {"rows": [{"recording": "r"}]}, "/v1/sample/waiting": {"waiting": []}}
        return Answer(304 if path == "/v1/news" else 200, {}, json.dumps(told.get(path)).encode())

    membership = begun("https://house.example", "", "d", "", datetime.now(UTC), by_directory=False)
    folder = SimpleNamespace(
        read=lambda: membership, heard=lambda: None, note_heard=lambda: None, opened=lambda: frozenset[str]()
    )
    watch = NewsWatch(
        cast("Any", SimpleNamespace(folder=folder, keyring=None)),
        cast("Any", SimpleNamespace(ask=ask)),
        taken=lambda _: None,
        heard=heard.append,
        gone=lambda: None,
        every=0.01,
    )
    watch.start()
    until(lambda: len(heard) >= 3, 10, "three turns")
    watch.stop()
    assert {(one.trouble, one.shared) for one in heard} == {(None, 1)}
