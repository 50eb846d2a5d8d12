"""`klartone archive play` and `export`: a recording is opened, and the audit log has told of it by then."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from softphone.archive import commands
from softphone.archive.access import OPENS, Viewer, openable, refuse, require
from softphone.archive.archive import Archive
from softphone.archive.files.container import RATE
from softphone.archive.files.reader import Mark, MarkKind
from softphone.archive.finding.rows import RecordingRow
from softphone.bootstrap.archive.shared import line_of, opened, print_line, words_of
from softphone.bootstrap.archive.viewing import meant, viewer_here
from softphone.bootstrap.home import Home, texts
from softphone.bootstrap.progress import STOPPED, Progress, progress
from softphone.domain.errors import ArchiveError, SoundError
from softphone.domain.purpose import KeyRole
from softphone.texts import Texts

if TYPE_CHECKING:
    from softphone.audio.playback import Playback, Source

_WATCH = 0.25
"""seconds between two looks at the loudspeaker"""


def archive_play(arguments: argparse.Namespace) -> int:
    """Straight from the sealed container to the loudspeaker, a second at a time: never through a file. Status 1 where not all of
    it is there, 130 where somebody ended it."""
    from softphone.audio.playback import Playback, speaker

    tell, woken = texts(), threading.Event()
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    now = datetime.now(UTC)
    with opened(arguments) as archive, progress() as running:
        recording, role, told = _allowed(arguments, archive, now)
        # Whether its keys are here shows, and is in the log, whether or not it could then be heard.
        archive.keys_for(archive.find(recording, now), role, now, refusal="opening_refused", **told)
        device = _speaker(settings.speaker)  # looked for first: opening a recording is noted in its audit log
        with _to_hear(archive, recording, arguments.start, now, role, told) as (source, length, marks):
            _tell_custody(archive, recording, tell)
            whole = _is_whole(marks, tell, broke_off=archive.find(recording).broke_off)
            playback = Playback(source, length, speaker(device), woken.set)
            playback.seek(round((arguments.start or 0) * RATE))
            ended_at = _play(playback, woken, running, length, tell)
    if ended_at is not None:
        print(tell("play.stopped", at=ended_at // RATE), file=sys.stderr)  # noqa: T201
        return STOPPED
    return 0 if whole else 1


def _play(playback: Playback, woken: threading.Event, running: Progress, length: int, tell: Texts) -> int | None:
    """To its end: None; or the sample at which somebody ended it."""
    playback.play()
    try:
        while playback.playing:
            at = playback.position
            if running.stopped:
                return at
            running.tell(lambda at=at: tell("play.progress", at=_clock(at), length=_clock(length)))
            woken.clear()
            if not playback.fill():
                woken.wait(_WATCH)
    except SoundError as error:
        raise SoundError("error.play.speaker_lost", at=playback.position // RATE) from error
    finally:
        playback.close()
    return None


def archive_export(arguments: argparse.Namespace) -> int:
    """Status 1 where not all of the recording is in the file, 130 where somebody ended it: then there is none."""
    tell, now = texts(), datetime.now(UTC)
    with opened(arguments) as archive, progress() as running:

        def go_on(done: int, length: int) -> None:
            running.tell(lambda: tell("export.progress", at=_clock(done), length=_clock(length)))
            if running.stopped:
                raise KeyboardInterrupt

        recording, role, told = _allowed(arguments, archive, now)
        try:
            exported = commands.export(archive, recording, arguments.wav, now, role=role, told=told, go_on=go_on)
        except KeyboardInterrupt:
            running.clear()
            print(tell("export.stopped", file=arguments.wav), file=sys.stderr)  # noqa: T201
            return STOPPED
        _tell_custody(archive, recording, tell)
        broke_off = archive.find(recording).broke_off
    print_line(tell("archive.exported", seconds=f"{exported.seconds:.2f}", file=exported.path))
    return 0 if _is_whole(exported.marks, tell, broke_off=broke_off) else 1


def _allowed(
    arguments: argparse.Namespace, archive: Archive, now: datetime
) -> tuple[str, KeyRole | None, dict[str, str]]:
    """The recording's whole id, the role it is opened in, and what the audit log is told besides.

    Raises ArchiveError, once the audit log tells of the refusal.
    """
    why, case = words_of(arguments.why, "--why"), line_of(arguments.case, "--case")
    asked: KeyRole | None = arguments.role
    told = {name: text for name, text in (("stated", why), ("case", case)) if text}
    viewer = viewer_here(arguments, archive)
    deeds = [OPENS[asked]] if asked else sorted(OPENS.values(), key=viewer.may, reverse=True)
    row = meant(archive, viewer, arguments.id, now, *deeds)
    if viewer.demo:
        return row.recording, asked, told
    role = _role(archive, viewer, row, asked, why=why, case=case, now=now)
    for needs, text, code in ((KeyRole.DOCUMENTATION, why, "say_why"), (KeyRole.CUSTODY, case, "say_case")):
        # What is closed to the role, no words open.
        if role is needs and role in row.opens_for and not text:
            refuse(archive, OPENS[role], now, call=row.call, recording=row.recording)
            raise ArchiveError(f"error.archive.{code}")
    return row.recording, role, told


def _role(
    archive: Archive, viewer: Viewer, row: RecordingRow, asked: KeyRole | None, *, why: str, case: str, now: datetime
) -> KeyRole:
    """The one that is asked for; else what the words given are for; else the least that opens it."""
    if asked is None:
        may = openable(viewer, row.line, row.agent, row.opens_for)
        named = [one for one, text in ((KeyRole.DOCUMENTATION, why), (KeyRole.CUSTODY, case)) if text and one in may]
        if named or may:
            return (named or may)[0]
        # Nothing opens it for this person: the log tells of what they come for.
        asked = next(one for one, deed in OPENS.items() if viewer.may(deed))
    require(archive, viewer, OPENS[asked], now, recording=row.recording)
    return asked


@contextmanager
def _to_hear(
    archive: Archive, recording: str, start: float | None, now: datetime, role: KeyRole | None, told: dict[str, str]
) -> Generator[tuple[Source, int, Sequence[Mark]]]:
    """What its sound is pulled from, how many samples it has, and what is to be told of those that are heard."""
    if start is None:
        sound = commands.play(archive, recording, now, role=role, told=told)
        yield lambda _: sound.blocks, sound.samples, sound.marks
        return
    with commands.play_from(archive, recording, now, start, role=role, told=told) as reader:
        yield reader.pcm, reader.length, _behind(reader.marks(), round(start * RATE))


def _behind(marks: Sequence[Mark], at: int) -> list[Mark]:
    """As far as they are of what comes from there on."""
    cut = (replace(mark, samples=mark.samples - max(at - mark.at, 0)) for mark in marks)
    return [mark for mark in cut if mark.samples > 0 or mark.at >= at]


def _clock(samples: int) -> str:
    minutes, seconds = divmod(samples // RATE, 60)
    return f"{minutes}:{seconds:02}"


def _speaker(chosen: str) -> str:
    """The id of the speaker to play on: the chosen one where it is there, else the system's. Raises SoundError."""
    from softphone.audio.devices import Device, list_devices

    devices = list_devices()
    for one in (chosen, ""):
        if isinstance(devices.find("speaker", one), Device):
            return one
    raise SoundError("error.play.no_speaker")


