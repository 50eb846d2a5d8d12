"""What an agent, or a team lead, tries on an archive with their own keyring through the program: it fails and is in the log.
What they do past it, `test_past_the_program` has.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.crypto.passphrase import b64
from softphone.archive.crypto.ring import KeyPurpose, Known, known_keys, remember
from softphone.archive.examine.verify import verify
from softphone.domain.changes import HoldBy
from softphone.domain.purpose import KeyRole
from tests.archive.holds import raise_hold
from tests.archive.people import ANNA, BO, House, Person
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING
from tests.days import house_day

REFUSALS = {"refused", "opening_refused", "review_refused", "hold_refused", "judging_refused"}
OTHER = "+4531415926"


pytestmark = pytest.mark.usefixtures("english")


def attempt(home: House, person: Person, *words: str) -> None:
    """It fails with a sentence, changes nothing, and is in the log."""
    archive = home.desk.archive
    before, rows = archive.audit_of(), [repr(row) for row in archive.list()]
    said = person.does(*words)
    new = archive.audit_of()[len(before) :]
    assert said.status == 1, (words, said)
    assert said.err.strip(), words
    assert [entry.event for entry in new if entry.event in REFUSALS], (words, [entry.event for entry in new])
    assert not [entry.event for entry in new if entry.event not in REFUSALS], words
    assert [repr(row) for row in archive.list()] == rows, words


@pytest.mark.rule("G11")
@pytest.mark.rule("L2")
@pytest.mark.parametrize("role", [None, KeyRole.TRAINING], ids=["agent", "lead"])
def test_what_is_not_theirs_is_neither_heard_deleted_unlocked_nor_found_through_the_program(
    home: House, tmp_path: Path, role: KeyRole | None
) -> None:
    kept, others = home.recorded(DOCUMENTATION), home.recorded(TRAINING, agent=BO)
    mine, held = home.recorded(TRAINING), home.recorded(DOCUMENTATION, TRAINING)
    hold = raise_hold(home.desk.archive, held, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    person = home.person("person", *([role] if role else []), account=None if role else ANNA)
    wav = str(tmp_path / "out.wav")
    for words in (
        ("archive", "play", kept),
        ("archive", "play", kept, "--from", "0", "--as", "documentation", "--why", "x"),
        ("archive", "export", kept, "--wav", wav, "--as", "custody", "--case", "7"),
        ("archive", "export", others, "--wav", wav, "--as", "training"),
        ("archive", "export", held, "--wav", wav),
        ("archive", "show", others, "--json"),
        ("archive", "list", "--number", NUMBER, "--count"),
        ("archive", "reviewed", kept),
        ("holds", "lift", hold, "--reason", "settled"),
        ("archive", "sweep", "--now", "2098-01-01"),
    ):
        attempt(home, person, *words)
    assert not Path(wav).exists()
    assert person.finds("--agent", BO) == set()
    assert (person.does("archive", "export", mine, "--wav", wav).status == 0) is (role is not None)
    nobody = home.person("looks-after")
    attempt(home, nobody, "holds", "raise", "--number", NUMBER, "--by", "party", "--why", "curious")


# --- what nobody is told of, as it is not theirs ----------------------------------------------------


@pytest.mark.rule("G11")
def test_a_sweep_tells_who_does_not_find_all_its_figures_alone_and_nothing_of_a_later_day(home: House) -> None:
    now = datetime.now(UTC)
    long_ago, lives = now - timedelta(days=50), home.recorded(TRAINING)
    held = home.recorded(DOCUMENTATION, at=long_ago)
    raise_hold(home.desk.archive, held, HoldBy.PARTY, "the price", "anna", now - timedelta(days=40))
    ended = home.recorded(DOCUMENTATION, at=long_ago, keeps="P1M")
    lead, officer = home.person("lead", KeyRole.TRAINING), home.person("officer", KeyRole.CUSTODY)

    attempt(home, lead, "archive", "sweep", "--dry-run", "--now", str(house_day(now + timedelta(days=1))), "--json")
    assert home.desk.archive.audit_of()[-1].params["deed"] == "sweep_in_future"
    for words in (("--dry-run", "--json"), ()):
        said = lead.does("archive", "sweep", *words)
        assert said.status == 0, words
        assert not [one for one in (lives, held, ended) if one in said.all], words
    assert "1 × a hold that nobody has confirmed in time" in said.out
    assert "Purposes ended: 1" in said.out
    report, sums = map(json.loads, lead.does("archive", "sweep", "--json").out.splitlines())
    assert report == {"what": "hold_overdue", "rule": "G10", "count": 1, "locked": False}
    assert sums["sums"]["reported"] == 1
    told = officer.does("archive", "sweep", "--dry-run", "--now", "2099-01-01", "--json").out
    assert (lives in told, held in told) == (True, True)


@pytest.mark.rule("G11")
def test_a_number_in_a_reason_is_refused_before_it_could_be_written_anywhere_and_a_date_is_none(
    home: House, tmp_path: Path
) -> None:
    recording, wav = home.recorded(DOCUMENTATION), str(tmp_path / "out.wav")
    officer = home.person("officer", KeyRole.CUSTODY, KeyRole.DOCUMENTATION)
    before = len(home.desk.archive.audit_of())
    texts = ["call 20123456", "fra +45 20 12 34 56", "251185-1234", "25 11 85 1234", "2027-06-01 20-12-34-56"]
    commands = [
        ("holds", "raise", recording, "--by", "party", "--why"),
        ("holds", "lift", "x", "--reason"),
        ("holds", "close", "x", "--reason"),
        ("archive", "judge", recording, "--delete", "--reason"),
        ("archive", "export", recording, "--wav", wav, "--why"),
    ]
    for command, text in [*((one, texts[0]) for one in commands), *((commands[0], one) for one in texts)]:
        said = officer.does(*command, text)
        assert (said.status, "phone or CPR number" in said.err) == (1, True), (command, text)
    assert len(home.desk.archive.audit_of()) == before
    why = "klage af 25.11.2026, kontrakt 4711, svar inden 2027-06-01"
    handler = home.person("handler", KeyRole.DOCUMENTATION)
    said = handler.does("archive", "export", recording, "--wav", wav, "--why", why, "--case", "2026-123456")
    assert said.status == 0, said


@pytest.mark.rule("G11")
def test_a_number_is_also_taken_from_standard_input_where_no_list_of_processes_shows_it(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, _ = home.recorded(DOCUMENTATION), home.recorded(DOCUMENTATION, number=OTHER)
    handler = home.person("handler", KeyRole.DOCUMENTATION)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NUMBER}\n{OTHER}\n"))
    assert handler.finds("--number", "-") == {recording}
    monkeypatch.setattr("sys.stdin", io.StringIO("20 12 34 56\n"))
    assert recording in handler.does("holds", "raise", "--number", "-", "--by", "party", "--why", "x").out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert handler.does("archive", "list", "--number", "-").status == 1


# --- by a policy of one's own -----------------------------------------------------------------------


@pytest.mark.rule("G11")
def test_who_names_a_key_of_their_own_for_custody_in_a_policy_of_their_own_has_no_custody(home: House) -> None:
    recording = home.recorded(DOCUMENTATION, TRAINING, agent=BO)
    person, written = home.person("person", account=ANNA), home.policy("person")
    assert person.does("keys", "create", "custody", "--id", "mine").status == 0
    (mine,) = (one for one in known_keys(person.keys) if one.id == "mine")
    theirs = home.desk.recipients[KeyRole.CUSTODY]
    put_in = written.read_text("utf-8").replace(b64(theirs.public_key), b64(mine.recipient.public_key))
    written.write_text(put_in, encoding="utf-8")
    remember(person.keys, Known("theirs", KeyPurpose.CUSTODY, theirs.public_key, datetime.now(UTC)))
    for words in (
        ("archive", "show", recording),
        ("archive", "judge"),
        ("archive", "judge", recording, "--delete"),
        ("archive", "orphan", recording, "--delete", "--reason", "x"),
        ("archive", "sweep", "--clock-is-right"),
        ("keys", "revoke", "theirs", "--yes"),
    ):
        attempt(home, person, *words)
    assert person.finds() == set()
    assert verify(home.desk.archive).ok
