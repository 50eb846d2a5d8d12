"""A recording opened to be heard, in the role that this person may hear it in; the audit log has told of it by then."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from softphone.archive.archive import Archive
from softphone.archive.seen import access, commands
from softphone.archive.seen.asking import Asking
from softphone.domain.archive import permission
from softphone.domain.archive.interface import Progress
from softphone.domain.archive.recordings import RATE, Exported, Mark, RecordingRow, Sound
from softphone.domain.purpose import KeyRole
from softphone.domain.roles import OPENS, Permission


def opening(asking: Asking, id: str, asked: KeyRole | None, why: str, case: str) -> Opening:
    """Whether its keys are here shows, and is in the log, whether or not it is then heard."""
    archive, viewer, now = asking.archive, asking.viewer, asking.now()
    deeds: Sequence[Permission] = [OPENS[asked]] if asked else sorted(OPENS.values(), key=viewer.may, reverse=True)
    row = asking.meant(id, *deeds)
    with access.refusing(archive, now, call=row.call, recording=row.recording):
        role = permission.role_to_open(viewer, row, asked, why=why, case=case)
    if role is KeyRole.TRAINING and not viewer.demo:
        access.require_signed(archive, viewer, now)
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

    @property
    def _archive(self) -> Archive:
        return self._asking.archive

    @contextmanager
    def sound(self, seconds: float | None = None) -> Generator[Sound]:
        archive, now = self._archive, self._asking.now()
        if seconds is None:
            heard = commands.play(archive, self.recording, now, role=self.role, told=self._told)
            yield Sound(heard.samples, lambda _at: heard.blocks, heard.marks)
            return
        with commands.play_from(archive, self.recording, now, seconds, role=self.role, told=self._told) as reader:
            yield Sound(reader.length, reader.pcm, tuple(_behind(reader.marks(), round(seconds * RATE))))

    def export(self, file: str, go_on: Progress) -> Exported:
        now = self._asking.now()
        made = commands.export(
            self._archive,
            self.recording,
            Path(file),
            now,
            role=self.role,
            told=self._told,
            go_on=go_on,
        )
        return Exported(made.seconds, made.marks)


def _behind(marks: Sequence[Mark], at: int) -> list[Mark]:
    """As far as they are of what comes from there on."""
    cut = (replace(mark, samples=mark.samples - max(at - mark.at, 0)) for mark in marks)
    return [mark for mark in cut if mark.samples > 0 or mark.at >= at]
