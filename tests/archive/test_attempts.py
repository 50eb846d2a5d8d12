"""What an agent, or a team lead, tries on an archive with their own keyring: through the program it fails and is in the log;
past it, on files and by SQL with the catalog's key, nothing is heard and `verify` tells of the rest.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest

from softphone.archive.access import viewer_of
from softphone.archive.archive import Archive
from softphone.archive.files.container import Chunk, Sealer, read_header, scan
from softphone.archive.finding.searching import Query, page
from softphone.archive.keys.passphrase import b64
from softphone.archive.keys.ring import KeyPurpose, Known, known_keys, remember
from softphone.archive.keys.wraps import unwrap
from softphone.archive.proof import audit
from softphone.archive.proof.checkpoint import Head
from softphone.archive.proof.verify import Proof, verify
from softphone.archive.retention import holding, judging
from softphone.archive.retention.sweep import SweepTerms, Swept, SweptItem, sweep
from softphone.archive.review.session import open_review
from softphone.bootstrap.archive import retention
from softphone.domain.changes import AuditEntry, CloseRecording, HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.policy.period import Period
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from softphone.system.policy_file import parse_policy
from tests.archive.people import ANNA, BO, House, Person, policy_of
from tests.archive.scene import DOCUMENTATION, NUMBER, TRAINING, MemoryKeys, Scene

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
        open_review(home.desk.archive, own, "lead-1", datetime.now(UTC), viewer=agent)
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
            open_review(home.desk.archive, recording, "lead-1", datetime.now(UTC), viewer=viewer)
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


@pytest.mark.rule("L2")
def test_under_another_s_name_in_the_environment_nobody_sees_what_that_one_has_locked(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_hold(home, home.recorded(DOCUMENTATION))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "anna")
    listed = home.person("bo", account=BO).does("holds", "list")
    assert (listed.status, "the price" in listed.all) == (0, False)
    assert "You have locked no recording" in listed.out


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


@pytest.mark.rule("G10")
def test_who_names_a_key_of_their_own_for_custody_deletes_nothing_by_a_clock_that_was_set_ahead(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = home.recorded(DOCUMENTATION)
    person = home.person("person", account=ANNA)
    names_themselves(home, person, "person")
    person.does("archive", "sweep")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=400)

    monkeypatch.setattr(retention, "datetime", Ahead)
    said = person.does("archive", "sweep", "--clock-is-right")
    assert (said.status, said.out) == (1, "")
    person.does("archive", "sweep")
    assert home.desk.archive.find(recording).opens_for


@pytest.mark.rule("G11")
@pytest.mark.parametrize("role", [KeyRole.DOCUMENTATION, KeyRole.TRAINING, KeyRole.CUSTODY])
def test_a_key_that_somebody_s_own_policy_names_no_more_is_not_theirs_to_revoke(home: House, role: KeyRole) -> None:
    home.recorded(DOCUMENTATION, TRAINING)
    person = home.person("person", account=ANNA)
    names_themselves(home, person, "person", role)
    attempt(home, person, "keys", "revoke", "theirs")


@pytest.mark.rule("G11")
def test_who_recorded_a_call_for_a_key_of_their_own_neither_believes_the_clock_nor_revokes_for_all(home: House) -> None:
    for _ in range(3):
        home.recorded(DOCUMENTATION)
    person = home.person("person", account=ANNA)
    home.recorded_for_own_keys(person, (KeyRole.CUSTODY, KeyRole.DOCUMENTATION), DOCUMENTATION, agent=ANNA)
    theirs = home.desk.recipients[KeyRole.DOCUMENTATION]
    remember(person.keys, Known("theirs", KeyPurpose.DOCUMENTATION, theirs.public_key, datetime.now(UTC)))
    attempt(home, person, "archive", "sweep", "--clock-is-right")
    attempt(home, person, "keys", "revoke", "theirs", "--yes")


@pytest.mark.rule("G11")
def test_who_recorded_a_call_for_keys_of_their_own_finds_by_them_that_call_alone(home: House) -> None:
    others = [home.recorded(DOCUMENTATION, TRAINING, agent=BO) for _ in range(3)]
    put_on_hold(home, others[0])
    person = home.person("person")
    own = home.recorded_for_own_keys(person, KeyRole, DOCUMENTATION, TRAINING, agent=BO)
    assert person.finds() == person.finds("--number", NUMBER) == {own}
    assert person.does("archive", "list", "--count").out == "1\n"
    assert others[0] not in person.does("holds", "list", "--json").out
    attempt(home, person, "archive", "show", others[0])
    officer = home.person("officer", KeyRole.CUSTODY)
    assert officer.finds() == {own, *others}
    assert officer.does("archive", "list", "--count").out == "4\n"
    assert others[0] in officer.does("holds", "list").out


@pytest.mark.rule("G11")
def test_a_policy_of_one_s_own_cuts_nothing_out_of_the_log_that_tells_of_what_is_here_or_of_the_last_year(
    home: House,
) -> None:
    archive, now = home.desk.archive, datetime.now(UTC)
    archive.note(AuditEntry("long_ago", "G11", now - timedelta(days=800), ""))
    archive.note(AuditEntry("months_ago", "G11", now - timedelta(days=300), ""))
    archive.head(now)
    recording = home.recorded(DOCUMENTATION, at=now - timedelta(days=9))
    archive.note(AuditEntry("recording_opened", "G11", now - timedelta(days=9), "", recording, {"role": "custody"}))
    archive.head(now)
    before = archive.audit_of()
    person, written = home.person("person", account=ANNA), home.policy("person")
    told = written.read_text("utf-8")
    for period in ("P1D", "P11M", "P1Y"):
        written.write_text(told.replace("[controller]", f'audit_retention = "{period}"\n[controller]', 1), "utf-8")
        person.does("archive", "sweep")
        assert archive.audit_of()[: len(before)] == before
    # Nor one that the program was handed in another way.
    sweep(archive, now, clock=now, terms=SweepTerms(log_kept=Period(days=1)))
    assert archive.audit_of()[: len(before)] == before
    assert verify(archive).ok


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
    assert verify(archive, now=later).ok


# --- past the program -----------------------------------------------------------------------------


class Loot:
    """An archive's folder in the hands of somebody with an agent's keyring: all files, and the catalog by its key."""

    def __init__(self, folder: Path, keys: MemoryKeys, recordings: list[str], hold: str) -> None:
        self.folder = folder
        self.keys = keys
        self.plain, self.trained, self.held = recordings
        self.hold = hold

    def path(self, recording: str) -> Path:
        return self.folder / "recordings" / f"{recording}.ktr"

    def sql(self, *statements: str) -> None:
        archive = Archive.open(self.folder, self.keys)
        try:
            with archive.catalog.writing() as connection:
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                for statement in statements:
                    connection.exec_driver_sql(statement)
        finally:
            archive.close()

    def unbound(self, *statements: str) -> None:
        """As `sql`, past what the tables say of one another."""
        archive = Archive.open(self.folder, self.keys)
        with archive.catalog._writer.connect() as connection:
            for statement in ("PRAGMA foreign_keys = OFF", *statements):
                connection.exec_driver_sql(statement)
        archive.close()

    def proof(self, head: Head | None = None) -> Proof:
        archive = Archive.open(self.folder, self.keys)
        try:
            return verify(archive, head)
        finally:
            archive.close()

    def found(self) -> dict[str, set[str]]:
        """The faults that `verify` tells with an agent's keyring: the codes, each with the recordings that it names."""
        told: dict[str, set[str]] = {}
        for finding in self.proof().findings:
            if finding.is_fault:
                told.setdefault(finding.code, set()).add(str(finding.params.get("recording", "")))
        return told


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryKeys, list[str], str]:
    folder = tmp_path_factory.mktemp("attempts") / "archive"
    desk = Scene(folder)
    at = datetime.now(UTC) - timedelta(hours=1)
    made = [
        desk.recorded(2, *purposes, call=desk.call(at=at), at=at)
        for purposes in ((DOCUMENTATION,), (DOCUMENTATION, TRAINING), (DOCUMENTATION,))
    ]
    for recording in made:
        desk.commit(
            CloseRecording(recording, at + timedelta(seconds=2), (DOCUMENTATION, TRAINING)), recording=recording
        )
    hold = holding.raise_hold(desk.archive, made[2], HoldBy.PARTY, "the price", "anna", datetime.now(UTC))
    desk.commit(Restrict(made[2], "hold_only"), recording=made[2])
    desk.archive.head(datetime.now(UTC))
    keys = desk.only()
    desk.close()
    return folder, keys, made, hold


