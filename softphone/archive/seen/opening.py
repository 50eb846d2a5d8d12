"""A recording opened to be heard, in the role that this person may hear it in; the audit log has told of it by then."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from softphone.archive.files import wav
from softphone.archive.files.reader import OpenedRecording, behind
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import permission
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.recordings import RATE, Exported, RecordingRow, Sound
from softphone.domain.changes import AuditEntry
from softphone.domain.errors import ArchiveError
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import OPENS, Permission


def opening(asking: Asking, id: str, asked: KeyRole | None, why: str, case: str) -> Opening:
    """Whether its keys are here shows, and is in the log, whether or not it is then heard."""
    archive, viewer, now = asking.archive, asking.viewer, asking.now()
    deeds: Sequence[Permission] = [OPENS[asked]] if asked else sorted(OPENS.values(), key=viewer.may, reverse=True)
    row = asking.meant(id, *deeds)
    with asking.refusing(call=row.call, recording=row.recording):
        role = permission.role_to_open(viewer, row, asked, why=why, case=case)
    if role is KeyRole.TRAINING and not viewer.demo:
        asking.require_signed()
    told = {name: text for name, text in (("stated", why), ("case", case)) if text}
    role, _ = archive.keys_for(row, role, now, refusal="opening_refused", **told)
    scope = asking.scope(row)
    shown = permission.row_shown(viewer, scope, row) if scope else replace(row, number=None, holds=())
    return Opening(asking, shown, role, told)


class Opening:
    def __init__(self, asking: Asking, row: RecordingRow, role: KeyRole, told: Mapping[str, str]) -> None:
        self._asking = asking
        self._told = told
        self.row = row
        self.recording = row.recording
        self.role = role

    @contextmanager
    def sound(self, seconds: float | None = None) -> Generator[Sound]:
        with closing(self._opened()) as reader:
            at = (seconds or 0) * RATE
            if seconds is not None and not 0 <= at < reader.length:
                raise ArchiveError("error.container.past_end", id=self.recording, length=f"{reader.length / RATE:.2f}")
            yield Sound(reader.length, reader.pcm, lambda: tuple(behind(reader.marks(), round(at))))

    def export(self, file: str, go_on: Progress) -> Exported:
        path, archive, row, now = Path(file), self._asking.archive, self.row, self._asking.now()
        wav.refuse_place(path)
        with closing(self._opened()) as reader:
            marks, samples = reader.marks(), reader.length
            key = archive.key_here(row.recording, self.role)
            told = {"role": self.role.value, "segments": reader.keys, **key, **self._told}
            entry = AuditEntry("recording_exported", "G11", now, row.call, row.recording, told)
            wav.write(reader, path, marks, lambda: archive.note(entry), lambda done: go_on(done, samples))
        return Exported(samples / RATE, tuple(marks))

    def _opened(self) -> OpenedRecording:
        return self._asking.archive.open_recording(self.recording, self._asking.now(), role=self.role, **self._told)
