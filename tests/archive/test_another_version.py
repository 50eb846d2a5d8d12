"""What another version made. A recording's file that this one cannot read: `verify` says what it may be, and nothing touches it.
An archive with an earlier schema, which that version may be recording into: who only looks leaves it as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from softphone import cli
from softphone.archive.archive import Archive
from softphone.archive.catalog import database
from softphone.archive.crypto.wraps import signer_name
from softphone.archive.examine.repair import Repair, Repaired, repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.bootstrap.home import DEMO_KEYS, Home
from softphone.bootstrap.review import review_dependencies
from softphone.cli.doctor.archive import ARCHIVE
from softphone.cli.doctor.run import look
from softphone.domain.changes import CloseRecording
from softphone.domain.errors import ArchiveError
from softphone.system.secrets import DemoKeyFile
from softphone.system.settings import save_settings
from softphone.system.single import take_turn
from softphone.wire.snapshot import Settings
from tests.archive.scene import AT, DOCUMENTATION, Scene
from tests.peers.second_phone import ROOT

NOW = datetime.now(UTC) + timedelta(days=1)
Turned = Callable[[bytes], bytes]
KINDS: dict[str, Turned] = {
    "version": lambda data: data[:8] + b"\0\3" + data[10:],
    "seal": lambda data: data.replace(b'"AES-256-GCM"', b'"AES-512-GCM"', 1),
    "codec": lambda data: data.replace(b'"name":"opus"', b'"name":"flac"', 1),
}
WORDS = {"version": "those up to 2", "seal": "it knows AES-256-GCM", "codec": "it knows opus 255"}
DEMO = True


@pytest.mark.parametrize("kind", KINDS)
def test_verify_says_that_it_may_be_a_newer_version_s_and_no_start_touches_it_or_one_that_no_row_knows(
    desk: Scene, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    recording, whole = desk.recorded(2, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    desk.commit(CloseRecording(whole, AT, (DOCUMENTATION,)), recording=whole)
    path, stray = desk.archive.vault.path(recording), desk.archive.vault.path("stray")
    sealed = path.read_bytes()
    torn, known = sealed + sealed[-900:-200], desk.archive.vault.path(whole).read_bytes()
    path.write_bytes(newer := KINDS[kind](torn))
    stray.write_bytes(KINDS[kind](known))
    row, log = desk.archive.find(recording), desk.archive.audit_of()

    assert cli.main(["archive", "--archive", str(desk.folder), "verify"]) == 1
    sentence, _ = capsys.readouterr().out.split("\n", 1)
    assert ("newer version" in sentence, WORDS[kind] in sentence) == (True, True)
    proof = verify(desk.archive)
    assert {one.code for one in proof.findings} == {f"object_{kind}_unknown"}
    assert proof.opened_chunks == len(read_structure(desk.archive.vault.path(whole)).chunks)
    assert repair(desk.archive, NOW) == []
    assert (path.read_bytes(), desk.archive.find(recording), desk.archive.audit_of()) == (newer, row, log)
    assert desk.archive.vault.aside() == []

    # The version that knows it does.
    path.write_bytes(torn)
    stray.write_bytes(known)
    assert {*repair(desk.archive, NOW)} == {
        Repaired(Repair.BROKE_OFF, recording, 700),
        Repaired(Repair.SET_ASIDE, "stray"),
    }
    assert path.read_bytes() == sealed


@pytest.mark.parametrize("schema", [database.OLDEST, database.HEAD])
def test_who_only_looks_and_who_comes_beside_a_phone_of_an_earlier_version_changes_nothing(
    schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en.UTF-8")
    runs, crashed = tmp_path / "runs", tmp_path / "crashed"
    keys = DemoKeyFile(runs / DEMO_KEYS)
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "HEAD", schema)
        archive = Archive.create(runs, keys, demo=True)
    keys.delete(signer_name(archive.desk))  # as on a desk that has written nothing yet
    archive.see(AT, None)
    shutil.copytree(runs, crashed)
    assert {one.name for one in runs.iterdir()} >= {"catalog.db-wal", "catalog.db-shm"}
    home, written = Home.within(tmp_path / "home"), tmp_path / "support.zip"
    home.folders.create()

    def told(folder: Path, look_at: Callable[[], set[str]]) -> set[str]:
        save_settings(home.folders.config, Settings(archive=str(folder)))
        before = _files(folder)
        found = look_at()
        assert _files(folder) == before
        return found & {"doctor.archive.earlier", "doctor.backup.none", "doctor.signer.nobody"}

    def support() -> set[str]:
        # In a process of its own: within one, SQLite's connections share their look at the files beside the database.
        command = [sys.executable, "-m", "softphone", "--home", str(home.root), "support", str(written)]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
        with zipfile.ZipFile(written) as file:
            text = file.read(next(one for one in file.namelist() if one.endswith("doctor.json")))
        return {one["code"] for one in json.loads(text)["findings"] if one["check"] == "archive"}

    def doctor() -> set[str]:
        return {one.code for _, one in look(home, [ARCHIVE])}

    inside = {"doctor.archive.earlier"} if schema < database.HEAD else {"doctor.backup.none", "doctor.signer.nobody"}
    assert told(runs, support) == inside
    assert told(crashed, doctor) == inside
    archive.close()
    assert told(runs, doctor) == inside
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "HEAD", schema)
        Archive.open(runs, keys).close()  # the version before can still

    # While a phone runs that may be of that version, no command brings the archive up to date; then one does.
    before = _files(runs)
    commands = (
        *(["archive", "--archive", str(runs), *one] for one in (["health"], ["verify"], ["list"], ["log"])),
        *([one, "--archive", str(runs), "list"] for one in ("holds", "cases")),
    )
    with take_turn(home.folders.runtime):
        for words in commands if schema < database.HEAD else ():
            assert cli.main(["--home", str(home.root), *words]) == 1, words
            assert "phone of an earlier version is running" in capsys.readouterr().err
        why = review_dependencies(Settings(), runs, home.folders.runtime, show=False).refusal
        assert ("phone of an earlier version" in str(why)) == (schema < database.HEAD)
        assert schema == database.HEAD or _files(runs) == before
    assert cli.main(["--home", str(home.root), *commands[0]]) in (0, 1)
    assert "earlier version" not in capsys.readouterr().err
    with pytest.raises(ArchiveError) if schema < database.HEAD else nullcontext(), monkeypatch.context() as earlier:
        earlier.setattr(database, "HEAD", schema)
        Archive.open(runs, keys).close()


def _files(folder: Path) -> dict[str, Any]:
    """With the folder's own time: nothing was made in it and gone again."""
    every = [folder, *folder.rglob("*")]
    return {str(one): (one.stat().st_mtime_ns, one.read_bytes() if one.is_file() else b"") for one in sorted(every)}