@pytest.fixture
def loot(original: tuple[Path, MemoryKeys, list[str], str], tmp_path: Path) -> Loot:
    folder, keys, made, hold = original
    shutil.copytree(folder, tmp_path / "archive")
    return Loot(tmp_path / "archive", keys, made, hold)


def test_what_nobody_touched_is_proved(loot: Loot) -> None:
    assert loot.found() == {}


@pytest.mark.rule("G11")
def test_no_chunk_is_decrypted_with_any_secret_of_an_agent_s_keyring(loot: Loot) -> None:
    archive = Archive.open(loot.folder, loot.keys)
    secrets = [*loot.keys.held.values(), archive.secrets.catalog, archive.secrets.number, archive.secrets.index]
    tried = 0
    try:
        for recording in (loot.plain, loot.trained, loot.held):
            data = loot.path(recording).read_bytes()
            header = data[: read_header(data)[1]]
            chunks = [one for one in scan(data, len(header)) if isinstance(one, Chunk)]
            for secret in secrets:
                assert secret is not None
                if len(secret) != 32:
                    continue
                assert all(unwrap(one, secret) is None for one in archive.wraps_of(recording))
                assert all(Sealer(header, recording, 0, secret).open(chunk) is None for chunk in chunks)
                tried += len(chunks)
        assert tried > 20
        for role in KeyRole:
            with pytest.raises(ArchiveError):
                archive.open_recording(loot.plain, datetime.now(UTC), role=role)
    finally:
        archive.close()


