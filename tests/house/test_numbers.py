"""What the house knows of a number while it rings: a no at one desk counts at the next. A silent house leaves training out."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone.archive.archive import Archive
from softphone.archive.outbox import rows
from softphone.domain.changes import ListCallBack
from softphone.domain.house_knows import KEPT, HouseKnows, HouseWaiting
from softphone.domain.purpose import Language, Purpose
from softphone.house import numbers as numbers_module
from softphone.house.connection import Answer
from softphone.house.news import hints_of
from softphone.house.numbers import HouseNumbers, knows
from tests.archive.lines import line
from tests.archive.scene import NUMBER, MemoryKeys
from tests.engine.storage.test_store import EVERY, Desk
from tests.house.joined import Joined, signed_in
from tests.peers.processes import until
from tests.team.desk import made
from tests.team.served import ANNA, Team

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.peer("seaweedfs")]
OTHER, THIRD = "+4520999999", "+4520999998"
BO = "sip:bo@klartone.test"


def remembers(desk: Joined, number: str, what: str, **more: Any) -> None:
    now = datetime.now(UTC)
    told = {"at": now.isoformat(), "until": (now + timedelta(days=90)).isoformat(), "line": "", **more}
    desk.connection.ask("POST", "/v1/numbers", {"number": number, "what": what, **told})


def waiting_of(desk: Joined) -> HouseWaiting:
    lines = hints_of(desk.connection.ask("GET", "/v1/news").json).waiting
    assert lines is not None
    return HouseWaiting(datetime.now(UTC), lines)


@pytest.mark.rule("G31")
def test_a_no_at_one_desk_counts_at_another_and_where_the_house_is_silent_training_is_left_out(
    team_tls: Team, tmp_path: Path
) -> None:
    first = signed_in(team_tls, tmp_path / "first", "agent", agents=(ANNA,))
    second = signed_in(team_tls, tmp_path / "second", "agent", agents=(BO,))
    keys = MemoryKeys()
    desk = Desk(lambda: Archive.open_or_create(tmp_path / "archive", keys))
    desk.until(lambda: desk.store.opened)
    desk.store.in_house = True
    # Joined, and not connected yet: nobody can say whether there was a no. Once it is, the call is asked about all the same.
    assert desk.look_up("c0", number=OTHER).house_silent
    desk.store.ship_by(None, HouseNumbers(second.connection.ask))
    desk.until(lambda: "c0" in desk.late)
    # Nor how many wait for the house's reviewers.
    assert desk.look_up("c0b", number=OTHER).house_silent
    desk.store.house_waiting = waiting_of(second)
    remembers(first, NUMBER, "refused")
    remembers(first, NUMBER, "language", value="en")
    remembers(first, NUMBER, "call_back", line=EVERY.id)
    known = desk.look_up("c1")
    assert (known.declined_earlier, known.language, known.call_back) == (True, Language.EN, True)
    assert not known.house_silent
    assert known.drawn
    known = desk.look_up("c2", number=OTHER)
    assert (known.declined_earlier, known.house_silent) == (False, False)
    # A withheld number is nobody's: the house has nothing to say.
    assert not desk.look_up("c3", number=None).house_silent
    # Of its reviewers nobody knows more than a day later.
    waiting = desk.store.house_waiting
    assert desk.late.keys() == {"c0"}
    desk.store.house_waiting = replace(waiting, at=waiting.at - timedelta(days=1))
    assert desk.look_up("c3b", number=None).house_silent
    desk.store.house_waiting = waiting
    remembers(first, THIRD, "call_back", line=EVERY.id)
    os.kill(team_tls.process.pid, signal.SIGSTOP)
    try:
        known, new = desk.look_up("c4"), desk.look_up("c5", number=THIRD)
    finally:
        os.kill(team_tls.process.pid, signal.SIGCONT)
    assert (known.declined_earlier, known.language, known.house_silent) == (True, Language.EN, True)
    assert (new.call_back, new.house_silent) == (False, True)
    # What it says once it answers reaches the calls that are on.
    desk.until(lambda: {"c4", "c5"} <= desk.late.keys())
    assert desk.late["c4"].declined_earlier
    assert desk.late["c5"].call_back
    assert desk.store.close()


@pytest.mark.rule("N4")
def test_a_call_back_that_was_made_is_told_to_the_house(tmp_path: Path) -> None:
    keys = MemoryKeys()
    with closing(Archive.open_or_create(tmp_path / "archive", keys)) as archive, archive.catalog.writing() as tx:
        rows.begin(tx, datetime.now(UTC))
    desk = Desk(lambda: Archive.open(tmp_path / "archive", keys))
    desk.until(lambda: desk.store.opened)
    desk.look_up("c1")
    desk.commit("c1", ListCallBack("c1", datetime.now(UTC)))
    desk.until(desk.store.call_backs)
    desk.store.end_call_back("c1")
    desk.until(lambda: not desk.store.call_backs())
    with closing(Archive.open(tmp_path / "archive", keys)) as archive, archive.catalog.reading() as connection:
        told = [(one.number, one.told["what"], one.told["value"]) for one in rows.read(connection, archive.secrets)]
    assert told == [(NUMBER, "call_back", ""), (NUMBER, "call_back", KEPT)]
    assert desk.store.close()


def test_what_is_told_of_a_number_counts_until_its_day_and_what_cannot_be_read_is_a_no() -> None:
    now = datetime.now(UTC)
    soon, past = (now + timedelta(hours=1)).isoformat(), (now - timedelta(hours=1)).isoformat()
    assert not knows([{"what": "refused", "until": past}], now).declined_earlier
    assert knows([{"what": "do_not_sample", "until": soon}], now).declined_earlier
    assert knows([{"what": "refused", "until": "never"}], now).declined_earlier
    assert knows([{"what": "upheld", "purpose": "documentation", "until": soon}], now).upheld == {Purpose.DOCUMENTATION}
    assert knows([{"what": "upheld", "purpose": "", "until": soon}], now).upheld == set(Purpose)
    assert not knows([{"what": "call_back", "value": KEPT, "until": soon}], now).call_back
    assert knows([{"what": "language", "value": "xx", "until": soon}], now).language is None
    assert knows([{"what": "upheld", "purpose": [], "until": soon}], now).upheld == set(Purpose)
    assert knows([{"what": {}, "value": {}, "until": []}], now).language is None
    assert knows([{"what": "refused", "until": now.replace(tzinfo=None).isoformat()}], now).declined_earlier


@pytest.mark.rule("G33")
def test_the_sample_leaves_room_for_what_waits_for_review_in_the_whole_house(team_tls: Team, tmp_path: Path) -> None:
    first = signed_in(team_tls, tmp_path / "first", "agent", agents=(ANNA,))
    keys, limited = MemoryKeys(), line("100 %", capacity=1)
    desk = Desk(lambda: Archive.open_or_create(tmp_path / "archive", keys))
    desk.until(lambda: desk.store.opened)
    desk.store.in_house = True
    desk.store.house_numbers = HouseNumbers(first.connection.ask)
    desk.store.house_waiting = waiting_of(first)
    assert not desk.look_up("c1", limited).reviewers_have_enough
    # Another desk ships what fills the reviewers' weeks.
    other = team_tls.desk("agent", agents=(BO,))
    for _ in range(14):
        assert other.upload(made(team_tls.keys, agent=BO, line=limited.id)).json["state"] == "stored"
    # Counted again once that costs little.
    until(lambda: limited.id in waiting_of(first).lines, 10, "what they have shipped")
    desk.store.house_waiting = waiting_of(first)
    assert desk.look_up("c2", limited).reviewers_have_enough
    assert desk.store.close()


def test_who_calls_once_a_house_has_hung_is_first_and_who_still_talks_hears_late_what_it_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(numbers_module, "_AGAIN", 0.01)
    hangs, asked, heard = threading.Event(), queue.Queue[str](), queue.Queue[tuple[str, bool, bool]]()
    patience = set[float]()
    answers = [b"no JSON", b"[]", b'{"known": {}}', b'{"known": ["refused"]}']

    def ask(method: str, path: str, body: Any = None, *, seconds: float = 0.0, **_: Any) -> Answer:
        assert (method, path) == ("POST", "/v1/numbers/known")
        asked.put(body["number"])
        patience.add(seconds)
        hangs.wait(20)
        # Whatever is no answer of the service's is none.
        return Answer(200, {}, answers.pop() if answers else b'{"known": [{"what": "refused"}]}')

    def hears(number: str) -> Callable[[HouseKnows | None, bool], None]:
        return lambda known, silent: heard.put((number, known is not None and known.declined_earlier, silent))

    numbers = HouseNumbers(ask)
    before, over = [f"+452012340{number}" for number in range(6)], "+4520123409"
    for one in (*before, over):
        numbers.ask(one, "salg", hears(one), wanted=lambda one=one: one != over)
    assert {heard.get(timeout=20) for _ in (*before, over)} == {(one, False, True) for one in (*before, over)}
    hung = {asked.get(timeout=20) for _ in range(4)}
    numbers.ask(NUMBER, "salg", hears(NUMBER))
    hangs.set()
    late = set[str]()
    while late != {*before, NUMBER}:
        number, declined, silent = heard.get(timeout=20)
        late |= {number} if declined and not silent else set()
    then = [asked.get() for _ in range(asked.qsize())]
    assert over not in hung | {*then}
    assert then.index(NUMBER) < min(then.index(one) for one in {*before} - hung)
    assert {5.0, 10.0} <= patience <= {5.0, 10.0, 20.0}
    numbers.close()
