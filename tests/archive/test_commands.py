"""The commands' functions, from keys to a sound, and their sentences in both languages."""

from __future__ import annotations

import os
import re
import stat
import sys
import wave
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.archive import Archive
from softphone.archive.crypto import ring
from softphone.archive.crypto.wraps import Recipient
from softphone.archive.seen import commands
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, MemoryKeys, Scene, scene

ROOT = Path(__file__).resolve().parents[2]


def reader(desk: Scene) -> Archive:
    archive = Archive.open(desk.folder, desk.store)
    archive.clock = lambda: AT
    return archive


def test_a_created_key_goes_into_the_policy_and_opens_what_is_sealed_for_it(tmp_path: Path) -> None:
    person = MemoryKeys()
    made = ring.create(person, "case-2", KeyRole.DOCUMENTATION, AT)
    assert 'purpose = "documentation"' in made.as_policy()
    assert made.public_key in made.as_policy()
    assert person.held[f"private-{made.key_id}"].hex() not in made.as_policy()

    with scene(tmp_path / "archive") as desk:
        recipient = Recipient.from_policy(made.id, KeyRole.DOCUMENTATION, made.public_key)
        desk.policy_recipients = [recipient, desk.recipients[KeyRole.CUSTODY]]
        recording = desk.recorded(2, DOCUMENTATION)
        desk.archive.store = person
        sound = commands.play(desk.archive, recording, AT)
        assert sound.rate == RATE
        assert sound.samples == len(np.concatenate(list(sound.blocks))) == 2 * RATE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_all_that_lies_in_an_archive_is_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with scene(tmp_path / "archive") as desk:
            desk.recorded(1, DOCUMENTATION)
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in desk.folder.rglob("*")}
    finally:
        os.umask(before)
    assert {"archive.json", "catalog.db", "catalog.db-wal", "recordings"} <= found.keys()
    assert {name: mode for name, mode in found.items() if mode & 0o077} == {}


def test_a_public_key_that_is_none_is_refused() -> None:
    for text in ("", "AAAA", "not base64 at all", "x" * 44):
        with pytest.raises(ArchiveError) as refused:
            Recipient.from_policy("lead-1", KeyRole.TRAINING, text)
        assert refused.value.code == "error.archive.no_public_key"


def test_a_recording_is_listed_shown_exported_and_proved(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        recording = desk.recorded(2, DOCUMENTATION)
        archive = reader(desk)
        (row,) = archive.list()
        assert (row.recording, row.line, row.number) == (recording, "salg", NUMBER)
        assert row.bytes > 1000
        out = tmp_path / "out.wav"
        exported = commands.export(archive, recording[:30], out, AT)
        assert exported.seconds == 2
        with wave.open(str(out)) as wav:
            assert wav.getnframes() == 2 * RATE
        shown = commands.show(archive, recording)
        assert [entry.event for entry in shown.audit] == ["changed", "recording_opened", "recording_exported"]
        assert commands.verify(archive).ok
        archive.close()


def test_no_key_is_made_for_an_id_that_no_policy_could_name() -> None:
    person = MemoryKeys()
    with pytest.raises(ArchiveError) as refused:
        ring.create(person, 'a b"', KeyRole.TRAINING, AT)
    assert refused.value.code == "error.archive.recipient_id"
    assert person.held == {}


def test_an_unknown_or_ambiguous_id_is_refused(tmp_path: Path) -> None:
    with scene(tmp_path / "archive") as desk:
        desk.recorded(1, DOCUMENTATION)
        desk.recorded(1, DOCUMENTATION)
        for asked, code in (
            ("", "error.archive.no_such_recording"),
            ("../../etc/passwd", "error.archive.no_such_recording"),
            ("0", "error.archive.ambiguous"),
        ):
            with pytest.raises(ArchiveError) as refused:
                commands.show(desk.archive, asked)
            assert refused.value.code == code


def sentences(language: str) -> dict[str, str]:
    catalogs = sorted((ROOT / "resources" / "translations" / language).glob("*.po"))
    text = "\n".join(one.read_text("utf-8") for one in catalogs)
    several = r"msgid_plural .*\nmsgstr\[0\] .*\nmsgstr\[1\]"
    return dict(re.findall(rf'^msgid "(.+)"\n(?:msgstr|{several}) "(.*)"$', text, re.MULTILINE))


def test_every_fault_has_a_sentence_in_both_languages_with_the_same_parameters() -> None:
    source = "".join(
        path.read_text("utf-8")
        for folder in ("archive", "system/secrets.py")
        for path in (
            [ROOT / "softphone" / folder] if folder.endswith(".py") else (ROOT / "softphone" / folder).rglob("*.py")
        )
    )
    codes = set(re.findall(r'"(error\.(?:archive|keyring)\.[a-z_]+)"', source))
    codes |= {f"archive.finding.{code}" for code in re.findall(r'(?:Finding\(|yield )\s*"([a-z_]+)"', source)}
    codes |= {f"archive.finding.{code}" for code in ("torn", "chunk_damaged", "audit_changed", "audit_cut_off")}
    codes |= {f"archive.finding.object_{code}_unknown" for code in ("version", "seal", "codec")}
    danish, english = sentences("da"), sentences("en")
    assert codes <= danish.keys()
    assert codes <= english.keys()
    for code in sorted(codes):
        text = danish[code]
        assert text
        assert english[code] != text
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[code])), code


def test_what_could_not_be_exported_is_not_told_as_exported(tmp_path: Path) -> None:
    from tests.archive.scene import Scene

    desk = Scene(tmp_path / "archive")
    recording = desk.recorded(1, DOCUMENTATION)
    there = tmp_path / "there.wav"
    there.write_bytes(b"x")
    before = len(desk.archive.audit_of(recording))
    for path in (there, tmp_path / "nowhere" / "a.wav"):
        with pytest.raises(ArchiveError):
            commands.export(desk.archive, recording, path, AT, role=KeyRole.DOCUMENTATION)
    assert len(desk.archive.audit_of(recording)) == before
    desk.close()


def test_past_its_day_and_not_yet_swept_custody_opens_only_what_something_keeps(tmp_path: Path) -> None:
    from softphone.archive.retention import holding
    from softphone.domain.changes import HoldBy
    from tests.archive.scene import Scene

    desk = Scene(tmp_path / "archive")
    recording, later = desk.recorded(1, DOCUMENTATION), AT + timedelta(days=4000)
    assert KeyRole.CUSTODY in desk.archive.find(recording, AT).opens_for
    assert desk.archive.find(recording, later).opens_for == ()
    holding.raise_hold(desk.archive, recording, HoldBy.CONTROLLER, "x", "mette", AT)
    assert desk.archive.find(recording, later).opens_for == (KeyRole.CUSTODY,)
    desk.close()