def delete_file(loot: Loot) -> None:
    loot.path(loot.plain).unlink()


def swap_files(loot: Loot) -> None:
    one, other = loot.path(loot.plain), loot.path(loot.trained)
    aside = one.with_suffix(".x")
    one.replace(aside)
    other.replace(one)
    aside.replace(other)


def truncate(loot: Loot) -> None:
    path = loot.path(loot.plain)
    os.truncate(path, path.stat().st_size - 400)


def overwrite(loot: Loot) -> None:
    data = bytearray(loot.path(loot.plain).read_bytes())
    data[-60:-40] = bytes(20)
    loot.path(loot.plain).write_bytes(data)


def delete_everything_of_it(loot: Loot) -> None:
    delete_file(loot)
    tables = ("wraps", "segments", "purposes", "holds", "recordings")
    loot.sql(*(f"DELETE FROM {table} WHERE recording = '{loot.plain}'" for table in tables))


def by_sql(*statements: str) -> Callable[[Loot], None]:
    def deed(loot: Loot) -> None:
        names = {"plain": loot.plain, "trained": loot.trained, "held": loot.held, "hold": loot.hold}
        loot.sql(*(statement.format(**names) for statement in statements))

    deed.__name__ = statements[-1].split(" WHERE")[0]
    return deed


