"""What an agent, or a team lead, does to an archive past the program, on files and by SQL with the catalog's key: nothing is
heard but what their keyring opens, and `verify` tells of the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softphone.archive.access import viewer_of
from softphone.archive.archive import Archive
from softphone.archive.files.container import Chunk, Sealer, read_header, scan
from softphone.archive.finding.searching import Query, page
from softphone.archive.keys.wraps import SUITE, Wrap, unwrap
from softphone.archive.proof import audit
from softphone.archive.proof.checkpoint import Head
from softphone.archive.proof.verify import Proof, verify
from softphone.archive.retention import holding, judging
from softphone.archive.retention.sweep import Swept, sweep
from softphone.archive.review.session import mark_reviewed
from softphone.domain.changes import CloseRecording, DropWraps, HoldBy, Restrict
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import Role
from tests.archive.people import House
from tests.archive.scene import DOCUMENTATION, TRAINING, MemoryKeys, Scene

pytestmark = pytest.mark.usefixtures("english")


class Loot:
    """An archive's folder in the hands of somebody with a keyring of their own: all files, and the catalog by its key."""

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
        """The faults that `verify` tells with this keyring: the codes, each with the recordings that it names."""
        told: dict[str, set[str]] = {}
        for finding in self.proof().findings:
            if finding.is_fault:
                told.setdefault(finding.code, set()).add(str(finding.params.get("recording", "")))
        return told


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, list[str], str]:
    desk = Scene(tmp_path_factory.mktemp("attempts") / "archive")
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
    desk.close()
    return desk, made, hold


@pytest.fixture
def loot(original: tuple[Scene, list[str], str], tmp_path: Path, request: pytest.FixtureRequest) -> Loot:
    """An agent's, where a test does not say whose."""
    desk, made, hold = original
    shutil.copytree(desk.folder, tmp_path / "archive")
    return Loot(tmp_path / "archive", desk.only(*getattr(request, "param", ())), made, hold)


KEYRINGS = {"agent": (), "lead": (KeyRole.TRAINING,)}
by_each = pytest.mark.parametrize("loot", KEYRINGS.values(), ids=KEYRINGS, indirect=True)


@by_each
def test_what_nobody_touched_is_proved(loot: Loot) -> None:
    assert loot.found() == {}


def heard(home: House, keys: MemoryKeys) -> dict[str, int]:
    """Of each recording, how many of its chunks anything opens that these keys give: each as a data key, and as a private key to
    which any slot of the catalog, taken for any wrap of any recording, yields one."""
    archive = home.desk.archive
    secrets = {*keys.held.values(), archive.secrets.catalog, archive.secrets.number, archive.secrets.index}
    private = {one for one in secrets if one is not None and len(one) == 32}
    with archive.catalog.reading() as connection:
        slots = connection.exec_driver_sql("SELECT sealed FROM slots").scalars().all()
    opened: dict[str, int] = {}
    for row in archive.list():
        wraps = [
            Wrap(row.recording, 0, role, one.key_id, SUITE, sealed)
            for role, one in home.desk.recipients.items()
            for sealed in slots
        ]
        given = {key for wrap in wraps for one in private if (key := unwrap(wrap, one))}
        data = archive.vault.path(row.recording).read_bytes()
        header = data[: read_header(data)[1]]
        sealers = [Sealer(header, row.recording, 0, key) for key in private | given]
        chunks = [one for one in scan(data, len(header)) if isinstance(one, Chunk)]
        assert chunks
        opened[row.recording] = sum(any(one.open(chunk) is not None for one in sealers) for chunk in chunks)
    return opened


@pytest.mark.rule("G11")
@pytest.mark.parametrize("roles", KEYRINGS.values(), ids=KEYRINGS)
def test_no_chunk_is_decrypted_with_any_secret_of_the_keyring_but_what_a_lead_s_opens_for_training(
    home: House, roles: tuple[KeyRole, ...]
) -> None:
    desk, now = home.desk, datetime.now(UTC)
    documented, trains = home.recorded(DOCUMENTATION), home.recorded(TRAINING)
    opted_out, held, used = (home.recorded(DOCUMENTATION, TRAINING) for _ in range(3))
    everything = heard(home, desk.memory)
    assert all(everything.values())
    assert heard(home, desk.only(KeyRole.TRAINING)) == {**everything, documented: 0}

    desk.commit(DropWraps(opted_out, KeyRole.TRAINING, "withdrawn"), recording=opted_out)
    holding.raise_hold(desk.archive, held, HoldBy.PARTY, "the price", "anna", now)
    assert mark_reviewed(desk.archive, used, "lead-1", now)
    theirs = {trains} if roles else set[str]()
    assert heard(home, desk.only(*roles)) == {one: n if one in theirs else 0 for one, n in everything.items()}
    desk.archive.store = desk.only(*roles)
    for recording in (documented, opted_out, held, used, trains):
        for role in KeyRole:
            if recording in theirs and role is KeyRole.TRAINING:
                assert desk.archive.open_recording(recording, now, role=role)
                continue
            with pytest.raises(ArchiveError):
                desk.archive.open_recording(recording, now, role=role)


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
@by_each
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
