"""A recording of the house opened to be heard: its data keys are handed out once the log has it, and are opened here alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from softphone.archive.crypto.wraps import Wrap, unwrap
from softphone.archive.files import wav
from softphone.archive.files.reader import BLOCK as LOOK
from softphone.archive.files.reader import OpenedRecording, behind
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.recordings import RATE, Exported, RecordingRow, Sound
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.house.archive.asking import Asking, RowTold, decoded, refusing
from softphone.house.archive.ranged import RangedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open(RowTold):
    role: KeyRole


@dataclass(frozen=True, slots=True)
class WrapTold:
    segment: int
    key_id: str
    suite: str
    sealed: str


@dataclass(frozen=True, slots=True)
class WrapsTold:
    wraps: tuple[WrapTold, ...]
    bytes: int


def opening(asking: Asking, id: str, role: KeyRole | None, why: str, case: str) -> Opening:
    """Whether it may be heard, and as whom, by the service's word. A refusal is in the service's log."""
    body = {"id": id, "role": role.value if role else None, "why": why, "case": case}
    told = asking.post("/v1/recordings/open", body, _Open)
    return Opening(asking, asking.row(told), told.role, why, case)


class Opening:
    def __init__(self, asking: Asking, row: RecordingRow, role: KeyRole, why: str, case: str) -> None:
        self._asking = asking
        self._said = {"role": role.value, "why": why, "case": case}
        self.row = row
        self.role = role

    @contextmanager
    def sound(self, seconds: float | None = None) -> Generator[Sound]:
        about = (seconds or 0) / max(self.row.seconds or 0, 1)
        with closing(self._opened(min(about, 1))) as reader:
            at = (seconds or 0) * RATE
            if seconds is not None and not 0 <= at < reader.length:
                length = f"{reader.length / RATE:.2f}"
                raise ArchiveError("error.container.past_end", id=self.row.recording, length=length)
            yield Sound(reader.length, reader.pcm, lambda: tuple(behind(reader.marks(), round(at))))

    def export(self, file: str, go_on: Progress) -> Exported:
        path, recording = Path(file), self.row.recording
        wav.refuse_place(path)
        with closing(self._opened()) as reader:
            marks, samples = reader.marks(), reader.length

            def told() -> None:
                self._asking.tell(f"/v1/recordings/{recording}/exported", self._said)

            wav.write(reader, path, marks, told, lambda done: go_on(done, samples))
        return Exported(samples / RATE, tuple(marks))

    def _opened(self, about: float = 0.0) -> OpenedRecording:
        recording = self.row.recording
        return opened(self._asking, recording, self.role, wraps_of(self._asking, recording, self._said), about)


def wraps_of(asking: Asking, recording: str, said: Mapping[str, str]) -> WrapsTold:
    """`said`: role, why and case. That it was opened is in the log with it. Raises ArchiveError."""
    return asking.post(f"/v1/recordings/{recording}/wraps", dict(said), WrapsTold)


def opened(asking: Asking, recording: str, role: KeyRole, told: WrapsTold, about: float = 0.0) -> OpenedRecording:
    """For one thread, to be closed. `told`: the data keys that the service has handed out. Raises ArchiveError."""
    keys = data_keys(asking, recording, role, told.wraps)
    return fetched(asking, recording, f"/v1/recordings/{recording}/file", told.bytes, keys, role, about)


def fetched(
    asking: Asking,
    recording: str,
    path: str,
    size: int,
    keys: Mapping[int, bytes],
    role: KeyRole = KeyRole.TRAINING,
    about: float = 0.0,
) -> OpenedRecording:
    """By ranges of what lies under `path`. `about`: from which part of it, of 1, it will be heard first."""

    def fetch(start: int, end: int) -> bytes:
        headers = {"Range": f"bytes={start}-{end - 1}"}
        try:
            with refusing():
                return asking.connection.ask("GET", path, headers=headers).body
        except ArchiveError as error:
            if error.code != "error.team.missing":
                raise
            # A withdrawal or a hold was quicker.
            raise ArchiveError("error.archive.closed_to_role", id=recording, role=role.value) from None

    file = RangedFile(fetch, size)
    # Where its header stands, its last chunk, and what is heard.
    file.take(0, size - LOOK, round(size * about))
    reader = OpenedRecording(cast("Any", file), keys)
    if reader.header.recording != recording:
        reader.close()
        raise ArchiveError("error.archive.foreign_recording", id=recording)
    return reader


def data_keys(asking: Asking, recording: str, role: KeyRole, wraps: tuple[WrapTold, ...]) -> Mapping[int, bytes]:
    """By segment. Raises ArchiveError where none opens here."""
    found, here = dict[int, bytes](), False
    for one in wraps:
        private = asking.private_key(one.key_id)
        if private is None or one.segment in found:
            continue
        here = True
        key = unwrap(Wrap(recording, one.segment, role, one.key_id, one.suite, decoded(one.sealed)), private)
        if key is not None:
            found[one.segment] = key
    if not found:
        code = "wrap_changed" if here else "no_private_key"
        raise ArchiveError(f"error.archive.{code}", id=recording, role=role.value)
    return found