def rewrite_the_log(loot: Loot, *, signs: bool = False) -> None:
    """Each entry's hash is made anew, so that the chain alone holds; `signs`: and the desk's own key signs it again."""
    archive = Archive.open(loot.folder, loot.keys)
    try:
        with archive.catalog.writing() as connection:
            guards = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('audit', 'checkpoints')"
            ).all()
            for guard in guards:
                connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
            number, previous = 0, audit.GENESIS
            for row in audit.entries(connection):
                told = {**row._mapping, "event": "nothing" if row.number == 2 else row.event}
                digest = audit._digest(told, previous)
                connection.exec_driver_sql(
                    "UPDATE audit SET event = ?, previous = ?, hash = ? WHERE number = ?",
                    (told["event"], previous, digest, row.number),
                )
                number, previous = row.number, digest
            connection.exec_driver_sql(
                "UPDATE meta SET value = ? WHERE name LIKE 'audit-end-%'", (f"{number} {previous}",)
            )
            if signs:
                connection.exec_driver_sql("DELETE FROM checkpoints")
                assert archive.signer.sign(connection, datetime.now(UTC)) is not None
            for guard in guards:
                connection.exec_driver_sql(guard.sql)
    finally:
        archive.close()


def remove_slot(loot: Loot) -> None:
    trained = TRAINED.format(trained=loot.trained)
    loot.unbound("DROP TRIGGER slots_stay", f"DELETE FROM slots WHERE slot IN {trained}")


def park_a_wrap(loot: Loot) -> None:
    """Out of the way of a withdrawal, at a segment of another recording that does not exist."""
    trained = TRAINED.format(trained=loot.trained)
    loot.unbound(f"UPDATE wraps SET recording = '{loot.plain}', segment = 99 WHERE slot IN {trained}")


def sweep_by_a_clock_of_its_own(loot: Loot) -> None:
    archive = Archive.open(loot.folder, loot.keys)
    later = datetime(2099, 1, 1, tzinfo=UTC)
    sweep(archive, later, clock=later, witness=later)
    archive.close()
    assert not loot.path(loot.plain).exists()


def take_out_the_end(loot: Loot) -> None:
    """At the end of a chunk, as a crash leaves it."""
    data = loot.path(loot.plain).read_bytes()
    chunks = [one for one in scan(data, read_header(data)[1]) if isinstance(one, Chunk)]
    loot.path(loot.plain).write_bytes(data[: chunks[-1].offset])


def take_out_all(loot: Loot) -> None:
    data = loot.path(loot.plain).read_bytes()
    loot.path(loot.plain).write_bytes(data[: read_header(data)[1]])


