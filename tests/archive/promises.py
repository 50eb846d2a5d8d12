"""What a process said of its deeds, and whether an archive has kept it: after a kill, a fault of the disk, a loss of power.

A deed that was begun and not answered may have happened or not; one that was answered has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from softphone.archive.archive import Archive, RecordingRow
from softphone.archive.crypto.wraps import KeyStore, Secrets, master_name, unwrap
from softphone.archive.examine.facts import NOTES
from softphone.archive.examine.repair import repair
from softphone.archive.examine.verify import verify
from softphone.archive.files.reader import OpenedRecording
from softphone.archive.folder.marker import read_marker
from softphone.archive.retention.sweep import sweep
from softphone.archive.schema.tables import purposes
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole, Purpose
from softphone.domain.retention import Ended
from tests.archive.deeds import LATER, Order, spoken
from tests.archive.scene import AT, FRAME, pages_of

REFUSED = frozenset({"closed_to_role", "no_such_recording", "still_running"})
"""what a deed that came too late is told, where the disk is well"""
_NOISE = 0.2
"""of what was said, by its power, that coding may change: a tone cut into seconds is hard to code"""


@dataclass(slots=True)
class Told:
    """One recording. What is `maybe` was begun."""

    recording: str
    purposes: tuple[str, ...]
    short: bool
    there: bool = False
    may_be_gone: bool = False
    gone: bool = False
    untrained: bool = False
    may_be_untrained: bool = False
    undocumented: bool = False
    """its keys for documentation went before a power cut, and the commit never came"""
    may_be_undocumented: bool = False
    restricted: bool = False
    swept: bool = False
    """its purposes have come to their day; a hold may keep it still"""
    may_be_swept: bool = False
    holds: set[str] = field(default_factory=set[str])
    may_be_held: bool = False
    lifted: bool = False
    segments: int = 1
    sealed: dict[int, int] = field(default_factory=dict[int, int])
    """segment to samples"""
    scrapped: list[bytes] = field(default_factory=list[bytes])
    """wraps that are in no page any more"""
    refused: set[KeyRole] = field(default_factory=set[KeyRole])
    """who was refused since they could last open it: each time is written into the log"""

    @property
    def stays(self) -> bool:
        """whether a sweep leaves it, however late"""
        return bool(self.holds) or not (self.short or self.restricted)


@dataclass(slots=True)
class Promises:
    """Of one archive, over any number of runs."""

    recipients: dict[str, str]
    """role to the public key, hex, that is sealed for"""
    recordings: dict[str, Told] = field(default_factory=dict[str, Told])
    unfinished: dict[str, str] = field(default_factory=dict[str, str])
    retired: set[str] = field(default_factory=set[str])
    """keys, by their id, that open nothing any more"""
    heard: dict[str, tuple[int, bytes]] = field(default_factory=dict[str, tuple[int, bytes]])
    """recording to the samples that were compared, and the file as it was then"""
    deeds: int = 0
    faulty: bool = False
    """whether the disk was made to fail: then a deed that was refused may have happened"""

    def order(self, seed: int, deeds: int = 10_000) -> Order:
        return Order(seed, dict(self.recipients), dict(self.unfinished), deeds)

    # --- what was said -----------------------------------------------------------------------------

    def hear(self, lines: Iterable[str]) -> None:
        begun: dict[str, list[str]] = {}
        for line in lines:
            match line.split():
                case ["sealed", recording, segment, samples]:
                    self._of(recording).sealed[int(segment)] = int(samples)
                case ["will", deed, recording, *words]:
                    begun[deed] = words
                    self._will(deed, recording, words)
                case ["did", deed, recording, *words]:
                    self.deeds += 1
                    self._did(deed, recording, begun.pop(deed), words)
                case ["failed", _, _, code]:
                    assert self.faulty or code.rpartition(".")[2] in REFUSED, line
                case ["crashed"]:
                    pytest.fail("the process ended by a fault of its own; its words are above")
                case _:
                    pass

    def _of(self, recording: str) -> Told:
        return self.recordings[recording]

    def _will(self, deed: str, recording: str, words: list[str]) -> None:
        match deed:
            case "open":
                self.recordings[recording] = Told(recording, tuple(words[0].split(",")), words[1] == "1")
            case "discard":
                one = self._of(recording)
                one.may_be_gone = one.may_be_untrained = one.may_be_undocumented = True
            case "withdraw" | "restrict":
                one = self._of(recording)
                one.may_be_untrained, one.may_be_undocumented = True, deed == "restrict"
            case "hold":
                one = self._of(recording)
                one.may_be_untrained = one.may_be_held = True
            case "lift":
                one = self._of(recording)
                one.lifted = True
                one.holds.discard(words[0])
                one.may_be_held = True
                if not one.holds:
                    # Training may be wrapped again.
                    one.may_be_untrained, one.untrained = True, one.untrained and one.restricted
            case "sweep":
                for one in self.recordings.values():
                    if not one.stays:
                        one.may_be_gone = True
                    if one.short:
                        one.may_be_untrained = one.may_be_swept = True
            case "rotate":
                self.unfinished[words[0]] = words[1]
            case _:
                pass

    def _did(self, deed: str, recording: str, begun: list[str], words: list[str]) -> None:
        match deed:
            case "open":
                self._of(recording).there = True
            case "segment":
                self._of(recording).segments += 1
            case "discard":
                one = self._of(recording)
                one.gone = True
                one.scrapped += _wraps(begun)
            case "withdraw" | "restrict" | "hold":
                one = self._of(recording)
                one.untrained = True
                one.scrapped += _wraps(begun, *(KeyRole if deed == "restrict" else (KeyRole.TRAINING,)))
                if deed == "restrict":
                    one.restricted = True
                    one.scrapped = [wrap for wrap in one.scrapped if wrap not in _wraps(begun, KeyRole.CUSTODY)]
                if deed == "hold":
                    one.holds.add(words[0])
            case "lift":
                one = self._of(recording)
                if not one.holds:
                    one.untrained = one.restricted
            case "sweep":
                for one in self.recordings.values():
                    if not one.stays and not one.may_be_held and one.there:
                        one.gone = True
                    elif one.short or one.restricted:
                        one.swept = one.untrained = True
            case "rotate":
                role, new, old = begun
                self.recipients[role] = new
                self.retired.add(old)
                self.unfinished.pop(role, None)
            case _:
                pass

    # --- whether it is so --------------------------------------------------------------------------

    def check(self, folder: Path, store: KeyStore) -> None:
        """Opens and repairs it, as the next start does, and holds it to every promise. What was open is known after that."""
        # As it is left: the next start erases what no row names.
        secrets = Secrets.derive(store.get(master_name(read_marker(folder).archive)) or b"")
        pages = pages_of(folder, secrets.catalog)
        archive = Archive.open(folder, store)
        try:
            archive.clock = lambda: AT
            repair(archive, AT)
            assert repair(archive, AT) == []
            self._clean(archive)
            left = {row.recording: row for row in archive.list(AT)}
            keys = {wrap.key_id for recording in left for wrap in archive.wraps_of(recording)}
            assert not keys & self.retired
            for one in list(self.recordings.values()):
                self._one(archive, one, left.get(one.recording), pages)
            assert left.keys() <= self.recordings.keys()
        finally:
            archive.close()

    def swept(self, folder: Path, store: KeyStore) -> None:
        """In the end all that is due goes, and nothing else does."""
        archive = Archive.open(folder, store)
        try:
            archive.clock = lambda: LATER
            sweep(archive, LATER, clock=LATER, witness=LATER)
            left = {row.recording for row in archive.list(LATER)}
            assert left == {one.recording for one in self.recordings.values() if one.stays}
            assert set(archive.vault.recordings()) == left
            assert verify(archive).ok, verify(archive).findings
        finally:
            archive.close()

    def _clean(self, archive: Archive) -> None:
        proof = verify(archive)
        wrong = [one for one in proof.findings if one.code not in NOTES - {"torn", "condemned", "slot_erased"}]
        assert proof.audit_ok
        assert not wrong, (wrong, [self.recordings.get(str(one.params.get("recording"))) for one in wrong])

    def _one(self, archive: Archive, one: Told, row: RecordingRow | None, pages: bytes) -> None:
        assert not any(wrap in pages for wrap in one.scrapped), one
        if row is None:
            assert one.gone or one.may_be_gone or not one.there, one
            assert not one.holds, one
            assert not archive.vault.path(one.recording).exists()
            self._settled(one, gone=True)
            return
        assert not one.gone, one
        assert one.holds <= {hold.hold for hold in row.holds}, one
        opens = {wrap.role for wrap in archive.wraps_of(one.recording)}
        assert KeyRole.CUSTODY in opens
        assert not (one.untrained and KeyRole.TRAINING in opens), one
        if one.restricted or one.swept:
            assert opens == {KeyRole.CUSTODY}, one
        elif Purpose.DOCUMENTATION.value in one.purposes and not one.may_be_swept:
            may_lack = one.may_be_undocumented or one.undocumented
            assert KeyRole.DOCUMENTATION in opens or may_lack, one
            one.undocumented, one.may_be_undocumented = KeyRole.DOCUMENTATION not in opens, False
        if not one.may_be_untrained and Purpose.TRAINING.value in one.purposes:
            assert KeyRole.TRAINING in opens, one
        for role in {KeyRole.TRAINING, KeyRole.DOCUMENTATION} - opens - one.refused:
            with pytest.raises(ArchiveError):
                archive.keys_for(row, role, AT, refusal="opening_refused")
        one.refused = {*KeyRole} - opens
        self._hear(archive, one, row)
        one.holds = {hold.hold for hold in row.holds}
        self._settled(one, untrained=KeyRole.TRAINING not in opens)
        one.restricted = row.restricted is not None
        if one.may_be_swept:
            stands = purposes_standing(archive, one.recording)
            one.swept, one.may_be_swept = not stands, False

    def _settled(self, one: Told, *, gone: bool = False, untrained: bool = True) -> None:
        """What was begun has happened, or has not: from here on that is known."""
        if gone:
            del self.recordings[one.recording]
        one.there = True
        one.may_be_gone = one.may_be_held = False
        one.untrained = one.may_be_untrained = untrained

    def _hear(self, archive: Archive, one: Told, row: RecordingRow) -> None:
        """Every sample that was said to be on the disk is there, and is what was spoken."""
        path = archive.vault.path(one.recording)
        data = path.read_bytes()
        samples = sum(one.sealed.values())
        compared, before = self.heard.get(one.recording, (-1, b""))
        # Once compared, the bytes say it; a torn end may have been cut since.
        if compared == samples and data == before:
            return
        assert data.startswith(before), one
        keys = custodys_keys(archive, row.recording)
        assert len(keys) >= one.segments
        opened = OpenedRecording.open(path, keys)
        segments = {segment.number: segment for segment in opened.segments}
        for number, told in one.sealed.items():
            # Of what a chunk holds, the codec's delay comes with the next.
            assert segments[number].samples >= told - opened.header.delay, (one, number)
        for segment in opened.segments:
            sound = np.concatenate(list(opened.segment_pcm(segment))) if segment.samples else np.zeros((0, 2))
            meant = spoken(one.recording, segment.origin, len(sound) // FRAME + 1)[: len(sound)]
            assert len(sound) == segment.samples
            assert is_what_was_said(sound, meant), (one, segment.number)
        self.heard[one.recording] = samples, data


def custodys_keys(archive: Archive, recording: str) -> dict[int, bytes]:
    """The data keys that custody's wraps hold, also of what nothing keeps any more and the program opens for nobody."""
    opened: dict[int, bytes] = {}
    for one in archive.wraps_of(recording):
        private = archive.private_key(one.key_id) if one.role is KeyRole.CUSTODY else None
        if private is not None and (key := unwrap(one, private)) is not None:
            opened[one.segment] = key
    return opened


def purposes_standing(archive: Archive, recording: str) -> list[str]:
    with archive.catalog.reading() as connection:
        asked = select(purposes.c.purpose).where(purposes.c.recording == recording, purposes.c.stands == Ended.KEEPS)
        return list(connection.execute(asked).scalars())


def is_what_was_said(sound: np.ndarray, meant: np.ndarray) -> bool:
    """Each tenth of a second, and each voice, by itself; what is shorter than that is too short to be told."""
    for at in range(0, len(meant) - 1_599, 1_600):
        said, now = meant[at : at + 1_600].astype(float), sound[at : at + 1_600].astype(float)
        if any(np.sum((said - now) ** 2, axis=0) > _NOISE * np.sum(said**2, axis=0)):
            return False
    return True


def _wraps(words: Iterable[str], *roles: KeyRole) -> list[bytes]:
    told = [word.split(":") for word in words if ":" in word]
    return [bytes.fromhex(sealed) for role, sealed in told if not roles or KeyRole(role) in roles]
