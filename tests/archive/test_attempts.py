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
from softphone.archive.retention import holding
from softphone.archive.retention.sweep import SweepTerms, Swept, SweptItem, sweep
from softphone.archive.seen.access import viewer_of
from softphone.domain.changes import AuditEntry, HoldBy
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.system.policy_file import parse_policy
from tests.archive.people import ANNA, BO, House, Person, policy_of
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING

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


def put_on_hold(home: House, recording: str) -> str:
    return holding.raise_hold(home.desk.archive, recording, HoldBy.PARTY, "the price", "anna", datetime.now(UTC))


@pytest.mark.rule("G11")
def test_with_an_agent_s_keyring_nothing_is_heard_deleted_unlocked_or_hidden_through_the_program(
    home: House, tmp_path: Path
) -> None:
    own, others = home.recorded(DOCUMENTATION, TRAINING), home.recorded(DOCUMENTATION, TRAINING, agent=BO)
    held = home.recorded(DOCUMENTATION, number=OTHER)
    hold = put_on_hold(home, held)
    anna = home.person("anna", account=ANNA)
    wav = str(tmp_path / "out.wav")
    custody = home.desk.recipients[KeyRole.CUSTODY]

    attempt(home, anna, "archive", "play", own)
    attempt(home, anna, "archive", "play", own, "--from", "0")
    attempt(home, anna, "archive", "play", own, "--as", "documentation", "--why", "I was there")
    attempt(home, anna, "archive", "play", others, "--as", "training")
    attempt(home, anna, "archive", "play", held, "--as", "custody", "--case", "7")
    attempt(home, anna, "archive", "export", own, "--wav", wav)
    attempt(home, anna, "archive", "export", own, "--wav", wav, "--as", "custody", "--case", "7")
    attempt(home, anna, "archive", "export", others, "--wav", wav, "--why", "curious")
    attempt(home, anna, "archive", "show", others)
    attempt(home, anna, "archive", "show", others, "--json")
    attempt(home, anna, "archive", "list", "--number", OTHER)
    attempt(home, anna, "archive", "list", "--number", NUMBER, "--count")
    attempt(home, anna, "archive", "reviewed", own)
    attempt(home, anna, "holds", "lift", hold, "--reason", "settled")
    attempt(home, anna, "holds", "confirm", hold, "--look-again", "2098-01-01")
    attempt(home, anna, "archive", "sweep", "--now", "2098-01-01")
    attempt(home, anna, "archive", "sweep", "--clock-is-right")
    attempt(home, anna, "archive", "orphan", held, "--delete", "--reason", "x")
    assert anna.does("keys", "create", "custody", "--id", "mine").status == 0
    attempt(home, anna, "keys", "rotate", custody.key_id[:12], "--to", "mine")
    attempt(home, anna, "archive", "export", held, "--wav", wav, "--as", "custody", "--case", "7")
    viewer = viewer_of(home.desk.archive, parse_policy(policy_of(home.desk)).policy, [ANNA])
    home.desk.archive.store = home.desk.only()
    agent = viewer_of(home.desk.archive, parse_policy(policy_of(home.desk)).policy, [ANNA])
    assert viewer.roles != agent.roles
    with pytest.raises(ArchiveError):
        home.desk.archive.seen_by(agent).reviews.open(own)
    assert home.desk.archive.audit_of()[-1].event == "refused"
    assert not Path(wav).exists()
    assert others not in anna.finds()
    assert others not in anna.finds("--agent", BO)
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G11")
def test_with_a_lead_s_keyring_nothing_but_the_team_s_training_is_heard_or_found(home: House, tmp_path: Path) -> None:
    kept, others = home.recorded(DOCUMENTATION), home.recorded(TRAINING, agent=BO)
    mine, held = home.recorded(TRAINING), home.recorded(DOCUMENTATION, TRAINING)
    hold = put_on_hold(home, held)
    lead = home.person("lead", KeyRole.TRAINING)
    wav = str(tmp_path / "out.wav")

    attempt(home, lead, "archive", "play", kept)
    attempt(home, lead, "archive", "play", kept, "--from", "0", "--as", "documentation", "--why", "x")
    attempt(home, lead, "archive", "play", kept, "--as", "custody", "--case", "7")
    attempt(home, lead, "archive", "play", others)
    attempt(home, lead, "archive", "play", held, "--as", "training")
    attempt(home, lead, "archive", "export", kept, "--wav", wav, "--why", "x")
    attempt(home, lead, "archive", "export", others, "--wav", wav)
    attempt(home, lead, "archive", "export", others, "--wav", wav, "--as", "training")
    attempt(home, lead, "archive", "export", held, "--wav", wav)
    attempt(home, lead, "archive", "show", kept)
    attempt(home, lead, "archive", "show", others)
    attempt(home, lead, "archive", "list", "--number", NUMBER)
    attempt(home, lead, "holds", "lift", hold, "--reason", "settled")
    attempt(home, lead, "holds", "confirm", hold, "--look-again", "2098-01-01")
    attempt(home, lead, "archive", "sweep", "--now", "2098-01-01")
    attempt(home, lead, "archive", "reviewed", kept)
    home.desk.archive.store = home.desk.only(KeyRole.TRAINING)
    viewer = viewer_of(home.desk.archive, parse_policy(policy_of(home.desk)).policy, [])
    for recording in (others, kept, held):
        with pytest.raises(ArchiveError):
            home.desk.archive.seen_by(viewer).reviews.open(recording)
    assert not Path(wav).exists()
    assert lead.finds() == {mine}
    assert lead.does("archive", "export", mine, "--wav", wav).status == 0