UNREADABLE = (
    "purposes SET stands = 'x'",
    "purposes SET stands = CAST(x'ff' AS TEXT)",
    "segments SET purposes = 'documentation,x'",
    "purposes SET stands = x'ff'",
    "segments SET purposes = x'ff'",
)
UNDATED = (
    "purposes SET expires_on = '0' WHERE recording = '{plain}'",
    "purposes SET expires_on = x'00' WHERE recording = '{plain}'",
    "recordings SET opened_at = 'x' WHERE recording = '{plain}'",
    "recordings SET opened_at = x'00ff' WHERE recording = '{plain}'",
    "calls SET time_zone = 'x'",
    "calls SET direction = 'x'",
)
EARLIER = "DROP TRIGGER audit_no_delete"
TRAINED = "(SELECT slot FROM wraps WHERE recording = '{trained}' AND role = 'training')"
ATTEMPTS: list[tuple[Callable[[Loot], None], str, str]] = [
    (delete_file, "object_unreadable", "plain"),
    (swap_files, "object_of_another", "plain"),
    (truncate, "chunks_too_few", "plain"),
    (take_out_the_end, "chunks_too_few", "plain"),
    (take_out_all, "chunks_too_few", "plain"),
    (park_a_wrap, "wrap_of_no_segment", "plain"),
    (by_sql("UPDATE wraps SET role = 'x' WHERE recording = '{plain}'"), "wrap_of_no_role", "plain"),
    (sweep_by_a_clock_of_its_own, "swept_ahead", ""),
    (by_sql("INSERT INTO condemned VALUES ('{plain}', 'desk', '2026-11-25')"), "condemned_stands", "plain"),
    (by_sql("INSERT INTO condemned VALUES (x'00ff', 'desk', '2026-11-25')"), "rows_of_another_desk", ""),
    (by_sql("INSERT INTO meta VALUES ('revoked-0123', '2026-11-25T10:00:00+00:00')"), "revocation_untold", ""),
    (by_sql("INSERT INTO meta VALUES ('revoked-0123', x'00ff')"), "revocation_untold", ""),
    (by_sql("INSERT INTO meta VALUES (x'7265766f6b65642d', x'00ff')"), "revocation_untold", ""),
    (by_sql("INSERT INTO meta VALUES (CAST('audit-end-x' AS BLOB), x'00ff')"), "audit_cut_off", ""),
    *((by_sql(f"UPDATE {what} WHERE recording = '{{plain}}'"), "rows_unreadable", "plain") for what in UNREADABLE),
    *((by_sql(f"UPDATE {what}"), "rows_changed", "plain") for what in UNDATED),
    (overwrite, "chunk_damaged", "plain"),
    (delete_everything_of_it, "recording_lost", "plain"),
    (rewrite_the_log, "audit_changed", ""),
    (by_sql("DELETE FROM wraps WHERE role = 'custody' AND recording = '{plain}'"), "wrap_missing", "plain"),
    (by_sql("DELETE FROM wraps WHERE recording = '{trained}' AND role = 'training'"), "wrap_missing", "trained"),
    (
        by_sql(
            f"INSERT INTO slots (free, sealed) SELECT 0, sealed FROM slots WHERE slot IN {TRAINED}",
            "INSERT INTO wraps SELECT '{plain}', segment, 'training', key_id, suite, desk, "
            f"(SELECT max(slot) FROM slots) FROM wraps WHERE slot IN {TRAINED}",
        ),
        "wrap_copied",
        "plain",
    ),
    (
        by_sql(
            "DROP INDEX ix_wraps_slot",
            "INSERT INTO wraps SELECT '{plain}', segment, 'training', key_id, suite, desk, slot FROM wraps "
            f"WHERE slot IN {TRAINED}",
        ),
        "slot_shared",
        "plain",
    ),
    (by_sql(f"UPDATE slots SET free = 1, sealed = zeroblob(80) WHERE slot IN {TRAINED}"), "slot_lost", "trained"),
    (remove_slot, "slot_lost", "trained"),
    (by_sql(f"UPDATE slots SET free = 1 WHERE slot IN {TRAINED}"), "slot_not_erased", ""),
    (
        by_sql(f"DELETE FROM wraps WHERE slot IN {TRAINED}", "UPDATE slots SET sealed = randomblob(80) WHERE free = 1"),
        "slot_not_erased",
        "",
    ),
    (by_sql("DROP TRIGGER wraps_erased", f"DELETE FROM wraps WHERE slot IN {TRAINED}"), "slot_unnamed", ""),
    (by_sql("INSERT INTO slots (free, sealed) VALUES (0, randomblob(80))"), "slot_unnamed", ""),
    (
        by_sql(
            "INSERT INTO slots (free, sealed) VALUES (0, randomblob(80))",
            "INSERT OR REPLACE INTO wraps SELECT recording, segment, role, key_id, suite, desk, "
            f"(SELECT max(slot) FROM slots) FROM wraps WHERE slot IN {TRAINED}",
        ),
        "slot_unnamed",
        "",
    ),
    (
        by_sql(
            "PRAGMA ignore_check_constraints = ON",
            f"UPDATE slots SET sealed = sealed || x'00' WHERE slot IN {TRAINED}",
        ),
        "slot_size",
        "",
    ),
    (by_sql("DROP TRIGGER wraps_erased"), "schema_changed", ""),
    (by_sql("DELETE FROM holds WHERE hold = '{hold}'"), "rows_changed", "held"),
    (by_sql("UPDATE holds SET lifted_at = '2026-11-25T11:00:00+00:00' WHERE hold = '{hold}'"), "rows_changed", "held"),
    (by_sql("UPDATE holds SET confirm_by = NULL WHERE hold = '{hold}'"), "rows_changed", "held"),
    (by_sql("UPDATE holds SET recording = '{plain}' WHERE hold = '{hold}'"), "rows_changed", "held"),
    (by_sql("UPDATE purposes SET expires_on = '2020-01-01' WHERE recording = '{plain}'"), "rows_changed", "plain"),
    (by_sql("UPDATE purposes SET expires_on = '2099-01-01' WHERE recording = '{plain}'"), "rows_changed", "plain"),
    (by_sql("UPDATE purposes SET stands = 'expired' WHERE recording = '{plain}'"), "rows_changed", "plain"),
    (by_sql("UPDATE recordings SET restricted = NULL WHERE recording = '{held}'"), "rows_changed", "held"),
    (by_sql("UPDATE calls SET number_index = x'00'"), "rows_changed", "plain"),
    (by_sql("UPDATE calls SET language = 'en'"), "rows_changed", "plain"),
    (by_sql("UPDATE calls SET notice = 'N1'"), "rows_changed", "plain"),
    (by_sql("DROP TRIGGER touched_gone"), "schema_changed", ""),
    (by_sql("DROP INDEX ix_wraps_key"), "schema_changed", ""),
    (by_sql("CREATE TRIGGER extra AFTER INSERT ON holds BEGIN DELETE FROM holds; END"), "schema_changed", ""),
    (by_sql("UPDATE meta SET value = '1' WHERE name = 'demo'"), "", ""),
    (by_sql(EARLIER, "DELETE FROM audit WHERE number = 2"), "audit_missing", ""),
    (by_sql(EARLIER, "DELETE FROM audit WHERE number > 3"), "audit_cut_off", ""),
    (by_sql(EARLIER, "DELETE FROM audit"), "audit_cut_off", ""),
]


