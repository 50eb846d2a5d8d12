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
WORDS = {
    ("version", "en"): ("a container of version 3", "those up to 2"),
    ("version", "da"): ("version 3", "til og med version 2"),
    ("seal", "en"): ("is sealed", "AES-512-GCM; it knows AES-256-GCM"),
    ("seal", "da"): ("er forseglet", "AES-512-GCM; den kender AES-256-GCM"),
    ("codec", "en"): ("is coded", "flac 255; it knows opus 255"),
    ("codec", "da"): ("er kodet", "flac 255; den kender opus 255"),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def found(desk: Scene) -> list[str]:
    return [one.code for one in verify(desk.archive).findings]


def chunks_of(desk: Scene, recording: str) -> int:
    return len(read_structure(desk.archive.vault.path(recording)).chunks)


def turned(desk: Scene, recording: str, kind: str) -> bytes:
    """Its file is another version's from now on; as which it is returned."""
    path = desk.archive.vault.path(recording)
    before = path.read_bytes()
    path.write_bytes(KINDS[kind](before))
    assert path.read_bytes() != before
    return path.read_bytes()


@kinds
@pytest.mark.parametrize("language", ["en", "da"])
def test_verify_says_that_it_may_be_a_newer_versions_and_finds_nothing_else(
    desk: Scene, kind: str, language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    recording = desk.recorded(2, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    whole = desk.recorded(1, DOCUMENTATION)
    turned(desk, recording, kind)

    assert cli.main(["archive", "--archive", str(desk.folder), "verify"]) == 1

    sentence, _ = capsys.readouterr().out.split("\n", 1)
    assert recording in sentence
    assert all(word in sentence for word in WORDS[kind, language])
    assert {"en": "newer version", "da": "nyere udgave"}[language] in sentence
    proof = verify(desk.archive)
    assert [(one.code, one.params["recording"]) for one in proof.findings] == [(f"object_{kind}_unknown", recording)]
    assert proof.opened_chunks == chunks_of(desk, whole)


@kinds
def test_a_start_neither_cuts_nor_marks_it_and_the_version_that_knows_it_does(desk: Scene, kind: str) -> None:
    recording = desk.recorded(2, DOCUMENTATION)
    path = desk.archive.vault.path(recording)
    sealed = path.read_bytes()
    path.write_bytes(sealed + sealed[-900:-200])
    newer, row, log = turned(desk, recording, kind), desk.archive.find(recording), desk.archive.audit_of()

    assert repair(desk.archive, NOW) == []

    assert path.read_bytes() == newer
    assert desk.archive.find(recording) == row
    assert desk.archive.audit_of() == log
    assert desk.archive.vault.aside() == []
    assert found(desk) == [f"object_{kind}_unknown"]

    path.write_bytes(sealed + sealed[-900:-200])
    assert repair(desk.archive, NOW) == [Repaired(Repair.BROKE_OFF, recording, 700)]
    assert path.read_bytes() == sealed


@kinds
def test_one_that_no_row_knows_stays_where_it_is_and_is_told(desk: Scene, kind: str) -> None:
    recording = desk.recorded(1, DOCUMENTATION)
    desk.commit(CloseRecording(recording, AT, (DOCUMENTATION,)), recording=recording)
    path = desk.archive.vault.path("stray")
    known = desk.archive.vault.path(recording).read_bytes()
    path.write_bytes(known)
    newer = turned(desk, "stray", kind)

    assert repair(desk.archive, NOW) == []

    assert path.read_bytes() == newer
    assert found(desk) == [f"object_{kind}_unknown"]

    path.write_bytes(known)
    assert found(desk) == ["object_stray"]
    assert repair(desk.archive, NOW) == [Repaired(Repair.SET_ASIDE, "stray")]