def _tell_custody(archive: Archive, recording: str, tell: Texts) -> None:
    """Where custody's key opened it just now, as the audit log says."""
    last = archive.audit_of(archive.find(recording).recording)[-1]
    if last.params.get("role") == KeyRole.CUSTODY:
        print_line(tell("archive.with_custody"))


def _is_whole(marks: Sequence[Mark], tell: Texts, *, broke_off: bool) -> bool:
    """Whether everything that was sealed is heard; what is not is told on stderr. Pauses and gaps of the call are none of it.
    `broke_off`: the catalog says so; then nobody is to look for what never was."""
    missing = [mark for mark in marks if mark.kind in (MarkKind.DAMAGED, MarkKind.BROKE_OFF, MarkKind.LOST)]
    if broke_off and [mark.kind for mark in missing] == [MarkKind.BROKE_OFF]:
        print(tell("archive.breaks_off_only", at=f"{missing[0].at / RATE:.2f}"), file=sys.stderr)  # noqa: T201
        return False
    silent = sum(mark.samples for mark in marks if mark.kind is MarkKind.DAMAGED)
    told = [tell("archive.silent", seconds=f"{silent / RATE:.2f}")] if silent else []
    told += [
        tell("archive.breaks_off", at=f"{mark.at / RATE:.2f}") for mark in marks if mark.kind is MarkKind.BROKE_OFF
    ]
    if any(mark.kind is MarkKind.LOST for mark in marks):
        told.append(tell("archive.lost"))
    if told:
        print(" ".join([*told, tell("archive.not_whole")]), file=sys.stderr)  # noqa: T201
    return not told