@pytest.mark.rule("G11")
@pytest.mark.parametrize(
    ("deed", "code", "named"), ATTEMPTS, ids=[f"{n}-{one[0].__name__}" for n, one in enumerate(ATTEMPTS)]
)
def test_what_is_done_past_the_program_is_found_by_verify(
    loot: Loot, deed: Callable[[Loot], None], code: str, named: str
) -> None:
    deed(loot)
    if not code:
        with pytest.raises(ArchiveError) as refused:
            loot.found()
        assert refused.value.code == "error.archive.marker_changed"
        return
    found = loot.found()
    assert code in found
    if named:
        assert getattr(loot, named) in found[code]


@pytest.mark.rule("G11")
@pytest.mark.parametrize("what", [*(f"{one} WHERE recording = '{{plain}}'" for one in UNREADABLE), *UNDATED])
def test_a_row_that_nobody_can_read_keeps_no_other_recording_from_its_end_nor_from_being_listed(
    loot: Loot, what: str
) -> None:
    of_it = "WHERE call = (SELECT call FROM recordings WHERE recording = '{plain}')"
    statement = f"{what} {of_it}" if what.startswith("calls") else what
    by_sql(f"UPDATE {statement}")(loot)
    archive = Archive.open(loot.folder, loot.keys)
    now = datetime.now(UTC)
    later = now + timedelta(days=200)
    archive.repair(now)
    listed = page(archive, Query(), now)
    assert loot.plain in listed.unreadable | {row.recording for row in listed.rows}
    assert {loot.trained, loot.held} <= {row.recording for row in listed.rows}
    assert viewer_of(archive, None, ()).roles == {Role.IT}
    assert isinstance(archive.wraps_of(loot.plain), list)
    assert [one.recording for one in holding.standing(archive, now)] == [loot.held]
    assert list(judging.waiting(archive, later)) == []
    would = sweep(archive, later, clock=later, witness=later, dry_run=True)
    done = sweep(archive, later, clock=later, witness=later)
    assert [(one.what, one.recording) for one in would] == [(one.what, one.recording) for one in done]
    assert not loot.path(loot.trained).exists()
    told = [one.what for one in done if one.recording == loot.plain]
    assert told == [Swept.UNREADABLE] or loot.path(loot.plain).exists() != (Swept.DISCARDED in told)
    archive.close()


