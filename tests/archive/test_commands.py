"""The commands' functions, from keys to a sound, and their sentences in both languages."""

from __future__ import annotations

import os
import re
import stat
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from softphone.archive.crypto import ring
from softphone.archive.crypto.wraps import Recipient
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from tests.archive.scene import AT, DOCUMENTATION, NUMBER, RATE, MemoryKeys, Scene, export, opened, scene

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_recording_sealed_for_a_key_that_was_made_for_the_policy_is_listed_played_exported_and_shown(
    tmp_path: Path, desk: Scene
) -> None:
    person = MemoryKeys()
    made = ring.create(person, "case-2", KeyRole.DOCUMENTATION, AT)
    assert f'public_key = "{made.public_key}"' in made.as_policy()
    assert person.held[f"private-{made.key_id}"].hex() not in made.as_policy()
    recipient = Recipient.from_policy(made.id, KeyRole.DOCUMENTATION, made.public_key)
    desk.policy_recipients = [recipient, desk.recipients[KeyRole.CUSTODY]]
    recording, another = desk.recorded(2, DOCUMENTATION), desk.recorded(1, DOCUMENTATION)
    desk.archive.store, archive = person, desk.archive
    row = archive.find(recording)
    assert (row.line, row.number, row.bytes > 1000) == ("salg", NUMBER, True)
    with opened(archive, recording).sound() as sound:
        assert (sound.samples, len(np.concatenate(list(sound.pull(0))))) == (2 * RATE, 2 * RATE)
    out, there = tmp_path / "out.wav", tmp_path / "there.wav"
    assert export(archive, recording[:30], out).seconds == 2
    with wave.open(str(out)) as wav:
        assert wav.getnframes() == 2 * RATE
    events = ["changed", "recording_opened", "recording_opened", "recording_exported"]
    assert [entry.event for entry in archive.audit_of(recording)] == events
    # What could not be exported is not told as exported.
    there.write_bytes(b"x")
    for path in (there, tmp_path / "nowhere" / "a.wav"):
        with pytest.raises(ArchiveError):
            export(archive, recording, path)
    assert len(archive.audit_of(recording)) == len(events)
    for asked, code in (("", "no_such_recording"), ("../../etc/passwd", "no_such_recording"), ("0", "ambiguous")):
        with pytest.raises(ArchiveError) as refused:
            archive.find(asked)
        assert refused.value.code == f"error.archive.{code}"
    assert another in {one.recording for one in archive.list()}


def test_a_public_key_that_is_none_and_an_id_that_no_policy_could_name_are_refused() -> None:
    for text in ("", "AAAA", "not base64 at all", "x" * 44):
        with pytest.raises(ArchiveError) as refused:
            Recipient.from_policy("lead-1", KeyRole.TRAINING, text)
        assert refused.value.code == "error.archive.no_public_key"
    person = MemoryKeys()
    with pytest.raises(ArchiveError) as refused:
        ring.create(person, 'a b"', KeyRole.TRAINING, AT)
    assert (refused.value.code, person.held) == ("error.archive.recipient_id", {})
