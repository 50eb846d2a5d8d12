"""`klartone archive log`: what was refused, and all else in the audit log, found by who may find all and by nobody else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from softphone.archive.log import audit
from softphone.archive.seen import LocalArchive
from softphone.archive.seen.access import viewer_of
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.people import House, Person
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

ZONE = ZoneInfo("Europe/Copenhagen")
"""the policy's"""
MIDNIGHT = datetime(2026, 3, 5, tzinfo=ZONE)


pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def dpo(home: House) -> Person:
    home.recorded(DOCUMENTATION, TRAINING)
    return home.person("dpo", KeyRole.CUSTODY)


def log(person: Person, *words: str) -> list[str]:
    said = person.does("archive", "log", *words)
    assert (said.status, said.err) == (0, "")
    return said.out.splitlines()


def entries(person: Person, *words: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in log(person, "--json", *words)]


def noted(home: House, *moments: datetime) -> None:
    home.desk.archive.note(*(AuditEntry("sweep_refusals_forgotten", "G10", at.astimezone(UTC), "") for at in moments))


@pytest.mark.rule("G11")
def test_what_a_lead_was_refused_is_found_by_data_protection_alone_and_the_log_says_who_asked(
    home: House, dpo: Person
) -> None:
    recording = home.recorded(DOCUMENTATION)
    lead = home.person("lead", KeyRole.TRAINING)
    lead.does("archive", "list", "--number", NUMBER)
    assert "audit log" in lead.does("archive", "show", recording).err
    shown = log(dpo)[-1]
    key = home.desk.recipients[KeyRole.TRAINING].key_id[:16]
    number, today = home.desk.archive.audit_of()[-1].number, datetime.now(ZONE)
    assert shown.split()[0] == str(number)
    at = datetime.strptime(" ".join(shown.split()[1:4]), "%Y-%m-%d %H:%M:%S %z")
    assert timedelta() <= today - at < timedelta(minutes=5)
    assert at.utcoffset() == today.utcoffset()
    assert shown.endswith(f"G11  {recording}  Refused: to find recordings, with key {key}…")
    # As `show` tells it, and `--json` an object a line.
    assert shown.rpartition(f"{recording}  ")[2] in dpo.does("archive", "show", recording).out
    told = entries(dpo)[-1]
    assert told == json.loads(dpo.does("archive", "show", recording, "--json").out)["audit"][-1]
    assert NUMBER not in "".join([*log(dpo), *log(dpo, "--json")])

    before = len(entries(dpo))
    said = lead.does("archive", "log", "--json")
    assert (said.status, said.out, "Nothing was shown" in said.err) == (1, "", True)
    told = entries(dpo)
    assert len(told) == before + 1
    assert (told[-1]["event"], told[-1]["params"]) == ("refused", {"deed": "read_log", "key": key})
    # Nor is the lead told what the log has entries of.
    archive = home.desk.archive
    archive.store = home.desk.only(KeyRole.TRAINING)
    with pytest.raises(ArchiveError):
        LocalArchive(archive, viewer_of(archive, None, ()), archive.clock).log.events()
    assert archive.audit_of()[-1].params == {"deed": "read_log", "key": key}


def test_all_of_it_is_read_page_by_page_the_newest_last(
    home: House, dpo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(home, *(MIDNIGHT + timedelta(minutes=n) for n in range(120)))
    all_of_it = [str(entry.number) for entry in home.desk.archive.audit_of()]
    assert len(log(dpo)) == 101
    assert len(entries(dpo)) == 100
    monkeypatch.setattr(audit, "BATCH", 7)  # a page is then more than one look
    read: list[str] = []
    words: list[str] = []
    while True:
        *page, last = log(dpo, "--limit", "50", *words)
        more = re.search(r"--before \d+", last)
        read[:0] = [line.split()[0] for line in (page if more else [*page, last])]
        if not more:
            break
        assert len(page) == 50
        words = more[0].split()
    assert read == all_of_it
    assert log(dpo, "--before", "1") == ["No entry matches that."]


def test_it_is_narrowed_to_refusals_events_a_recording_and_days(home: House, dpo: Person) -> None:
    recording = home.recorded(DOCUMENTATION)
    lead = home.person("lead", KeyRole.TRAINING)
    lead.does("archive", "show", recording)
    dpo.does("archive", "export", recording, "--wav", str(home.desk.folder / "no.wav"))  # without a case
    home.desk.archive.note(AuditEntry("opening_refused", "G11", datetime.now(UTC), "", recording))
    noted(home, MIDNIGHT - timedelta(seconds=1), MIDNIGHT, MIDNIGHT + timedelta(days=1))
    told = entries(dpo)
    assert [one["event"] for one in entries(dpo, "--refusals")] == ["refused", "refused", "opening_refused"]
    assert entries(dpo, "--refusals", "--limit", "1")[0]["event"] == "opening_refused"
    of_it = [one for one in told if one["recording"] == recording]
    assert entries(dpo, "--recording", recording) == entries(dpo, "--recording", recording.upper()[:-1]) == of_it
    events = ["opening_refused", "sweep_refusals_forgotten"]
    those = [one for one in told if one["event"] in events]
    assert len(those) == 4
    assert entries(dpo, "--event", *events) == entries(dpo, "--event", events[0], "--event", events[1]) == those
    day = str(MIDNIGHT.date())
    first, second, third = those[1:]
    assert entries(dpo, "--from", day, "--to", day) == [second]
    assert entries(dpo, "--to", "2026-03-04") == [first]
    assert entries(dpo, "--from", "2026-03-06T00:00", "--event", events[1]) == [third]
    # A name that the log does not have is told what it has; one that other days have is none of those.
    said = dpo.does("archive", "log", "--event", "opening_refuse", *events)
    assert said.err == "The log has no entry “opening_refuse”. Did you mean opening_refused?\n"
    assert dpo.does("archive", "log", "--from", "2026-03-06T00:00", "--event", events[1]).err == ""
    there = {str(one["event"]) for one in told}
    said = dpo.does("archive", "log", "--event", "zzz")
    assert (said.status, said.out) == (0, "No entry matches that.\n")
    assert said.err == f"The log has no entry “zzz”; there are: {', '.join(sorted(there))}.\n"


def test_what_cannot_be_meant_is_refused_with_words(dpo: Person, capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in (
        (("--to", "2026-13-01"), "write the day as YYYY-MM-DD"),
        (("--to", "9999-12-31"), "that day is too far away"),
        (("--before", "-3"), "write the number of an entry"),
        (("--limit", "0"), "write a whole number"),
        (("--refusals", "--event", "refused"), "not allowed with"),
    ):
        with pytest.raises(SystemExit) as ended:
            dpo.does("archive", "log", *words)
        assert (ended.value.code, sentence in capsys.readouterr().err) == (2, True), words
    said = dpo.does("archive", "log", "--from", "2026-03-06", "--to", "2026-03-05")
    assert (said.status, said.out, "Give the earlier date with --from" in said.err) == (1, "", True)