@pytest.mark.rule("G11")
def test_whoever_has_the_desk_s_own_key_can_write_its_log_anew_and_a_head_that_was_kept_elsewhere_tells(
    loot: Loot,
) -> None:
    archive = Archive.open(loot.folder, loot.keys)
    kept = archive.head(datetime.now(UTC))
    archive.close()
    rewrite_the_log(loot, signs=True)
    assert loot.found() == {}
    assert "audit_changed" in {one.code for one in loot.proof(kept).findings}


@pytest.mark.parametrize("change", [{"demo": True}, {"desk": "another"}, {"archive": "another"}, {"format": 9}])
def test_a_marker_that_was_changed_is_refused_when_the_archive_is_opened(loot: Loot, change: dict[str, object]) -> None:
    marker = loot.folder / "archive.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), **change}), encoding="utf-8")
    with pytest.raises(ArchiveError):
        Archive.open(loot.folder, loot.keys)


@pytest.mark.rule("G11")
def test_a_changed_row_stays_found_when_the_program_has_written_to_it_since(loot: Loot) -> None:
    loot.sql(f"UPDATE purposes SET expires_on = '2099-01-01' WHERE recording = '{loot.plain}'")
    archive = Archive.open(loot.folder, loot.keys)
    holding.raise_hold(archive, loot.plain, HoldBy.PARTY, "x", "anna", datetime.now(UTC))
    archive.close()
    assert loot.found()["rows_changed"] == {loot.plain}


@pytest.mark.rule("G11")
def test_a_date_that_was_put_back_is_found_also_once_the_sweep_has_deleted_by_it(loot: Loot) -> None:
    loot.sql(f"UPDATE purposes SET expires_on = '2020-01-01' WHERE recording = '{loot.plain}'")
    archive = Archive.open(loot.folder, loot.keys)
    now = datetime.now(UTC)
    sweep(archive, now, clock=now, witness=now)
    assert loot.plain not in {row.recording for row in archive.list()}
    archive.close()
    assert loot.found()["rows_changed"] == {loot.plain}


@pytest.mark.rule("G11")
def test_a_copied_wrap_opens_nothing_with_a_lead_s_own_key(home: House) -> None:
    kept, trained = home.recorded(DOCUMENTATION), home.recorded(TRAINING)
    archive = home.desk.archive
    with archive.catalog.writing() as connection:
        from_it = f"FROM wraps JOIN slots USING (slot) WHERE recording = '{trained}' AND role = 'training'"
        connection.exec_driver_sql(f"INSERT INTO slots (slot, free, sealed) SELECT slot + 100, 0, sealed {from_it}")
        connection.exec_driver_sql(
            f"INSERT INTO wraps SELECT '{kept}', segment, role, key_id, suite, desk, slot + 100 {from_it}"
        )
    archive.store = home.desk.only(KeyRole.TRAINING)
    with pytest.raises(ArchiveError) as refused:
        archive.open_recording(kept, datetime.now(UTC), role=KeyRole.TRAINING)
    assert refused.value.code in ("error.archive.wrap_changed", "error.archive.closed_to_role")
    codes = {finding.code for finding in verify(archive).findings}
    assert {"wrap_copied", "wrap_too_many", "wrap_changed"} <= codes
