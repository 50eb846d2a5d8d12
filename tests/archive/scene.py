"""An archive with a ledger and a recorder at work, as the engine has them, for tests that record something."""

from __future__ import annotations

import atexit
import shutil
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray
from uuid_utils import uuid7

from softphone.archive.archive import Archive
from softphone.archive.changes.call import CallFacts, PurposeEnd
from softphone.archive.changes.ledger import Ledger
from softphone.archive.crypto.slots import FILE, RECORD
from softphone.archive.crypto.wraps import KeyStore, Recipient, create_key_pair
from softphone.archive.examine.repair import repair
from softphone.archive.files.reader import read_structure
from softphone.archive.files.writing import Written
from softphone.archive.log.audit import KEY_SHOWN
from softphone.archive.seen.asking import Asking
from softphone.archive.seen.opening import Opening
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.permission import Viewer
from softphone.domain.archive.recordings import Exported
from softphone.domain.changes import AuditEntry, Change, CloseRecording, Commit, Discard, OpenRecording, OpenSegment
from softphone.domain.policy.period import Period
from softphone.domain.purpose import Basis, Direction, KeyRole, Language, Purpose, Reason
from softphone.engine.recorder import Recorder, RecorderCallbacks

DOCUMENTATION, TRAINING = Purpose.DOCUMENTATION, Purpose.TRAINING
BASES = {DOCUMENTATION: Basis.LEGITIMATE_INTEREST, TRAINING: Basis.LEGITIMATE_INTEREST}
NUMBER = "+4520123456"
AT = datetime(2026, 11, 25, 10, 41, tzinfo=UTC)
FRAME = 320
RATE = 16_000
NEVER = 3600.0
"""seconds; tests talk in bursts, whatever the clock says"""


class MemoryKeys:
    """A key store for tests: it forgets everything at the end."""

    def __init__(self, *, demo: bool = False) -> None:
        self.demo = demo
        self.held: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.held.get(name)

    def set(self, name: str, secret: bytes) -> None:
        self.held[name] = secret

    def delete(self, name: str) -> None:
        self.held.pop(name, None)


def opened(archive: Archive, recording: str, at: datetime = AT, role: KeyRole | None = None) -> Opening:
    """As `seen` gives it to whoever may, and asks no more."""
    row = archive.find(recording, at)
    role, _ = archive.keys_for(row, role, at, refusal="opening_refused")
    return Opening(Asking(archive, Viewer(frozenset()), lambda: at), row, role, {})


def export(archive: Archive, recording: str, path: Path, go_on: Progress = lambda _done, _samples: None) -> Exported:
    return opened(archive, recording).export(str(path), go_on)


class CommitFailedError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason


class Scene:
    """One desk. `store` holds every private key; `with_keys` gives a store that holds some."""

    def __init__(
        self,
        folder: Path,
        *,
        demo: bool = False,
        store: KeyStore | None = None,
        recipients: Mapping[KeyRole, Recipient] | None = None,
        repairs: bool = True,
        another: bool = False,
    ) -> None:
        """`recipients`: of an archive that is there already, and is opened. `repairs`: nobody else writes to it. `another`: than
        the one that every test has a copy of, for who needs two."""
        self.folder = folder
        self.memory = MemoryKeys(demo=demo)
        self.store = store or self.memory
        if another:
            Archive.create(folder, self.store, demo=demo).close()
        elif recipients is None:
            new, made = _new(demo)
            shutil.copytree(new, folder, dirs_exist_ok=True)
            for name, secret in made.held.items():
                self.store.set(name, secret)
        self.archive = Archive.open(folder, self.store)
        if recipients is not None and repairs:
            repair(self.archive, AT)
        self.archive.clock = lambda: AT
        self.recipients = recipients or {
            role: Recipient(role.value, role, create_key_pair(self.store)) for role in KeyRole
        }
        self.policy_recipients = list(self.recipients.values())
        """whom calls from now on are sealed for"""
        self.keys: dict[tuple[str, int], bytes] = {}
        self.first_samples: list[tuple[str, int]] = []
        self.failures: list[Reason] = []
        self.failed = threading.Event()
        self.sealed: list[tuple[str, int, int]] = []
        self.ended: list[tuple[str, int]] = []
        """segments whose writer has ended, once the ledger has been told"""
        self.storage: list[bool] = []
        self.storage_changed = threading.Event()
        self._answers: dict[int, Mapping[tuple[str, int], bytes] | CommitFailedError] = {}
        self._answered = threading.Condition()
        self._ticket = 0
        self.ledger = self._ledger()
        self.recorder = Recorder(
            self.archive.vault,
            RecorderCallbacks(
                lambda recording, segment: self.first_samples.append((recording, segment)),
                self._recorder_failed,
                lambda recording, segment, samples: self.sealed.append((recording, segment, samples)),
            ),
            missed_after=NEVER,
        )

    def close(self) -> None:
        self.recorder.close()
        self.ledger.stop()
        self.archive.close()

    def reopen(self) -> Archive:
        return Archive.open(self.folder, self.store)

    def only(self, *roles: KeyRole) -> MemoryKeys:
        """A store as a person has it who was given these roles' private keys alone, at this machine."""
        names = {f"private-{self.recipients[role].key_id}" for role in KeyRole if role not in roles}
        store = MemoryKeys(demo=self.store.demo)
        store.held = {name: secret for name, secret in self.memory.held.items() if name not in names}
        return store

    def shown(self, *roles: KeyRole) -> dict[str, str]:
        """As an entry of the log has the first of their keys; empty for none."""
        return {"key": self.recipients[roles[0]].key_id[:KEY_SHOWN]} if roles else {}

    def call(
        self,
        call: str | None = None,
        *,
        number: str | None = NUMBER,
        at: datetime = AT,
        retention: str | Mapping[Purpose, str] = "P3M",
        line: str = "salg",
        agent: str | None = None,
        ends: Mapping[Purpose, PurposeEnd] | None = None,
        group: str = "",
    ) -> str:
        """A call that the store knows of. Its first recording's id is this with `-1`."""
        call = call or str(uuid7())
        terms = dict.fromkeys(Purpose, retention) if isinstance(retention, str) else retention
        periods = {purpose: Period.parse(text) for purpose, text in terms.items()}
        zone = "Europe/Copenhagen"
        facts = CallFacts(
            *(call, line, Direction.INBOUND, number, at, Language.DA, zone, periods),
            agent=agent,
            ends=ends or {},
            group=group,
        )
        self.ledger.register_call(replace(facts, recipients=tuple(self.policy_recipients)))
        return call

    def commit(
        self,
        *changes: Change,
        call: str = "call",
        recording: str | None = None,
        rule: str = "G31",
        entries: Sequence[AuditEntry] = (),
    ) -> None:
        """Waits for its answer. Raises CommitFailedError."""
        self._ticket += 1
        entry = AuditEntry("changed", rule, AT, call, recording)
        told = [
            AuditEntry("recording_discarded", rule, AT, call, one.recording, {"why": one.reason})
            for one in changes
            if isinstance(one, Discard) and "recording_discarded" not in {it.event for it in entries}
        ]
        self.ledger.submit(Commit(self._ticket, changes, (*entries, *told, entry)))
        with self._answered:
            assert self._answered.wait_for(lambda: self._ticket in self._answers, 20)
        answer = self._answers[self._ticket]
        if isinstance(answer, CommitFailedError):
            raise answer
        self.keys.update(answer)

    def open(self, call: str, *purposes: Purpose, at: datetime = AT) -> str:
        """A recording with its first segment, not yet started."""
        recording = f"{call}-1"
        self.commit(OpenRecording(recording, call, at), self.segment(recording, 0, *purposes), recording=recording)
        return recording

    def segment(self, recording: str, number: int, *purposes: Purpose) -> OpenSegment:
        return OpenSegment(recording, number, purposes, BASES, AT)

    def start(self, call: str, recording: str, segment: int) -> None:
        self.recorder.start(call, recording, segment, self.keys[recording, segment])

    def talk(self, call: str, sound: NDArray[np.int16], first: int = 0) -> None:
        """(n, 2) samples, fed as the media thread does; `first` is the call's frame number."""
        for number in range(len(sound) // FRAME):
            frame = sound[number * FRAME : (number + 1) * FRAME]
            self.recorder.feed(call, first + number, frame[:, 0].tobytes(), frame[:, 1].tobytes())

    def recorded(self, seconds: float, *purposes: Purpose, call: str | None = None, at: datetime = AT) -> str:
        """A whole recording of one segment, on the disk when this returns."""
        call = call or self.call(at=at)
        recording = self.open(call, *purposes, at=at)
        self.start(call, recording, 0)
        self.talk(call, voices(seconds))
        self.recorder.stop(call, recording, 0)
        self.drained(recording, 0, round(seconds * 50) * FRAME)
        return recording

    def closed(self, *purposes: Purpose, seconds: float = 1, at: datetime = AT, **call: Any) -> str:
        """A recording of a call that is over; `call` is as for `call`."""
        recording = self.recorded(seconds, *purposes, call=self.call(at=at, **call), at=at)
        self.commit(CloseRecording(recording, at, purposes), recording=recording)
        self.ledger.forget_keys(recording)
        return recording

    def drained(self, recording: str, segment: int, samples: int) -> None:
        """Waits until a segment that was stopped is whole on the disk, with so many samples."""
        path, pause = self.archive.vault.path(recording), threading.Event()
        for _ in range(2000):
            whole = any(chunk.final and chunk.segment == segment for chunk in read_structure(path).chunks)
            if whole and (recording, segment, samples) in self.sealed and (recording, segment) in self.ended:
                return
            pause.wait(0.005)
        raise AssertionError(self.sealed)

    def drained_to(self, recording: str, chunks: int) -> None:
        """Waits until so many chunks of a running recording are on the disk."""
        pause = threading.Event()
        for _ in range(2000):
            if len([one for one in self.sealed if one[0] == recording]) >= chunks:
                return
            pause.wait(0.005)
        raise AssertionError(self.sealed)

    def files(self) -> bytes:
        """Every byte of every file in the archive's folder."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())

    def pages(self) -> bytes:
        return pages_of(self.folder, self.archive.secrets.catalog)

    def _ledger(self) -> Ledger:
        ledger = self.archive.ledger(
            self._answer,
            lambda ticket, reason, detail: self._answer(ticket, CommitFailedError(reason, detail)),
            self._told,
        )
        tell = self.archive.vault.on_ended

        def ended(recording: str, segment: int, written: Written) -> None:
            tell(recording, segment, written)
            self.ended.append((recording, segment))

        self.archive.vault.on_ended = ended
        ledger.start()
        return ledger

    def _answer(self, ticket: int, answer: Mapping[tuple[str, int], bytes] | CommitFailedError) -> None:
        with self._answered:
            self._answers[ticket] = answer
            self._answered.notify_all()

    def _told(self, works: bool, _detail: str) -> None:
        self.storage.append(works)
        self.storage_changed.set()

    def _recorder_failed(self, _call: str, _recording: str, reason: Reason) -> None:
        self.failures.append(reason)
        self.failed.set()


@cache
def _new(demo: bool) -> tuple[Path, MemoryKeys]:
    """A new archive, and what it has put into its keyring. Made once: to copy it takes a sixth of the time."""
    there, keys = TemporaryDirectory(prefix="klartone-"), MemoryKeys(demo=demo)
    atexit.register(there.cleanup)
    Archive.create(Path(there.name, "archive"), keys, demo=demo).close()
    return Path(there.name, "archive"), keys


@contextmanager
def scene(folder: Path, *, demo: bool = False, another: bool = False) -> Generator[Scene]:
    made = Scene(folder, demo=demo, another=another)
    try:
        yield made
    finally:
        made.close()


def voices(seconds: float, *, agent: float = 440.0, party: float = 1_000.0) -> NDArray[np.int16]:
    """(n, 2): two tones of different pitch, each swelling at its own pace, so that time and channel can be told."""
    time = np.arange(round(seconds * 50) * FRAME) / RATE
    left = np.sin(2 * np.pi * agent * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * time))
    right = np.sin(2 * np.pi * party * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time))
    return (np.stack([left, right], axis=1) * 9_000).astype(np.int16)


def strength(sound: NDArray[np.int16], pitch: float) -> float:
    """How strong a tone is in a mono sound: its amplitude."""
    time = np.arange(len(sound)) / RATE
    return float(2 * abs(np.mean(sound * np.exp(-2j * np.pi * pitch * time))))


def pages_of(folder: Path, key: bytes) -> bytes:
    """Every page of the catalog and of its log of pages, and every slot of sealed keys, decrypted; also what is nobody's."""
    main = (folder / "catalog.db").read_bytes()
    log = folder / "catalog.db-wal"
    found = [page_of(main[at : at + 4096], key, 16 if at == 0 else 0) for at in range(0, len(main), 4096)]
    if log.exists():
        frames = log.read_bytes()[32:]
        for at in range(0, len(frames) - 4119, 4120):
            number = int.from_bytes(frames[at : at + 4], "big")
            found.append(page_of(frames[at + 24 : at + 4120], key, 16 if number == 1 else 0))
    return b"".join([*found, *_slots(folder, key)])


def _slots(folder: Path, key: bytes) -> Iterator[bytes]:
    """What is sealed in each slot of the wraps' file, whether or not a row of the catalog names it."""
    lid = HKDF(hashes.SHA256(), 32, None, b"klartone archive 1 slots").derive(key)
    data = (folder / FILE).read_bytes() if (folder / FILE).exists() else b""
    for at in range(RECORD, len(data), RECORD):
        # As AES-GCM begins to count, without a look at whose it is.
        cipher = Cipher(algorithms.AES256(lid), modes.CTR(data[at : at + 12] + b"\0\0\0\2")).decryptor()
        yield cipher.update(data[at + 12 : at + 92]) + cipher.finalize()


def page_of(page: bytes, key: bytes, clear: int = 0) -> bytes:
    """SQLCipher 4: AES-256-CBC, with initialisation vector and seal in the last 80 bytes; the file begins with a salt."""
    cipher = Cipher(algorithms.AES256(key), modes.CBC(page[-80:-64])).decryptor()
    return cipher.update(page[clear:-80]) + cipher.finalize()
