"""A recording's file that this version does not know how to read: `verify` says what it may be, and nothing touches it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from softphone import cli
from softphone.archive.examine.repair import Repair, Repaired, repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import read_structure
from softphone.domain.changes import CloseRecording
from tests.archive.scene import AT, DOCUMENTATION, Scene

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
