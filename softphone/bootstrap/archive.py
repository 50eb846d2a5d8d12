"""The archive's commands, told to a person: what `archive.commands` gives, in sentences on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from softphone.archive import commands
from softphone.archive.archive import Archive, RecordingRow
from softphone.archive.changes import is_case
from softphone.archive.files.container import RATE
from softphone.archive.files.opus import Pcm
from softphone.archive.files.reader import Mark, MarkKind
from softphone.archive.reviewing import review
from softphone.archive.sweep import REPORTS, Swept
from softphone.bootstrap.audit import entries_of, in_words
from softphone.bootstrap.home import Home, key_store, texts
from softphone.domain.errors import ArchiveError, SoundError
from softphone.domain.purpose import KeyRole
from softphone.texts import Texts


def archive_list(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        rows = commands.list_recordings(archive)
    if not rows:
        _tell(tell("archive.empty"))
    for row in rows:
        _tell("  ".join([row.recording, _when(row.opened_at, row), row.line or "–", _state(row, tell)]))
    return 0


def archive_show(arguments: argparse.Namespace) -> int:
    tell = texts()
    with opened(arguments) as archive:
        row = commands.show(archive, arguments.id).row
        entries = entries_of(archive, row)
    facts = {
        "id": row.recording,
        "opened": _when(row.opened_at, row),
        "closed": _when(row.closed_at, row) if row.closed_at else tell("archive.show.broke_off"),
        "line": row.line or "–",
        "number": row.number or tell("archive.show.withheld"),
        "state": _state(row, tell),
        "bytes": f"{row.bytes:,}".replace(",", " "),
    }
    for name, fact in facts.items():
        _tell(f"{tell(f'archive.show.{name}'):<14}{fact}")
    for hold in row.holds:
        raised = f"{_when(hold.at, row)} {tell(f'archive.hold.{hold.raised_for}')} {hold.why}"
        _tell(f"{tell('archive.show.hold'):<14}{raised}".rstrip())
    _tell("\n" + tell("archive.show.audit"))
    for entry in entries:
        _tell(f"{entry.number:>5}  {_when(entry.at, row)}  {entry.rule:<4} {in_words(entry, tell)}")
    return 0


def archive_play(arguments: argparse.Namespace) -> int:
    """Straight from the sealed container to the loudspeaker: never through a file. Status 1 where not all of it is there."""
    from softphone.audio.player import Player

    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    with opened(arguments) as archive:
        archive.find(arguments.id)
        speaker = _speaker(settings.speaker)  # looked for first: opening a recording is noted in its audit log
        mixed, marks = _to_hear(archive, arguments.id, arguments.start)
        _tell_custody(archive, arguments.id, texts())
        whole = _is_whole(marks, texts())
        player = Player(speaker)
        player.play(mixed, RATE)
        player.wait()
    return 0 if whole else 1


def _to_hear(archive: Archive, recording: str, start: float | None) -> tuple[bytes, Sequence[Mark]]:
    """Both voices on one loudspeaker, half as loud each so that they never clip together; and what is to be told of it.

    From `start` seconds on no more of the file is read than that.
    """
    now = datetime.now(UTC)
    if start is None:
        sound = commands.play(archive, recording, now)
        return b"".join(map(_mixed, sound.blocks)), sound.marks
    with commands.play_from(archive, recording, now, start) as reader:
        mixed = b"".join(map(_mixed, reader.pcm(round(start * RATE))))
        marks = [Mark(MarkKind.DAMAGED, 0, reader.silenced)] if reader.silenced else []
        if reader.spans and not reader.spans[-1].complete:
            marks.append(Mark(MarkKind.BROKE_OFF, reader.length, 0))
        return mixed, marks


def _mixed(block: Pcm) -> bytes:
    return ((block[:, 0].astype("i4") + block[:, 1]) // 2).astype("<i2").tobytes()


def archive_export(arguments: argparse.Namespace) -> int:
    """Status 1 where not all of the recording is in the file."""
    tell = texts()
    with opened(arguments) as archive:
        exported = commands.export(archive, arguments.id, arguments.wav, datetime.now(UTC))
        _tell_custody(archive, arguments.id, tell)
    _tell(tell("archive.exported", seconds=f"{exported.seconds:.2f}", file=exported.path))
    return 0 if _is_whole(exported.marks, tell) else 1


def archive_reviewed(arguments: argparse.Namespace) -> int:
    """It has been used to train (G33), and is kept for that no longer than `--keep` says (G38)."""
    tell, keep = texts(), arguments.keep
    with opened(arguments) as archive:
        done = review(archive, arguments.id, arguments.by, datetime.now(UTC), keep=keep)
    _tell(tell("archive.reviewed" if done else "archive.reviewed.before", id=arguments.id))
    return 0


def archive_sweep(arguments: argparse.Namespace) -> int:
    """Status 1 where the clock was not believed.

    `--now` names a day. Dates are days: at noon, UTC, it is that day wherever a policy's time zone is likely to be.
    """
    tell = texts()
    clock = datetime.now(UTC)
    another_day = arguments.now and arguments.now != clock.date()
    now = datetime.combine(arguments.now, time(12), UTC) if another_day else clock
    with opened(arguments) as archive:
        swept = commands.sweep(
            archive, now, clock=clock, clock_is_right=arguments.clock_is_right, dry_run=arguments.dry_run
        )
    for item in swept:
        purpose = tell(f"purpose.{item.purpose}") if item.purpose else ""
        sentence = tell(f"sweep.{item.what}", purpose=purpose, count=item.count, since=item.since, today=clock.date())
        if item.locked and item.what is Swept.PURPOSE_EXPIRED:
            sentence = tell("sweep.stays_locked", sentence=sentence)
        _tell(f"{item.recording}  {sentence}" if item.recording else sentence)
    reports = sum(item.what in REPORTS for item in swept)
    if not swept:
        told = [tell("sweep.nothing")]
    elif reports == len(swept):
        told = [tell("sweep.none")]
    else:
        told = [tell("sweep.would" if arguments.dry_run else "sweep.done", count=len(swept) - reports)]
    if reports:
        told.append(tell("sweep.reported", count=reports))
    _tell(" ".join(told))
    return int(any(item.what is Swept.CLOCK_DOUBTFUL for item in swept))


def archive_verify(arguments: argparse.Namespace) -> int:
    """Status 1 where a difference was found."""
    tell = texts()
    kept = _kept_head(arguments.head) if arguments.head else None
    with opened(arguments) as archive:
        proof = commands.verify(archive, kept)
    if arguments.json:
        _tell(json.dumps(proof.as_json(), ensure_ascii=False))
    else:
        for finding in proof.findings:
            _tell(tell(f"archive.finding.{finding.code}", **finding.params))
        faults = sum(finding.is_fault for finding in proof.findings)
        counts = {
            "faults": faults,
            "entries": proof.audit_entries,
            "recordings": proof.recordings,
            "chunks": proof.opened_chunks,
        }
        figures = {name: tell(f"verify.{name}", count=count) for name, count in counts.items()}
        _tell(tell("verify.ok" if proof.ok else "verify.not_ok", **figures))
    return 0 if proof.ok else 1


def archive_head(arguments: argparse.Namespace) -> int:
    """One line, to be kept elsewhere: `verify --head` holds the log to it."""
    with opened(arguments) as archive:
        head = commands.head(archive, datetime.now(UTC))
    _tell(str(head) if head else texts()("archive.head.none"))
    return 0


def _kept_head(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError("error.archive.no_head") from error
    except OSError as error:
        raise ArchiveError("error.archive.head_unreadable", path=str(path), detail=error.strerror or "") from error


@contextmanager
def opened(arguments: argparse.Namespace) -> Generator[Archive]:
    """The archive that a command means: the one it names, else the user's own. Raises ArchiveError."""
    home = Home.of(arguments)
    settings, _ = home.settings(only_look=True)
    folder: Path = arguments.archive or home.archive(settings)
    archive = Archive.open(folder, key_store(folder))
    try:
        yield archive
    finally:
        archive.close()


