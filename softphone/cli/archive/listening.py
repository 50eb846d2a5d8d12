"""`klartone archive play` and `export`: a recording is opened, after its entry in the audit log."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from softphone.bootstrap.archive.shared import line_of, print_line, words_of
from softphone.bootstrap.archive.viewing import seeing
from softphone.bootstrap.home import Home, texts
from softphone.cli.progress import STOPPED, Progress, progress
from softphone.domain.archive.interface import Opening
from softphone.domain.archive.recordings import RATE, Mark, MarkKind
from softphone.domain.errors import SoundError
from softphone.domain.purpose import KeyRole
from softphone.texts import Texts

if TYPE_CHECKING:
    from softphone.audio.playback import Playback

_WATCH = 0.25
"""seconds between two looks at the loudspeaker"""


def archive_play(arguments: argparse.Namespace) -> int:
    """Straight from the sealed container to the loudspeaker, a second at a time, never through a file.

    Status 1 if not all of it is there, 130 if somebody ended it.
    """
    from softphone.audio.playback import Playback, speaker

    tell, woken = texts(), threading.Event()
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    said = _said(arguments)
    with seeing(arguments) as viewing, progress() as running:
        opening = viewing.archive.open(arguments.id, **said)
        device = _speaker(settings.speaker)  # first: opening a recording is noted in its audit log
        with opening.sound(arguments.start) as sound:
            _tell_custody(opening, tell)
            playback = Playback(sound.pull, sound.samples, speaker(device), woken.set)
            playback.seek(round((arguments.start or 0) * RATE))
            ended_at = _play(playback, woken, running, sound.samples, tell)
            # Last: all of the file is read for it, and it may lie in the house.
            whole = ended_at is not None or _is_whole(sound.marks(), tell, broke_off=opening.row.broke_off)
    if ended_at is not None:
        print(tell("play.stopped", at=ended_at // RATE), file=sys.stderr)  # noqa: T201
        return STOPPED
    return 0 if whole else 1


def _play(playback: Playback, woken: threading.Event, running: Progress, length: int, tell: Texts) -> int | None:
    """Play to its end: None; or the sample at which somebody ended it."""
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
    """Status 1 if not all of the recording is in the file, 130 if somebody ended it: then there is none."""
    tell, said = texts(), _said(arguments)
    with seeing(arguments) as viewing, progress() as running:

        def go_on(done: int, length: int) -> None:
            running.tell(lambda: tell("export.progress", at=_clock(done), length=_clock(length)))
            if running.stopped:
                raise KeyboardInterrupt

        opening = viewing.archive.open(arguments.id, **said)
        try:
            exported = opening.export(str(arguments.wav), go_on)
        except KeyboardInterrupt:
            running.clear()
            print(tell("export.stopped", file=arguments.wav), file=sys.stderr)  # noqa: T201
            return STOPPED
        _tell_custody(opening, tell)
    print_line(tell("archive.exported", seconds=tell.decimal(exported.seconds, ".2f"), file=arguments.wav))
    return 0 if _is_whole(exported.marks, tell, broke_off=opening.row.broke_off) else 1


class _Said(TypedDict):
    role: KeyRole | None
    why: str
    case: str


def _said(arguments: argparse.Namespace) -> _Said:
    """Raises ArchiveError if it is not a plain line, or holds a number."""
    return {"role": arguments.role, "why": words_of(arguments.why, "--why"), "case": line_of(arguments.case, "--case")}


def _clock(samples: int) -> str:
    minutes, seconds = divmod(samples // RATE, 60)
    return f"{minutes}:{seconds:02}"


def _speaker(chosen: str) -> str:
    """The id of the speaker to play on: the chosen one if it is there, else the system's. Raises SoundError."""
    from softphone.audio.devices import Device, list_devices

    devices = list_devices()
    for one in (chosen, ""):
        if isinstance(devices.find("speaker", one), Device):
            return one
    raise SoundError("error.play.no_speaker")


def _tell_custody(opening: Opening, tell: Texts) -> None:
    if opening.role is KeyRole.CUSTODY:
        print_line(tell("archive.with_custody"))


def _is_whole(marks: Sequence[Mark], tell: Texts, *, broke_off: bool) -> bool:
    """Whether everything that was sealed is heard; what is missing goes to stderr. Pauses and gaps of the call do not count.

    `broke_off`: the catalog says so; then nobody should look for what never was.
    """
    missing = [mark for mark in marks if mark.kind in (MarkKind.DAMAGED, MarkKind.BROKE_OFF, MarkKind.LOST)]
    if broke_off and [mark.kind for mark in missing] == [MarkKind.BROKE_OFF]:
        print(tell("archive.breaks_off_only", at=tell.decimal(missing[0].at / RATE, ".2f")), file=sys.stderr)  # noqa: T201
        return False
    silent = sum(mark.samples for mark in marks if mark.kind is MarkKind.DAMAGED)
    lines = [tell("archive.silent", seconds=tell.decimal(silent / RATE, ".2f"))] if silent else []
    lines += [
        tell("archive.breaks_off", at=tell.decimal(mark.at / RATE, ".2f"))
        for mark in marks
        if mark.kind is MarkKind.BROKE_OFF
    ]
    if any(mark.kind is MarkKind.LOST for mark in marks):
        lines.append(tell("archive.lost"))
    if lines:
        print(" ".join([*lines, tell("archive.not_whole")]), file=sys.stderr)  # noqa: T201
    return not lines