@pytest.mark.rule("G11")
@pytest.mark.rule("L2")
def test_without_a_key_and_an_account_nothing_is_locked_and_no_recording_is_learnt_of(home: House) -> None:
    recording = home.recorded(DOCUMENTATION)
    looks_after = home.person("looks-after")
    attempt(home, looks_after, "holds", "raise", "--number", NUMBER, "--by", "party", "--why", "curious")
    attempt(home, looks_after, "holds", "raise", recording, "--by", "controller", "--why", "curious")
    attempt(home, looks_after, "holds", "raise", "--number", OTHER, "--for", "access", "--why", "curious")


# --- what nobody is told of, as it is not theirs ----------------------------------------------------


def somebody(home: House, who: str) -> Person:
    keys = {"handler": (KeyRole.DOCUMENTATION,), "lead": (KeyRole.TRAINING,)}
    return home.person(who, *keys.get(who, ()), account=ANNA if who == "agent" else None)


@pytest.mark.rule("G11")
@pytest.mark.parametrize("who", ["agent", "lead", "it"])
def test_a_sweep_tells_who_does_not_find_all_its_figures_alone_and_nothing_of_a_later_day(
    home: House, who: str
) -> None:
    now = datetime.now(UTC)
    long_ago, lives = now - timedelta(days=50), home.recorded(TRAINING)
    held = home.recorded(DOCUMENTATION, at=long_ago)
    holding.raise_hold(home.desk.archive, held, HoldBy.PARTY, "the price", "anna", now - timedelta(days=40))
    ended = home.recorded(DOCUMENTATION, at=long_ago, keeps="P1M")
    person, officer = somebody(home, who), home.person("officer", KeyRole.CUSTODY)

    for day in ("2099-01-01", str((now + timedelta(days=1)).date())):
        attempt(home, person, "archive", "sweep", "--dry-run", "--now", day)
        attempt(home, person, "archive", "sweep", "--dry-run", "--now", day, "--json")
        attempt(home, person, "archive", "sweep", "--now", day)
    assert home.desk.archive.audit_of()[-1].params["deed"] == "sweep_in_future"
    for words in (("--dry-run",), ("--dry-run", "--json"), ()):
        said = person.does("archive", "sweep", *words)
        assert said.status == 0, words
        assert not [one for one in (lives, held, ended) if one in said.all], words
        assert ("1 × a hold that nobody has confirmed in time" in said.out) == ("--json" not in words), words
    assert "Purposes ended: 1" in said.out
    assert ended not in {row.recording for row in home.desk.archive.list()}
    report, sums = map(json.loads, person.does("archive", "sweep", "--json").out.splitlines())
    assert report == {"what": "hold_overdue", "rule": "G10", "count": 1, "locked": False}
    assert sums["sums"]["reported"] == 1

    told = officer.does("archive", "sweep", "--dry-run", "--now", "2099-01-01", "--json").out
    assert lives in told
    assert held in told


@pytest.mark.rule("G11")
@pytest.mark.parametrize("who", ["lead"])
def test_who_locks_by_a_number_is_told_how_many_and_not_which_and_the_log_tells_of_each_time(
    home: House, who: str
) -> None:
    there = [home.recorded(DOCUMENTATION, agent=BO), home.recorded(DOCUMENTATION, TRAINING)]
    home.recorded(TRAINING, number="+4520000001")
    person, archive = somebody(home, who), home.desk.archive
    key = home.desk.shown(KeyRole.TRAINING) if who == "lead" else {}

    def locks(number: str, status: int) -> tuple[str, list[str]]:
        before = len(archive.audit_of())
        said = person.does("holds", "raise", "--number", number, "--by", "party", "--why", "the price")
        entries = archive.audit_of()[before:]
        assert said.status == status, said
        assert not [one for one in there if one in said.all]
        assert entries[0].params == {"count": 2 if status == 0 else 0, **key}
        assert not [one for one in entries if number in repr(one)]
        return said.all, [one.event for one in entries]

    said, events = locks(NUMBER, 0)
    assert "one recording" not in said
    assert "2 recordings with that number" in said
    assert events == ["hold_sought", "hold_placed", "hold_placed"]
    assert all(archive.find(one).holds for one in there)
    assert locks(NUMBER, 0)[1] == ["hold_sought"]
    said, events = locks(OTHER, 1)
    assert "no recording with that number" in said
    assert events == ["hold_sought"]
    # Nor by what they have locked.
    listed, told = person.does("holds", "list").out, person.does("holds", "list", "--json").out
    assert len(listed.splitlines()) == len(told.splitlines()) == 2
    assert there[0] not in listed + told
    assert (there[1] in listed) == (there[1] in told) == (who == "agent")


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    "words",
    ["call 20123456", "fra +45 20 12 34 56", "251185-1234", "25 11 85 1234", "20.12.34.56", "2027-06-01 20-12-34-56"],
)
def test_a_number_in_a_reason_is_refused_before_it_could_be_written_anywhere(home: House, words: str) -> None:
    recording = home.recorded(DOCUMENTATION)
    officer = home.person("officer", KeyRole.CUSTODY, KeyRole.DOCUMENTATION)
    before = len(home.desk.archive.audit_of())
    for command in (
        ("holds", "raise", recording, "--by", "party", "--why", words),
        ("holds", "lift", "x", "--reason", words),
        ("holds", "close", "x", "--reason", words),
        ("archive", "judge", recording, "--delete", "--reason", words),
        ("archive", "export", recording, "--wav", "x.wav", "--why", words),
        ("archive", "play", recording, "--why", words),
    ):
        said = officer.does(*command)
        assert (said.status, "phone or CPR number" in said.err) == (1, True), command
    assert len(home.desk.archive.audit_of()) == before


