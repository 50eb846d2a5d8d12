"""The agent's note: written in a call, kept through the engine's death, seen at the next call with that number, and gone by
erasure and by its own day. Its words are in no file of the archive meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.wire.to_engine import EndWrapUp, SaveNote
from tests.days import house_day
from tests.journeys.stage import CUSTOMER, Stage, stage

pytestmark = pytest.mark.journey
NOTE = "Vil have den blaa sofa, ring igen mandag"


def is_in_no_file(on: Stage, text: str) -> bool:
    files = [one for one in on.folder.rglob("*") if one.is_file() and one.stat().st_size]
    assert any(one.is_relative_to(on.archive_folder) for one in files)
    return not [
        one for one in files if text.encode() in one.read_bytes() or text.encode("utf-16-le") in one.read_bytes()
    ]


def told(on: Stage, number: str = CUSTOMER) -> list[str]:
    lines = on.klartone("notes", "--number", number, "--json").splitlines()
    return [json.loads(line)["note"] for line in lines]


@pytest.mark.rule("G08")
@pytest.mark.rule("G10")
@pytest.mark.rule("G37")
def test_a_note_is_seen_at_the_next_call_and_goes_by_erasure_and_on_its_day(tmp_path: Path) -> None:
    with stage(tmp_path, lines=("n7",)) as on:
        first = on.call("n7", CUSTOMER)
        on.desk.do(SaveNote, call=first, text=NOTE)
        on.desk.wait_until(lambda: told(on) == [NOTE] or None, "the note is on the disk")
        on.engine.kill()
        on.engine.wait()
        assert on.engine.stdin is not None
        on.engine.stdin.close()
        on.customer.do("end_calls")
        on.start_engine()
        on.ready()

        second = on.call("n7", CUSTOMER)
        earlier = on.desk.call(second).earlier
        assert [(one.id, one.note) for one in earlier] == [(first, NOTE)]
        assert is_in_no_file(on, NOTE)
        on.desk.wait_event("first_sample", call=second)
        on.hang_up(second)
        on.desk.do(SaveNote, call=second, text="Har faaet sofaen")
        on.desk.do(EndWrapUp, call=second)
        on.desk.wait_until(lambda: told(on) == ["Har faaet sofaen", NOTE] or None, "both notes")

        on.klartone("notes", "--number", CUSTOMER, "--erase", "--reason", "sag 117")
        assert told(on) == []
        third = on.call("n7", CUSTOMER)
        on.desk.wait_call(lambda one: not any(past.note for past in one.earlier), "erased", third)
        assert [one.id for one in on.desk.call(third).earlier] == [second, first]
        on.desk.do(SaveNote, call=third, text=NOTE)
        on.over(third)
        # Who has a name, or an extension, and no number is found by it.
        fourth = on.call("n7", "carl")
        on.desk.do(SaveNote, call=fourth, text="Carl fra lageret")
        on.over(fourth)
        on.end()
        assert told(on, "carl") == ["Carl fra lageret"]
        assert told(on) == [NOTE]
        log = on.klartone("log", "--event", "notes_read", "notes_erased", "--json")
        assert not [text for text in (NOTE, CUSTOMER) if text in log]
        assert "notes_erased" in log

        on.klartone("sweep", "--now", house_day(datetime.now(UTC) + timedelta(days=9)).isoformat())
        assert told(on) == []
        assert is_in_no_file(on, NOTE)
        on.verified()