def _speaker(chosen: str) -> str:
    """The id of the speaker to play on: the chosen one where it is there, else the system's. Raises SoundError."""
    from softphone.audio.devices import Device, list_devices

    devices = list_devices()
    for one in (chosen, ""):
        if isinstance(devices.find("speaker", one), Device):
            return one
    raise SoundError("error.play.no_speaker")


def _state(row: RecordingRow, tell: Texts) -> str:
    """For what it is kept and until when, and where only custody can open it."""
    case = is_case(row.restricted)
    told = [
        tell("archive.until", purpose=tell(f"purpose.{purpose}"), day=tell.day(row.expires[purpose]))
        if purpose in row.expires
        else tell(f"purpose.{purpose}")
        for purpose in (row.expires if case else row.purposes)
    ]
    if row.holds:
        told.append(tell("archive.locked"))
    if case:
        told.append(tell("archive.custody_decides"))
    elif not row.purposes:
        told.append(tell("archive.custody_only"))
    return ", ".join(told)


def _tell_custody(archive: Archive, recording: str, tell: Texts) -> None:
    """Where custody's key opened it just now, as the audit log says."""
    last = archive.audit_of(archive.find(recording).recording)[-1]
    if last.params.get("role") == KeyRole.CUSTODY:
        _tell(tell("archive.with_custody"))


def _is_whole(marks: Sequence[Mark], tell: Texts) -> bool:
    """Whether everything that was sealed is heard; what is not is told on stderr. Pauses and gaps of the call are none of it."""
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


def _when(at: datetime, row: RecordingRow) -> str:
    """In the zone of the call's policy, as the desk shows it, with its distance from UTC."""
    return at.astimezone(ZoneInfo(row.time_zone)).strftime("%Y-%m-%d %H:%M:%S %z")


def _tell(line: str) -> None:
    print(line)  # noqa: T201