def test_a_date_and_a_few_digits_are_no_number_and_a_case_may_have_one(home: House, tmp_path: Path) -> None:
    recording = home.recorded(DOCUMENTATION)
    handler = home.person("handler", KeyRole.DOCUMENTATION)
    why = "klage af 25.11.2026, kontrakt 4711, svar inden 2027-06-01"
    wav = str(tmp_path / "out.wav")
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


def names_themselves(home: House, person: Person, name: str, role: KeyRole = KeyRole.CUSTODY) -> None:
    """They make a pair of their own, and put it into their own policy in place of the house's; the house's is known to them."""
    assert person.does("keys", "create", role.value, "--id", "mine").status == 0
    (mine,) = (one for one in known_keys(person.keys) if one.id == "mine")
    theirs, written = home.desk.recipients[role], home.policy(name)
    put_in = written.read_text("utf-8").replace(b64(theirs.public_key), b64(mine.recipient.public_key))
    written.write_text(put_in, encoding="utf-8")
    remember(person.keys, Known("theirs", KeyPurpose(role), theirs.public_key, datetime.now(UTC)))


@pytest.mark.rule("G11")
@pytest.mark.parametrize("account", [ANNA, None], ids=["agent", "it"])
def test_who_names_a_key_of_their_own_for_custody_in_a_policy_of_their_own_has_no_custody(
    home: House, account: str | None
) -> None:
    recording = home.recorded(DOCUMENTATION, TRAINING, agent=BO)
    person = home.person("person", account=account)
    names_themselves(home, person, "person")
    judged = datetime.now(UTC).date() + timedelta(days=20)

    attempt(home, person, "archive", "show", recording)
    attempt(home, person, "archive", "list", "--number", NUMBER)
    attempt(home, person, "archive", "judge")
    attempt(home, person, "archive", "judge", recording, "--keep-until", str(judged), "--reason", "x")
    attempt(home, person, "archive", "judge", recording, "--delete")
    attempt(home, person, "archive", "orphan", recording, "--delete", "--reason", "x")
    attempt(home, person, "archive", "sweep", "--clock-is-right")
    attempt(home, person, "keys", "revoke", "theirs", "--yes")
    if account is None:
        attempt(home, person, "archive", "list")
    else:
        assert person.finds() == set()
    held = put_on_hold(home, recording)
    listed = person.does("holds", "list", "--json")
    assert held not in listed.out
    assert verify(home.desk.archive).ok


@pytest.mark.rule("G11")
def test_the_log_is_cut_no_younger_than_what_is_here_may_be_kept_and_not_from_its_first_entry_on(home: House) -> None:
    archive, now = home.desk.archive, datetime.now(UTC)
    for days in (800, 500, 100):
        archive.note(AuditEntry(f"before_{days}", "G11", now - timedelta(days=days), ""))
        archive.head(now)
    recording = home.recorded(DOCUMENTATION, keeps="P2Y")
    first = archive.audit_of(recording)[0].number
    archive.note(AuditEntry("after", "G11", now - timedelta(days=790), ""))
    archive.head(now)
    terms = SweepTerms(log_kept=Period(days=1))
    planned = sweep(archive, now, clock=now, dry_run=True, terms=terms)
    assert sweep(archive, now, clock=now, terms=terms) == planned == [SweptItem(Swept.LOG_CUT, None, "G10")]
    rows = archive.audit_of()
    assert [row.event for row in rows[:2]] == ["before_500", "before_100"]
    assert (rows[-1].event, rows[-1].params) == ("sweep_log_cut", {"count": 1, "kept": "P2Y", "begins": 2})
    # However old all of it is.
    later = now + timedelta(days=729)
    sweep(archive, later, clock=later, witness=later, terms=terms)
    assert archive.audit_of()[0].number == first
    assert archive.audit_of(recording)[0].number == first
    assert verify(archive).ok
